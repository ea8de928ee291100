//! From values to pixels, and the ticks that people like: linear, logarithmic, time and timespan.

use super::text::{self, TICKS_PER_DAY, TICKS_PER_SECOND};

/// What the values of an axis are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    Number,
    /// Ticks since 0001-01-01.
    Time,
    /// Ticks.
    Span,
}

/// Values `low..=high` laid over pixels `from..=to`.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    pub measure: Measure,
    pub low: f64,
    pub high: f64,
    pub log: bool,
    pub from: f64,
    pub to: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    pub value: f64,
    pub text: String,
    /// Where a new day or year begins.
    pub major: bool,
}

/// The last moment of the year 9999.
const LAST_TICKS: f64 = 3_155_378_975_999_999_999.0;

/// The largest size of a value: differences of such stay finite.
const LARGEST: f64 = 1e300;

impl Scale {
    /// A scale over at least these values; equal ends are moved apart.
    pub fn new(measure: Measure, low: f64, high: f64, log: bool) -> Scale {
        let mut low = if low.is_finite() { low.clamp(-LARGEST, LARGEST) } else { 0.0 };
        let mut high = if high.is_finite() { high.clamp(-LARGEST, LARGEST) } else { low };
        if high < low {
            (low, high) = (high, low);
        }
        if measure == Measure::Time {
            (low, high) = (low.clamp(0.0, LAST_TICKS), high.clamp(0.0, LAST_TICKS));
        }
        let log = log && measure == Measure::Number && high > 0.0;
        if log && low <= 0.0 {
            low = (high / 1000.0).clamp(1e-300, 1.0);
        }
        if high - low <= low.abs().max(high.abs()) * 1e-12 {
            let apart = match measure {
                _ if log => 0.0,
                Measure::Time => 60.0 * TICKS_PER_SECOND as f64,
                Measure::Span => TICKS_PER_SECOND as f64,
                Measure::Number => (low.abs() * 0.1).max(if low == 0.0 { 1.0 } else { 1e-290 }),
            };
            if log {
                (low, high) = (low / 10.0, high * 10.0);
            } else {
                (low, high) = (low - apart, high + apart);
            }
        }
        Scale { measure, low, high, log, from: 0.0, to: 1.0 }
    }

    pub fn over(mut self, from: f64, to: f64) -> Scale {
        (self.from, self.to) = (from, to);
        self
    }

    /// Moves the ends outwards to ticks, except those that are given.
    pub fn nice(mut self, count: usize, fix_low: bool, fix_high: bool) -> Scale {
        if self.log {
            if !fix_low {
                self.low = 10_f64.powf(self.low.log10().floor());
            }
            if !fix_high {
                self.high = 10_f64.powf(self.high.log10().ceil());
            }
            return self;
        }
        let step = self.step(count);
        if step > 0.0 && step.is_finite() && self.measure != Measure::Time {
            if !fix_low {
                self.low = (self.low / step + 1e-9).floor() * step;
            }
            if !fix_high {
                self.high = (self.high / step - 1e-9).ceil() * step;
            }
        }
        self
    }

    /// From the least to the largest value.
    pub fn span(&self) -> f64 {
        self.high - self.low
    }

    /// The pixel of a value; far outside stays near.
    pub fn at(&self, value: f64) -> f64 {
        let part = if self.log {
            if value <= 0.0 {
                return self.from;
            }
            (value.log10() - self.low.log10()) / (self.high.log10() - self.low.log10())
        } else {
            (value - self.low) / (self.high - self.low)
        };
        let part = if part.is_finite() { part.clamp(-20.0, 20.0) } else { 0.0 };
        self.from + (self.to - self.from) * part
    }

    fn step(&self, count: usize) -> f64 {
        let least = (self.high - self.low) / count.max(1) as f64;
        match self.measure {
            Measure::Number => decimal_step(least),
            Measure::Time | Measure::Span => clock_step(least),
        }
    }

    /// At most about `count` ticks within the scale.
    pub fn ticks(&self, count: usize) -> Vec<Tick> {
        let count = count.clamp(1, 100);
        if self.log {
            return self.log_ticks(count);
        }
        match self.measure {
            Measure::Time => self.time_ticks(count),
            Measure::Number | Measure::Span => {
                let step = self.step(count);
                let values = multiples(self.low, self.high, step);
                if self.measure == Measure::Span {
                    return plain(values.iter().map(|value| (*value, text::span(*value as i64))));
                }
                let texts = text::tick_numbers(&values, step);
                plain(values.into_iter().zip(texts))
            }
        }
    }

    fn log_ticks(&self, count: usize) -> Vec<Tick> {
        let (first, last) = (self.low.log10().floor() as i32, self.high.log10().ceil() as i32);
        let decades = usize::try_from(last - first).unwrap_or(1).max(1);
        let every = decades.div_ceil(count).max(1);
        let factors: &[f64] = match decades * 3 {
            _ if every > 1 || decades * 2 > count => &[1.0],
            thrice if thrice <= count => &[1.0, 2.0, 5.0],
            _ => &[1.0],
        };
        let mut found = Vec::new();
        for power in (first..=last).step_by(every) {
            for factor in factors {
                let value = factor * 10_f64.powi(power);
                if value >= self.low * (1.0 - 1e-9) && value <= self.high * (1.0 + 1e-9) {
                    found.push((value, text::short(value)));
                }
            }
        }
        if found.len() < 2 {
            found = vec![(self.low, text::short(self.low)), (self.high, text::short(self.high))];
        }
        plain(found.into_iter())
    }

    fn time_ticks(&self, count: usize) -> Vec<Tick> {
        let least = (self.high - self.low) / count as f64;
        let day = TICKS_PER_DAY as f64;
        let mut values: Vec<f64> = Vec::new();
        if least > 7.0 * day && least <= 16.0 * day {
            return self.half_months();
        }
        if least > 7.0 * day {
            let months = least / (30.4 * day);
            let step = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000, 12000, 24000]
                .into_iter()
                .find(|step| f64::from(*step) >= months)
                .unwrap_or(60000);
            let step = i64::from(step);
            let first = text::civil(self.low as i64);
            let mut month = (first.year * 12 + first.month - 1).div_euclid(step) * step;
            while values.len() < 200 {
                let value =
                    (text::days_of(month.div_euclid(12), month.rem_euclid(12) + 1, 1) * TICKS_PER_DAY) as f64;
                if value > self.high {
                    break;
                }
                if value >= self.low && month >= 12 {
                    values.push(value);
                }
                month += step;
            }
            let span = step;
            return values
                .into_iter()
                .map(|value| {
                    let at = text::civil(value as i64);
                    let year = at.month == 1;
                    let text = if span >= 12 || year {
                        at.year.to_string()
                    } else {
                        text::month_name(at.month).to_owned()
                    };
                    Tick { value, text, major: year && span < 12 }
                })
                .collect();
        }
        let step = clock_step(least);
        values = multiples(self.low, self.high, step);
        // Steps of less than a tick's rounding: to the nearest whole step.
        values.into_iter().map(|value| moment((value / step).round() * step, step)).collect()
    }

    /// Ticks at given values, written as those of their least distance are.
    pub fn ticks_at(&self, values: &[f64]) -> Vec<Tick> {
        let least = values.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
        match self.measure {
            Measure::Number => {
                // As many digits as the values have.
                plain(values.iter().map(|value| (*value, text::number(*value))))
            }
            Measure::Span => plain(values.iter().map(|value| (*value, text::span(*value as i64)))),
            Measure::Time => {
                let step = if least.is_finite() { least } else { 1.0 };
                let months = step >= 28.0 * TICKS_PER_DAY as f64
                    && values.iter().all(|value| {
                        let at = text::civil(*value as i64);
                        at.day == 1 && at.rest == 0
                    });
                let month = |value: f64| {
                    let at = text::civil(value as i64);
                    let new_year = at.month == 1;
                    let name = || text::month_name(at.month).to_owned();
                    Tick { value, text: if new_year { at.year.to_string() } else { name() }, major: new_year }
                };
                let write = |value: &f64| if months { month(*value) } else { moment(*value, step) };
                values.iter().map(write).collect()
            }
        }
    }
}

/// A tick of a time axis whose ticks are `step` apart.
fn moment(value: f64, step: f64) -> Tick {
    let day = TICKS_PER_DAY as f64;
    let at = text::civil(value as i64);
    let midnight = at.rest == 0;
    let text = if midnight {
        format!("{} {}", text::month_name(at.month), at.day)
    } else {
        text::clock(at.rest, step as i64)
    };
    let major = if step >= day { at.month == 1 && at.day == 1 } else { midnight };
    Tick { value, text, major }
}

impl Scale {
    /// The first and the fifteenth of each month.
    fn half_months(&self) -> Vec<Tick> {
        let first = text::civil(self.low as i64);
        let moments =
            (0..60).flat_map(|month| [1, 15].map(|day| text::days_of(first.year, first.month + month, day)));
        moments
            .map(|days| days.saturating_mul(TICKS_PER_DAY))
            .filter(|ticks| (self.low..=self.high).contains(&(*ticks as f64)))
            .map(|ticks| {
                let at = text::civil(ticks);
                let new_year = at.month == 1 && at.day == 1;
                let text = if new_year {
                    at.year.to_string()
                } else {
                    format!("{} {}", text::month_name(at.month), at.day)
                };
                Tick { value: ticks as f64, text, major: new_year }
            })
            .collect()
    }
}

fn plain(ticks: impl Iterator<Item = (f64, String)>) -> Vec<Tick> {
    ticks.map(|(value, text)| Tick { value, text, major: false }).collect()
}

/// 1, 2, 2.5 or 5 times a power of ten, at least so much.
fn decimal_step(least: f64) -> f64 {
    if least.is_nan() || least <= 0.0 || !least.is_finite() {
        return 1.0;
    }
    let power = 10_f64.powf(least.log10().floor());
    let factor = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|factor| factor * power >= least * 0.999_999);
    factor.unwrap_or(10.0) * power
}

/// A step that clocks and calendars like, in ticks.
pub fn clock_step(least: f64) -> f64 {
    let second = TICKS_PER_SECOND as f64;
    if least < second {
        return decimal_step(least.max(1.0)).max(1.0).round();
    }
    let steps = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 10800.0,
        21600.0, 43200.0, 86400.0, 172_800.0, 604_800.0,
    ];
    match steps.into_iter().find(|step| step * second >= least * 0.999_999) {
        Some(step) => step * second,
        None => decimal_step(least / (86400.0 * second)) * 86400.0 * second,
    }
}

fn multiples(low: f64, high: f64, step: f64) -> Vec<f64> {
    if step.is_nan() || step <= 0.0 {
        return Vec::new();
    }
    let first = (low / step - 1e-9).ceil();
    (0..200)
        .map(|at| (first + f64::from(at)) * step)
        .take_while(|value| *value <= high + step * 1e-9)
        .map(|value| if value == 0.0 { 0.0 } else { value })
        .collect()
}
