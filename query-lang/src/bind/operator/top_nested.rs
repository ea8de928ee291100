//! `top-nested`, lowered to groups, tops and joins. Reference: top-nested-operator.
//!
//! ```text
//! rows ⋉ levels kept so far ─▶ group by all keys ─▶ best of each parent ─▶ join with the levels
//!                                                └▶ rows of the rest ─▶ group by parent   (with others)
//! ```

use crate::ast::{self, ExprKind as Ast, SortDirection};
use crate::function::FunctionId;
use crate::plan::{Aggregate, Expr, JoinKind, Operator, Plan, SortKey, UnionKind};
use crate::types::{Column, Schema, Type};
use crate::value::Value;

use super::summarize::{count_rows, shifted, source_columns};
use crate::bind::comparison::{cast, operator};
use crate::bind::naming::UniqueNames;
use crate::bind::projection::Projection;
use crate::bind::scope::Relation;
use crate::bind::{Bind, Binder, Reported, null_of};

/// One clause, bound.
struct Level {
    key: Expr,
    key_name: String,
    aggregates: Vec<Aggregate>,
    /// Over the outputs of the aggregates.
    value: Expr,
    value_name: String,
    descending: bool,
    limit: Option<Expr>,
    /// The name of what was not kept.
    others: Option<Expr>,
}

impl Binder<'_> {
    pub(in crate::bind) fn top_nested(
        &mut self,
        input: Relation,
        clauses: &[ast::TopNestedClause],
    ) -> Bind<Relation> {
        // Every level reads the rows again.
        let input = self.share(input);
        let mut unique = UniqueNames::default();
        let mut levels = Vec::with_capacity(clauses.len());
        let mut keys = Vec::with_capacity(clauses.len());
        for clause in clauses {
            let level = self.top_nested_level(&input, clause, &mut keys, &mut unique)?;
            levels.push(level);
        }
        let schema: Schema = levels
            .iter()
            .flat_map(|level| {
                [Column::new(&level.key_name, level.key.ty), Column::new(&level.value_name, level.value.ty)]
            })
            .collect();

        // Keys and values of the levels so far, in turn.
        let mut kept: Option<Relation> = None;
        let mut others: Vec<Plan> = Vec::new();
        for (number, level) in levels.iter().enumerate() {
            // Rows within what was kept before.
            let rows = match &kept {
                None => input.plan.clone(),
                Some(kept) => self.rows_of(JoinKind::LeftSemi, &input, &keys[..number], kept, 2),
            };
            let best = self.best_of(rows.clone(), &keys[..=number], level);
            let best = if level.others.is_some() { self.share(best) } else { best };
            if level.others.is_some() {
                let rows = Relation::new(rows);
                let rest = self.rows_of(JoinKind::LeftAnti, &rows, &keys[..=number], &best, 1);
                others.push(self.rest_of(rest, &keys[..number], &levels, number, kept.as_ref(), &schema));
            }
            let next = match kept {
                None => best,
                Some(before) => self.nested_in(before, best, number, &schema[..2 * number + 2]),
            };
            // The next level reads it twice, and so does what is left out.
            kept = Some(if levels.len() > 1 { self.share(next) } else { next });
        }
        let Some(kept) = kept else { return Err(self.give_up()) };
        let names = Self::all_columns(&schema);
        let kept = self.projected(kept, names, schema.clone());
        if others.is_empty() {
            return Ok(Relation::flagged(kept.plan, true, false));
        }
        let inputs = std::iter::once(kept.plan).chain(others).collect();
        let plan = self.plan(Operator::Union { inputs, kind: UnionKind::Outer }, schema);
        Ok(Relation::flagged(plan, true, false))
    }

    fn top_nested_level(
        &mut self,
        input: &Relation,
        clause: &ast::TopNestedClause,
        keys: &mut Vec<Expr>,
        unique: &mut UniqueNames,
    ) -> Bind<Level> {
        let mut projection = Projection::default();
        let key = self.group_keys(input, std::slice::from_ref(&clause.of), &mut projection);
        let Some(key) = key.into_iter().next() else { return Err(self.give_up()) };
        let key_name = unique.take(projection.items().first().map_or("", |item| item.name.as_str()));
        keys.push(key.clone());
        let (columns, aggregates) =
            self.aggregate_expressions(input, source_columns(keys), &[&clause.by.expression]);
        let columns = columns.into_iter().next().unwrap_or(Err(Reported))?;
        let Some(column) = columns.into_iter().next() else { return Err(self.give_up()) };
        let value_name = match &clause.by.expression.kind {
            Ast::Named { name, .. } => name.text.clone(),
            _ => column.declared.unwrap_or_else(|| format!("aggregated_{key_name}")),
        };
        let limit = clause.count.as_ref().map(|count| self.row_count(count)).transpose()?;
        let others = match &clause.with_others {
            None => None,
            Some(others) => {
                let others = self.with_row_scope(None, |binder| binder.scalar(others))?;
                let others = cast(others, key.ty);
                Some(self.folded(others))
            }
        };
        Ok(Level {
            key,
            key_name,
            aggregates,
            value: column.expression,
            value_name: unique.take(&value_name),
            descending: clause.by.direction != Some(SortDirection::Ascending),
            limit,
            others,
        })
    }

    /// The rows whose keys are (not) among those of another relation, where they stand `stride` columns apart.
    fn rows_of(
        &mut self,
        kind: JoinKind,
        rows: &Relation,
        keys: &[Expr],
        among: &Relation,
        stride: usize,
    ) -> Plan {
        let left_keys = keys.iter().cloned().map(null_safe).collect();
        let right_keys =
            (0..keys.len()).map(|level| null_safe(Expr::column(stride * level, keys[level].ty))).collect();
        let operator = Operator::Join {
            kind,
            left: rows.plan.clone(),
            right: among.plan.clone(),
            left_keys,
            right_keys,
        };
        let schema = rows.schema().clone();
        self.plan(operator, schema)
    }

    /// The groups with the best values within each parent: all keys so far, then the value.
    fn best_of(&mut self, rows: Plan, keys: &[Expr], level: &Level) -> Relation {
        let parents = keys.len() - 1;
        let ranked = self.grouped(rows, keys, &level.aggregates, std::slice::from_ref(&level.value));
        let Some(limit) = level.limit.clone() else { return ranked };
        let schema = ranked.schema().clone();
        let sort = SortKey {
            expression: Expr::column(keys.len(), level.value.ty),
            descending: level.descending,
            nulls_first: !level.descending,
        };
        let top = |input| Operator::Top { input, keys: vec![sort], limit };
        if parents == 0 {
            return Relation::new(self.plan(top(ranked.plan), schema));
        }
        let argument = self.plan(Operator::Argument, schema.clone());
        let subquery = self.plan(top(argument), schema.clone());
        let operator = Operator::Partition {
            input: ranked.plan,
            key: parent_key(&keys[..parents]),
            parameter: None,
            keys_max: None,
            subquery,
        };
        Relation::new(self.plan(operator, schema))
    }

    /// Groups: the keys, then values over the outputs of the aggregates.
    fn grouped(&mut self, rows: Plan, keys: &[Expr], aggregates: &[Aggregate], values: &[Expr]) -> Relation {
        let mut schema: Schema =
            keys.iter().enumerate().map(|(level, key)| Column::new(format!("$key{level}"), key.ty)).collect();
        let mut inner = schema.clone();
        let outputs = aggregates.iter().flat_map(|aggregate| &aggregate.outputs).enumerate();
        inner.extend(outputs.map(|(position, ty)| Column::new(format!("$value{position}"), *ty)));
        let operator =
            Operator::Summarize { input: rows, keys: keys.to_vec(), aggregates: aggregates.to_vec() };
        let grouped = self.plan(operator, inner);
        let mut expressions = Self::all_columns(&schema);
        for (position, value) in values.iter().enumerate() {
            expressions.push(shifted(value.clone(), keys.len()));
            schema.push(Column::new(format!("$result{position}"), value.ty));
        }
        self.projected(Relation::new(grouped), expressions, schema)
    }

    /// The levels before, each with the best of the next within it.
    fn nested_in(&mut self, before: Relation, best: Relation, parents: usize, schema: &[Column]) -> Relation {
        let width = 2 * parents;
        let mut joined = before.schema().clone();
        joined.extend(best.schema().iter().cloned());
        let ty = |level: usize| best.schema()[level].ty;
        let left_keys = (0..parents).map(|level| null_safe(Expr::column(2 * level, ty(level)))).collect();
        let right_keys = (0..parents).map(|level| null_safe(Expr::column(level, ty(level)))).collect();
        let mut expressions: Vec<Expr> =
            (0..width).map(|position| Expr::column(position, schema[position].ty)).collect();
        expressions.push(Expr::column(width + parents, ty(parents)));
        expressions.push(Expr::column(width + parents + 1, ty(parents + 1)));
        let operator = Operator::Join {
            kind: JoinKind::Inner,
            left: before.plan,
            right: best.plan,
            left_keys,
            right_keys,
        };
        let plan = self.plan(operator, joined);
        self.projected(Relation::new(plan), expressions, schema.to_vec())
    }

    /// One row per parent for all that was not kept at a level. Levels below have no groups within it: those
    /// with others of their own show all of it once more, the rest nothing.
    fn rest_of(
        &mut self,
        rows: Plan,
        parents: &[Expr],
        levels: &[Level],
        number: usize,
        kept: Option<&Relation>,
        schema: &Schema,
    ) -> Plan {
        let mut aggregates = vec![count_rows()];
        let mut values = vec![Expr::column(0, Type::Long)];
        for level in levels[number..].iter().filter(|level| level.others.is_some()) {
            let outputs: usize = aggregates.iter().map(|aggregate| aggregate.outputs.len()).sum();
            values.push(shifted(level.value.clone(), outputs));
            aggregates.extend(level.aggregates.iter().cloned());
        }
        let rest = self.grouped(rows, parents, &aggregates, &values);
        let count = Expr::column(parents.len(), Type::Long);
        let some = operator(
            crate::function::OperatorFunction::Greater,
            vec![count, Expr::constant(Value::Long(0))],
            Type::Bool,
        );
        let rest_schema = rest.schema().clone();
        let mut rest = self.plan(Operator::Filter { input: rest.plan, predicate: some }, rest_schema.clone());
        let mut first = parents.len() + 1;
        let mut expressions = Vec::with_capacity(schema.len());
        if let Some(kept) = kept {
            let mut joined = kept.schema().clone();
            joined.extend(rest_schema);
            let left_keys = (0..parents.len())
                .map(|level| null_safe(Expr::column(2 * level, parents[level].ty)))
                .collect();
            let right_keys =
                (0..parents.len()).map(|level| null_safe(Expr::column(level, parents[level].ty))).collect();
            let operator = Operator::Join {
                kind: JoinKind::Inner,
                left: kept.plan.clone(),
                right: rest,
                left_keys,
                right_keys,
            };
            rest = self.plan(operator, joined);
            expressions = Self::all_columns(kept.schema());
            first += kept.schema().len();
        }
        for level in &levels[number..] {
            match &level.others {
                Some(others) => {
                    expressions.push(others.clone());
                    expressions.push(Expr::column(first, level.value.ty));
                    first += 1;
                }
                None => {
                    expressions.push(Expr::constant(null_of(level.key.ty)));
                    expressions.push(Expr::constant(null_of(level.value.ty)));
                }
            }
        }
        self.projected(Relation::new(rest), expressions, schema.clone()).plan
    }
}

/// A key as a text: joins match no nulls, groups do.
fn null_safe(key: Expr) -> Expr {
    cast(key, Type::String)
}

/// One expression that tells groups of several keys apart.
fn parent_key(keys: &[Expr]) -> Expr {
    match (keys, FunctionId::by_name("strcat")) {
        ([only], _) => Expr::column(0, only.ty),
        (_, Some(strcat)) => {
            let mut parts = Vec::new();
            for (level, key) in keys.iter().enumerate() {
                parts.push(cast(Expr::column(level, key.ty), Type::String));
                parts.push(Expr::constant(Value::String("\u{1f}".to_string())));
            }
            Expr::call(strcat, parts, Type::String)
        }
        (_, None) => Expr::column(keys.len() - 1, keys[keys.len() - 1].ty),
    }
}
