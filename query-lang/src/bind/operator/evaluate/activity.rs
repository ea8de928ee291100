//! The plugins over who did something when. The kernels get the id, the timeline and then the dimensions (or the
//! state); the timeline as a datetime, timespan, long or real, and the constants in its terms.

use crate::ast::{self, ExprKind as Ast};
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

/// What a constant says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// A point of the timeline.
    Instant,
    /// A length of it.
    Span,
    /// A length of it, or a period of the calendar.
    Step,
    /// Neither: taken as it is.
    Plain,
}

use Role::{Instant, Plain, Span as Length, Step};

/// The constants that a kernel gets, in its order, and the columns that come behind the dimensions.
struct Shape {
    options: &'static [(&'static str, Role)],
    found: &'static [(&'static str, Type)],
}

fn shape(plugin: Plugin) -> Shape {
    const LONG: Type = Type::Long;
    const REAL: Type = Type::Real;
    let (options, found): (&'static [_], &'static [_]) = match plugin {
        Plugin::ActiveUsersCount => (
            &[
                ("Start", Instant),
                ("End", Instant),
                ("LookbackWindow", Length),
                ("Period", Length),
                ("ActivePeriods", Plain),
                ("Step", Step),
            ],
            &[("dcount", LONG)],
        ),
        Plugin::ActivityCountsMetrics => (
            &[("Start", Instant), ("End", Instant), ("Step", Step)],
            &[("count", LONG), ("dcount", LONG), ("new_dcount", LONG), ("aggregated_dcount", LONG)],
        ),
        Plugin::ActivityEngagement => (
            &[
                ("Start", Instant),
                ("End", Instant),
                ("InnerActivityWindow", Step),
                ("OuterActivityWindow", Length),
            ],
            &[("dcount_activities_inner", LONG), ("dcount_activities_outer", LONG), ("activity_ratio", REAL)],
        ),
        Plugin::ActivityMetrics => (
            &[("Start", Instant), ("End", Instant), ("Step", Step)],
            &[
                ("dcount_values", LONG),
                ("dcount_newvalues", LONG),
                ("retention_rate", REAL),
                ("churn_rate", REAL),
            ],
        ),
        Plugin::NewActivityMetrics => (
            &[("Start", Instant), ("End", Instant), ("Window", Step), ("Cohort", Instant)],
            &[
                ("dcount_new_values", LONG),
                ("dcount_retained_values", LONG),
                ("dcount_churn_values", LONG),
                ("retention_rate", REAL),
                ("churn_rate", REAL),
            ],
        ),
        Plugin::SessionCount => (
            &[("Start", Instant), ("End", Instant), ("Bin", Step), ("LookBackWindow", Length)],
            &[("count_sessions", LONG)],
        ),
        Plugin::SlidingWindowCounts => (
            &[("Start", Instant), ("End", Instant), ("LookBackWindow", Length), ("Step", Step)],
            &[("Count", LONG), ("Dcount", LONG)],
        ),
        Plugin::FunnelSequence => (
            &[
                ("Start", Instant),
                ("End", Instant),
                ("Step", Step),
                ("Sequence", Plain),
                ("MaxWindowSizeBetweenSteps", Length),
            ],
            &[("prev", Type::String), ("next", Type::String), ("dcount", LONG), ("samples", Type::Dynamic)],
        ),
        Plugin::FunnelSequenceCompletion => (
            &[
                ("Start", Instant),
                ("End", Instant),
                ("BinSize", Step),
                ("Sequence", Plain),
                ("MaxSequencePeriods", Plain),
            ],
            &[("Period", Type::TimeSpan), ("dcount", LONG)],
        ),
        _ => (&[], &[]),
    };
    Shape { options, found }
}

/// The type that a timeline is computed in.
fn axis_of(ty: Type) -> Type {
    match ty {
        Type::Int => Type::Long,
        Type::Decimal => Type::Real,
        ty => ty,
    }
}

impl Binder<'_> {
    pub(super) fn activity(
        &mut self,
        plugin: Plugin,
        input: Relation,
        call: &ast::Call,
        span: Span,
    ) -> Bind<Relation> {
        let arguments = PluginArguments::read(self, plugin, &input, call, span)?;
        let (Some((id, id_type)), Some((time, time_type))) =
            (arguments.column("IdColumn"), arguments.column("TimelineColumn"))
        else {
            return Err(self.give_up());
        };
        let axis = axis_of(time_type);
        let Shape { options, found } = shape(plugin);
        let options: Vec<Value> = options
            .iter()
            .map(|(name, role)| self.on_timeline(&arguments, name, *role, axis))
            .collect::<Bind<_>>()?;
        let names: Vec<String> = input.schema().iter().map(|column| column.name.clone()).collect();
        let mut kept = vec![
            (Expr::column(id, id_type), String::from("id")),
            (cast(Expr::column(time, time_type), axis), String::from("time")),
        ];
        let mut schema: Schema = Vec::new();
        let mut unique = UniqueNames::default();
        let mut add = |name: &str, ty: Type| schema.push(Column::new(unique.take(name), ty));
        let times = match plugin {
            Plugin::NewActivityMetrics => {
                add(&format!("from_{}", names[time]), time_type);
                add(&format!("to_{}", names[time]), time_type);
                2
            }
            _ => {
                add(&names[time], time_type);
                1
            }
        };
        for (dimension, ty) in arguments.columns("Dimension") {
            add(&names[dimension], ty);
            kept.push((Expr::column(dimension, ty), format!("dimension{}", kept.len())));
        }
        if let Some((state, ty)) = arguments.column("StateColumn") {
            kept.push((cast(Expr::column(state, ty), Type::String), String::from("state")));
            if plugin == Plugin::FunnelSequenceCompletion {
                add(&names[state], ty);
            }
        }
        for (name, ty) in found {
            add(name, *ty);
        }
        let mut inputs = Vec::new();
        if let Some(known) = arguments.table("lookback").cloned() {
            let same = |column: &Column| column.name == names[id] && column.ty == id_type;
            let place = known.schema().iter().position(same);
            let place = place.or_else(|| known.schema().iter().position(|column| column.ty == id_type));
            let Some(place) = place else {
                let message = format!("The lookback table has no column of type {id_type} with the ids");
                return Err(self.error("SEM0100", message, arguments.span("lookback")));
            };
            let columns = vec![Column::new("id", id_type)];
            inputs.push(self.projected(known, vec![Expr::column(place, id_type)], columns));
        }
        let (expressions, columns): (Vec<Expr>, Schema) = kept
            .into_iter()
            .map(|(expression, name)| (expression.clone(), Column::new(name, expression.ty)))
            .unzip();
        inputs.insert(0, self.projected(input, expressions, columns));
        // What the kernel yields, and back to the types that the columns have.
        let mut computed = schema.clone();
        for column in computed.iter_mut().take(times) {
            column.ty = axis;
        }
        if plugin == Plugin::FunnelSequenceCompletion {
            computed[times].ty = Type::String;
        }
        let back = computed
            .iter()
            .zip(&schema)
            .enumerate()
            .map(|(place, (from, to))| cast(Expr::column(place, from.ty), to.ty))
            .collect();
        let unchanged = computed == schema;
        let relation = self.plugin_relation(plugin, inputs, options, computed);
        Ok(if unchanged { relation } else { self.projected(relation, back, schema) })
    }

    /// A constant in the terms of a timeline. One that was left out is null.
    fn on_timeline(
        &mut self,
        arguments: &PluginArguments,
        name: &str,
        role: Role,
        axis: Type,
    ) -> Bind<Value> {
        let Some(value) = arguments.constant(name).cloned() else { return Ok(Value::Null(axis)) };
        let wanted = match (role, axis) {
            (Instant, axis) => axis,
            (_, Type::DateTime) => Type::TimeSpan,
            (_, axis) => axis,
        };
        let fits = match (&value, wanted) {
            _ if role == Plain => true,
            (Value::String(period), _) if role == Step && axis == Type::DateTime => {
                matches!(period.as_str(), "week" | "month" | "year")
            }
            (value, _) if value.is_null() => {
                let message = format!("'{name}' must not be null");
                return Err(self.error("SEM0107", message, arguments.span(name)));
            }
            (Value::DateTime(_), Type::DateTime) | (Value::TimeSpan(_), Type::TimeSpan) => true,
            (Value::Int(_) | Value::Long(_), Type::Long | Type::Real) | (Value::Real(_), Type::Real) => true,
            _ => false,
        };
        match value {
            Value::Decimal(number) if wanted == Type::Real => Ok(Value::Real(number.to_f64())),
            value if fits => Ok(value),
            value => {
                let message = match role {
                    Step if axis == Type::DateTime => {
                        format!(
                            "'{name}' must be a timespan, or one of week, month and year, found {}",
                            value.ty()
                        )
                    }
                    _ => format!(
                        "'{name}' must be of type {wanted}, as the timeline is of type {axis}, found {}",
                        value.ty()
                    ),
                };
                Err(self.error("SEM0107", message, arguments.span(name)))
            }
        }
    }

    /// `sequence_detect`: the kernel gets the timeline, the conditions, the dimensions.
    pub(super) fn sequence_detect(
        &mut self,
        input: Relation,
        call: &ast::Call,
        span: Span,
    ) -> Bind<Relation> {
        let arguments = PluginArguments::read(self, Plugin::SequenceDetect, &input, call, span)?;
        let Some((time, time_type)) = arguments.column("TimelineColumn") else { return Err(self.give_up()) };
        let axis = axis_of(time_type);
        let mut options = vec![
            self.on_timeline(&arguments, "MaxSequenceStepWindow", Length, axis)?,
            self.on_timeline(&arguments, "MaxSequenceSpan", Length, axis)?,
        ];
        let timeline = input.schema()[time].name.clone();
        let mut conditions = arguments.expressions_with_spans("First");
        conditions.extend(arguments.expressions_with_spans("Expr"));
        options.push(Value::Long(conditions.len() as i64));
        let mut expressions = vec![cast(Expr::column(time, time_type), axis)];
        let mut columns = vec![Column::new("time", axis)];
        let mut unique = UniqueNames::default();
        let mut schema: Schema = Vec::new();
        let dimensions = arguments.columns("Dimension");
        for (dimension, ty) in &dimensions {
            schema.push(Column::new(unique.take(&input.schema()[*dimension].name), *ty));
        }
        for (condition, span) in conditions {
            let name = call.arguments.iter().find_map(|argument| match &argument.kind {
                Ast::Named { name, value } if value.span == span => Some(name.text.as_str()),
                Ast::Name(name) if argument.span == span => Some(name.text.as_str()),
                _ => None,
            });
            schema.push(Column::new(
                unique.take(&format!("{}_{timeline}", name.unwrap_or_default())),
                time_type,
            ));
            columns.push(Column::new(format!("condition{}", expressions.len()), Type::Bool));
            expressions.push(condition);
        }
        for (dimension, ty) in &dimensions {
            columns.push(Column::new(format!("dimension{}", expressions.len()), *ty));
            expressions.push(Expr::column(*dimension, *ty));
        }
        schema.push(Column::new(unique.take("Duration"), Type::TimeSpan));
        let mut computed = schema.clone();
        let after = schema.len() - 1;
        for column in &mut computed[dimensions.len()..after] {
            column.ty = axis;
        }
        let back = computed
            .iter()
            .zip(&schema)
            .enumerate()
            .map(|(place, (from, to))| cast(Expr::column(place, from.ty), to.ty))
            .collect();
        let unchanged = computed == schema;
        let input = self.projected(input, expressions, columns);
        let relation = self.plugin_relation(Plugin::SequenceDetect, vec![input], options, computed);
        Ok(if unchanged { relation } else { self.projected(relation, back, schema) })
    }
}
