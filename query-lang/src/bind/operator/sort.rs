//! `sort`, `top` and `take`.

use crate::ast::{self, NullsOrder, SortDirection};
use crate::plan::{Operator, SortKey};
use crate::types::Type;

use crate::bind::comparison::cast;
use crate::bind::scope::Relation;
use crate::bind::{Bind, Binder};

impl Binder<'_> {
    /// Descending if not said; nulls come first when ascending and last when descending.
    pub(in crate::bind) fn sort_key(&mut self, input: &Relation, key: &ast::SortKey) -> Bind<SortKey> {
        let expression = self.with_row(input, |binder| binder.scalar(&key.expression))?;
        if expression.ty == Type::Dynamic {
            let message = "A key of type dynamic is not allowed: convert it, as in tostring(…)";
            return Err(self.error("SEM0116", message, key.expression.span));
        }
        let descending = key.direction != Some(SortDirection::Ascending);
        let nulls_first = match key.nulls {
            Some(NullsOrder::First) => true,
            Some(NullsOrder::Last) => false,
            None => !descending,
        };
        Ok(SortKey { expression, descending, nulls_first })
    }

    /// As `sort_key`; `top` takes dynamic values, too: numbers rank as such, what is none by its text.
    fn top_keys(&mut self, input: &Relation, key: &ast::SortKey) -> Bind<Vec<SortKey>> {
        let expression = self.with_row(input, |binder| binder.scalar(&key.expression))?;
        if expression.ty != Type::Dynamic {
            return self.sort_key(input, key).map(|key| vec![key]);
        }
        let descending = key.direction != Some(SortDirection::Ascending);
        let nulls_first = key.nulls.map_or(!descending, |order| order == NullsOrder::First);
        let by = |ty| SortKey { expression: cast(expression.clone(), ty), descending, nulls_first };
        Ok(vec![by(Type::Real), by(Type::String)])
    }

    pub(in crate::bind) fn sort(&mut self, input: Relation, node: &ast::Sort) -> Bind<Relation> {
        let mut keys = Vec::with_capacity(node.keys.len());
        for key in &node.keys {
            match self.sort_key(&input, key) {
                Ok(key) => keys.push(key),
                Err(_) => self.failed = true,
            }
        }
        let schema = input.plan.schema.clone();
        let plan = self.plan(Operator::Sort { input: input.plan, keys }, schema);
        Ok(Relation::flagged(plan, true, true))
    }

    pub(in crate::bind) fn top(&mut self, input: Relation, node: &ast::Top) -> Bind<Relation> {
        let limit = self.row_count(&node.count);
        let keys = self.top_keys(&input, &node.key);
        let (Ok(limit), Ok(keys)) = (limit, keys) else {
            self.failed = true;
            return Ok(input);
        };
        let schema = input.plan.schema.clone();
        let plan = self.plan(Operator::Top { input: input.plan, keys, limit }, schema);
        Ok(Relation::flagged(plan, true, true))
    }

    pub(in crate::bind) fn take(&mut self, input: Relation, node: &ast::Take) -> Bind<Relation> {
        let Ok(limit) = self.row_count(&node.count) else {
            self.failed = true;
            return Ok(input);
        };
        let (serialized, sorted, name) = (input.serialized, input.sorted, input.name);
        let schema = input.plan.schema.clone();
        let plan = self.plan(Operator::Take { input: input.plan, limit }, schema);
        Ok(Relation::flagged(plan, serialized, sorted).named(name))
    }
}
