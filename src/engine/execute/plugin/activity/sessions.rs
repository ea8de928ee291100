//! `session_count`: the sessions that have a row in each period. A session of a user ends where no row follows
//! within the look back. Options: start, end, step, look back.

use crate::engine::batch::Batch;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::plugin::PluginCall;

use super::events::{Cells, Events, Place, longs, table};
use super::timeline::Periods;

pub fn rows(call: &PluginCall<'_>) -> Result<Vec<Batch>> {
    let [start, end, step, lookback] = call.options else {
        return Err(EngineError::Internal(String::from("session_count has four options")));
    };
    let events = Events::read(call)?;
    let lookback = events.axis.required(Some(lookback))?;
    let periods = Periods::new(events.axis, start, end, step, 0)?;
    let mut cells = Cells::<1>::new();
    for history in events.histories() {
        let mut before = None;
        let mut counted = None;
        for event in history {
            if before.is_none_or(|before: i128| event.instant - before > lookback) {
                counted = None;
            }
            before = Some(event.instant);
            let period = periods.of(event.instant);
            if periods.holds(event.instant) && counted != Some(period) {
                cells.at((period, event.group))[0] += 1;
                counted = Some(period);
            }
        }
    }
    call.query.check()?;
    let found = cells.sorted();
    let places: Vec<Place> = found.iter().map(|(place, _)| *place).collect();
    table(&periods, &events.groups, &places, vec![longs(found.iter().map(|(_, [sessions])| *sessions))])
}
