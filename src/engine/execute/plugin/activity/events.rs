//! The rows of an input by group and user, and the columns of what was found about periods and groups.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, UInt32Array};

use crate::engine::batch::Batch;
use crate::engine::context::MemoryReservation;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::columns;
use crate::engine::execute::key::KeyTable;
use crate::engine::execute::plugin::PluginCall;

use super::timeline::{Axis, Periods};

/// Rows between two looks at the query's limits.
pub const ROWS_BETWEEN_CHECKS: usize = 4_096;

/// A row of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    pub group: u32,
    pub user: u32,
    pub instant: i128,
}

/// The rows of an input whose columns are the id, the timeline, and the dimensions.
pub struct Events {
    /// By group, user and instant.
    pub rows: Vec<Event>,
    pub groups: KeyTable,
    pub users: KeyTable,
    pub axis: Axis,
    memory: MemoryReservation,
}

impl Events {
    pub fn read(call: &PluginCall<'_>) -> Result<Events> {
        let (Some(input), Some(schema)) = (call.inputs.first(), call.input_schemas.first()) else {
            return Err(EngineError::Internal(String::from("the plugin lacks its input")));
        };
        let ([ids, times, dimensions @ ..], [id, time, dimension_columns @ ..]) =
            (input.columns.as_slice(), schema.as_slice())
        else {
            return Err(EngineError::Internal(String::from("the plugin lacks its columns")));
        };
        let memory = call.query.reserve((input.rows * size_of::<Event>()) as u64)?;
        let axis = Axis::of(time.ty);
        let types: Vec<_> = dimension_columns.iter().map(|column| column.ty).collect();
        let (mut groups, mut users) = (KeyTable::new(&types), KeyTable::new(&[id.ty]));
        let (mut group_of, mut user_of) = (Vec::new(), Vec::new());
        groups.assign(dimensions, input.rows, &mut group_of)?;
        users.assign(std::slice::from_ref(ids), input.rows, &mut user_of)?;
        let mut rows = Vec::with_capacity(input.rows);
        for (row, instant) in axis.instants(times)?.into_iter().enumerate() {
            if let Some(instant) = instant.filter(|_| ids.is_valid(row)) {
                rows.push(Event { group: group_of[row], user: user_of[row], instant });
            }
        }
        call.query.check()?;
        rows.sort_unstable();
        call.query.check()?;
        let mut events = Events { rows, groups, users, axis, memory };
        events.charge(0)?;
        Ok(events)
    }

    /// Charges more bytes than the rows and keys take.
    pub fn charge(&mut self, more_bytes: usize) -> Result<()> {
        let rows = self.rows.capacity() * size_of::<Event>();
        let bytes = rows + self.groups.memory_bytes() + self.users.memory_bytes() + more_bytes;
        self.memory.resize(bytes as u64)
    }

    /// The rows of each user in each group.
    pub fn histories(&self) -> impl Iterator<Item = &[Event]> {
        self.rows.chunk_by(|left, right| left.group == right.group && left.user == right.user)
    }
}

/// A period of a group.
pub type Place = (i64, u32);

/// Numbers found about periods of groups.
pub struct Cells<const N: usize>(HashMap<Place, [i64; N]>);

impl<const N: usize> Cells<N> {
    pub fn new() -> Cells<N> {
        Cells(HashMap::new())
    }

    pub fn at(&mut self, place: Place) -> &mut [i64; N] {
        self.0.entry(place).or_insert([0; N])
    }

    pub fn get(&self, place: Place) -> [i64; N] {
        self.0.get(&place).copied().unwrap_or([0; N])
    }

    pub fn sorted(&self) -> Vec<(Place, [i64; N])> {
        let mut cells: Vec<_> = self.0.iter().map(|(place, numbers)| (*place, *numbers)).collect();
        cells.sort_unstable();
        cells
    }
}

/// Rows of the starts of periods, the groups' dimensions, and what was found.
pub fn table(
    periods: &Periods,
    groups: &KeyTable,
    places: &[Place],
    found: Vec<ArrayRef>,
) -> Result<Vec<Batch>> {
    let mut columns = vec![periods.column(places.iter().map(|(period, _)| *period))];
    columns.extend(dimensions(groups, places.iter().map(|(_, group)| *group))?);
    columns.extend(found);
    Ok(vec![Batch::new(columns, places.len())])
}

/// The dimensions of groups.
pub fn dimensions(groups: &KeyTable, numbers: impl Iterator<Item = u32>) -> Result<Vec<ArrayRef>> {
    let numbers = UInt32Array::from_iter_values(numbers);
    groups.columns()?.iter().map(|column| columns::take_column(column, &numbers)).collect()
}

pub fn longs(numbers: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(numbers))
}

/// The quotients of numbers; NaN where nothing is divided by nothing.
pub fn ratios(pairs: impl Iterator<Item = (i64, i64)>) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(pairs.map(|(part, whole)| part as f64 / whole as f64)))
}
