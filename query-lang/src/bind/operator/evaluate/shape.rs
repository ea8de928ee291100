//! Plugins about rows as they stand: `estimate_rows_count`, `identity`, `preview`, `rows_near`.

use crate::ast;
use crate::plan::{Expr, Operator, ResultPlan};
use crate::plugin::Plugin;
use crate::span::Span;
use crate::types::{Column, Schema, Type};
use crate::value::Value;

use crate::bind::operator::summarize::count_rows;
use crate::bind::scope::Relation;
use crate::bind::{Bind, Binder};

use super::PluginArguments;

/// A whole number that was given as a constant.
fn whole(value: Option<&Value>) -> Option<i64> {
    match value {
        Some(Value::Int(number)) => Some(i64::from(*number)),
        Some(Value::Long(number)) => Some(*number),
        _ => None,
    }
}

impl Binder<'_> {
    pub(super) fn estimate_rows_count(
        &mut self,
        input: Relation,
        call: &ast::Call,
        span: Span,
    ) -> Bind<Relation> {
        PluginArguments::read(self, Plugin::EstimateRowsCount, &input, call, span)?;
        Ok(self.counted(input, "EstimatedRowsCount"))
    }

    fn counted(&mut self, input: Relation, name: &str) -> Relation {
        let operator =
            Operator::Summarize { input: input.plan, keys: Vec::new(), aggregates: vec![count_rows()] };
        Relation::new(self.plan(operator, vec![Column::new(name, Type::Long)]))
    }

    pub(super) fn identity(
        &mut self,
        plugin: Plugin,
        input: Relation,
        call: &ast::Call,
        span: Span,
    ) -> Bind<Relation> {
        PluginArguments::read(self, plugin, &input, call, span)?;
        Ok(input)
    }

    /// Two results: the first rows, and how many there are.
    pub(super) fn preview(&mut self, input: Relation, call: &ast::Call, span: Span) -> Bind<Relation> {
        let arguments = PluginArguments::read(self, Plugin::Preview, &input, call, span)?;
        let Some(count @ 0..) = whole(arguments.constant("NumberOfRows")) else {
            let message = "preview() expects a number of rows that is not negative";
            return Err(self.error("SEM0234", message, arguments.span("NumberOfRows")));
        };
        self.yields_results(span)?;
        let input = self.share(input);
        let schema = input.schema().clone();
        let first = self.plan(
            Operator::Take { input: input.plan.clone(), limit: Expr::constant(Value::Long(count)) },
            schema,
        );
        let count = self.counted(input, "Count");
        for (name, plan) in [("PrimaryResult", &first), ("GenericResult1", &count.plan)] {
            self.forked.push(ResultPlan { name: name.to_string(), plan: plan.clone(), visualization: None });
        }
        Ok(Relation::new(first))
    }

    /// The kernel gets the condition, then the columns; options: how many rows before and after one it holds for.
    pub(super) fn rows_near(&mut self, input: Relation, call: &ast::Call, span: Span) -> Bind<Relation> {
        let arguments = PluginArguments::read(self, Plugin::RowsNear, &input, call, span)?;
        let Some(condition) = arguments.expressions("Condition").into_iter().next() else {
            return Err(self.give_up());
        };
        let before = whole(arguments.constant("NumRows"));
        let after = whole(arguments.constant("NumRowsAfter")).or(before);
        let (Some(before @ 0..), Some(after @ 0..)) = (before, after) else {
            let message = "rows_near() expects numbers of rows that are not negative";
            return Err(self.error("SEM0234", message, arguments.span("NumRows")));
        };
        let schema: Schema = input.schema().clone();
        let (serialized, sorted) = (input.serialized, input.sorted);
        let mut expressions = vec![condition];
        expressions.extend(schema.iter().enumerate().map(|(place, column)| Expr::column(place, column.ty)));
        let mut columns = vec![Column::new("condition", Type::Bool)];
        columns.extend(schema.iter().cloned());
        let input = self.projected(input, expressions, columns);
        let options = vec![Value::Long(before), Value::Long(after)];
        let near = self.plugin_relation(Plugin::RowsNear, vec![input], options, schema);
        Ok(Relation::flagged(near.plan, serialized, sorted))
    }
}
