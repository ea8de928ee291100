//! `funnel_sequence` and `funnel_sequence_completion`: users that went through a sequence of states.
//!
//! Columns: the id, the timeline, the state as text. Options of both: start, end, step and the sequence; then of the
//! first the longest gap between two states, of the second the longest times from the first state to the last.

use std::collections::{BTreeMap, HashMap};

use conshelf_kql::{Dynamic, Type, Value};

use crate::engine::batch::Batch;
use crate::engine::constant::array_of;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::columns;
use crate::engine::execute::plugin::PluginCall;
use crate::engine::literal::array_to_value;

use super::events::{Event, Events, longs};
use super::timeline::Periods;

/// Largest number of users shown of each row.
const SAMPLES_MAX: usize = 128;

/// The parts that both plugins have. The states are the groups of the events.
struct Funnel {
    /// By user and instant, those of the analysis alone.
    rows: Vec<Event>,
    events: Events,
    periods: Periods,
    states: Vec<String>,
    /// The numbers of the states to go through; `None` for one that no row has.
    sequence: Vec<Option<u32>>,
    sequence_texts: Vec<String>,
}

fn text(value: &Dynamic) -> String {
    match value {
        Dynamic::String(text) => text.clone(),
        Dynamic::Long(number) => number.to_string(),
        Dynamic::Real(number) => number.to_string(),
        Dynamic::Bool(flag) => flag.to_string(),
        _ => String::new(),
    }
}

fn items(value: &Value) -> Result<&[Dynamic]> {
    match value {
        Value::Dynamic(Dynamic::Array(items)) => Ok(items),
        _ => Err(EngineError::Evaluation(String::from("An array is expected as an argument of the plugin"))),
    }
}

impl Funnel {
    fn read(call: &PluginCall<'_>, options: [&Value; 4]) -> Result<Funnel> {
        let [start, end, step, sequence] = options;
        let mut events = Events::read(call)?;
        let periods = Periods::new(events.axis, start, end, step, 0)?;
        let states = match events.groups.columns()?.first() {
            Some(column) => {
                let flat = columns::flatten(column)?;
                columns::texts(&flat)?.iter().map(|text| text.unwrap_or_default().to_string()).collect()
            }
            None => Vec::new(),
        };
        let mut rows = std::mem::take(&mut events.rows);
        rows.retain(|event| periods.holds(event.instant));
        rows.sort_unstable_by_key(|event| (event.user, event.instant, event.group));
        events.charge(rows.capacity() * size_of::<Event>())?;
        call.query.check()?;
        let sequence_texts: Vec<String> = items(sequence)?.iter().map(text).collect();
        let number = |text: &String| states.iter().position(|state| state == text).map(|place| place as u32);
        let sequence = sequence_texts.iter().map(number).collect();
        Ok(Funnel { rows, events, periods, states, sequence, sequence_texts })
    }

    fn state(&self, number: Option<u32>) -> String {
        number.and_then(|number| self.states.get(number as usize)).cloned().unwrap_or_default()
    }
}

/// Users counted once, with the first of them.
#[derive(Default)]
struct Users {
    count: i64,
    last: Option<u32>,
    samples: Vec<u32>,
}

impl Users {
    fn add(&mut self, user: u32) {
        if self.last != Some(user) {
            self.last = Some(user);
            self.count += 1;
            if self.samples.len() < SAMPLES_MAX {
                self.samples.push(user);
            }
        }
    }
}

/// What came before and after the whole sequence, without a break longer than the window. A state that repeats
/// counts once, at its first time.
pub fn sequence(call: &PluginCall<'_>) -> Result<Vec<Batch>> {
    let [start, end, step, sequence, window] = call.options else {
        return Err(EngineError::Internal(String::from("funnel_sequence has five options")));
    };
    let funnel = Funnel::read(call, [start, end, step, sequence])?;
    let window = funnel.events.axis.required(Some(window))?;
    let wanted = &funnel.sequence;
    let collapse = wanted.windows(2).all(|pair| pair[0] != pair[1]);
    let mut found: HashMap<(i64, Option<u32>, Option<u32>), Users> = HashMap::new();
    for history in funnel.rows.chunk_by(|left, right| left.user == right.user) {
        let mut runs: Vec<Event> = history.to_vec();
        if collapse {
            runs.dedup_by_key(|event| event.group);
        }
        let near = |left: &Event, right: &Event| right.instant - left.instant <= window;
        if wanted.is_empty() || runs.len() < wanted.len() {
            continue;
        }
        for (place, part) in runs.windows(wanted.len()).enumerate() {
            let same = part.iter().zip(wanted).all(|(event, state)| Some(event.group) == *state);
            if !same || !part.windows(2).all(|pair| near(&pair[0], &pair[1])) {
                continue;
            }
            let before = place.checked_sub(1).and_then(|before| runs.get(before));
            let before = before.filter(|before| near(before, &part[0])).map(|event| event.group);
            let end = place + wanted.len();
            let after = runs.get(end).filter(|after| near(&runs[end - 1], after)).map(|event| event.group);
            let period = funnel.periods.of(part[0].instant);
            found.entry((period, before, after)).or_default().add(part[0].user);
        }
    }
    call.query.check()?;
    let mut found: Vec<_> = found.into_iter().collect();
    found.sort_by_key(|((period, before, after), users)| (*period, -users.count, *before, *after));
    let name = |state: Option<u32>| Value::String(funnel.state(state));
    let (before, after): (Vec<Value>, Vec<Value>) =
        found.iter().map(|((_, before, after), _)| (name(*before), name(*after))).unzip();
    let ids = funnel.events.users.columns()?;
    let id_type =
        call.input_schemas.first().and_then(|schema| schema.first()).map_or(Type::String, |id| id.ty);
    let mut samples = Vec::with_capacity(found.len());
    for (_, users) in &found {
        let mut shown = Vec::with_capacity(users.samples.len());
        for user in &users.samples {
            if let Some(ids) = ids.first() {
                shown.push(dynamic(array_to_value(&columns::flatten(ids)?, *user as usize, id_type)?));
            }
        }
        samples.push(Value::Dynamic(Dynamic::Array(shown)));
    }
    let columns = vec![
        funnel.periods.column(found.iter().map(|((period, _, _), _)| *period)),
        array_of(Type::String, before.iter())?,
        array_of(Type::String, after.iter())?,
        longs(found.iter().map(|(_, users)| users.count)),
        array_of(Type::Dynamic, samples.iter())?,
    ];
    Ok(vec![Batch::new(columns, found.len())])
}

fn dynamic(value: Value) -> Dynamic {
    match value {
        Value::Bool(flag) => Dynamic::Bool(flag),
        Value::Int(number) => Dynamic::Long(i64::from(number)),
        Value::Long(number) => Dynamic::Long(number),
        Value::Real(number) => Dynamic::Real(number),
        Value::Decimal(number) => Dynamic::Decimal(number),
        Value::DateTime(ticks) => Dynamic::DateTime(ticks),
        Value::TimeSpan(ticks) => Dynamic::TimeSpan(ticks),
        Value::String(text) => Dynamic::String(text),
        Value::Guid(bytes) => Dynamic::Guid(bytes),
        Value::Dynamic(value) => value,
        Value::Null(_) => Dynamic::Null,
    }
}

/// How many users came to each state of the sequence within each of the longest times.
pub fn completion(call: &PluginCall<'_>) -> Result<Vec<Batch>> {
    let [start, end, step, sequence, longest] = call.options else {
        return Err(EngineError::Internal(String::from("funnel_sequence_completion has five options")));
    };
    let funnel = Funnel::read(call, [start, end, step, sequence])?;
    let axis = funnel.events.axis;
    let lengths: Vec<i128> = items(longest)?
        .iter()
        .map(|item| {
            axis.required(Some(&match item {
                Dynamic::TimeSpan(ticks) => Value::TimeSpan(*ticks),
                Dynamic::Long(number) => Value::Long(*number),
                Dynamic::Real(number) => Value::Real(*number),
                Dynamic::String(text) => conshelf_kql::time::parse_timespan(text)
                    .map_or(Value::Null(Type::TimeSpan), Value::TimeSpan),
                _ => Value::Null(Type::TimeSpan),
            }))
        })
        .collect::<Result<_>>()?;
    let steps = funnel.sequence.len();
    let mut found: BTreeMap<(i64, usize), Vec<i64>> = BTreeMap::new();
    let periods = &funnel.periods;
    for history in funnel.rows.chunk_by(|left, right| {
        left.user == right.user && periods.of(left.instant) == periods.of(right.instant)
    }) {
        let period = history.first().map_or(0, |event| periods.of(event.instant));
        for (place, length) in lengths.iter().enumerate() {
            let counts = found.entry((period, place)).or_insert_with(|| vec![0; steps]);
            for (count, _) in counts.iter_mut().zip(0..reached(history, &funnel.sequence, *length)) {
                *count += 1;
            }
        }
    }
    call.query.check()?;
    let rows: Vec<(i64, usize, usize, i64)> = found
        .iter()
        .flat_map(|((period, length), counts)| {
            counts.iter().enumerate().map(|(step, count)| (*period, *length, step, *count))
        })
        .collect();
    let states: Vec<Value> =
        rows.iter().map(|(_, _, step, _)| Value::String(funnel.sequence_texts[*step].clone())).collect();
    let columns = vec![
        periods.column(rows.iter().map(|(period, _, _, _)| *period)),
        array_of(Type::String, states.iter())?,
        longs(rows.iter().map(|(_, length, _, _)| i64::try_from(lengths[*length]).unwrap_or(i64::MAX))),
        longs(rows.iter().map(|(_, _, _, count)| *count)),
    ];
    Ok(vec![Batch::new(columns, rows.len())])
}

/// How many states of the sequence a user's rows come to, other states between them allowed, none later than the
/// first by more than `length`.
pub fn reached(history: &[Event], sequence: &[Option<u32>], length: i128) -> usize {
    // Of each state: the latest first state from which a chain leads to it.
    let mut begun: Vec<Option<i128>> = vec![None; sequence.len()];
    for event in history {
        for place in (0..sequence.len()).rev() {
            if sequence[place] != Some(event.group) {
                continue;
            }
            let first = match place.checked_sub(1) {
                Some(before) => begun[before].filter(|first| event.instant - first <= length),
                None => Some(event.instant),
            };
            begun[place] = begun[place].max(first);
        }
    }
    begun.iter().take_while(|first| first.is_some()).count()
}
