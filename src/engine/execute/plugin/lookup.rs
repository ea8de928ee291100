//! The lookup plugins: for each row the rows of a table whose shape or network holds what the row has.

use std::collections::HashMap;

use arrow_array::{Array, ArrayRef, StringViewArray, UInt32Array};
use conshelf_kql::Value;
use conshelf_storage::DynamicRef;

use crate::engine::batch::Batch;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::columns;
use crate::engine::kernel::geo::area::Area;
use crate::engine::kernel::string::address::{Address, parse4, parse6};

use super::PluginCall;

/// Rows between two looks at the query's limits.
const ROWS_BETWEEN_CHECKS: usize = 256;

/// The parts of a call.
struct Sides<'a> {
    rows: &'a Batch,
    table: &'a Batch,
    extra_keys: usize,
    keep_unmatched: bool,
    radius: Option<f64>,
    table_first: bool,
}

impl<'a> Sides<'a> {
    fn new(call: &'a PluginCall<'_>) -> Result<Sides<'a>> {
        let ([rows, table], [extra_keys, keep_unmatched, radius, table_first]) =
            (call.inputs.as_slice(), call.options)
        else {
            return Err(EngineError::Internal(String::from("a lookup has two inputs and four options")));
        };
        Ok(Sides {
            rows,
            table,
            extra_keys: match extra_keys {
                Value::Long(count) => usize::try_from(*count).unwrap_or(0),
                _ => 0,
            },
            keep_unmatched: *keep_unmatched == Value::Bool(true),
            radius: match radius {
                Value::Real(radius) => Some(*radius),
                _ => None,
            },
            table_first: *table_first == Value::Bool(true),
        })
    }

    /// The joined rows: those with matches, then the others if they stay. The first `keys` columns of the rows
    /// and `table_keys` of the table are not yielded.
    fn join(
        &self,
        call: &PluginCall<'_>,
        keys: usize,
        table_keys: usize,
        mut matches: impl FnMut(usize, &mut Vec<u32>),
    ) -> Result<Vec<Batch>> {
        let (mut left, mut right): (Vec<u32>, Vec<Option<u32>>) = (Vec::new(), Vec::new());
        let mut lonely: Vec<u32> = Vec::new();
        let mut found = Vec::new();
        let mut memory = call.query.reserve(0)?;
        for row in 0..self.rows.rows {
            if row % ROWS_BETWEEN_CHECKS == 0 {
                call.query.check()?;
                memory.resize(12 * (left.len() + lonely.len()) as u64)?;
            }
            found.clear();
            matches(row, &mut found);
            let row = u32::try_from(row).map_err(|_| EngineError::Internal(String::from("too many rows")))?;
            left.extend(found.iter().map(|_| row));
            right.extend(found.iter().copied().map(Some));
            if found.is_empty() && self.keep_unmatched {
                lonely.push(row);
            }
        }
        right.extend(lonely.iter().map(|_| None));
        left.extend(lonely);
        let (left, right) = (UInt32Array::from(left), UInt32Array::from(right));
        let of_rows = taken(&self.rows.columns[keys..], &left)?;
        let of_table = taken(&self.table.columns[table_keys..], &right)?;
        let (mut columns, second) = if self.table_first { (of_table, of_rows) } else { (of_rows, of_table) };
        columns.extend(second);
        Ok(vec![Batch::new(columns, left.len())])
    }

    /// The texts of the further keys, which begin at a column.
    fn extra_keys(&self, batch: &Batch, first: usize) -> Result<Vec<ArrayRef>> {
        batch.columns[first..first + self.extra_keys].iter().map(columns::flatten).collect()
    }
}

fn taken(columns: &[ArrayRef], rows: &UInt32Array) -> Result<Vec<ArrayRef>> {
    columns.iter().map(|column| columns::take_column(column, rows)).collect()
}

fn text(texts: &StringViewArray, row: usize) -> &str {
    if texts.is_null(row) { "" } else { texts.value(row) }
}

/// Finds the areas that hold a point.
fn by_area(
    call: &PluginCall<'_>,
    read: impl Fn(DynamicRef<'_>, Option<f64>) -> Option<Area>,
) -> Result<Vec<Batch>> {
    let sides = Sides::new(call)?;
    let shapes = columns::dynamics(&sides.table.columns[0])?;
    let mut areas: Vec<(u32, Area)> = Vec::new();
    for row in (0..sides.table.rows).filter(|row| shapes.is_valid(*row)) {
        call.query.check()?;
        let area = read(DynamicRef::new(shapes.value(row)), sides.radius);
        areas.extend(area.map(|area| (row as u32, area)));
    }
    let longitudes = columns::reals(&sides.rows.columns[0])?;
    let latitudes = columns::reals(&sides.rows.columns[1])?;
    sides.join(call, 2, 1, |row, found| {
        if longitudes.is_valid(row) && latitudes.is_valid(row) {
            let (longitude, latitude) = (longitudes.value(row), latitudes.value(row));
            found.extend(areas.iter().filter(|(_, area)| area.holds(longitude, latitude)).map(|(at, _)| *at));
        }
    })
}

pub fn lines(call: &PluginCall<'_>) -> Result<Vec<Batch>> {
    by_area(call, |shape, radius| Area::around_line(shape, radius?))
}

pub fn polygons(call: &PluginCall<'_>) -> Result<Vec<Batch>> {
    by_area(call, Area::of_polygon)
}

/// Finds the networks of addresses, by their prefixes.
fn by_network(call: &PluginCall<'_>, parse: fn(&str) -> Option<Address>) -> Result<Vec<Batch>> {
    let sides = Sides::new(call)?;
    let networks = columns::flatten(&sides.table.columns[0])?;
    let networks = columns::texts(&networks)?;
    let mut by_prefix: HashMap<u32, HashMap<u128, Vec<u32>>> = HashMap::new();
    let mut all: Vec<(u32, Address)> = Vec::new();
    for row in 0..sides.table.rows {
        if row % ROWS_BETWEEN_CHECKS == 0 {
            call.query.check()?;
        }
        if let Some(network) = parse(text(networks, row)) {
            let same = by_prefix.entry(network.prefix()).or_default();
            same.entry(network.network()).or_default().push(row as u32);
            all.push((row as u32, network));
        }
    }
    let table_keys = sides.extra_keys(sides.table, 1)?;
    let row_keys = sides.extra_keys(sides.rows, 1)?;
    let pairs: Vec<(&StringViewArray, &StringViewArray)> = row_keys
        .iter()
        .zip(&table_keys)
        .map(|(left, right)| Ok((columns::texts(left)?, columns::texts(right)?)))
        .collect::<Result<_>>()?;
    let addresses = columns::flatten(&sides.rows.columns[0])?;
    let addresses = columns::texts(&addresses)?;
    let keys = 1 + sides.extra_keys;
    sides.join(call, keys, keys, |row, found| {
        let Some(address) = parse(text(addresses, row)) else { return };
        let agree =
            |other: u32| pairs.iter().all(|(left, right)| text(left, row) == text(right, other as usize));
        for (prefix, networks) in by_prefix.iter().filter(|(prefix, _)| **prefix <= address.prefix()) {
            let same = networks.get(&address.masked(*prefix)).into_iter().flatten().copied();
            found.extend(same.filter(|other| agree(*other)));
        }
        // A network in the row also meets the smaller ones in it.
        if by_prefix.keys().any(|prefix| *prefix > address.prefix()) {
            let inner = all.iter().filter(|(other, network)| {
                network.prefix() > address.prefix()
                    && network.masked(address.prefix()) == address.network()
                    && agree(*other)
            });
            found.extend(inner.map(|(other, _)| *other));
        }
        found.sort_unstable();
    })
}

pub fn ipv4(call: &PluginCall<'_>) -> Result<Vec<Batch>> {
    by_network(call, parse4)
}

pub fn ipv6(call: &PluginCall<'_>) -> Result<Vec<Batch>> {
    by_network(call, parse6)
}
