//! Numbers, datetimes and timespans as a reader of a picture wants them: short on axes, exact in tables.

use super::Value;

pub const TICKS_PER_SECOND: i64 = 10_000_000;
pub const TICKS_PER_DAY: i64 = 86_400 * TICKS_PER_SECOND;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A whole number with separators: `12,345`.
pub fn grouped(number: i64) -> String {
    group(&number.to_string())
}

fn group(digits: &str) -> String {
    let (sign, rest) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let (whole, fraction) = rest.split_once('.').map_or((rest, None), |(whole, rest)| (whole, Some(rest)));
    let mut out = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

fn trimmed(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// A number in at most about six digits.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "∞"
        } else {
            "-∞"
        }
        .to_owned();
    }
    let size = value.abs();
    if size == 0.0 {
        return "0".to_owned();
    }
    if !(1e-4..1e15).contains(&size) {
        return format!("{value:.3e}").replace(".000e", "e");
    }
    let whole = size.log10().floor() as i32 + 1;
    let digits = usize::try_from((6 - whole).clamp(0, 9)).unwrap_or(0);
    group(trimmed(&format!("{value:.digits$}")))
}

/// The texts of ticks that are `step` apart, all written the same way: `0`, `2.5k`, `5k`.
pub fn tick_numbers(ticks: &[f64], step: f64) -> Vec<String> {
    let largest = ticks.iter().fold(0.0_f64, |most, tick| most.max(tick.abs()));
    if !largest.is_finite() || largest >= 1e15 || (largest > 0.0 && largest < 1e-4) {
        return ticks.iter().map(|tick| short_scientific(*tick)).collect();
    }
    let (unit, suffix) = match largest {
        most if most >= 1e12 => (1e12, "T"),
        most if most >= 1e9 => (1e9, "B"),
        most if most >= 1e6 => (1e6, "M"),
        most if most >= 1e4 => (1e3, "k"),
        _ => (1.0, ""),
    };
    let step = (step / unit).abs();
    let digits =
        if step > 0.0 && step.is_finite() { (-(step * 1.0001).log10().floor()).clamp(0.0, 9.0) } else { 0.0 };
    let digits = digits as usize;
    // 2.5 needs a digit more than its power of ten says.
    let exact = |digits: usize| {
        let power = 10_f64.powi(i32::try_from(digits).unwrap_or(0));
        ((step * power).round() - step * power).abs() < 1e-6
    };
    let digits = if exact(digits) { digits } else { digits + 1 };
    ticks
        .iter()
        .map(|tick| {
            let text = format!("{:.digits$}", tick / unit);
            if text.trim_start_matches('-').chars().all(|digit| matches!(digit, '0' | '.')) {
                "0".to_owned()
            } else {
                format!("{}{suffix}", group(&text))
            }
        })
        .collect()
}

fn short_scientific(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let text = format!("{value:.2e}");
    match text.split_once('e') {
        Some((digits, power)) => format!("{}e{power}", trimmed(digits)),
        None => text,
    }
}

/// A lone number of an axis: `1.5M`, `250`, `0.01`.
pub fn short(value: f64) -> String {
    let size = value.abs();
    if (1e4..1e15).contains(&size) {
        let (unit, suffix) = match size {
            most if most >= 1e12 => (1e12, "T"),
            most if most >= 1e9 => (1e9, "B"),
            most if most >= 1e6 => (1e6, "M"),
            _ => (1e3, "k"),
        };
        return format!("{}{suffix}", trimmed(&format!("{:.2}", value / unit)));
    }
    if size != 0.0 && !(1e-4..1e15).contains(&size) {
        return short_scientific(value);
    }
    number(value)
}

/// A day of the calendar and the ticks within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    pub year: i64,
    /// 1..=12
    pub month: i64,
    pub day: i64,
    pub rest: i64,
}

/// Days between 0001-01-01 and a day of the proleptic Gregorian calendar; months may run over.
pub fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = (year + (month - 1).div_euclid(12), (month - 1).rem_euclid(12) + 1);
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted - era * 400;
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 306
}

/// The calendar day of ticks since 0001-01-01.
pub fn civil(ticks: i64) -> Civil {
    let days = ticks.div_euclid(TICKS_PER_DAY) + 306;
    let era = days.div_euclid(146_097);
    let of_era = days - era * 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    Civil {
        year: year_of_era + era * 400 + i64::from(month <= 2),
        month,
        day: of_year - (153 * shifted + 2) / 5 + 1,
        rest: ticks.rem_euclid(TICKS_PER_DAY),
    }
}

pub fn month_name(month: i64) -> &'static str {
    usize::try_from(month - 1).ok().and_then(|at| MONTHS.get(at)).copied().unwrap_or("")
}

/// `14:05`, with seconds and parts of them as far as `step` ticks need it.
pub fn clock(rest: i64, step: i64) -> String {
    let seconds = rest / TICKS_PER_SECOND;
    let mut out = format!("{:02}:{:02}", seconds / 3600, seconds / 60 % 60);
    if step < 60 * TICKS_PER_SECOND {
        out.push_str(&format!(":{:02}", seconds % 60));
    }
    if step < TICKS_PER_SECOND {
        let mut digits = 7;
        let mut unit = 1;
        while digits > 1 && step % (unit * 10) == 0 {
            unit *= 10;
            digits -= 1;
        }
        out.push_str(&format!(".{:0digits$}", rest % TICKS_PER_SECOND / unit));
    }
    out
}

/// `2026-11-21 14:05:00`, as far as it is not midnight.
pub fn datetime(ticks: i64) -> String {
    let at = civil(ticks);
    let day = format!("{:04}-{:02}-{:02}", at.year, at.month, at.day);
    if at.rest == 0 {
        return day;
    }
    let step = if at.rest % (60 * TICKS_PER_SECOND) == 0 {
        60 * TICKS_PER_SECOND
    } else if at.rest % TICKS_PER_SECOND == 0 {
        TICKS_PER_SECOND
    } else if at.rest % 10_000 == 0 {
        10_000
    } else {
        1
    };
    format!("{day} {}", clock(at.rest, step))
}

/// `Nov 21, 2026`
pub fn day(ticks: i64) -> String {
    let at = civil(ticks);
    format!("{} {}, {}", month_name(at.month), at.day, at.year)
}

/// A timespan in its two largest units: `2d 3h`, `1.5s`, `20ms`.
pub fn span(ticks: i64) -> String {
    let sign = if ticks < 0 { "-" } else { "" };
    let size = ticks.unsigned_abs();
    let second = TICKS_PER_SECOND as u64;
    let fraction = |unit: u64, name: &str| {
        let text = format!("{:.3}", size as f64 / unit as f64);
        format!("{sign}{}{name}", trimmed(&text))
    };
    let pair = |unit: u64, name: &str, small: u64, small_name: &str| {
        let (whole, rest) = (size / unit, size % unit / small);
        if rest == 0 {
            format!("{sign}{whole}{name}")
        } else {
            format!("{sign}{whole}{name} {rest}{small_name}")
        }
    };
    match size {
        0 => "0s".to_owned(),
        size if size < 10 => format!("{sign}{}ns", size * 100),
        size if size < 10_000 => fraction(10, "µs"),
        size if size < second => fraction(10_000, "ms"),
        size if size < 60 * second => fraction(second, "s"),
        size if size < 3600 * second => pair(60 * second, "m", second, "s"),
        size if size < 86_400 * second => pair(3600 * second, "h", 60 * second, "m"),
        _ => pair(86_400 * second, "d", 3600 * second, "h"),
    }
}

/// A value as a table shows it.
pub fn value(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(flag) => flag.to_string(),
        Value::Integer(whole) => grouped(*whole),
        Value::Real(real) => number(*real),
        Value::Decimal(text) | Value::Text(text) => text.clone(),
        Value::DateTime(ticks) => datetime(*ticks),
        Value::TimeSpan(ticks) => span(*ticks),
        Value::Array(values) => {
            let mut out = String::from("[");
            for (at, item) in values.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                if out.len() > 200 {
                    out.push('…');
                    break;
                }
                out.push_str(&self::value(item));
            }
            out.push(']');
            out
        }
        Value::Point { longitude, latitude } => format!("{}, {}", number(*longitude), number(*latitude)),
    }
}

/// A value as the name of a series or category: numbers without separators.
pub fn name(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Integer(whole) => whole.to_string(),
        Value::Text(text) if text.is_empty() => "(empty)".to_owned(),
        Value::Text(text) => text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect(),
        other => self::value(other),
    }
}
