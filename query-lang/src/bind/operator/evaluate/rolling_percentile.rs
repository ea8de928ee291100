//! `rolling_percentile`: a percentile of the values in a window of bins. The kernel gets the bin, the value and the
//! dimensions; options: the percentile, the size of a bin, how many bins a window has.

use crate::ast;
use crate::function::{FunctionId, MathFunction};
use crate::plan::Expr;
use crate::plugin::Plugin;
use crate::span::Span;
use crate::types::{Column, Schema, Type};
use crate::value::Value;

use crate::bind::comparison::cast;
use crate::bind::naming::UniqueNames;
use crate::bind::scope::Relation;
use crate::bind::{Bind, Binder};

use super::PluginArguments;

impl Binder<'_> {
    pub(super) fn rolling_percentile(
        &mut self,
        input: Relation,
        call: &ast::Call,
        span: Span,
    ) -> Bind<Relation> {
        let arguments = PluginArguments::read(self, Plugin::RollingPercentile, &input, call, span)?;
        let (Some((value, value_type)), Some((index, index_type)), Some(size)) = (
            arguments.column("ValueColumn"),
            arguments.column("IndexColumn"),
            arguments.constant("BinSize").cloned(),
        ) else {
            return Err(self.give_up());
        };
        let percentile = match arguments.constant("Percentile") {
            Some(Value::Int(number)) => Some((f64::from(*number), number.to_string())),
            Some(Value::Long(number)) => Some((*number as f64, number.to_string())),
            Some(Value::Real(number)) => Some((*number, number.to_string())),
            _ => None,
        };
        let Some((percentile, shown)) = percentile.filter(|(number, _)| (0.0..=100.0).contains(number))
        else {
            let message = "A percentile is a number from 0 to 100";
            return Err(self.error("SEM0234", message, arguments.span("Percentile")));
        };
        let bins = match arguments.constant("BinsPerWindow") {
            Some(Value::Int(bins)) => i64::from(*bins),
            Some(Value::Long(bins)) => *bins,
            _ => 0,
        };
        if bins < 1 {
            let message = "A window has at least one bin";
            return Err(self.error("SEM0234", message, arguments.span("BinsPerWindow")));
        }
        let size_type = match index_type {
            Type::DateTime | Type::TimeSpan => Type::TimeSpan,
            other => other,
        };
        let size = match (size, size_type) {
            (Value::Int(size), Type::Long) => Value::Long(i64::from(size)),
            (Value::Long(size), Type::Int) => Value::Int(i32::try_from(size).unwrap_or(i32::MAX)),
            (Value::Int(size), Type::Real) => Value::Real(f64::from(size)),
            (Value::Long(size), Type::Real) => Value::Real(size as f64),
            (size, _) => size,
        };
        let positive = match &size {
            Value::Int(size) => *size > 0,
            Value::Long(size) | Value::TimeSpan(size) => *size > 0,
            Value::Real(size) => *size > 0.0,
            _ => false,
        };
        if !positive || size.ty() != size_type {
            let message = format!("The size of a bin must be a positive {size_type}");
            return Err(self.error("SEM0234", message, arguments.span("BinSize")));
        }
        let index_column = Expr::column(index, index_type);
        let bin_arguments = vec![index_column, Expr::constant(size.clone())];
        let bin = Expr::call(FunctionId::Math(MathFunction::Bin), bin_arguments, index_type);
        // A mean of whole numbers is not asked for: the percentile is one of the values.
        let value_expression = match value_type {
            Type::Decimal => cast(Expr::column(value, value_type), Type::Real),
            _ => Expr::column(value, value_type),
        };
        let result_type = value_expression.ty;
        let dimensions = arguments.columns("Dimension");
        let source = input.schema().clone();
        let mut unique = UniqueNames::default();
        let mut schema: Schema = vec![Column::new(unique.take(&source[index].name), index_type)];
        let mut expressions = vec![bin, value_expression];
        let mut columns = vec![Column::new("bin", index_type), Column::new("value", result_type)];
        for (place, ty) in dimensions {
            let name = unique.take(&source[place].name);
            expressions.push(Expr::column(place, ty));
            columns.push(Column::new(format!("dimension_{name}"), ty));
            schema.push(Column::new(name, ty));
        }
        let name = format!("rolling_{bins}_percentile_{}_{shown}", source[value].name);
        schema.push(Column::new(unique.take(&name), result_type));
        let input = self.projected(input, expressions, columns);
        let options = vec![Value::Real(percentile), size, Value::Long(bins)];
        Ok(self.plugin_relation(Plugin::RollingPercentile, vec![input], options, schema))
    }
}
