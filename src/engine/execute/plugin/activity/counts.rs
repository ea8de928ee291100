//! `activity_counts_metrics`: rows, users, new users and all users so far of each period.
//! Options: start, end, step.

use std::collections::HashMap;

use crate::engine::batch::Batch;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::plugin::PluginCall;

use super::events::{Cells, Events, Place, longs, table};
use super::timeline::Periods;

pub fn rows(call: &PluginCall<'_>) -> Result<Vec<Batch>> {
    let [start, end, step] = call.options else {
        return Err(EngineError::Internal(String::from("activity_counts_metrics has three options")));
    };
    let events = Events::read(call)?;
    let periods = Periods::new(events.axis, start, end, step, 0)?;
    let mut cells = Cells::<3>::new();
    for history in events.histories() {
        let mut last = None;
        for event in history.iter().filter(|event| periods.holds(event.instant)) {
            let period = periods.of(event.instant);
            let [rows, users, new] = cells.at((period, event.group));
            *rows += 1;
            *users += i64::from(last != Some(period));
            *new += i64::from(last.is_none());
            last = Some(period);
        }
    }
    call.query.check()?;
    let found = cells.sorted();
    let mut so_far: HashMap<u32, i64> = HashMap::new();
    let all: Vec<i64> = found
        .iter()
        .map(|((_, group), [_, _, new])| {
            let users = so_far.entry(*group).or_insert(0);
            *users += new;
            *users
        })
        .collect();
    let places: Vec<Place> = found.iter().map(|(place, _)| *place).collect();
    let column = |number: usize| longs(found.iter().map(move |(_, numbers)| numbers[number]));
    let columns = vec![column(0), column(1), column(2), longs(all.into_iter())];
    table(&periods, &events.groups, &places, columns)
}
