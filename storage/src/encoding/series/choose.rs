//! Finds the columns whose values name the series of a row group, on a sample.
//!
//! For each candidate: how many bits the differences take between each value and the one before it of the same
//! code. The best candidate must save clearly over all sampled columns, compared with the order of rows.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef};

use super::encode::Series;
use super::key::Order;
use crate::encoding::alp;
use crate::encoding::dictionary::{FastMap, fast_map};
use crate::types::ColumnType;

/// Rows sampled for each candidate.
const SAMPLE_ROWS: usize = 1024;
/// Columns whose values are looked at.
const SAMPLE_COLUMNS: usize = 6;
/// Columns that are tried as one half of a key.
const PAIRED_MAX: usize = 12;
/// Fewer pairs of neighbours than that say nothing.
const PAIRS_MIN: usize = 128;
/// Bits that differences take beyond the logarithm of their mean size: sign, and the widest of a block.
const SPREAD_BITS: f64 = 2.5;
/// A first value a series costs about that much.
const FIRST_BITS: f64 = 16.0;

/// A text column of a row group that became a dictionary.
pub(crate) struct Candidate<'a> {
    pub id: u32,
    /// The code of every row, and how many codes there are.
    pub codes: &'a [i64],
    pub distinct: usize,
}

impl Candidate<'_> {
    fn may_be_key(&self) -> bool {
        self.distinct >= 2 && self.distinct * 4 <= self.codes.len()
    }

    /// Rows of whole series, about [`SAMPLE_ROWS`], ascending.
    fn sample(&self) -> Vec<u32> {
        let every = (self.codes.len() / SAMPLE_ROWS).clamp(1, self.distinct) as i64;
        let rows = (0u32..).zip(self.codes).filter(|(_, code)| **code % every == 0).map(|(row, _)| row);
        rows.take(SAMPLE_ROWS).collect()
    }
}

/// Numbers of a column at any row, in the units that its encoding would count in.
enum Numbers<'a> {
    Int(&'a [i32]),
    Long(&'a [i64]),
    Real(&'a [f64], alp::Exponents),
}

impl Numbers<'_> {
    fn of(ty: ColumnType, array: &ArrayRef) -> Option<Numbers<'_>> {
        if array.null_count() * 2 > array.len() {
            return None;
        }
        let numbers = match ty {
            ColumnType::Int => Numbers::Int(array.as_primitive_opt::<Int32Type>()?.values()),
            ColumnType::Long | ColumnType::TimeSpan => {
                Numbers::Long(array.as_primitive_opt::<Int64Type>()?.values())
            }
            ColumnType::Real => {
                let values = array.as_primitive_opt::<Float64Type>()?.values();
                Numbers::Real(values, alp::find(values)?)
            }
            _ => return None,
        };
        let first = numbers.at(0);
        let step = (array.len() / 64).max(1);
        let varies = (0..array.len()).step_by(step).any(|row| numbers.at(row) != first);
        varies.then_some(numbers)
    }

    fn at(&self, row: usize) -> i64 {
        match self {
            Numbers::Int(values) => values[row].into(),
            Numbers::Long(values) => values[row],
            Numbers::Real(values, exponents) => exponents.to_integer(values[row]),
        }
    }
}

/// Bits of a difference without its sign.
fn bits(left: i64, right: i64) -> f64 {
    f64::from(64 - left.abs_diff(right).leading_zeros())
}

/// Mean bits a value of each column where each is stored as the difference to the row named beside it.
fn mean_bits(columns: &[Numbers<'_>], pairs: &[(u32, u32)]) -> Vec<f64> {
    let mean = |column: &Numbers<'_>| {
        let sum: f64 = pairs
            .iter()
            .map(|(row, before)| bits(column.at(*row as usize), column.at(*before as usize)))
            .sum();
        sum / pairs.len() as f64 + SPREAD_BITS
    };
    columns.iter().map(mean).collect()
}

/// Each sampled row with the one before it of the same group.
fn pairs(rows: &[u32], group: impl Fn(usize) -> i64) -> Vec<(u32, u32)> {
    let mut last: FastMap<i64, u32> = fast_map();
    rows.iter()
        .filter_map(|row| last.insert(group(*row as usize), *row).map(|before| (*row, before)))
        .collect()
}

/// The key of a row group, if one pays. `columns` are all columns; `candidates` have as many rows.
pub(crate) fn choose(candidates: &[Candidate<'_>], columns: &[(ColumnType, &ArrayRef)]) -> Option<Vec<u32>> {
    let candidates: Vec<&Candidate<'_>> =
        candidates.iter().filter(|candidate| candidate.may_be_key()).collect();
    let rows = candidates.first()?.codes.len();
    let numbers: Vec<Numbers<'_>> =
        columns.iter().filter_map(|(ty, array)| Numbers::of(*ty, array)).take(SAMPLE_COLUMNS).collect();
    if numbers.is_empty() {
        return None;
    }
    // In the order of rows: differences of neighbours, or what the range of the values takes.
    let start = (rows - rows.min(SAMPLE_ROWS)) / 2;
    let neighbours: Vec<(u32, u32)> =
        (start + 1..rows.min(start + SAMPLE_ROWS)).map(|row| (row as u32, row as u32 - 1)).collect();
    let range = |column: &Numbers<'_>| {
        let values = || (start..rows.min(start + SAMPLE_ROWS)).map(|row| column.at(row));
        bits(values().min().unwrap_or(0), values().max().unwrap_or(0))
    };
    let plain: Vec<f64> = mean_bits(&numbers, &neighbours)
        .iter()
        .zip(&numbers)
        .map(|(differences, column)| differences.min(range(column)))
        .collect();
    // Bits saved by a key of so many series.
    let gain = |pairs: &[(u32, u32)], series: usize| -> f64 {
        if pairs.len() < PAIRS_MIN {
            return 0.0;
        }
        let firsts = FIRST_BITS * series as f64 / rows as f64;
        let found = mean_bits(&numbers, pairs);
        found.iter().zip(&plain).map(|(found, plain)| (plain - found - firsts).max(0.0)).sum()
    };
    let mut best: Option<(f64, &Candidate<'_>)> = None;
    for candidate in &candidates {
        let found = gain(&pairs(&candidate.sample(), |row| candidate.codes[row]), candidate.distinct);
        if best.is_none_or(|(known, _)| found > known) {
            best = Some((found, candidate));
        }
    }
    let (mut known, best) = best?;
    let mut keys = vec![best.id];
    let least = (0.05 * plain.iter().sum::<f64>()).max(0.5);
    // A second column that splits the series of the best one; or any two, where one alone says nothing.
    let mut bases = vec![best];
    if known < least {
        bases.extend(candidates.iter().filter(|other| other.id != best.id).take(PAIRED_MAX));
    }
    for base in bases {
        let sample = base.sample();
        for other in candidates.iter().filter(|other| other.id != base.id).take(PAIRED_MAX) {
            let combinations = base.distinct * other.distinct;
            // The one of more values is the base: the sample has whole series of it.
            if combinations * 2 > rows || (other.distinct > base.distinct && base.id != best.id) {
                continue;
            }
            let group = |row: usize| base.codes[row] * other.distinct as i64 + other.codes[row];
            let found = gain(&pairs(&sample, group), combinations);
            if found > known + numbers.len() as f64 {
                known = found;
                keys = vec![base.id, other.id];
            }
        }
    }
    (known >= least).then_some(keys)
}

impl Series {
    /// The series by the given key columns; `None` where one of them is no dictionary here, or has too many
    /// values for its rows.
    pub fn of(keys: &[u32], candidates: &[Candidate<'_>]) -> Option<Series> {
        let mut columns = keys.iter().map(|key| candidates.iter().find(|candidate| candidate.id == *key));
        let first = columns.next()??;
        let mut codes: Vec<u32> = first.codes.iter().map(|code| *code as u32).collect();
        let mut domain = first.distinct;
        for column in columns {
            let column = column?;
            domain *= column.distinct;
            if domain * 2 > codes.len() {
                return None;
            }
            for (slot, code) in codes.iter_mut().zip(column.codes) {
                *slot = *slot * column.distinct as u32 + *code as u32;
            }
        }
        if domain * 2 > codes.len() {
            return None;
        }
        Some(Series { keys: keys.to_vec(), order: Order::of(&codes, domain) })
    }
}
