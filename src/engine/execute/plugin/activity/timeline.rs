//! Instants of a timeline as integers, and the periods that an analysis is cut into.
//!
//! A timeline is of datetimes, timespans, longs or reals. Reals are counted in parts of 2^-32, which is exact for
//! what people write as steps; the starts of their periods are computed as reals again.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array};
use conshelf_kql::{Type, Value};

use crate::engine::error::{EngineError, Result};
use crate::engine::execute::columns;
use crate::engine::kernel::datetime::Period;

/// Parts that one real is counted in.
const REAL_PARTS: f64 = 4_294_967_296.0;

/// Largest real on a timeline.
const REAL_MAX: f64 = 1e24;

/// Calendar periods from year 1 to 9999 by weeks are fewer.
const CALENDAR_PERIODS_MAX: usize = 530_000;

fn parts(real: f64) -> Option<i128> {
    (real.abs() <= REAL_MAX).then(|| (real * REAL_PARTS).round() as i128)
}

/// The kind of a timeline.
#[derive(Clone, Copy, Debug)]
pub struct Axis {
    real: bool,
}

impl Axis {
    pub fn of(ty: Type) -> Axis {
        Axis { real: ty == Type::Real }
    }

    /// An instant, or a length of time.
    pub fn number(self, value: &Value) -> Option<i128> {
        match value {
            Value::Int(number) if self.real => parts(f64::from(*number)),
            Value::Long(number) if self.real => parts(*number as f64),
            Value::Int(number) => Some(i128::from(*number)),
            Value::Long(number) | Value::DateTime(number) | Value::TimeSpan(number) => {
                Some(i128::from(*number))
            }
            Value::Real(number) => parts(*number),
            _ => None,
        }
    }

    /// A number that the plugin cannot do without.
    pub fn required(self, value: Option<&Value>) -> Result<i128> {
        value.and_then(|value| self.number(value)).ok_or_else(|| {
            EngineError::Evaluation(String::from("An argument of the plugin is null or out of range"))
        })
    }

    pub fn instants(self, column: &ArrayRef) -> Result<Vec<Option<i128>>> {
        if self.real {
            let reals = columns::reals(column)?;
            return Ok(reals.iter().map(|real| real.and_then(parts)).collect());
        }
        let longs = columns::longs(column)?;
        Ok(longs.iter().map(|long| long.map(i128::from)).collect())
    }

    /// An instant as a constant.
    pub fn value(self, instant: i128) -> Value {
        match self.real {
            true => Value::Real(instant as f64 / REAL_PARTS),
            false => Value::Long(saturated(instant)),
        }
    }

    /// Instants as a column of the timeline's type.
    pub fn column(self, instants: impl Iterator<Item = i128>) -> ArrayRef {
        match self.real {
            true => {
                Arc::new(Float64Array::from_iter_values(instants.map(|instant| instant as f64 / REAL_PARTS)))
            }
            false => Arc::new(Int64Array::from_iter_values(instants.map(saturated))),
        }
    }
}

fn saturated(number: i128) -> i64 {
    i64::try_from(number).unwrap_or(if number < 0 { i64::MIN } else { i64::MAX })
}

#[derive(Clone, Debug)]
enum Steps {
    Even(i128),
    /// The starts of the periods; the one of the analysis' start has number 0.
    Calendar {
        starts: Vec<i128>,
        zero: i64,
    },
}

/// The periods of an analysis. They are numbered; number 0 is the first.
#[derive(Clone, Debug)]
pub struct Periods {
    axis: Axis,
    pub start: i128,
    pub end: i128,
    steps: Steps,
    real_start: f64,
    real_step: f64,
}

impl Periods {
    /// `step` is a length or `week`, `month`, `year`; periods before the start are known for `before`.
    pub fn new(axis: Axis, start: &Value, end: &Value, step: &Value, before: i128) -> Result<Periods> {
        let real = |value: &Value| match value {
            Value::Real(real) => *real,
            Value::Long(long) => *long as f64,
            Value::Int(int) => f64::from(*int),
            _ => 0.0,
        };
        let (first, last) = (axis.required(Some(start))?, axis.required(Some(end))?);
        let steps = match step {
            Value::String(name) => Self::calendar(name, first, last, before)?,
            _ => match axis.number(step) {
                Some(width) if width > 0 => Steps::Even(width),
                _ => {
                    let message = "The step of the plugin must be greater than zero";
                    return Err(EngineError::Evaluation(message.to_string()));
                }
            },
        };
        Ok(Periods { axis, start: first, end: last, steps, real_start: real(start), real_step: real(step) })
    }

    fn calendar(name: &str, first: i128, last: i128, before: i128) -> Result<Steps> {
        let period = match name {
            "week" => Period::Week,
            "month" => Period::Month,
            "year" => Period::Year,
            _ => {
                let message = format!("'{name}' is no period: use week, month or year");
                return Err(EngineError::Evaluation(message));
            }
        };
        let mut starts = Vec::new();
        let mut next = period.start(saturated((first - before).max(0)), 0);
        while let Some(start) = next.filter(|start| i128::from(*start) <= last.max(first)) {
            if starts.len() > CALENDAR_PERIODS_MAX {
                break;
            }
            starts.push(i128::from(start));
            next = period.start(start, 1);
        }
        let zero = starts.partition_point(|start| *start <= first) as i64 - 1;
        Ok(Steps::Calendar { starts, zero })
    }

    pub fn holds(&self, instant: i128) -> bool {
        (self.start..=self.end).contains(&instant)
    }

    /// The number of the period that an instant lies in.
    pub fn of(&self, instant: i128) -> i64 {
        match &self.steps {
            Steps::Even(width) => saturated((instant - self.start).div_euclid(*width)),
            Steps::Calendar { starts, zero } => {
                starts.partition_point(|start| *start <= instant) as i64 - 1 - zero
            }
        }
    }

    /// The number of the last period.
    pub fn last(&self) -> i64 {
        if self.end < self.start { -1 } else { self.of(self.end) }
    }

    /// The last period in whose look back, which ends with it, a period lies. At least the period itself.
    pub fn reach(&self, period: i64, lookback: i128) -> i64 {
        match &self.steps {
            Steps::Even(width) => {
                let more = saturated(lookback.div_euclid(*width)).max(1) - 1;
                period.saturating_add(more)
            }
            Steps::Calendar { starts, zero } => {
                let at =
                    |number: i64| usize::try_from(number + zero).ok().and_then(|place| starts.get(place));
                let Some(start) = at(period) else { return period };
                let until = start.saturating_add(lookback);
                (starts.partition_point(|start| *start < until) as i64 - 1 - zero).max(period)
            }
        }
    }

    /// The starts of periods, as a column of the timeline's type.
    pub fn column(&self, periods: impl Iterator<Item = i64>) -> ArrayRef {
        if self.axis.real {
            let starts = periods.map(|period| self.real_start + period as f64 * self.real_step);
            return Arc::new(Float64Array::from_iter_values(starts));
        }
        self.axis.column(periods.map(|period| {
            match &self.steps {
                Steps::Even(width) => self.start + i128::from(period) * width,
                Steps::Calendar { starts, zero } => usize::try_from(period + zero)
                    .ok()
                    .and_then(|place| starts.get(place))
                    .copied()
                    .unwrap_or(self.start),
            }
        }))
    }
}
