//! Retention: extents whose rows are all older than the table's policy allows are dropped as wholes.

use serde_json::Value;
use uuid::Uuid;

use crate::error::Result;
use crate::limits::TICKS_PER_SECOND;
use crate::manifest::edit::{Edit, ExtentRecord};
use crate::manifest::state::State;
use crate::shared::Shared;

/// Drops what is past its retention at a time and says how many extents that were. Running snapshots still
/// read them.
pub(crate) fn apply_retention(shared: &Shared, now_ticks: i64) -> Result<usize> {
    let mut count = 0;
    shared.commit_edits(|state, _| {
        let mut edits = Vec::new();
        for (table, data) in &state.tables {
            let Some(period) = soft_delete_period(state, &data.entry) else { continue };
            let cutoff = now_ticks.saturating_sub(period);
            let past = |extent: &ExtentRecord| extent.max_time.unwrap_or(extent.created_ticks) < cutoff;
            let remove: Vec<Uuid> =
                data.extents.iter().filter(|extent| past(extent)).map(|extent| extent.id).collect();
            if !remove.is_empty() {
                count += remove.len();
                let (table, add) = (*table, Vec::new());
                edits.push(Edit::ReplaceExtents { table, add, remove, merged: false, at_ticks: now_ticks });
            }
        }
        Ok(edits)
    })?;
    Ok(count)
}

/// The `SoftDeletePeriod` of the table's retention policy, else of its database's, in ticks.
pub(crate) fn soft_delete_period(state: &State, table: &crate::catalog::TableEntry) -> Option<i64> {
    let database = state.database(&table.database)?;
    let policy = table.policies.get("retention").or_else(|| database.policies.get("retention"))?;
    // Some clients send the policy as a text that holds the object.
    let inner: Value;
    let policy = match policy {
        Value::String(text) => {
            inner = serde_json::from_str(text).ok()?;
            &inner
        }
        other => other,
    };
    let period = policy.get("SoftDeletePeriod").or_else(|| policy.get("softDeletePeriod"))?;
    parse_timespan(period.as_str()?)
}

/// Ticks of `[d.]hh:mm:ss[.fffffff]` or of a whole number of days.
fn parse_timespan(text: &str) -> Option<i64> {
    const DAY: i64 = 86_400 * TICKS_PER_SECOND;
    let text = text.trim();
    if let Ok(days) = text.parse::<i64>() {
        return (days >= 0).then(|| days.saturating_mul(DAY));
    }
    let (clock_and_days, fraction) = match text.rfind(':') {
        Some(colon) => match text[colon..].find('.') {
            Some(point) => (&text[..colon + point], &text[colon + point + 1..]),
            None => (text, ""),
        },
        None => return None,
    };
    let (days, clock) = clock_and_days.split_once('.').unwrap_or(("0", clock_and_days));
    let mut parts = clock.split(':').map(|part| part.parse::<i64>().ok().filter(|value| *value >= 0));
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || fraction.len() > 7 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: i64 = format!("{fraction:0<7}").parse().ok()?;
    let days: i64 = days.parse().ok().filter(|days| *days >= 0)?;
    let seconds = hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?.checked_add(seconds)?;
    Some(
        days.saturating_mul(DAY)
            .saturating_add(seconds.saturating_mul(TICKS_PER_SECOND))
            .saturating_add(fraction),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timespans() {
        let cases = [
            ("365.00:00:00", Some(365 * 864_000_000_000)),
            ("00:00:01", Some(10_000_000)),
            ("1.02:03:04.5", Some(864_000_000_000 + 73_845_000_000)),
            ("7", Some(7 * 864_000_000_000)),
            ("36500000.00:00:00", Some(i64::MAX)),
            ("soon", None),
            ("-1.00:00:00", None),
            ("1:2", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_timespan(text), expected, "{text}");
        }
    }
}
