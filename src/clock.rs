//! The wall clock in Kusto's ticks.

use std::time::SystemTime;

/// 1970-01-01T00:00:00Z in ticks.
pub const UNIX_EPOCH_TICKS: i64 = 621_355_968_000_000_000;

/// Now, in 100 ns ticks since 0001-01-01T00:00:00Z.
pub fn now_ticks() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH_TICKS.saturating_add(i64::try_from(since.as_nanos() / 100).unwrap_or(0))
}
