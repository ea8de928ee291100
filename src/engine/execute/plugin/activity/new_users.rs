//! `new_activity_metrics`: of the users that are new in a period (a cohort), how many are seen in each later one.
//! Options: start, end, step, the cohort to show (or null). A second input has the ids that are not new.

use std::collections::{HashMap, HashSet};

use crate::engine::batch::Batch;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::key::NONE;
use crate::engine::execute::plugin::PluginCall;

use super::events::{Events, ROWS_BETWEEN_CHECKS, dimensions, longs, ratios};
use super::timeline::Periods;

/// Largest number of periods: the result has a row of each pair of them.
const PERIODS_MAX: i64 = 20_000;

/// A row of the result.
struct Row {
    group: u32,
    from: i64,
    to: i64,
    new: i64,
    retained: i64,
    cohort: i64,
}

pub fn rows(call: &PluginCall<'_>) -> Result<Vec<Batch>> {
    let [start, end, step, cohort] = call.options else {
        return Err(EngineError::Internal(String::from("new_activity_metrics has four options")));
    };
    let mut events = Events::read(call)?;
    let periods = Periods::new(events.axis, start, end, step, 0)?;
    let last = periods.last();
    if last >= PERIODS_MAX {
        let message = format!("new_activity_metrics() over {} periods is more than {PERIODS_MAX}", last + 1);
        return Err(EngineError::Evaluation(message));
    }
    let only = events.axis.number(cohort).map(|instant| periods.of(instant));
    let known = known_users(call, &events)?;
    // How many users of a cohort are seen in a period. Cohort -1: the users that are not new at all.
    let mut seen: HashMap<(u32, i64, i64), i64> = HashMap::new();
    let mut groups: Vec<u32> = Vec::new();
    for history in events.histories() {
        let mut first = None;
        let mut before = None;
        for event in history.iter().filter(|event| periods.holds(event.instant)) {
            let period = periods.of(event.instant);
            let cohort = *first.get_or_insert(if known.contains(&event.user) { -1 } else { period });
            if before != Some(period) {
                *seen.entry((event.group, cohort, period)).or_insert(0) += 1;
                before = Some(period);
            }
            if groups.last() != Some(&event.group) {
                groups.push(event.group);
            }
        }
    }
    let mut found: Vec<Row> = Vec::new();
    let at = |group, cohort, period| seen.get(&(group, cohort, period)).copied().unwrap_or(0);
    for group in groups {
        for to in 0..=last {
            // Users seen in `to` that are new after `from`: counted from the last cohort down.
            let mut later = 0;
            for from in (0..=to).rev() {
                let retained = at(group, from, to);
                if only.is_none_or(|only| only == from) {
                    let new = if from == to { retained } else { later };
                    found.push(Row { group, from, to, new, retained, cohort: at(group, from, from) });
                    if found.len().is_multiple_of(ROWS_BETWEEN_CHECKS) {
                        call.query.check()?;
                        events.charge(found.capacity() * 3 * size_of::<Row>())?;
                    }
                }
                later += retained;
            }
        }
    }
    found.sort_unstable_by_key(|row| (row.from, row.to, row.group));
    let mut columns = vec![
        periods.column(found.iter().map(|row| row.from)),
        periods.column(found.iter().map(|row| row.to)),
    ];
    columns.extend(dimensions(&events.groups, found.iter().map(|row| row.group))?);
    columns.push(longs(found.iter().map(|row| row.new)));
    columns.push(longs(found.iter().map(|row| row.retained)));
    columns.push(longs(found.iter().map(|row| row.cohort - row.retained)));
    columns.push(ratios(found.iter().map(|row| (row.retained, row.cohort))));
    columns.push(ratios(found.iter().map(|row| (row.cohort - row.retained, row.cohort))));
    Ok(vec![Batch::new(columns, found.len())])
}

/// The users of the second input.
fn known_users(call: &PluginCall<'_>, events: &Events) -> Result<HashSet<u32>> {
    let Some(known) = call.inputs.get(1) else { return Ok(HashSet::new()) };
    let mut users = Vec::new();
    events.users.find(&known.columns, known.rows, &mut users)?;
    Ok(users.into_iter().filter(|user| *user != NONE).collect())
}
