//! `partition`: a subquery per value of a column. Reference: partition-operator.

use crate::ast::{self, PartitionBody};
use crate::plan::{Expr, ExprKind, Operator};
use crate::types::Type;

use super::{parameter, parameter_text};
use crate::bind::naming::result_name;
use crate::bind::scope::{Entity, Relation};
use crate::bind::{Bind, Binder};

/// Most partitions of the strategy that is used where none is named.
const LEGACY_PARTITIONS_MAX: u64 = 64;

impl Binder<'_> {
    pub(in crate::bind) fn partition(&mut self, input: Relation, node: &ast::Partition) -> Bind<Relation> {
        let strategy = parameter(&node.parameters, "hint.strategy").and_then(parameter_text);
        let legacy = !matches!(strategy.as_deref(), Some("native" | "shuffle" | "shuffled"));
        let key = self.partition_key(&input, &node.by)?;
        let mut input = input;
        if let Some(scope) = &node.scope {
            // Only partitions of these values.
            let predicate = self.with_row(&input, |binder| {
                let values = binder.scalar(scope)?;
                binder.membership(ast::MembershipOperator::In, key.clone(), vec![values], scope.span)
            })?;
            let schema = input.schema().clone();
            input.plan = self.plan(Operator::Filter { input: input.plan, predicate }, schema);
        }
        let keys_max = legacy.then_some(LEGACY_PARTITIONS_MAX);
        match &node.body {
            PartitionBody::Subquery(body) => self.partitioned(input, key, keys_max, body),
            PartitionBody::Query(body) => {
                let Some(result) = &body.result else { return Err(self.give_up()) };
                let number = self.next_parameter();
                let value = Expr { kind: ExprKind::Parameter(number), ty: key.ty };
                let (names, outer) = (self.names.clone(), self.argument.take());
                let name = result_name(&node.by).unwrap_or_default();
                self.names = names.with(name, Entity::Scalar { expression: value, row: None }, self.block);
                let subquery = self.table(result);
                self.names = names;
                self.argument = outer;
                let subquery = subquery?;
                let schema = subquery.schema().clone();
                let operator = Operator::Partition {
                    input: input.plan,
                    key,
                    parameter: Some(number),
                    keys_max,
                    subquery: subquery.plan,
                };
                Ok(Relation::new(self.plan(operator, schema)))
            }
        }
    }

    /// `__partitionby`: what the native strategy is called within.
    pub(in crate::bind) fn partition_by(
        &mut self,
        input: Relation,
        node: &ast::PartitionBy,
    ) -> Bind<Relation> {
        let key = self.partition_key(&input, &node.column)?;
        self.partitioned(input, key, None, &node.body)
    }

    fn partition_key(&mut self, input: &Relation, by: &ast::Expr) -> Bind<Expr> {
        let key = self.with_row(input, |binder| binder.scalar(by))?;
        if key.ty == Type::Dynamic {
            let message = "A key of type dynamic is not allowed: convert it before, as in tostring(…)";
            return Err(self.error("SEM0116", message, by.span));
        }
        Ok(key)
    }

    /// The subquery takes the rows of its partition.
    fn partitioned(
        &mut self,
        input: Relation,
        key: Expr,
        keys_max: Option<u64>,
        body: &ast::Expr,
    ) -> Bind<Relation> {
        let argument = self.plan(Operator::Argument, input.schema().clone());
        let argument = Relation { plan: argument, ..input.clone() };
        let subquery = self.subquery(body, argument)?;
        let schema = subquery.schema().clone();
        let operator = Operator::Partition {
            input: input.plan,
            key,
            parameter: None,
            keys_max,
            subquery: subquery.plan,
        };
        let plan = self.plan(operator, schema);
        Ok(Relation::flagged(plan, subquery.serialized, false))
    }
}
