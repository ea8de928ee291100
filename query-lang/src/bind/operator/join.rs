//! `join` and `lookup`.

use crate::ast::{self, BinaryOperator, ExprKind as Ast, JoinCondition};
use crate::function::signature::common_type;
use crate::plan::{Expr, JoinKind, Operator};
use crate::span::Span;
use crate::types::{Column, Schema, Type};

use super::{parameter, parameter_text};
use crate::bind::comparison::cast;
use crate::bind::naming::unique_join_names;
use crate::bind::scope::Relation;
use crate::bind::{Bind, Binder};

/// Equal columns of both sides, by position.
type KeyPairs = Vec<(usize, usize)>;

impl Binder<'_> {
    pub(in crate::bind) fn join(&mut self, input: Relation, node: &ast::Join, span: Span) -> Bind<Relation> {
        let kind = match parameter(&node.parameters, "kind").and_then(parameter_text).as_deref() {
            None | Some("innerunique") => JoinKind::InnerUnique,
            Some("inner") => JoinKind::Inner,
            Some("leftouter") => JoinKind::LeftOuter,
            Some("rightouter") => JoinKind::RightOuter,
            Some("fullouter") => JoinKind::FullOuter,
            Some("leftsemi") => JoinKind::LeftSemi,
            Some("rightsemi") => JoinKind::RightSemi,
            Some("leftanti" | "anti" | "leftantisemi") => JoinKind::LeftAnti,
            Some("rightanti" | "rightantisemi") => JoinKind::RightAnti,
            Some(other) => {
                let kinds = [
                    "innerunique",
                    "inner",
                    "leftouter",
                    "rightouter",
                    "fullouter",
                    "leftsemi",
                    "rightsemi",
                    "leftanti",
                    "rightanti",
                    "anti",
                ];
                let message = format!("Unknown kind of join '{other}'");
                return Err(self.unknown("SEM0140", message, span, other, kinds));
            }
        };
        let right = self.table(&node.right)?;
        let pairs = self.join_keys(&input, &right, node, span)?;
        let (left_keys, right_keys) = self.key_expressions(&input, &right, &pairs, span)?;
        let schema = match kind {
            JoinKind::LeftSemi | JoinKind::LeftAnti => input.schema().clone(),
            JoinKind::RightSemi | JoinKind::RightAnti => right.schema().clone(),
            _ => joined_schema(input.schema(), right.schema()),
        };
        let operator = Operator::Join { kind, left: input.plan, right: right.plan, left_keys, right_keys };
        let plan = self.plan(operator, schema);
        Ok(Relation::new(plan))
    }

    pub(in crate::bind) fn lookup(
        &mut self,
        input: Relation,
        node: &ast::Join,
        span: Span,
    ) -> Bind<Relation> {
        let kind = match parameter(&node.parameters, "kind").and_then(parameter_text).as_deref() {
            None | Some("leftouter") => JoinKind::LeftOuter,
            Some("inner") => JoinKind::Inner,
            Some(other) => {
                let message = format!("Unknown kind of lookup '{other}': leftouter or inner is expected");
                return Err(self.error("SEM0140", message, span));
            }
        };
        let right = self.table(&node.right)?;
        let pairs = self.join_keys(&input, &right, node, span)?;
        let (left_keys, right_keys) = self.key_expressions(&input, &right, &pairs, span)?;
        let (left_schema, right_schema) = (input.schema().clone(), right.schema().clone());
        let width = left_schema.len();
        let schema = joined_schema(&left_schema, &right_schema);
        let operator = Operator::Join { kind, left: input.plan, right: right.plan, left_keys, right_keys };
        let plan = self.plan(operator, schema);
        // The key columns of the right side are not repeated.
        let kept: Vec<usize> = (0..right_schema.len())
            .filter(|position| !pairs.iter().any(|(_, key)| key == position))
            .collect();
        let names: Vec<String> = unique_join_names(
            left_schema
                .iter()
                .map(|column| column.name.as_str())
                .chain(kept.iter().map(|position| right_schema[*position].name.as_str())),
        );
        let positions = (0..width).chain(kept.iter().map(|position| width + position));
        let types = left_schema
            .iter()
            .map(|column| column.ty)
            .chain(kept.iter().map(|position| right_schema[*position].ty));
        let mut expressions = Vec::new();
        let mut schema: Schema = Vec::new();
        for ((position, ty), name) in positions.zip(types).zip(names) {
            expressions.push(Expr::column(position, ty));
            schema.push(Column::new(name, ty));
        }
        Ok(self.projected(Relation::new(plan), expressions, schema))
    }

    fn join_keys(
        &mut self,
        left: &Relation,
        right: &Relation,
        node: &ast::Join,
        span: Span,
    ) -> Bind<KeyPairs> {
        let conditions = match &node.condition {
            JoinCondition::On(conditions) => conditions,
            JoinCondition::Where(condition) => {
                let mut pairs = Vec::new();
                self.where_condition(left, right, condition, &mut pairs)?;
                return Ok(pairs);
            }
            JoinCondition::None => {
                return Err(self.error("SEM0182", "A condition 'on …' is expected", span));
            }
        };
        let mut pairs = Vec::new();
        let mut failed = false;
        for condition in conditions {
            failed |= self.join_condition(left, right, condition, &mut pairs).is_err();
        }
        if failed {
            return Err(self.give_up());
        }
        Ok(pairs)
    }

    /// `where`: as `on`, and a name may be compared with itself.
    fn where_condition(
        &mut self,
        left: &Relation,
        right: &Relation,
        condition: &ast::Expr,
        pairs: &mut KeyPairs,
    ) -> Bind<()> {
        match &condition.kind {
            Ast::Parenthesized(inner) => self.where_condition(left, right, inner, pairs),
            Ast::Binary { operator: BinaryOperator::And, left: first, right: second, .. } => {
                self.where_condition(left, right, first, pairs)?;
                self.where_condition(left, right, second, pairs)
            }
            Ast::Binary { operator: BinaryOperator::Equal, left: first, right: second, .. } => {
                match (&first.kind, &second.kind) {
                    (Ast::Name(first_name), Ast::Name(second_name))
                        if first_name.text == second_name.text =>
                    {
                        self.join_condition(left, right, first, pairs)
                    }
                    _ => self.join_condition(left, right, condition, pairs),
                }
            }
            _ => Err(self.unsupported("'join … where' with anything but equal columns", condition.span)),
        }
    }

    fn join_condition(
        &mut self,
        left: &Relation,
        right: &Relation,
        condition: &ast::Expr,
        pairs: &mut KeyPairs,
    ) -> Bind<()> {
        self.note_join(left, right, condition.span);
        match &condition.kind {
            Ast::Parenthesized(inner) => self.join_condition(left, right, inner, pairs),
            Ast::Name(name) => {
                let pair = (self.side_position(left, name, "left"), self.side_position(right, name, "right"));
                pairs.push((pair.0?, pair.1?));
                Ok(())
            }
            Ast::Binary { operator: BinaryOperator::And, left: first, right: second, .. } => {
                let first = self.join_condition(left, right, first, pairs);
                let second = self.join_condition(left, right, second, pairs);
                first.and(second)
            }
            Ast::Binary { operator: BinaryOperator::Equal, left: first, right: second, .. } => {
                match (side(first), side(second)) {
                    (Some(("$left", a)), Some(("$right", b))) | (Some(("$right", b)), Some(("$left", a))) => {
                        let pair =
                            (self.side_position(left, a, "left"), self.side_position(right, b, "right"));
                        let (a, b) = (pair.0?, pair.1?);
                        if [left.schema()[a].ty, right.schema()[b].ty] == [Type::Dynamic; 2] {
                            let message = "Join keys cannot be dynamic: convert them, as in tostring(…)";
                            return Err(self.error("SEM0241", message, condition.span));
                        }
                        pairs.push((a, b));
                        Ok(())
                    }
                    _ => Err(self.invalid_condition(condition.span)),
                }
            }
            Ast::Missing => Err(self.give_up()),
            _ => Err(self.invalid_condition(condition.span)),
        }
    }

    fn invalid_condition(&mut self, span: Span) -> crate::bind::Reported {
        let message =
            "A join condition is the name of a column of both tables, or $left.column == $right.column";
        self.error("SEM0182", message, span)
    }

    fn side_position(&mut self, relation: &Relation, name: &ast::Name, side: &str) -> Bind<usize> {
        if self.broken_columns.contains(&name.text) {
            return Err(self.give_up());
        }
        match relation.schema().iter().position(|column| column.name == name.text) {
            Some(position) => {
                let ty = relation.schema()[position].ty;
                self.note_use(name.span, |_| Some(crate::bind::notes::Use::Column(ty)));
                Ok(position)
            }
            None => {
                let message =
                    format!("'{}' operator: the {side} table has no column '{}'", self.operator, name.text);
                let names: Vec<String> = relation.schema().iter().map(|column| column.name.clone()).collect();
                Err(self.unknown("SEM0100", message, name.span, &name.text, names.iter().map(String::as_str)))
            }
        }
    }

    /// The keys of both sides in common types.
    fn key_expressions(
        &mut self,
        left: &Relation,
        right: &Relation,
        pairs: &KeyPairs,
        span: Span,
    ) -> Bind<(Vec<Expr>, Vec<Expr>)> {
        let mut keys = (Vec::with_capacity(pairs.len()), Vec::with_capacity(pairs.len()));
        for (a, b) in pairs {
            let (a_type, b_type) = (left.schema()[*a].ty, right.schema()[*b].ty);
            let ty = match (a_type, b_type) {
                (Type::Dynamic, Type::Dynamic) => Some(Type::String),
                (Type::Dynamic, _) | (_, Type::Dynamic) => None,
                (a, b) => common_type(a, b),
            };
            let Some(ty) = ty else {
                let message = format!(
                    "The keys '{}' ({a_type}) and '{}' ({b_type}) are of different types",
                    left.schema()[*a].name,
                    right.schema()[*b].name
                );
                return Err(self.error("SEM0242", message, span));
            };
            keys.0.push(cast(Expr::column(*a, a_type), ty));
            keys.1.push(cast(Expr::column(*b, b_type), ty));
        }
        Ok(keys)
    }
}

/// `$left.name` or `$right.name`
fn side(expression: &ast::Expr) -> Option<(&str, &ast::Name)> {
    match &expression.kind {
        Ast::Parenthesized(inner) => side(inner),
        Ast::Member { object, name } => match &object.kind {
            Ast::Name(side) if side.text == "$left" || side.text == "$right" => {
                Some((side.text.as_str(), name))
            }
            _ => None,
        },
        Ast::Element { object, index } => match (&object.kind, &index.kind) {
            (Ast::Name(side), Ast::Name(name)) if side.text == "$left" || side.text == "$right" => {
                Some((side.text.as_str(), name))
            }
            _ => None,
        },
        _ => None,
    }
}

/// Columns of the left side, then of the right; later bearers of a name get a number.
fn joined_schema(left: &Schema, right: &Schema) -> Schema {
    let names = unique_join_names(left.iter().chain(right).map(|column| column.name.as_str()));
    left.iter().chain(right).zip(names).map(|(column, name)| Column::new(name, column.ty)).collect()
}
