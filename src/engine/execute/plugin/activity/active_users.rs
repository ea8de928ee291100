//! `active_users_count`: the users of each period that were seen in enough short periods of the look back from
//! one of their rows. Options: start, end, look back, short period, how many of them, step.

use conshelf_kql::Value;

use crate::engine::batch::Batch;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::plugin::PluginCall;

use super::events::{Cells, Event, Events, Place, longs, table};
use super::timeline::Periods;

pub fn rows(call: &PluginCall<'_>) -> Result<Vec<Batch>> {
    let [start, end, lookback, short, least, step] = call.options else {
        return Err(EngineError::Internal(String::from("active_users_count has six options")));
    };
    let events = Events::read(call)?;
    let lookback = events.axis.required(Some(lookback))?;
    let periods = Periods::new(events.axis, start, end, step, 0)?;
    let short = Periods::new(events.axis, start, end, short, lookback)?;
    let least = match least {
        Value::Int(number) => f64::from(*number),
        Value::Long(number) => *number as f64,
        Value::Real(number) => *number,
        Value::Decimal(number) => number.to_f64(),
        _ => 0.0,
    };
    let mut cells = Cells::<1>::new();
    for history in events.histories() {
        let mut last = None;
        for (event, seen) in history.iter().zip(seen_periods(history, &short, lookback)) {
            let period = periods.of(event.instant);
            if periods.holds(event.instant) && seen as f64 >= least && last != Some(period) {
                cells.at((period, event.group))[0] += 1;
                last = Some(period);
            }
        }
    }
    call.query.check()?;
    let found = cells.sorted();
    let places: Vec<Place> = found.iter().map(|(place, _)| *place).collect();
    table(&periods, &events.groups, &places, vec![longs(found.iter().map(|(_, [users])| *users))])
}

/// Of each row: the number of distinct short periods that have a row in (instant - look back, instant].
pub fn seen_periods<'a>(
    history: &'a [Event],
    short: &'a Periods,
    lookback: i128,
) -> impl Iterator<Item = usize> + 'a {
    let mut first = 0;
    let mut distinct = 0;
    history.iter().enumerate().map(move |(place, event)| {
        let period_of = |place: usize| short.of(history[place].instant);
        if place == first || period_of(place - 1) != period_of(place) {
            distinct += 1;
        }
        while first < place && history[first].instant <= event.instant - lookback {
            if period_of(first) != period_of(first + 1) {
                distinct -= 1;
            }
            first += 1;
        }
        distinct
    })
}
