//! The plugins that mine patterns: `autocluster`, `basket`, `diffpatterns`, `diffpatterns_text`.
//!
//! The kernels of the first three get the weight of a row as a real, for `diffpatterns` also which set the row is in
//! (true: A, false: B, null: neither), then the attributes. Options: two numbers (balance and seeds; threshold and
//! most dimensions), then for each attribute the value that stands for "any".

use crate::ast;
use crate::function::OperatorFunction;
use crate::plan::{Expr, ExprKind};
use crate::plugin::Plugin;
use crate::span::Span;
use crate::types::{Column, Schema, Type};
use crate::value::Value;

use crate::bind::comparison::{cast, operator};
use crate::bind::scope::Relation;
use crate::bind::{Bind, Binder};

use super::PluginArguments;

/// Stands for a left-out argument.
const DEFAULT: &str = "~";

fn is_default(value: &Value) -> bool {
    matches!(value, Value::String(text) if text == DEFAULT) || value.is_null()
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(f64::from(*number)),
        Value::Long(number) => Some(*number as f64),
        Value::Real(number) => Some(*number),
        Value::Decimal(number) => number.to_string().parse().ok(),
        _ => None,
    }
}

impl Binder<'_> {
    /// A number within bounds, or its default.
    fn pattern_number(
        &mut self,
        arguments: &PluginArguments,
        name: &str,
        default: f64,
        bounds: std::ops::RangeInclusive<f64>,
    ) -> Bind<f64> {
        let Some(value) = arguments.constant(name).filter(|value| !is_default(value)) else {
            return Ok(default);
        };
        match number(value).filter(|number| bounds.contains(number)) {
            Some(number) => Ok(number),
            None => {
                let message =
                    format!("'{name}' must be a number from {} to {}, or '~'", bounds.start(), bounds.end());
                Err(self.error("SEM0234", message, arguments.span(name)))
            }
        }
    }

    /// The weight of a row, and the column it is taken from.
    fn pattern_weight(&mut self, arguments: &PluginArguments) -> Bind<(Expr, Option<usize>)> {
        let one = Expr::constant(Value::Real(1.0));
        let Some(weight) = arguments.expressions("WeightColumn").into_iter().next() else {
            return Ok((one, None));
        };
        match &weight.kind {
            ExprKind::Column(place) if weight.ty.is_number() => {
                let place = *place;
                Ok((cast(weight, Type::Real), Some(place)))
            }
            ExprKind::Constant(value) if is_default(value) => Ok((one, None)),
            _ => {
                let message = "A column of numbers is expected here, or '~'";
                Err(self.error("SEM0109", message, arguments.span("WeightColumn")))
            }
        }
    }

    pub(super) fn patterns(
        &mut self,
        plugin: Plugin,
        input: Relation,
        call: &ast::Call,
        span: Span,
    ) -> Bind<Relation> {
        let arguments = PluginArguments::read(self, plugin, &input, call, span)?;
        let (weight, mut left_out) = match self.pattern_weight(&arguments)? {
            (weight, None) => (weight, Vec::new()),
            (weight, Some(place)) => (weight, vec![place]),
        };
        let (first, second) = match plugin {
            Plugin::Autocluster => (
                self.pattern_number(&arguments, "SizeWeight", 0.5, 0.0..=1.0)?,
                self.pattern_number(&arguments, "NumSeeds", 25.0, 1.0..=10_000.0)?,
            ),
            Plugin::Basket => (
                self.pattern_number(&arguments, "Threshold", 0.05, 0.015..=1.0)?,
                self.pattern_number(&arguments, "MaxDimensions", 5.0, 1.0..=1_000.0)?,
            ),
            _ => (
                self.pattern_number(&arguments, "Threshold", 0.05, 0.015..=1.0)?,
                self.pattern_number(&arguments, "MaxDimensions", 1_000.0, 1.0..=1_000.0)?,
            ),
        };
        let mut expressions = vec![weight];
        let mut columns = vec![Column::new("weight", Type::Real)];
        let mut schema: Schema = vec![Column::new("SegmentId", Type::Long)];
        if plugin == Plugin::Diffpatterns {
            let Some((split, ty)) = arguments.column("SplitColumn") else { return Err(self.give_up()) };
            let text = cast(Expr::column(split, ty), Type::String);
            let texts = ["SplitValueA", "SplitValueB"].map(|name| {
                let value = arguments.expressions(name).into_iter().next();
                value.map(|value| cast(value, Type::String))
            });
            let [Some(a), Some(b)] = texts else { return Err(self.give_up()) };
            // The texts of truth values are written in either case.
            let equal = match ty {
                Type::Bool => OperatorFunction::EqualIgnoreCase,
                _ => OperatorFunction::Equal,
            };
            let is_a = operator(equal, vec![text.clone(), a], Type::Bool);
            let is_b = operator(equal, vec![text, b], Type::Bool);
            expressions.extend([is_a, is_b]);
            columns.extend([Column::new("is_a", Type::Bool), Column::new("is_b", Type::Bool)]);
            schema.extend(["CountA", "CountB"].map(|name| Column::new(name, Type::Long)));
            schema
                .extend(["PercentA", "PercentB", "PercentDiffAB"].map(|name| Column::new(name, Type::Real)));
            left_out.push(split);
        } else {
            schema.extend([Column::new("Count", Type::Long), Column::new("Percent", Type::Real)]);
        }
        let wildcards: Vec<Value> = arguments.constants("CustomWildcard").cloned().collect();
        let mut options = vec![Value::Real(first), Value::Real(second)];
        for (place, column) in input.schema().iter().enumerate() {
            if left_out.contains(&place) {
                continue;
            }
            let custom = wildcards.iter().find(|value| value.ty() == column.ty && !is_default(value));
            options.push(match (custom, column.ty) {
                (Some(value), _) => value.clone(),
                (None, Type::String) => Value::String(String::new()),
                (None, ty) => Value::Null(ty),
            });
            expressions.push(Expr::column(place, column.ty));
            columns.push(Column::new(format!("attribute{place}"), column.ty));
            schema.push(column.clone());
        }
        let input = self.projected(input, expressions, columns);
        Ok(self.plugin_relation(plugin, vec![input], options, schema))
    }

    /// The kernel gets the text and the condition; options: least tokens, threshold, most tokens.
    pub(super) fn diffpatterns_text(
        &mut self,
        input: Relation,
        call: &ast::Call,
        span: Span,
    ) -> Bind<Relation> {
        let arguments = PluginArguments::read(self, Plugin::DiffpatternsText, &input, call, span)?;
        let (Some((text, _)), Some(condition)) =
            (arguments.column("TextColumn"), arguments.expressions("BooleanCondition").into_iter().next())
        else {
            return Err(self.give_up());
        };
        let options = vec![
            Value::Real(self.pattern_number(&arguments, "MinTokens", 1.0, 0.0..=200.0)?),
            Value::Real(self.pattern_number(&arguments, "Threshold", 0.05, 0.015..=1.0)?),
            Value::Real(self.pattern_number(&arguments, "MaxTokens", 20.0, 0.0..=20.0)?),
        ];
        let columns = vec![Column::new("text", Type::String), Column::new("condition", Type::Bool)];
        let input = self.projected(input, vec![Expr::column(text, Type::String), condition], columns);
        let schema = vec![
            Column::new("Count_of_True", Type::Long),
            Column::new("Count_of_False", Type::Long),
            Column::new("Percent_of_True", Type::Real),
            Column::new("Percent_of_False", Type::Real),
            Column::new("Pattern", Type::String),
        ];
        Ok(self.plugin_relation(Plugin::DiffpatternsText, vec![input], options, schema))
    }
}
