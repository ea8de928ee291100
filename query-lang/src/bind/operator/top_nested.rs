//! `top-hitters` and `top-nested`, lowered to groups, tops and joins.

use crate::ast::{self, ExprKind as Ast, SortDirection};
use crate::function::{AggregateFunction, FunctionId};
use crate::plan::{Aggregate, Expr, JoinKind, Operator, SortKey};
use crate::types::{Column, Schema, Type};

use super::summarize::{count_rows, source_columns};
use crate::bind::comparison::cast;
use crate::bind::naming::{UniqueNames, result_name};
use crate::bind::projection::Projection;
use crate::bind::scope::Relation;
use crate::bind::{Bind, Binder};

impl Binder<'_> {
    pub(in crate::bind) fn top_hitters(&mut self, input: Relation, node: &ast::TopHitters) -> Bind<Relation> {
        let limit = self.row_count(&node.count)?;
        let mut projection = Projection::default();
        let keys = self.group_keys(&input, std::slice::from_ref(&node.of), &mut projection);
        let Some(key) = projection.items().first().cloned() else {
            return Err(self.give_up());
        };
        let (aggregate, name) = match &node.by {
            None => (count_rows(), format!("approximate_count_{}", key.name)),
            Some(by) => {
                let weight = self.with_row(&input, |binder| binder.scalar(by))?;
                if !weight.ty.is_number() {
                    let message = format!("The weight must be a number, found {}", weight.ty);
                    return Err(self.error("SEM0137", message, by.span));
                }
                let ty = weight.ty.max(Type::Long);
                let aggregate = Aggregate {
                    function: FunctionId::Aggregate(AggregateFunction::Sum),
                    arguments: vec![weight],
                    condition: None,
                    outputs: vec![ty],
                };
                (aggregate, format!("approximate_sum_{}", result_name(by).unwrap_or_default()))
            }
        };
        let ty = aggregate.outputs.first().copied().unwrap_or(Type::Long);
        let mut unique = UniqueNames::default();
        let schema =
            vec![Column::new(unique.take(&key.name), key.expression.ty), Column::new(unique.take(&name), ty)];
        let operator = Operator::Summarize { input: input.plan, keys, aggregates: vec![aggregate] };
        let grouped = self.plan(operator, schema.clone());
        let sort = SortKey { expression: Expr::column(1, ty), descending: true, nulls_first: false };
        let plan = self.plan(Operator::Top { input: grouped, keys: vec![sort], limit }, schema);
        Ok(Relation::flagged(plan, true, true))
    }

    /// Level by level: the values of the next key within those kept before, ranked by its aggregate.
    pub(in crate::bind) fn top_nested(
        &mut self,
        input: Relation,
        clauses: &[ast::TopNestedClause],
    ) -> Bind<Relation> {
        // Every level reads the rows again.
        let input = self.share(input);
        let mut unique = UniqueNames::default();
        let mut keys: Vec<Expr> = Vec::new();
        // Keys and aggregates of the levels so far, in turn.
        let mut levels: Option<Relation> = None;
        for clause in clauses {
            if let Some(others) = &clause.with_others {
                return Err(self.unsupported("'with others' of top-nested", others.span));
            }
            let mut projection = Projection::default();
            let key = self.group_keys(&input, std::slice::from_ref(&clause.of), &mut projection);
            let Some(key) = key.into_iter().next() else {
                return Err(self.give_up());
            };
            let key_name = unique.take(projection.items().first().map_or("", |item| item.name.as_str()));
            keys.push(key.clone());

            let (columns, aggregates) =
                self.aggregate_expressions(&input, source_columns(&keys), &[&clause.by.expression]);
            let columns = columns.into_iter().next().unwrap_or(Err(crate::bind::Reported))?;
            let Some(column) = columns.into_iter().next() else {
                return Err(self.give_up());
            };
            let declared = match &clause.by.expression.kind {
                Ast::Named { name, .. } => name.text.clone(),
                _ => column.declared.unwrap_or_else(|| format!("aggregated_{key_name}")),
            };
            let value_name = unique.take(&declared);
            let value = super::summarize::shifted(column.expression, keys.len());
            let value_type = value.ty;

            // Rows of the kept parents, grouped by all keys so far.
            let parents = keys.len() - 1;
            let rows = match &levels {
                None => input.plan.clone(),
                Some(levels) => {
                    let left_keys = keys[..parents].to_vec();
                    let right_keys =
                        (0..parents).map(|level| Expr::column(2 * level, left_keys[level].ty)).collect();
                    let schema = input.schema().clone();
                    let operator = Operator::Join {
                        kind: JoinKind::LeftSemi,
                        left: input.plan.clone(),
                        right: levels.plan.clone(),
                        left_keys,
                        right_keys,
                    };
                    self.plan(operator, schema)
                }
            };
            let mut schema: Schema = keys
                .iter()
                .enumerate()
                .map(|(level, key)| Column::new(format!("$key{level}"), key.ty))
                .collect();
            let mut inner = schema.clone();
            inner.extend(
                aggregates
                    .iter()
                    .flat_map(|aggregate| &aggregate.outputs)
                    .enumerate()
                    .map(|(position, ty)| Column::new(format!("$value{position}"), *ty)),
            );
            let grouped =
                self.plan(Operator::Summarize { input: rows, keys: keys.clone(), aggregates }, inner);
            schema.push(Column::new("$value", value_type));
            let mut expressions: Vec<Expr> =
                keys.iter().enumerate().map(|(level, key)| Expr::column(level, key.ty)).collect();
            expressions.push(value);
            let ranked = self.projected(Relation::new(grouped), expressions, schema.clone());

            let descending = clause.by.direction != Some(SortDirection::Ascending);
            let sort = SortKey {
                expression: Expr::column(keys.len(), value_type),
                descending,
                nulls_first: !descending,
            };
            let limit = match &clause.count {
                Some(count) => Some(self.row_count(count)?),
                None => None,
            };
            let best = match limit {
                None => ranked.plan,
                Some(limit) if parents == 0 => {
                    self.plan(Operator::Top { input: ranked.plan, keys: vec![sort], limit }, schema)
                }
                Some(limit) => {
                    let argument = self.plan(Operator::Argument, schema.clone());
                    let subquery =
                        self.plan(Operator::Top { input: argument, keys: vec![sort], limit }, schema.clone());
                    let key = parent_key(&keys[..parents]);
                    self.plan(Operator::Partition { input: ranked.plan, key, subquery }, schema)
                }
            };
            let next = match levels {
                None => {
                    let schema = vec![Column::new(key_name, key.ty), Column::new(value_name, value_type)];
                    let expressions = vec![Expr::column(0, key.ty), Expr::column(1, value_type)];
                    self.projected(Relation::new(best), expressions, schema)
                }
                Some(before) => {
                    let width = before.schema().len();
                    let mut schema = before.schema().clone();
                    let mut joined = schema.clone();
                    joined.extend(best.schema.iter().cloned());
                    let left_keys =
                        (0..parents).map(|level| Expr::column(2 * level, keys[level].ty)).collect();
                    let right_keys = (0..parents).map(|level| Expr::column(level, keys[level].ty)).collect();
                    let operator = Operator::Join {
                        kind: JoinKind::Inner,
                        left: before.plan,
                        right: best,
                        left_keys,
                        right_keys,
                    };
                    let plan = self.plan(operator, joined);
                    let mut expressions = Self::all_columns(&schema);
                    expressions.push(Expr::column(width + parents, key.ty));
                    expressions.push(Expr::column(width + parents + 1, value_type));
                    schema.push(Column::new(key_name, key.ty));
                    schema.push(Column::new(value_name, value_type));
                    self.projected(Relation::new(plan), expressions, schema)
                }
            };
            // The next level reads it twice.
            levels = Some(self.share(next));
        }
        match levels {
            Some(levels) => Ok(Relation::flagged(levels.plan, true, false)),
            None => Err(self.give_up()),
        }
    }
}

/// One expression that tells groups of several keys apart.
fn parent_key(keys: &[Expr]) -> Expr {
    match (keys, FunctionId::by_name("strcat")) {
        ([only], _) => Expr::column(0, only.ty),
        (_, Some(strcat)) => {
            let mut parts = Vec::new();
            for (level, key) in keys.iter().enumerate() {
                parts.push(cast(Expr::column(level, key.ty), Type::String));
                parts.push(Expr::constant(crate::value::Value::String("\u{1f}".to_string())));
            }
            Expr::call(strcat, parts, Type::String)
        }
        (_, None) => Expr::column(keys.len() - 1, keys[keys.len() - 1].ty),
    }
}
