//! `top-hitters`: the most frequent values, or those of the greatest weight. Reference: top-hitters-operator.
//!
//! The engine keeps a sketch and may err; here the counts are exact. Of values that tie it tends to keep the
//! later ones; so does this, by their order.

use crate::ast;
use crate::function::{AggregateFunction, FunctionId};
use crate::plan::{Aggregate, Expr, Operator, SortKey};
use crate::types::{Column, Type};

use super::summarize::count_rows;
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
        self.expect_column(&key.expression, &node.of)?;
        let (aggregate, name, shown) = match &node.by {
            None => (count_rows(), format!("approximate_count_{}", key.name), Type::Long),
            Some(by) => {
                let weight = self.with_row(&input, |binder| binder.scalar(by))?;
                if !weight.ty.is_number() {
                    let message = format!("The weight must be a number, found {}", weight.ty);
                    return Err(self.error("SEM0137", message, by.span));
                }
                let (shown, ty) = (weight.ty, weight.ty.max(Type::Long));
                let aggregate = Aggregate {
                    function: FunctionId::Aggregate(AggregateFunction::Sum),
                    arguments: vec![weight],
                    condition: None,
                    outputs: vec![ty],
                };
                (aggregate, format!("approximate_sum_{}", result_name(by).unwrap_or_default()), shown)
            }
        };
        let ty = aggregate.outputs.first().copied().unwrap_or(Type::Long);
        let mut unique = UniqueNames::default();
        let schema =
            vec![Column::new(unique.take(&key.name), key.expression.ty), Column::new(unique.take(&name), ty)];
        let operator = Operator::Summarize { input: input.plan, keys, aggregates: vec![aggregate] };
        let grouped = self.plan(operator, schema.clone());
        let sort = SortKey { expression: Expr::column(1, ty), descending: true, nulls_first: false };
        let mut sorts = vec![sort];
        if key.expression.ty != Type::Dynamic {
            let expression = Expr::column(0, key.expression.ty);
            sorts.push(SortKey { expression, descending: true, nulls_first: false });
        }
        let plan = self.plan(Operator::Top { input: grouped, keys: sorts, limit }, schema.clone());
        let top = Relation::flagged(plan, true, true);
        if shown == ty {
            return Ok(top);
        }
        // The sum of a small type is shown in that type.
        let mut schema = schema;
        schema[1].ty = shown;
        let expressions = vec![Expr::column(0, key.expression.ty), cast(Expr::column(1, ty), shown)];
        Ok(self.projected(top, expressions, schema))
    }
}
