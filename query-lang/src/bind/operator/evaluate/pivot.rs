//! `pivot`: a column of each value of a column. Which there are follows from the rows, unless they are declared.

use crate::ast;
use crate::function::{AggregateFunction, FunctionId, OperatorFunction};
use crate::plan::{Aggregate, Expr, Operator};
use crate::span::Span;
use crate::types::{Column, Schema, Type};
use crate::value::{Dynamic, Value};

use crate::bind::comparison::{cast, operator};
use crate::bind::naming::UniqueNames;
use crate::bind::scope::Relation;
use crate::bind::{Bind, Binder};
use crate::plugin::Plugin;

use super::PluginArguments;

impl Binder<'_> {
    /// `pivot(column [, aggregate [, keys …]])`: a column for each value of a column.
    pub(super) fn pivot(
        &mut self,
        input: Relation,
        call: &ast::Call,
        declared: Option<&ast::RowSchema>,
        span: Span,
    ) -> Bind<Relation> {
        const COLUMNS_MAX: usize = 1_000;
        let arguments = PluginArguments::read(self, Plugin::Pivot, &input, call, span)?;
        let Some((pivot_column, ty)) = arguments.column("pivotColumn") else { return Err(self.give_up()) };
        let pivot = Expr::column(pivot_column, ty);
        let first = arguments.span("pivotColumn");
        let aggregate = match arguments.aggregate("aggregateFunction") {
            Some(aggregate) => aggregate.clone(),
            None => crate::bind::operator::summarize::count_rows(),
        };
        let mut used = std::collections::BTreeSet::from([pivot_column]);
        for argument in aggregate.arguments.iter().chain(&aggregate.condition) {
            crate::optimise::tree::columns_of(argument, &mut used);
        }
        let mut keys: Vec<usize> =
            arguments.columns("columns").into_iter().map(|(column, _)| column).collect();
        if keys.is_empty() {
            keys.extend((0..input.schema().len()).filter(|column| !used.contains(column)));
        }
        let text = cast(pivot, Type::String);
        let values = match declared {
            Some(declared) => {
                let columns = self.row_schema(declared)?;
                let known = |name: &str| keys.iter().any(|key| input.schema()[*key].name == name);
                columns.into_iter().map(|column| column.name).filter(|name| !known(name)).collect()
            }
            None => self.distinct_texts(&input, text.clone(), first)?,
        };
        if values.len() > COLUMNS_MAX {
            let message = format!("pivot() would yield {} columns, more than {COLUMNS_MAX}", values.len());
            return Err(self.error("SEM0219", message, first));
        }
        let mut unique = UniqueNames::default();
        let mut schema: Schema = Vec::new();
        for key in &keys {
            let column = &input.schema()[*key];
            schema.push(Column::new(unique.take(&column.name), column.ty));
        }
        let mut aggregates = Vec::with_capacity(values.len());
        for value in values {
            let ty = aggregate.outputs.first().copied().unwrap_or(Type::Long);
            schema.push(Column::new(unique.take(&value), ty));
            let constant = Expr::constant(Value::String(value));
            let test = operator(OperatorFunction::Equal, vec![text.clone(), constant], Type::Bool);
            let condition = match &aggregate.condition {
                Some(before) => operator(OperatorFunction::And, vec![before.clone(), test], Type::Bool),
                None => test,
            };
            aggregates.push(Aggregate { condition: Some(condition), ..aggregate.clone() });
        }
        let keys = keys.into_iter().map(|key| Expr::column(key, input.schema()[key].ty)).collect();
        let operator = Operator::Summarize { input: input.plan, keys, aggregates };
        let plan = self.plan(operator, schema);
        Ok(Relation::new(plan))
    }

    /// The distinct texts of an expression over a relation, sorted.
    fn distinct_texts(&mut self, input: &Relation, text: Expr, span: Span) -> Bind<Vec<String>> {
        let aggregate = Aggregate {
            function: FunctionId::Aggregate(AggregateFunction::MakeSet),
            arguments: vec![text, Expr::constant(Value::Long(1_048_576))],
            condition: None,
            outputs: vec![Type::Dynamic],
        };
        let operator =
            Operator::Summarize { input: input.plan.clone(), keys: Vec::new(), aggregates: vec![aggregate] };
        let plan = self.plan(operator, vec![Column::new("values", Type::Dynamic)]);
        let Value::Dynamic(Dynamic::Array(items)) = self.first_value_of(&plan, span)? else {
            return Ok(Vec::new());
        };
        let mut texts: Vec<String> = items
            .into_iter()
            .filter_map(|item| match item {
                Dynamic::String(text) if !text.is_empty() => Some(text),
                _ => None,
            })
            .collect();
        texts.sort();
        Ok(texts)
    }
}
