//! What the machine tells: the wall clock in Kusto's ticks, its memory.

use std::time::SystemTime;

/// 1970-01-01T00:00:00Z in ticks.
pub const UNIX_EPOCH_TICKS: i64 = 621_355_968_000_000_000;

/// Now, in 100 ns ticks since 0001-01-01T00:00:00Z.
pub fn now_ticks() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH_TICKS.saturating_add(i64::try_from(since.as_nanos() / 100).unwrap_or(0))
}

/// Bytes of a line of `/proc/meminfo` (`MemTotal:`), 0 where there is none.
pub fn machine_memory(key: &str) -> u64 {
    std::fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with(key))?;
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        })
        .map_or(0, |kilobytes| kilobytes * 1024)
}
