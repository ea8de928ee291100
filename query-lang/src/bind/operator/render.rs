//! `render`: what the client is asked to draw. Reference: render-operator. The rows pass as they are.

use crate::ast::{self, ExprKind as Ast, LiteralValue};
use crate::plan::Visualization;
use crate::types::{Schema, Type};
use crate::value::{Dynamic, Value};

use super::parameter_text;
use crate::bind::scope::Relation;
use crate::bind::{Bind, Binder};

impl Binder<'_> {
    pub(in crate::bind) fn render(&mut self, input: Relation, node: &ast::Render) -> Bind<Relation> {
        let mut properties: Vec<(String, String)> = Vec::with_capacity(node.properties.len());
        for property in &node.properties {
            let name = property.name.text.to_lowercase();
            if properties.iter().any(|(known, _)| *known == name) {
                let message = format!("The property '{name}' is given twice");
                self.error("SEM0180", message, property.name.span);
                continue;
            }
            if let Ok(value) = self.render_property(&name, &property.value, input.schema()) {
                properties.push((name, value));
            }
        }
        self.visualization =
            Some(Visualization { kind: node.chart.text.clone(), properties, is_query_sorted: input.sorted });
        Ok(input)
    }

    fn render_property(&mut self, name: &str, value: &ast::Expr, schema: &Schema) -> Bind<String> {
        let span = value.span;
        match (name, &value.kind) {
            (
                "xcolumn" | "ycolumns" | "series" | "anomalycolumns" | "by",
                Ast::NameList(_) | Ast::Name(_),
            ) => {
                let names: Vec<&ast::Name> = match &value.kind {
                    Ast::NameList(names) => names.iter().collect(),
                    Ast::Name(name) => vec![name],
                    _ => Vec::new(),
                };
                for name in &names {
                    if !schema.iter().any(|column| column.name == name.text) {
                        let message =
                            format!("'render' operator: Failed to resolve column named '{}'", name.text);
                        let columns = schema.iter().map(|column| column.name.as_str());
                        return Err(self.unknown("SEM0100", message, name.span, &name.text, columns));
                    }
                }
                let texts: Vec<&str> = names.iter().map(|name| name.text.as_str()).collect();
                Ok(texts.join(","))
            }
            ("xcolumn" | "ycolumns" | "series" | "anomalycolumns", _) => {
                Err(self.error("SEM0109", "The name of a column is expected here", span))
            }
            ("title" | "xtitle" | "ytitle", _) => match self.constant_of(value)? {
                Value::String(text) | Value::Dynamic(Dynamic::String(text)) => Ok(text),
                other if other.ty() == Type::Dynamic => Ok(String::new()),
                _ => Err(self.error("SEM0141", "A text is expected here", span)),
            },
            ("accumulate", Ast::Literal(LiteralValue::Bool(flag))) => Ok(flag.to_string()),
            ("accumulate", _) => Err(self.error("SEM0223", "true or false is expected here", span)),
            ("ymin" | "ymax", _) => match self.constant_of(value)? {
                Value::Int(number) => Ok(number.to_string()),
                Value::Long(number) => Ok(number.to_string()),
                Value::Real(number) => Ok(number.to_string()),
                Value::Decimal(number) => Ok(number.to_string()),
                _ => Err(self.error("SEM0224", "A number is expected here", span)),
            },
            _ => match parameter_text(value) {
                Some(text) => Ok(text),
                None => match self.constant_of(value)? {
                    Value::String(text) => Ok(text),
                    Value::DateTime(ticks) | Value::TimeSpan(ticks) => Ok(ticks.to_string()),
                    _ => Err(self.error("SEM0141", "This value cannot be used here", span)),
                },
            },
        }
    }
}
