//! `schema_merge`: brings schemas as `getschema` prints them together. The kernel gets name, ordinal and type of the
//! columns; option: whether a column must stand where the first schema that has it says.

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
    pub(super) fn schema_merge(&mut self, input: Relation, call: &ast::Call, span: Span) -> Bind<Relation> {
        let arguments = PluginArguments::read(self, Plugin::SchemaMerge, &input, call, span)?;
        let preserve = !matches!(arguments.constant("PreserveOrder"), Some(Value::Bool(false)));
        let mut expressions = Vec::new();
        let mut columns: Schema = Vec::new();
        for (name, ty) in
            [("ColumnName", Type::String), ("ColumnOrdinal", Type::Long), ("ColumnType", Type::String)]
        {
            let Some(place) = input.schema().iter().position(|column| column.name == name) else {
                let message =
                    format!("schema_merge() expects the columns of 'getschema': '{name}' is missing");
                return Err(self.error("SEM0100", message, span));
            };
            expressions.push(cast(Expr::column(place, input.schema()[place].ty), ty));
            columns.push(Column::new(name, ty));
        }
        let input = self.projected(input, expressions, columns);
        let schema = vec![
            Column::new("ColumnName", Type::String),
            Column::new("ColumnOrdinal", Type::Long),
            Column::new("DataType", Type::String),
            Column::new("ColumnType", Type::String),
        ];
        Ok(self.plugin_relation(Plugin::SchemaMerge, vec![input], vec![Value::Bool(preserve)], schema))
    }
}
