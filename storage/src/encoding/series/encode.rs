//! Writes a column in the order of series, where that is clearly smaller than in the order of rows.

use arrow_buffer::NullBuffer;

use super::key::Order;
use super::steps::Steps;
use crate::encoding::alp::{self, Converted};
use crate::encoding::choose;
use crate::format::encoding_tag as tag;

/// The series that the rows of a row group belong to.
#[derive(Debug)]
pub(crate) struct Series {
    /// Ids of the key columns.
    pub keys: Vec<u32>,
    pub order: Order,
}

impl Series {
    fn header(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[tag::SERIES, self.keys.len() as u8]);
        self.keys.iter().for_each(|key| out.extend_from_slice(&key.to_le_bytes()));
    }

    /// The values in the order of series, with every null slot holding the value before it there.
    fn sorted(&self, values: &[i64], nulls: Option<&NullBuffer>) -> Vec<i64> {
        let mut sorted = self.order.to_series(values);
        let Some(nulls) = nulls else { return sorted };
        let valid = self.order.to_series(&nulls.iter().collect::<Vec<bool>>());
        let first = valid.iter().position(|valid| *valid).unwrap_or(0);
        let mut last = sorted[first];
        for (slot, valid) in sorted.iter_mut().zip(valid) {
            if valid {
                last = *slot;
            } else {
                *slot = last;
            }
        }
        sorted
    }

    /// The node of the values in the order of series, without header; `None` where that gains little.
    fn node(&self, values: &[i64], nulls: Option<&NullBuffer>, depth: u32) -> Option<Vec<u8>> {
        let clearly_smaller = |found: usize, known: usize| found * 10 <= known * 9;
        // Times, mostly: nothing is closer than the neighbours.
        if values.is_sorted() {
            return None;
        }
        let sorted = self.sorted(values, nulls);
        let steps = Steps::of(&sorted, &self.order);
        if !clearly_smaller(steps.estimate(), choose::simple_bytes(values)) {
            return None;
        }
        let mut node = Vec::new();
        steps.encode(&mut node);
        if steps.still() >= 75 {
            let mut other = Vec::new();
            choose::encode_integers(&sorted, depth, &mut other);
            if clearly_smaller(other.len(), node.len()) {
                node = other;
            }
        }
        if choose::may_nest(values) {
            let mut plain = Vec::new();
            choose::encode_integers(values, depth, &mut plain);
            if !clearly_smaller(node.len(), plain.len()) {
                return None;
            }
        }
        Some(node)
    }
}

/// Appends integers in the order of series, or nothing (`false`) where that gains little.
pub(crate) fn encode_integers(
    values: &[i64],
    nulls: Option<&NullBuffer>,
    series: &Series,
    out: &mut Vec<u8>,
) -> bool {
    let Some(node) = series.node(values, nulls, 0) else { return false };
    series.header(out);
    out.extend_from_slice(&node);
    true
}

/// Like [`encode_integers`] for doubles that are decimals.
pub(crate) fn encode_reals(
    converted: &Converted,
    nulls: Option<&NullBuffer>,
    series: &Series,
    out: &mut Vec<u8>,
) -> bool {
    let Some(node) = series.node(&converted.integers, nulls, 1) else { return false };
    let mut exceptions: Vec<(u32, f64)> = converted
        .exceptions
        .iter()
        .map(|(row, value)| (series.order.positions[*row as usize], *value))
        .collect();
    exceptions.sort_unstable_by_key(|(position, _)| *position);
    series.header(out);
    alp::encode(converted.exponents, &exceptions, out, |out| out.extend_from_slice(&node));
    true
}
