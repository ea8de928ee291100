//! Sort keys in a form that compares as plain numbers or bytes.
//!
//! Reference: sort-operator ("Using special floating-point values"): null and NaN stand together at the
//! end that `nulls first`/`nulls last` says, null outermost, whatever the direction. Texts compare by bytes.

use std::cmp::Ordering;

use arrow_array::{Array, ArrayRef};
use conshelf_kql::{Decimal, Type};
use conshelf_storage::dynamic::DynamicRef;
use rayon::slice::ParallelSliceMut;

use crate::engine::error::Result;
use crate::engine::execute::columns;

/// Rows from which sorting uses all cores.
const PARALLEL_ROWS: usize = 100_000;

/// Bytes of a key of fixed width among several.
const FIXED_BYTES: usize = 9;

/// Direction of one key.
#[derive(Clone, Copy, Debug)]
pub struct Direction {
    pub ty: Type,
    pub descending: bool,
    pub nulls_first: bool,
}

/// The keys of some rows: row i sorts by entry i.
#[derive(Clone, Debug)]
pub enum SortKeys {
    /// One key of fixed width: rank of null and NaN, then the value.
    Fixed(Vec<u128>),
    Bytes {
        data: Vec<u8>,
        ends: Vec<usize>,
    },
}

impl SortKeys {
    pub fn new(directions: &[Direction], keys: &[ArrayRef], rows: usize) -> Result<SortKeys> {
        if let ([direction], [key]) = (directions, keys)
            && let Some(values) = fixed(*direction, key)?
        {
            return Ok(SortKeys::Fixed(values));
        }
        encode(directions, keys, rows)
    }

    pub fn len(&self) -> usize {
        match self {
            SortKeys::Fixed(values) => values.len(),
            SortKeys::Bytes { ends, .. } => ends.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn memory_bytes(&self) -> usize {
        match self {
            SortKeys::Fixed(values) => values.capacity() * 16,
            SortKeys::Bytes { data, ends } => data.capacity() + ends.capacity() * 8,
        }
    }

    fn bytes(&self, row: usize) -> &[u8] {
        match self {
            SortKeys::Fixed(_) => &[],
            SortKeys::Bytes { data, ends } => {
                let start = if row == 0 { 0 } else { ends[row - 1] };
                &data[start..ends[row]]
            }
        }
    }

    /// Order of two rows' keys, possibly of two sets made with the same directions.
    pub fn compare(&self, row: usize, other: &SortKeys, other_row: usize) -> Ordering {
        match (self, other) {
            (SortKeys::Fixed(left), SortKeys::Fixed(right)) => left[row].cmp(&right[other_row]),
            _ => self.bytes(row).cmp(other.bytes(other_row)),
        }
    }

    /// Whether the keys are several, or of variable width.
    pub fn is_bytes(&self) -> bool {
        matches!(self, SortKeys::Bytes { .. })
    }

    /// The rows whose first key is not behind the first key of the first row here. `None`: that takes to look at
    /// every text.
    pub fn not_behind(&self, direction: Direction, key: &ArrayRef) -> Result<Option<Vec<u32>>> {
        let worst = self.bytes(0);
        if direction.ty == Type::String {
            let Some(dictionary) = columns::as_dictionary(key) else { return Ok(None) };
            let values = columns::texts(dictionary.values())?;
            let mut bytes = Vec::new();
            let may_win: Vec<bool> = (0..values.len())
                .map(|code| {
                    bytes.clear();
                    bytes.push(ranks(direction).2);
                    put_text(&mut bytes, values.value(code).as_bytes());
                    if direction.descending {
                        bytes[1..].iter_mut().for_each(|byte| *byte = !*byte);
                    }
                    // No key is the beginning of another.
                    bytes.as_slice() <= &worst[..bytes.len().min(worst.len())]
                })
                .collect();
            let keys = dictionary.keys().values().iter().zip(0u32..);
            return Ok(Some(keys.filter(|(code, _)| may_win[**code as usize]).map(|(_, row)| row).collect()));
        }
        let Some(values) = fixed(direction, key)? else { return Ok(None) };
        let Some(head) = worst.first_chunk::<FIXED_BYTES>() else { return Ok(None) };
        let worst = head.iter().fold(0u128, |value, byte| value << 8 | u128::from(*byte));
        Ok(Some(
            values.iter().zip(0u32..).filter(|(value, _)| **value <= worst).map(|(_, row)| row).collect(),
        ))
    }

    /// The keys of the given rows only.
    pub fn pick(&self, rows: &[u32]) -> SortKeys {
        match self {
            SortKeys::Fixed(values) => {
                SortKeys::Fixed(rows.iter().map(|row| values[*row as usize]).collect())
            }
            SortKeys::Bytes { .. } => {
                let (mut data, mut ends) = (Vec::new(), Vec::with_capacity(rows.len()));
                for row in rows {
                    data.extend_from_slice(self.bytes(*row as usize));
                    ends.push(data.len());
                }
                SortKeys::Bytes { data, ends }
            }
        }
    }

    /// Appends the keys of other rows made with the same directions.
    pub fn append(&mut self, other: SortKeys) {
        match (self, other) {
            (SortKeys::Fixed(values), SortKeys::Fixed(more)) => values.extend(more),
            (SortKeys::Bytes { data, ends }, SortKeys::Bytes { data: more, ends: more_ends }) => {
                let base = data.len();
                data.extend_from_slice(&more);
                ends.extend(more_ends.into_iter().map(|end| end + base));
            }
            (this, other) => {
                if this.is_empty() {
                    *this = other;
                }
            }
        }
    }

    /// The first rows in order, as `sorted` has them: the others are not put in order.
    pub fn first(&self, ordinals: &[u64], limit: usize) -> Vec<u32> {
        if limit == 0 || self.len() < 2 * limit {
            let mut order = self.sorted(ordinals);
            order.truncate(limit);
            return order;
        }
        let mut order: Vec<u32> = (0..self.len() as u32).collect();
        let ordinal = |row: u32| ordinals.get(row as usize).copied().unwrap_or(u64::from(row));
        let by = |a: &u32, b: &u32| {
            self.compare(*a as usize, self, *b as usize).then_with(|| ordinal(*a).cmp(&ordinal(*b)))
        };
        order.select_nth_unstable_by(limit - 1, by);
        order.truncate(limit);
        order.sort_unstable_by(by);
        order
    }

    /// The rows in order; rows with equal keys stay in the order of `ordinals` (of their number if empty).
    pub fn sorted(&self, ordinals: &[u64]) -> Vec<u32> {
        let rows = self.len();
        let ordinal = |row: u32| ordinals.get(row as usize).copied().unwrap_or(u64::from(row));
        match self {
            SortKeys::Fixed(values) if ordinals.is_empty() && rows < PARALLEL_ROWS * 1000 => {
                // 66 bits of key and 32 of row fit into one number.
                let mut packed: Vec<u128> =
                    values.iter().zip(0u32..).map(|(value, row)| value << 32 | u128::from(row)).collect();
                if packed.is_sorted() {
                    return (0..rows as u32).collect();
                }
                if rows >= PARALLEL_ROWS {
                    packed.par_sort_unstable()
                } else {
                    packed.sort_unstable()
                };
                packed.into_iter().map(|packed| packed as u32).collect()
            }
            SortKeys::Fixed(values) => {
                let mut order: Vec<u32> = (0..rows as u32).collect();
                let by = |a: &u32, b: &u32| {
                    values[*a as usize].cmp(&values[*b as usize]).then_with(|| ordinal(*a).cmp(&ordinal(*b)))
                };
                if rows >= PARALLEL_ROWS {
                    order.par_sort_unstable_by(by)
                } else {
                    order.sort_unstable_by(by)
                };
                order
            }
            SortKeys::Bytes { .. } => {
                let mut order: Vec<(u64, u32)> = (0..rows as u32)
                    .map(|row| {
                        let mut prefix = [0u8; 8];
                        let bytes = self.bytes(row as usize);
                        let length = bytes.len().min(8);
                        prefix[..length].copy_from_slice(&bytes[..length]);
                        (u64::from_be_bytes(prefix), row)
                    })
                    .collect();
                let by = |a: &(u64, u32), b: &(u64, u32)| {
                    a.0.cmp(&b.0)
                        .then_with(|| self.bytes(a.1 as usize).cmp(self.bytes(b.1 as usize)))
                        .then_with(|| ordinal(a.1).cmp(&ordinal(b.1)))
                };
                if rows >= PARALLEL_ROWS {
                    order.par_sort_unstable_by(by)
                } else {
                    order.sort_unstable_by(by)
                };
                order.into_iter().map(|(_, row)| row).collect()
            }
        }
    }
}

/// Ranks of (null, NaN, value).
fn ranks(direction: Direction) -> (u8, u8, u8) {
    if direction.nulls_first { (0, 1, 2) } else { (2, 1, 0) }
}

fn flip(sign_bit_order: u64, direction: Direction) -> u64 {
    if direction.descending { !sign_bit_order } else { sign_bit_order }
}

fn ordered_long(value: i64) -> u64 {
    (value as u64) ^ (1 << 63)
}

fn ordered_real(value: f64) -> u64 {
    let bits = if value == 0.0 { 0 } else { value.to_bits() };
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

/// One key as numbers, if its type has fixed width.
fn fixed(direction: Direction, key: &ArrayRef) -> Result<Option<Vec<u128>>> {
    let (null, nan, value_rank) = ranks(direction);
    let of = |rank: u8, value: u64| u128::from(rank) << 64 | u128::from(value);
    let values = |value: u64| of(value_rank, flip(value, direction));
    let mut out: Vec<u128> = match direction.ty {
        Type::Bool => columns::booleans(key)?.values().iter().map(|value| values(u64::from(value))).collect(),
        Type::Int => {
            columns::ints(key)?.values().iter().map(|value| values(ordered_long(i64::from(*value)))).collect()
        }
        Type::Long | Type::DateTime | Type::TimeSpan => {
            columns::longs(key)?.values().iter().map(|value| values(ordered_long(*value))).collect()
        }
        Type::Real => columns::reals(key)?
            .values()
            .iter()
            .map(|value| if value.is_nan() { of(nan, 0) } else { values(ordered_real(*value)) })
            .collect(),
        Type::Decimal | Type::Guid | Type::String | Type::Dynamic => return Ok(None),
    };
    if let Some(nulls) = key.nulls() {
        for (entry, valid) in out.iter_mut().zip(nulls.iter()) {
            if !valid {
                *entry = of(null, 0);
            }
        }
    }
    Ok(Some(out))
}

/// Several keys, or one of variable width, as bytes.
fn encode(directions: &[Direction], keys: &[ArrayRef], rows: usize) -> Result<SortKeys> {
    enum Column<'a> {
        Fixed(Vec<u128>),
        Text(&'a arrow_array::StringViewArray),
        Dictionary { keys: &'a [u32], values: &'a arrow_array::StringViewArray },
        Bytes16(&'a arrow_array::FixedSizeBinaryArray, Type),
        Dynamic(&'a arrow_array::BinaryViewArray),
    }
    let mut sources = Vec::with_capacity(keys.len());
    for (direction, key) in directions.iter().zip(keys) {
        sources.push(match direction.ty {
            Type::String => match columns::as_dictionary(key) {
                Some(dictionary) => Column::Dictionary {
                    keys: dictionary.keys().values(),
                    values: columns::texts(dictionary.values())?,
                },
                None => Column::Text(columns::texts(key)?),
            },
            Type::Decimal | Type::Guid => Column::Bytes16(columns::bytes16(key)?, direction.ty),
            Type::Dynamic => Column::Dynamic(columns::dynamics(key)?),
            _ => Column::Fixed(fixed(*direction, key)?.unwrap_or_default()),
        });
    }
    let mut data = Vec::with_capacity(rows * keys.len() * 12);
    let mut ends = Vec::with_capacity(rows);
    let mut text = String::new();
    for row in 0..rows {
        for (direction, source) in directions.iter().zip(&sources) {
            let (null, _, value_rank) = ranks(*direction);
            let start = data.len();
            match source {
                Column::Fixed(values) => {
                    data.extend_from_slice(&values[row].to_be_bytes()[16 - FIXED_BYTES..]);
                    continue;
                }
                Column::Text(values) => {
                    data.push(value_rank);
                    put_text(&mut data, values.value(row).as_bytes());
                }
                Column::Dictionary { keys, values } => {
                    data.push(value_rank);
                    put_text(&mut data, values.value(keys[row] as usize).as_bytes());
                }
                Column::Bytes16(values, ty) => {
                    if values.is_null(row) {
                        data.push(null);
                        continue;
                    }
                    data.push(value_rank);
                    let mut bytes = [0u8; 16];
                    bytes.copy_from_slice(values.value(row));
                    match ty {
                        Type::Decimal => put_decimal(&mut data, Decimal::from_bytes(bytes)),
                        _ => data.extend_from_slice(&bytes),
                    }
                }
                Column::Dynamic(values) => {
                    if values.is_null(row) {
                        data.push(null);
                        continue;
                    }
                    data.push(value_rank);
                    text.clear();
                    let value = DynamicRef::new(values.value(row));
                    match value.as_number() {
                        Some(number) => {
                            data.push(0);
                            data.extend_from_slice(&ordered_real(number).to_be_bytes());
                        }
                        None => {
                            data.push(1);
                            value.to_text(&mut text);
                            put_text(&mut data, text.as_bytes());
                        }
                    }
                }
            }
            if direction.descending {
                for byte in &mut data[start + 1..] {
                    *byte = !*byte;
                }
            }
        }
        ends.push(data.len());
    }
    Ok(SortKeys::Bytes { data, ends })
}

/// A text so that no key is the beginning of another: zero bytes escaped, two zeros at the end.
fn put_text(data: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text;
    while let Some(at) = memchr::memchr(0, rest) {
        data.extend_from_slice(&rest[..at]);
        data.extend_from_slice(&[0, 0xFF]);
        rest = &rest[at + 1..];
    }
    data.extend_from_slice(rest);
    data.extend_from_slice(&[0, 0]);
}

/// Sign, magnitude, then all 34 digits.
fn put_decimal(data: &mut Vec<u8>, value: Decimal) {
    let coefficient = value.coefficient();
    if coefficient == 0 {
        data.push(1);
        return;
    }
    data.push(if coefficient > 0 { 2 } else { 0 });
    let start = data.len();
    let digits = coefficient.unsigned_abs().ilog10() + 1;
    let magnitude = (i32::from(value.exponent()) + digits as i32 + 0x4000) as u16;
    data.extend_from_slice(&magnitude.to_be_bytes());
    let scaled = coefficient.unsigned_abs() * 10u128.pow(35u32.saturating_sub(digits));
    data.extend_from_slice(&scaled.to_be_bytes());
    if coefficient < 0 {
        for byte in &mut data[start..] {
            *byte = !*byte;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Float64Array, Int64Array, StringViewArray};

    use super::*;

    fn direction(ty: Type, descending: bool, nulls_first: bool) -> Direction {
        Direction { ty, descending, nulls_first }
    }

    #[test]
    fn special_reals_stand_as_the_reference_says() {
        let (nan, inf) = (f64::NAN, f64::INFINITY);
        let values = vec![Some(0.0), Some(nan), None, Some(inf), Some(-5.0), Some(-inf), Some(5.0)];
        let column: ArrayRef = Arc::new(Float64Array::from(values.clone()));
        for (descending, nulls_first, expected) in [
            (false, true, "null NaN -inf -5 0 5 inf"),
            (true, true, "null NaN inf 5 0 -5 -inf"),
            (false, false, "-inf -5 0 5 inf NaN null"),
            (true, false, "inf 5 0 -5 -inf NaN null"),
        ] {
            let directions = [direction(Type::Real, descending, nulls_first)];
            let keys = SortKeys::new(&directions, std::slice::from_ref(&column), 7).unwrap();
            let order = keys.sorted(&[]);
            let text: Vec<String> = order
                .iter()
                .map(|row| values[*row as usize].map_or(String::from("null"), |value| value.to_string()))
                .collect();
            assert_eq!(text.join(" "), expected);
        }
    }

    #[test]
    fn several_keys_and_texts() {
        let texts: ArrayRef = Arc::new(StringViewArray::from_iter_values(["b", "a\0b", "a", "", "a\0"]));
        let longs: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), Some(2), Some(1), None, Some(1)]));
        let one = [direction(Type::String, false, true)];
        let keys = SortKeys::new(&one, std::slice::from_ref(&texts), 5).unwrap();
        assert_eq!(keys.sorted(&[]), [3, 2, 4, 1, 0]);
        let two = [direction(Type::Long, true, false), direction(Type::String, true, false)];
        let keys = SortKeys::new(&two, &[longs, texts], 5).unwrap();
        assert_eq!(keys.sorted(&[]), [1, 0, 4, 2, 3]);
        for limit in 0..6 {
            assert_eq!(keys.first(&[], limit), [1, 0, 4, 2, 3][..limit.min(5)]);
        }
    }

    #[test]
    fn decimals_by_value() {
        let texts = ["-1000", "-2.5", "-0.001", "0", "0.001", "1", "1.0000000001", "9.9", "10", "1e30"];
        let mut last: Option<Vec<u8>> = None;
        for text in texts {
            let mut data = Vec::new();
            put_decimal(&mut data, Decimal::parse(text).unwrap());
            assert!(last.is_none_or(|last| last < data), "{text}");
            last = Some(data);
        }
    }
}
