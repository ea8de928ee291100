//! `narrow`: a row of each value of the input. The kernel gets the values as texts, and the columns' names.

use crate::ast;
use crate::plan::Expr;
use crate::plugin::Plugin;
use crate::span::Span;
use crate::types::{Column, Schema, Type};
use crate::value::Value;

use crate::bind::comparison::cast;
use crate::bind::scope::Relation;
use crate::bind::{Bind, Binder};

use super::PluginArguments;

impl Binder<'_> {
    pub(super) fn narrow(&mut self, input: Relation, call: &ast::Call, span: Span) -> Bind<Relation> {
        PluginArguments::read(self, Plugin::Narrow, &input, call, span)?;
        let schema: Schema = input.schema().clone();
        let texts = schema
            .iter()
            .enumerate()
            .map(|(place, column)| cast(Expr::column(place, column.ty), Type::String));
        let names = schema.iter().map(|column| Value::String(column.name.clone())).collect();
        let columns = schema.iter().map(|column| Column::new(column.name.clone(), Type::String)).collect();
        let input = self.projected(input, texts.collect(), columns);
        let schema = vec![
            Column::new("Row", Type::Long),
            Column::new("Column", Type::String),
            Column::new("Value", Type::String),
        ];
        Ok(self.plugin_relation(Plugin::Narrow, vec![input], names, schema))
    }
}
