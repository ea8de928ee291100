//! Time zones of the IANA database, which is compiled in: a machine without one answers the same.
//!
//! A local time that a clock skipped or showed twice is read with the offset that holds afterwards, as the
//! reference shows for `datetime_local_to_utc`.

use arrow_array::ArrayRef;
use arrow_array::types::Int64Type;
use conshelf_storage::ticks::{UNIX_EPOCH_TICKS, civil_from_ticks};
use hashbrown::HashMap;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};

use super::in_calendar;
use crate::engine::error::{EngineError, Result};
use crate::engine::kernel::access::{Longs, Texts, argument, dynamics, numbers};
use crate::engine::kernel::{Datum, KernelCall};

const TICKS_PER_SECOND: i64 = conshelf_storage::ticks::TICKS_PER_SECOND;

fn database() -> TimeZoneDatabase {
    TimeZoneDatabase::bundled()
}

/// The offset of UTC at a moment, in ticks.
fn offset_at(zone: &TimeZone, ticks: i64) -> Option<i64> {
    let second = (ticks - UNIX_EPOCH_TICKS).div_euclid(TICKS_PER_SECOND);
    let timestamp = Timestamp::from_second(second).ok()?;
    Some(i64::from(zone.to_offset(timestamp).seconds()) * TICKS_PER_SECOND)
}

/// The offset of a local time, in ticks.
fn offset_of_local(zone: &TimeZone, ticks: i64) -> Option<i64> {
    let civil = civil_from_ticks(ticks);
    let local = DateTime::new(
        civil.year as i16,
        civil.month as i8,
        civil.day as i8,
        civil.hour as i8,
        civil.minute as i8,
        civil.second as i8,
        0,
    )
    .ok()?;
    let offset = match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset,
        AmbiguousOffset::Gap { after, .. } | AmbiguousOffset::Fold { after, .. } => after,
    };
    Some(i64::from(offset.seconds()) * TICKS_PER_SECOND)
}

fn convert(
    call: &KernelCall<'_>,
    arguments: &[Datum],
    f: impl Fn(&TimeZone, i64) -> Option<i64>,
) -> Result<ArrayRef> {
    let dates = Longs::new(argument(arguments, 0)?)?;
    let names = Texts::new(argument(arguments, 1)?)?;
    let database = database();
    if let Some(name) = names.constant() {
        let zone = database.get(name).map_err(|_| {
            EngineError::Evaluation(format!(
                "the time zone '{name}' is not known; datetime_list_timezones() lists those that are"
            ))
        })?;
        return Ok(numbers::<Int64Type>(call.rows, |row| in_calendar(f(&zone, dates.get(row)?)?)));
    }
    let mut zones: HashMap<&str, Option<TimeZone>> = HashMap::new();
    Ok(numbers::<Int64Type>(call.rows, |row| {
        let name = names.get(row);
        let zone = zones.entry(name).or_insert_with(|| database.get(name).ok());
        in_calendar(f(zone.as_ref()?, dates.get(row)?)?)
    }))
}

pub fn utc_to_local(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    convert(call, arguments, |zone, ticks| ticks.checked_add(offset_at(zone, ticks)?))
}

pub fn local_to_utc(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    convert(call, arguments, |zone, ticks| ticks.checked_sub(offset_of_local(zone, ticks)?))
}

/// The names, sorted.
pub fn list(call: &KernelCall<'_>, _: &[Datum]) -> Result<ArrayRef> {
    let database = database();
    // Without the placeholder for machines whose zone was never set.
    let names = database.available().map(|name| name.to_string());
    let mut names: Vec<String> = names.filter(|name| name != "Factory").collect();
    names.sort_unstable();
    Ok(dynamics(call.rows, |_, builder| {
        builder.begin_array();
        for name in &names {
            builder.string(name);
        }
        builder.end_array();
        true
    }))
}
