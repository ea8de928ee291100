//! `where`: rows for which a condition is true.

use crate::ast;
use crate::plan::Operator;
use crate::types::Type;

use crate::bind::comparison::cast;
use crate::bind::scope::Relation;
use crate::bind::{Bind, Binder};

impl Binder<'_> {
    pub(in crate::bind) fn filter(&mut self, input: Relation, predicate: &ast::Expr) -> Bind<Relation> {
        let bound = self.with_row(&input, |binder| binder.scalar(predicate));
        let Ok(bound) = bound else {
            self.failed = true;
            return Ok(input);
        };
        // A property may hold a truth value; a whole dynamic column does not.
        let plain_column = matches!(bound.kind, crate::plan::ExprKind::Column(_));
        if bound.ty != Type::Bool && (bound.ty != Type::Dynamic || plain_column) {
            let message = format!("The condition must be bool, found {}", bound.ty);
            self.error("SEM0141", message, predicate.span);
            return Ok(input);
        }
        let (serialized, sorted, name) = (input.serialized, input.sorted, input.name);
        let schema = input.plan.schema.clone();
        let operator = Operator::Filter { input: input.plan, predicate: cast(bound, Type::Bool) };
        let plan = self.plan(operator, schema);
        Ok(Relation::flagged(plan, serialized, sorted).named(name))
    }
}
