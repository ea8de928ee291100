//! `reduce`: texts that are alike as patterns with counts. Reference: reduce-operator.

use crate::ast::{self, ExprKind as Ast, LiteralValue};
use crate::plan::{Operator, Reduction};
use crate::types::{Column, Schema, Type};
use crate::value::Value;

use super::{parameter, parameter_text};
use crate::bind::naming::UniqueNames;
use crate::bind::scope::Relation;
use crate::bind::{Bind, Binder};

/// The part of all rows that a word or a pattern must have, where the query does not say.
const THRESHOLD: f64 = 0.1;

impl Binder<'_> {
    pub(in crate::bind) fn reduce(&mut self, input: Relation, node: &ast::Reduce) -> Bind<Relation> {
        let source = self.with_row(&input, |binder| binder.scalar(&node.expression))?;
        if source.ty != Type::String {
            let message = format!("A text is expected here, found {}: use tostring(…)", source.ty);
            return Err(self.error("SEM0141", message, node.expression.span));
        }
        let mut reduction = Reduction { threshold: THRESHOLD, characters: None };
        if let Some(threshold) = parameter(&node.properties, "threshold") {
            reduction.threshold = match self.constant_of(threshold)? {
                Value::Real(threshold) => threshold,
                Value::Long(threshold) => threshold as f64,
                Value::Int(threshold) => f64::from(threshold),
                _ => return Err(self.error("SEM0141", "A number from 0 to 1 is expected", threshold.span)),
            };
            if !(0.0..=1.0).contains(&reduction.threshold) {
                return Err(self.error("SEM0141", "The threshold lies between 0 and 1", threshold.span));
            }
        }
        if let Some(characters) = parameter(&node.properties, "characters") {
            let Ast::Literal(LiteralValue::String(text)) = &characters.kind else {
                return Err(self.error("SEM0222", "A text literal is expected here", characters.span));
            };
            reduction.characters = Some(text.value.clone());
        }
        let annotate =
            parameter(&node.parameters, "kind").and_then(parameter_text).as_deref() == Some("source");
        let mut schema: Schema = if annotate { input.schema().clone() } else { Vec::new() };
        let mut unique = UniqueNames::default();
        schema.iter().for_each(|column| unique.reserve(&column.name));
        for (name, ty) in [("Pattern", Type::String), ("Count", Type::Long), ("Representative", Type::String)]
        {
            schema.push(Column::new(unique.take(name), ty));
        }
        let operator = Operator::Reduce { input: input.plan, source, reduction, annotate };
        Ok(Relation::new(self.plan(operator, schema)))
    }
}
