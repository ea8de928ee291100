//! Tables of files outside of the store: `externaldata`, `inline_external_table`. Where they may lie and how they are
//! read is the executor's business.

use crate::ast;
use crate::plan::{ExternalSource, Operator};
use crate::span::Span;
use crate::types::Schema;
use crate::value::Value;

use super::{parameter, parameter_text};
use crate::bind::scope::Relation;
use crate::bind::{Bind, Binder};

impl Binder<'_> {
    pub(in crate::bind) fn external_data(&mut self, node: &ast::ExternalData, span: Span) -> Bind<Relation> {
        let schema = self.row_schema(&node.schema)?;
        if schema.is_empty() {
            return Err(self.error("SEM0170", "externaldata needs at least one column", span));
        }
        let addresses = self.addresses(&node.uris, span)?;
        let mut source = ExternalSource { addresses, ..ExternalSource::default() };
        for property in &node.properties {
            match property.name.text.to_ascii_lowercase().as_str() {
                "format" => source.format = Some(self.property_text(&property.value)?),
                "ignorefirstrecord" => {
                    source.skip_first_record =
                        self.property_text(&property.value)?.eq_ignore_ascii_case("true");
                }
                "ingestionmapping" => source.mapping = Some(self.property_text(&property.value)?),
                _ => {}
            }
        }
        Ok(self.external_table(source, schema))
    }

    pub(in crate::bind) fn inline_external_table(
        &mut self,
        node: &ast::InlineExternalTable,
        span: Span,
    ) -> Bind<Relation> {
        let text = |name: &str| parameter(&node.parameters, name).and_then(parameter_text);
        if text("kind").as_deref() == Some("delta") {
            return Err(self.unsupported("'inline_external_table' of kind 'delta'", span));
        }
        let schema = self.row_schema(&node.schema)?;
        let addresses = self.addresses(&node.uris, span)?;
        let (mut prefix, mut extension) = (String::new(), String::new());
        let mut source =
            ExternalSource { addresses, format: text("dataformat"), ..ExternalSource::default() };
        for property in &node.properties {
            match property.name.text.to_ascii_lowercase().as_str() {
                "includeheaders" => {
                    source.skip_first_record =
                        self.property_text(&property.value)?.eq_ignore_ascii_case("all");
                }
                "nameprefix" => prefix = self.property_text(&property.value)?,
                "fileextension" => extension = self.property_text(&property.value)?,
                _ => {}
            }
        }
        source.folder = Some((prefix, extension));
        Ok(self.external_table(source, schema))
    }

    fn addresses(&mut self, addresses: &[ast::Expr], span: Span) -> Bind<Vec<String>> {
        if addresses.is_empty() {
            return Err(self.error(
                "SEM0200",
                "The address of a file is expected between the brackets",
                span,
            ));
        }
        addresses.iter().map(|address| self.constant_text(address)).collect()
    }

    /// The text of a property: a name stands for itself.
    fn property_text(&mut self, value: &ast::Expr) -> Bind<String> {
        if let Some(text) = parameter_text(value) {
            return Ok(text);
        }
        Ok(match self.constant_of(value)? {
            Value::String(text) => text,
            Value::Bool(flag) => flag.to_string(),
            other => {
                let message = format!("A constant text is expected here, found {}", other.ty());
                return Err(self.error("SEM0141", message, value.span));
            }
        })
    }

    fn external_table(&mut self, source: ExternalSource, schema: Schema) -> Relation {
        Relation::new(self.plan(Operator::External(source), schema))
    }
}
