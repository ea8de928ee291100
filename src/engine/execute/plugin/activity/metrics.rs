//! `activity_metrics`: each period's users against those of the period before. Options: start, end, step; without
//! start and end all rows count.

use conshelf_kql::Value;

use crate::engine::batch::Batch;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::plugin::PluginCall;

use super::events::{Cells, Events, Place, longs, ratios, table};
use super::timeline::Periods;

pub fn rows(call: &PluginCall<'_>) -> Result<Vec<Batch>> {
    let [start, end, step] = call.options else {
        return Err(EngineError::Internal(String::from("activity_metrics has three options")));
    };
    let events = Events::read(call)?;
    let Some((start, end)) = bounds(&events, start, end) else { return Ok(Vec::new()) };
    let periods = Periods::new(events.axis, &start, &end, step, 0)?;
    // Of each period: the users, and those of them that the period before has.
    let mut cells = Cells::<2>::new();
    for history in events.histories() {
        let mut last = None;
        for event in history.iter().filter(|event| periods.holds(event.instant)) {
            let period = periods.of(event.instant);
            if last != Some(period) {
                let [users, retained] = cells.at((period, event.group));
                *users += 1;
                *retained += i64::from(last == Some(period - 1));
                last = Some(period);
            }
        }
    }
    call.query.check()?;
    let found = cells.sorted();
    let places: Vec<Place> = found.iter().map(|(place, _)| *place).collect();
    let before = |(period, group): Place| cells.get((period - 1, group))[0];
    let columns = vec![
        longs(found.iter().map(|(_, [users, _])| *users)),
        longs(found.iter().map(|(_, [users, retained])| users - retained)),
        ratios(found.iter().map(|(place, [_, retained])| (*retained, before(*place)))),
        ratios(found.iter().map(|(place, [_, retained])| (before(*place) - retained, before(*place)))),
    ];
    table(&periods, &events.groups, &places, columns)
}

/// The bounds of the analysis, or those of the rows where they are left out. `None` without rows.
pub fn bounds(events: &Events, start: &Value, end: &Value) -> Option<(Value, Value)> {
    let axis = events.axis;
    let given = |value: &Value| axis.number(value).map(|_| value.clone());
    let first = || events.rows.iter().map(|event| event.instant).min();
    let last = || events.rows.iter().map(|event| event.instant).max();
    let start = given(start).or_else(|| first().map(|instant| axis.value(instant)))?;
    let end = given(end).or_else(|| last().map(|instant| axis.value(instant)))?;
    Some((start, end))
}
