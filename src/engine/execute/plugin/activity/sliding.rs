//! `sliding_window_counts`: rows and users of each period together with those before it in the look back.
//! Options: start, end, look back, step. Rows from before the start count where the look back goes so far.

use crate::engine::batch::Batch;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::plugin::PluginCall;

use super::events::{Events, Place, ROWS_BETWEEN_CHECKS, longs, table};
use super::timeline::Periods;

/// What the windows of the periods hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub place: Place,
    pub rows: i64,
    pub users: i64,
}

pub fn rows(call: &PluginCall<'_>) -> Result<Vec<Batch>> {
    let [start, end, lookback, step] = call.options else {
        return Err(EngineError::Internal(String::from("sliding_window_counts has four options")));
    };
    let mut events = Events::read(call)?;
    let lookback = events.axis.required(Some(lookback))?;
    let periods = Periods::new(events.axis, start, end, step, lookback)?;
    let found = windows(call, &mut events, &periods, lookback)?;
    let places: Vec<Place> = found.iter().map(|window| window.place).collect();
    let columns =
        vec![longs(found.iter().map(|window| window.rows)), longs(found.iter().map(|window| window.users))];
    table(&periods, &events.groups, &places, columns)
}

/// The windows that hold anything, by period and group.
pub fn windows(
    call: &PluginCall<'_>,
    events: &mut Events,
    periods: &Periods,
    lookback: i128,
) -> Result<Vec<Window>> {
    /// From a period on, a group's windows hold so many rows and users more.
    struct Change {
        group: u32,
        period: i64,
        rows: i64,
        users: i64,
    }
    let last = periods.last();
    let mut changes: Vec<Change> = Vec::new();
    for history in events.histories() {
        // Until which period the user is already in the windows.
        let mut until = -1;
        for event in history {
            let period = periods.of(event.instant);
            let reach = periods.reach(period, lookback).min(last);
            if event.instant > periods.end || reach < 0 || reach < period {
                continue;
            }
            let group = event.group;
            let from = period.max(0);
            changes.push(Change { group, period: from, rows: 1, users: 0 });
            changes.push(Change { group, period: reach + 1, rows: -1, users: 0 });
            let from = from.max(until + 1);
            if from <= reach {
                changes.push(Change { group, period: from, rows: 0, users: 1 });
                changes.push(Change { group, period: reach + 1, rows: 0, users: -1 });
                until = reach;
            }
        }
    }
    let changes_bytes = changes.capacity() * size_of::<Change>();
    events.charge(changes_bytes)?;
    call.query.check()?;
    changes.sort_unstable_by_key(|change| (change.group, change.period));
    let mut found: Vec<Window> = Vec::new();
    for changes in changes.chunk_by(|left, right| left.group == right.group) {
        let (mut rows, mut users) = (0, 0);
        let mut rest = changes.iter().peekable();
        while let Some(change) = rest.next() {
            rows += change.rows;
            users += change.users;
            let next = rest.peek().map_or(change.period, |next| next.period);
            if rows == 0 {
                continue;
            }
            for period in change.period..next {
                found.push(Window { place: (period, change.group), rows, users });
                if found.len().is_multiple_of(ROWS_BETWEEN_CHECKS) {
                    call.query.check()?;
                    events.charge(changes_bytes + found.capacity() * size_of::<Window>())?;
                }
            }
        }
    }
    found.sort_unstable_by_key(|window| window.place);
    Ok(found)
}
