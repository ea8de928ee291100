//! `activity_engagement`: the users of a period as a part of those in the longer window that ends with it.
//! Options: start, end (null: those of the rows), inner window, outer window.

use crate::engine::batch::Batch;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::plugin::PluginCall;

use super::events::{Cells, Events, Place, longs, ratios, table};
use super::metrics::bounds;
use super::sliding::windows;
use super::timeline::Periods;

pub fn rows(call: &PluginCall<'_>) -> Result<Vec<Batch>> {
    let [start, end, inner, outer] = call.options else {
        return Err(EngineError::Internal(String::from("activity_engagement has four options")));
    };
    let mut events = Events::read(call)?;
    let Some((start, end)) = bounds(&events, start, end) else { return Ok(Vec::new()) };
    let outer = events.axis.required(Some(outer))?;
    let periods = Periods::new(events.axis, &start, &end, inner, outer)?;
    let mut cells = Cells::<1>::new();
    for history in events.histories() {
        let mut last = None;
        for event in history.iter().filter(|event| periods.holds(event.instant)) {
            let period = periods.of(event.instant);
            if last != Some(period) {
                cells.at((period, event.group))[0] += 1;
                last = Some(period);
            }
        }
    }
    let found = windows(call, &mut events, &periods, outer)?;
    let places: Vec<Place> = found.iter().map(|window| window.place).collect();
    let inner_users: Vec<i64> = places.iter().map(|place| cells.get(*place)[0]).collect();
    let columns = vec![
        longs(inner_users.iter().copied()),
        longs(found.iter().map(|window| window.users)),
        ratios(inner_users.iter().copied().zip(found.iter().map(|window| window.users))),
    ];
    table(&periods, &events.groups, &places, columns)
}
