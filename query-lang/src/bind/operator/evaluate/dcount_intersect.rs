//! `dcount_intersect`: how many distinct values sets have in common. The kernel gets the sets' sketches, then the
//! columns to keep; option: how many sets there are.

use crate::ast;
use crate::plan::Expr;
use crate::plugin::Plugin;
use crate::span::Span;
use crate::types::{Column, Schema, Type};
use crate::value::Value;

use crate::bind::naming::UniqueNames;
use crate::bind::scope::Relation;
use crate::bind::{Bind, Binder};

use super::PluginArguments;

impl Binder<'_> {
    pub(super) fn dcount_intersect(
        &mut self,
        input: Relation,
        call: &ast::Call,
        span: Span,
    ) -> Bind<Relation> {
        let arguments = PluginArguments::read(self, Plugin::DcountIntersect, &input, call, span)?;
        let sets = arguments.expressions("hll");
        if !(2..=16).contains(&sets.len()) {
            let message = format!("dcount_intersect() expects 2 to 16 sets, found {}", sets.len());
            return Err(self.error("SEM0219", message, span));
        }
        let mut unique = UniqueNames::default();
        let mut schema: Schema = Vec::new();
        let count = sets.len();
        let mut columns: Schema =
            (0..count).map(|set| Column::new(format!("set{set}"), Type::Dynamic)).collect();
        let mut expressions = sets;
        for (place, column) in input.schema().iter().enumerate() {
            expressions.push(Expr::column(place, column.ty));
            columns.push(Column::new(format!("column{place}"), column.ty));
            schema.push(Column::new(unique.take(&column.name), column.ty));
        }
        schema.extend((0..count).map(|set| Column::new(unique.take(&format!("s{set}")), Type::Long)));
        let input = self.projected(input, expressions, columns);
        let options = vec![Value::Long(count as i64)];
        Ok(self.plugin_relation(Plugin::DcountIntersect, vec![input], options, schema))
    }
}
