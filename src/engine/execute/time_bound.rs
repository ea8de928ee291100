//! What `top … by time` knows while it reads: morsels that only hold worse rows are left out.

use std::sync::atomic::{AtomicI64, Ordering};

use conshelf_kql::plan::SortKey;
use conshelf_storage::{Morsel, ScanOrder};

/// The time that a row of `top … by time` must beat, shared by all workers.
pub struct TimeBound {
    descending: bool,
    nulls_first: bool,
    time_column: u32,
    /// The worst winning time so far; the extreme that everything beats at first.
    ticks: AtomicI64,
}

impl TimeBound {
    /// Nothing is known yet.
    pub fn new(order: &SortKey, time_column: u32) -> TimeBound {
        TimeBound {
            descending: order.descending,
            nulls_first: order.nulls_first,
            time_column,
            ticks: AtomicI64::new(if order.descending { i64::MIN } else { i64::MAX }),
        }
    }

    /// The order in which a scan comes to rows soonest that let it leave out the others.
    pub fn scan_order(&self) -> ScanOrder {
        if self.descending { ScanOrder::TimeDescending } else { ScanOrder::TimeAscending }
    }

    /// Takes note of the sort key (see `order`) of a row that has `limit` rows at least as good.
    pub fn tighten(&self, key: u128) {
        let value_rank = if self.nulls_first { 2 } else { 0 };
        if key >> 64 != value_rank {
            return;
        }
        let ordered = if self.descending { !(key as u64) } else { key as u64 };
        let ticks = (ordered ^ (1 << 63)) as i64;
        if self.descending {
            self.ticks.fetch_max(ticks, Ordering::Relaxed);
        } else {
            self.ticks.fetch_min(ticks, Ordering::Relaxed);
        }
    }

    /// Whether a row of the morsel may still win.
    pub fn may_win(&self, morsel: &Morsel) -> bool {
        let Some((least, greatest)) = morsel.time_bounds() else { return true };
        if self.nulls_first && morsel.statistics(self.time_column).is_none_or(|known| known.nulls > 0) {
            return true;
        }
        let ticks = self.ticks.load(Ordering::Relaxed);
        if self.descending { greatest >= ticks } else { least <= ticks }
    }
}
