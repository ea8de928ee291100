//! Request options (`properties.Options`, and the query string of the friendly route): loosely typed by the
//! clients, strictly typed here. Unknown options are ignored; values that make no sense too.

use std::time::Duration;

use conshelf_kql::Value as Constant;
use conshelf_kql::optimise::time_scope::TimeScope;
use conshelf_kql::time::{parse_datetime, parse_timespan};
use serde_json::Value;

use crate::response::kusto_v2::{ErrorPlacement, V2Options};

/// The longest a query may ask to run.
pub const TIMEOUT_MAX: Duration = Duration::from_secs(3600);

/// What a request may ask for beside its text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestOptions {
    pub server_timeout: Option<Duration>,
    pub no_request_timeout: bool,
    pub no_truncation: bool,
    pub truncation_max_records: Option<u64>,
    pub truncation_max_size: Option<u64>,
    pub take_max_records: Option<u64>,
    pub results_apply_getschema: bool,
    /// Answer the plan with what each operator did instead of the rows.
    pub explain: bool,
    pub defer_partial_query_failures: bool,
    pub progressive: bool,
    pub v2_newlines: bool,
    pub v2_fragment: bool,
    pub error_placement: ErrorPlacement,
    /// Ticks.
    pub now: Option<i64>,
    /// Ticks, both bounds included.
    pub scope_column: Option<String>,
    pub scope_from: Option<i64>,
    pub scope_to: Option<i64>,
    pub query_language: Option<String>,
    pub read_only: bool,
    pub description: String,
    pub application: Option<String>,
    pub user: Option<String>,
    pub validate_permissions: bool,
    pub max_memory_bytes: Option<u64>,
    /// The answer of an earlier run will do if it is not older.
    pub results_cache_max_age: Option<Duration>,
    /// Run the query even so, and keep what it answers now.
    pub results_cache_force_refresh: bool,
    /// `false`: keep nothing of single extents and use nothing of what is kept.
    pub results_cache_per_shard: Option<bool>,
    /// The earlier run that the answer is of, as JSON text; not said by requests.
    pub server_cache: Option<String>,
}

fn as_bool(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64().is_some_and(|number| number != 0.0),
        Value::String(text) => matches!(text.trim().to_ascii_lowercase().as_str(), "true" | "1" | "yes"),
        Value::Null => false,
        _ => false,
    }
}

fn as_count(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number
            .as_u64()
            .or_else(|| number.as_f64().filter(|number| *number >= 0.0 && *number < 1e18).map(|n| n as u64)),
        Value::String(text) => {
            let text = text.trim();
            let inner = text.strip_prefix("long(").or_else(|| text.strip_prefix("int(")).unwrap_or(text);
            inner.trim_end_matches(')').trim().parse().ok()
        }
        _ => None,
    }
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn as_datetime(value: &Value) -> Option<i64> {
    let text = value.as_str()?.trim();
    let inner = text.strip_prefix("datetime(").and_then(|rest| rest.strip_suffix(')')).unwrap_or(text);
    parse_datetime(inner.trim().trim_matches(['"', '\'']))
}

/// A time limit in any of the spellings that clients use.
///
/// `00:04:00`, `0.00:04:00`, `00:00:30.500`, `0:00:30`, `1 day, 0:00:00`, `4m`, `time(4m)`, `30` (seconds).
pub fn parse_timeout(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => timeout_seconds(text.trim())?,
        _ => return None,
    };
    if seconds.is_nan() || seconds <= 0.0 {
        return None;
    }
    Some(Duration::from_secs_f64(seconds.min(TIMEOUT_MAX.as_secs_f64())))
}

fn timeout_seconds(text: &str) -> Option<f64> {
    let lower = text.to_ascii_lowercase();
    for prefix in ["time(", "timespan("] {
        if let Some(inner) = lower.strip_prefix(prefix) {
            return timeout_seconds(inner.strip_suffix(')')?.trim());
        }
    }
    // Python's str(timedelta): "1 day, 0:00:00".
    if let Some((days, clock)) = lower.split_once(',') {
        let days: f64 =
            days.trim().strip_suffix("days").or(days.trim().strip_suffix("day"))?.trim().parse().ok()?;
        return Some(days * 86_400.0 + clock_seconds(clock.trim())?);
    }
    if lower.contains(':') {
        return clock_seconds(&lower);
    }
    if let Ok(seconds) = lower.parse::<f64>() {
        return seconds.is_finite().then_some(seconds);
    }
    parse_timespan(&lower).map(|ticks| ticks as f64 / 1e7)
}

/// An age above zero, in the spellings of `parse_timeout`.
fn as_age(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => timeout_seconds(text.trim())?,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds).ok().filter(|age| !age.is_zero())
}

/// `[d.]h:mm[:ss[.fff]]`
fn clock_seconds(text: &str) -> Option<f64> {
    if text.contains(['-', '+']) {
        return None;
    }
    let mut parts = text.split(':');
    let first = parts.next()?;
    let (days, hours) = match first.split_once('.') {
        Some((days, hours)) => (days.parse::<f64>().ok()?, hours.parse::<f64>().ok()?),
        None => (0.0, first.parse::<f64>().ok()?),
    };
    let minutes: f64 = parts.next()?.parse().ok()?;
    let seconds: f64 = match parts.next() {
        Some(text) => text.parse().ok()?,
        None => 0.0,
    };
    let all = [days, hours, minutes, seconds];
    if parts.next().is_some() || all.iter().any(|part| !part.is_finite() || *part < 0.0) {
        return None;
    }
    Some(days * 86_400.0 + hours * 3600.0 + minutes * 60.0 + seconds)
}

impl RequestOptions {
    /// Takes one option of a request; names in any case.
    pub fn set(&mut self, name: &str, value: &Value) {
        match name.to_ascii_lowercase().as_str() {
            "servertimeout" => self.server_timeout = parse_timeout(value).or(self.server_timeout),
            "norequesttimeout" => self.no_request_timeout = as_bool(value),
            "notruncation" => self.no_truncation = as_bool(value),
            "truncationmaxrecords" => {
                self.truncation_max_records = as_count(value).or(self.truncation_max_records);
            }
            "truncationmaxsize" => self.truncation_max_size = as_count(value).or(self.truncation_max_size),
            "query_take_max_records" => self.take_max_records = as_count(value).or(self.take_max_records),
            "explain" | "query_explain" => self.explain = as_bool(value),
            "query_results_apply_getschema" => self.results_apply_getschema = as_bool(value),
            "deferpartialqueryfailures" => self.defer_partial_query_failures = as_bool(value),
            "results_progressive_enabled" => self.progressive = as_bool(value),
            "results_v2_newlines_between_frames" => self.v2_newlines = as_bool(value),
            "results_v2_fragment_primary_tables" => self.v2_fragment = as_bool(value),
            "results_error_reporting_placement" => {
                self.error_placement = match as_text(value).unwrap_or_default().to_ascii_lowercase().as_str()
                {
                    "end_of_table" => ErrorPlacement::EndOfTable,
                    "end_of_dataset" => ErrorPlacement::EndOfDataset,
                    _ => ErrorPlacement::InData,
                };
            }
            "query_now" => self.now = as_datetime(value).or(self.now),
            "query_datetimescope_column" => self.scope_column = as_text(value),
            "query_datetimescope_from" => self.scope_from = as_datetime(value),
            "query_datetimescope_to" => self.scope_to = as_datetime(value),
            "query_language" => self.query_language = as_text(value),
            "request_readonly" | "request_readonly_hardline" => self.read_only |= as_bool(value),
            "request_description" => self.description = as_text(value).unwrap_or_default(),
            "request_app_name" => self.application = as_text(value),
            "request_user" => self.user = as_text(value),
            "validatepermissions" | "validate_permissions" => self.validate_permissions = as_bool(value),
            "query_results_cache_max_age" => self.results_cache_max_age = as_age(value),
            "query_results_cache_force_refresh" => self.results_cache_force_refresh = as_bool(value),
            "query_results_cache_per_shard" => self.results_cache_per_shard = Some(as_bool(value)),
            "max_memory_consumption_per_query_per_node" => self.max_memory_bytes = as_count(value),
            _ => {}
        }
    }

    /// Takes an option that the text itself set (`set notruncation;`). Those that only a request may set are
    /// passed over.
    pub fn set_from_text(&mut self, name: &str, value: &Constant) {
        const REQUEST_ONLY: [&str; 15] = [
            "query_results_cache_force_refresh",
            "servertimeout",
            "norequesttimeout",
            "truncationmaxsize",
            "results_progressive_enabled",
            "results_v2_newlines_between_frames",
            "results_v2_fragment_primary_tables",
            "query_language",
            "request_readonly",
            "request_readonly_hardline",
            "request_app_name",
            "request_user",
            "validatepermissions",
            "validate_permissions",
            "queryconsistency",
        ];
        let name = name.to_ascii_lowercase();
        if REQUEST_ONLY.contains(&name.as_str()) {
            return;
        }
        let value = match value {
            Constant::Null(_) => Value::Bool(true),
            Constant::Bool(flag) => Value::Bool(*flag),
            Constant::Int(number) => Value::from(*number),
            Constant::Long(number) => Value::from(*number),
            Constant::Real(number) => Value::from(*number),
            Constant::String(text) => Value::from(text.as_str()),
            Constant::DateTime(ticks) => Value::from(crate::response::value_text::datetime_text(*ticks)),
            Constant::TimeSpan(ticks) => Value::from(crate::response::value_text::timespan_text(*ticks)),
            _ => return,
        };
        self.set(&name, &value);
    }

    /// The rows that may be read, where the request narrows them.
    pub fn time_scope(&self) -> Option<TimeScope> {
        let column = self.scope_column.clone()?;
        if self.scope_from.is_none() && self.scope_to.is_none() {
            return None;
        }
        Some(TimeScope { column, from: self.scope_from, to: self.scope_to })
    }

    /// Forms of the v2 answer.
    pub fn v2(&self) -> V2Options {
        V2Options {
            newlines_between_frames: self.v2_newlines,
            fragment_primary_tables: self.v2_fragment && !self.progressive,
            progressive: self.progressive,
            error_placement: self.error_placement,
            defer_failures: self.defer_partial_query_failures,
            server_cache: self.server_cache.clone(),
        }
    }

    /// The time limit, given the default one.
    pub fn timeout(&self, default: Duration) -> Duration {
        if self.no_request_timeout {
            TIMEOUT_MAX
        } else {
            self.server_timeout.unwrap_or(default).min(TIMEOUT_MAX)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn timeouts_in_every_spelling() {
        let cases = [
            (json!("00:04:00"), Some(240.0)),
            (json!("0.00:04:00"), Some(240.0)),
            (json!("00:00:30.500"), Some(30.5)),
            (json!("0:00:30"), Some(30.0)),
            (json!("0:00:30.250000"), Some(30.25)),
            (json!("1 day, 0:00:00"), Some(3600.0)),
            (json!("4m"), Some(240.0)),
            (json!("30s"), Some(30.0)),
            (json!("time(4m)"), Some(240.0)),
            (json!("timespan(00:01:00)"), Some(60.0)),
            (json!(30), Some(30.0)),
            (json!("30"), Some(30.0)),
            (json!(""), None),
            (json!("soon"), None),
            (json!(-1), None),
            (json!("-00:04:00"), None),
            (json!(null), None),
            (json!("10675199.02:48:05"), Some(3600.0)),
        ];
        for (value, expected) in cases {
            assert_eq!(parse_timeout(&value).map(|limit| limit.as_secs_f64()), expected, "{value}");
        }
    }

    #[test]
    fn values_are_typed_loosely() {
        let mut options = RequestOptions::default();
        options.set("NoTruncation", &json!("true"));
        options.set("truncationmaxrecords", &json!("5"));
        options.set("query_take_max_records", &json!(3.0));
        options.set("query_now", &json!("datetime(2024-01-01)"));
        options.set("results_error_reporting_placement", &json!("end_of_table"));
        options.set("request_readonly", &json!(1));
        options.set("whatever", &json!({"a": 1}));
        assert!(options.no_truncation && options.read_only);
        assert_eq!(options.truncation_max_records, Some(5));
        assert_eq!(options.take_max_records, Some(3));
        assert_eq!(options.now, parse_datetime("2024-01-01"));
        assert_eq!(options.error_placement, ErrorPlacement::EndOfTable);
    }

    #[test]
    fn the_text_cannot_set_what_only_a_request_may() {
        let mut options = RequestOptions::default();
        options.set_from_text("servertimeout", &Constant::TimeSpan(10_000_000));
        options.set_from_text("notruncation", &Constant::Null(conshelf_kql::Type::Bool));
        options.set_from_text("query_take_max_records", &Constant::Long(7));
        assert_eq!(options.server_timeout, None);
        assert!(options.no_truncation);
        assert_eq!(options.take_max_records, Some(7));
    }
}
