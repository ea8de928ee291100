//! Database cursors: points in the time of ingestion that divide the rows that are visible from those to come.
//!
//! A row's time of ingestion is taken before it is written to the log, so that rows become visible in another order
//! than that of their times. A cursor therefore stays behind the oldest append under way, and times given out after
//! a cursor lie past it.

use std::collections::BTreeMap;

use parking_lot::Mutex;

/// The appends under way.
#[derive(Debug, Default)]
pub(crate) struct Cursors(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    /// Ticks given to appends that are not visible yet, with how many have them.
    appends: BTreeMap<i64, usize>,
    /// The last cursor given out.
    last: i64,
}

/// An append under way; over when dropped.
#[derive(Debug)]
pub(crate) struct Append<'a> {
    cursors: &'a Cursors,
    /// Its time of ingestion.
    pub ticks: i64,
}

impl Cursors {
    /// Begins an append at a time of the clock.
    pub fn append(&self, now_ticks: i64) -> Append<'_> {
        let mut open = self.0.lock();
        let ticks = now_ticks.max(open.last.saturating_add(1));
        *open.appends.entry(ticks).or_default() += 1;
        Append { cursors: self, ticks }
    }

    /// Rows ingested up to it are visible from now on; all others will have later times.
    pub fn current(&self, now_ticks: i64) -> i64 {
        let mut open = self.0.lock();
        let settled = match open.appends.keys().next() {
            Some(oldest) => oldest - 1,
            None => now_ticks,
        };
        open.last = open.last.max(settled);
        settled
    }
}

impl Drop for Append<'_> {
    fn drop(&mut self) {
        let mut open = self.cursors.0.lock();
        if let Some(count) = open.appends.get_mut(&self.ticks) {
            *count -= 1;
            if *count == 0 {
                open.appends.remove(&self.ticks);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_stays_behind_appends_under_way() {
        let cursors = Cursors::default();
        assert_eq!(cursors.current(10), 10);
        let first = cursors.append(10);
        assert_eq!(first.ticks, 11, "a row after a cursor has a later time");
        let second = cursors.append(15);
        assert_eq!(cursors.current(20), 10);
        drop(second);
        assert_eq!(cursors.current(20), 10);
        drop(first);
        assert_eq!(cursors.current(20), 20);
        assert_eq!(cursors.append(5).ticks, 21, "also when the clock goes back");
    }
}
