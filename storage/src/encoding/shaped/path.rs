//! One path of a chunk, read without the others.

use std::sync::Arc;

use arrow_array::builder::make_view;
use arrow_array::types::UInt32Type;
use arrow_array::{
    Array, ArrayRef, BinaryViewArray, BooleanArray, DictionaryArray, Float64Array, Int64Array, UInt32Array,
    new_null_array,
};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder, Buffer, NullBuffer, ScalarBuffer};
use arrow_schema::DataType;

use super::decode::Values;
use super::{Chunk, Node, kind};
use crate::dynamic::tag;
use crate::encoding::input::{Decoded, Input, Malformed};
use crate::encoding::text::{DecodedText, Texts};

/// What stands under a path in every row; null where nothing does.
#[derive(Clone, Debug)]
pub enum PathValues {
    /// All values are of these types.
    Bools(BooleanArray),
    Longs(Int64Array),
    Reals(Float64Array),
    /// Dynamic values, or a dictionary (keys of 32 bits, without nulls) of them.
    Dynamics(ArrayRef),
}

impl PathValues {
    pub(crate) fn absent(rows: usize) -> PathValues {
        PathValues::Dynamics(new_null_array(&DataType::BinaryView, rows))
    }

    /// The values as dynamic ones.
    pub fn into_dynamics(self) -> ArrayRef {
        match self {
            PathValues::Bools(array) => {
                let value = |row| [if array.value(row) { tag::TRUE } else { tag::FALSE }];
                inline(array.len(), array.nulls(), |row| make_view(&value(row), 0, 0))
            }
            PathValues::Longs(array) => inline(array.len(), array.nulls(), |row| long_view(array.value(row))),
            PathValues::Reals(array) => inline(array.len(), array.nulls(), |row| {
                eight_view(tag::REAL, array.value(row).to_le_bytes())
            }),
            PathValues::Dynamics(array) => array,
        }
    }
}

/// Values up to this long stand in their views.
const INLINE_BYTES: usize = 12;

fn eight_view(tag: u8, bytes: [u8; 8]) -> u128 {
    9 | u128::from(tag) << 32 | u128::from(u64::from_le_bytes(bytes)) << 40
}

fn long_view(value: i64) -> u128 {
    let width = super::encode::long_width(value);
    let bits = u128::from(value as u64) & ((1u128 << (width * 8)) - 1);
    (width as u128 + 1) | u128::from(tag::LONG) << 32 | bits << 40
}

fn inline(rows: usize, nulls: Option<&NullBuffer>, view: impl Fn(usize) -> u128) -> ArrayRef {
    let views: Vec<u128> = (0..rows)
        .map(|row| if nulls.is_none_or(|nulls| nulls.is_valid(row)) { view(row) } else { 0 })
        .collect();
    match BinaryViewArray::try_new(views.into(), Vec::<Buffer>::new(), nulls.cloned()) {
        Ok(array) => Arc::new(array),
        Err(_) => new_null_array(&DataType::BinaryView, rows),
    }
}

/// What a shape has under a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Nothing,
    Leaf(u32),
    /// An object, or something that may hold the rest of the path.
    Deeper,
}

fn place(chunk: &Chunk<'_>, root: &Node<'_>, keys: &[&str]) -> Place {
    let mut node = root;
    for key in keys {
        match node {
            Node::Null => return Place::Nothing,
            Node::Leaf(leaf) if chunk.leaves[*leaf as usize].kind == kind::RAW => return Place::Deeper,
            Node::Leaf(_) => return Place::Nothing,
            Node::Object(entries) => match entries.iter().find(|(found, _)| *found == key.as_bytes()) {
                Some((_, next)) => node = next,
                None => return Place::Nothing,
            },
        }
    }
    match node {
        Node::Null => Place::Nothing,
        Node::Leaf(leaf) => Place::Leaf(*leaf),
        Node::Object(_) => Place::Deeper,
    }
}

/// The values under a path. `None`: some rows have an object there.
pub(crate) fn read_path(
    input: Input<'_>,
    rows: usize,
    keys: &[&str],
    nulls: Option<&NullBuffer>,
) -> Decoded<Option<PathValues>> {
    let chunk = Chunk::read(input, rows)?;
    let places: Vec<Place> = chunk.shapes.iter().map(|shape| place(&chunk, &shape.root, keys)).collect();
    if places.contains(&Place::Deeper) {
        return Ok(None);
    }
    let mut leaves: Vec<u32> = places
        .iter()
        .filter_map(|place| if let Place::Leaf(leaf) = place { Some(*leaf) } else { None })
        .collect();
    leaves.sort_unstable();
    leaves.dedup();
    for (shape, place) in chunk.shapes.iter().zip(&places) {
        if shape.leaves.iter().any(|leaf| leaves.contains(leaf) && *place != Place::Leaf(*leaf)) {
            return Err(Malformed("a column of leaves stands at several places"));
        }
    }
    let Some(first) = leaves.first() else { return Ok(Some(PathValues::absent(rows))) };
    let dynamics = |chunk: &Chunk<'_>| mixed(chunk, &places, &leaves, nulls);
    if leaves.len() > 1 {
        return dynamics(&chunk).map(Some);
    }
    let values = Values::read(&chunk.leaves[*first as usize])?;
    let present: Vec<bool> = places.iter().map(|place| *place != Place::Nothing).collect();
    let has = BooleanBuffer::collect_bool(rows, |row| present[chunk.codes[row] as usize]);
    let dense = has.count_set_bits() == rows;
    let valid = match nulls {
        _ if dense && nulls.is_none() => None,
        Some(nulls) => Some(NullBuffer::new(&has & nulls.inner())),
        None => Some(NullBuffer::new(has.clone())),
    };
    Ok(Some(match values {
        Values::Longs(values) => {
            PathValues::Longs(Int64Array::new(spread(values, &has, dense).into(), valid))
        }
        Values::Reals(values) => {
            PathValues::Reals(Float64Array::new(spread(values, &has, dense).into(), valid))
        }
        Values::Bools(values) if dense => PathValues::Bools(BooleanArray::new(values, valid)),
        Values::Bools(values) => {
            let mut bits = BooleanBufferBuilder::new(rows);
            bits.append_n(rows, false);
            for (index, row) in has.set_indices().enumerate() {
                bits.set_bit(row, values.value(index));
            }
            PathValues::Bools(BooleanArray::new(bits.finish(), valid))
        }
        Values::Strings(DecodedText::Dictionary { values, codes }) if values_fit(&values, rows) => {
            coded(&values, codes, &has, valid)?
        }
        _ => return dynamics(&chunk).map(Some),
    }))
}

/// One value for each row that has one, zero elsewhere.
fn spread<T: Copy + Default>(values: Vec<T>, has: &BooleanBuffer, dense: bool) -> Vec<T> {
    if dense {
        return values;
    }
    let mut all = vec![T::default(); has.len()];
    for (value, row) in values.into_iter().zip(has.set_indices()) {
        all[row] = value;
    }
    all
}

/// Whether a dictionary with one more value for the rows without is worth it.
fn values_fit(values: &Texts, rows: usize) -> bool {
    values.offsets.len() <= rows / 2
}

/// A dictionary of dynamic texts; its last value is null where a row has none.
fn coded(
    values: &Texts,
    codes: Vec<u32>,
    has: &BooleanBuffer,
    valid: Option<NullBuffer>,
) -> Decoded<PathValues> {
    let count = values.offsets.len() - 1;
    let mut list: Vec<Option<Vec<u8>>> = Vec::with_capacity(count + 1);
    for pair in values.offsets.windows(2) {
        let text = values.bytes.get(pair[0] as usize..pair[1] as usize).unwrap_or_default();
        let mut value = Vec::with_capacity(text.len() + 1);
        value.push(tag::STRING);
        value.extend_from_slice(text);
        list.push(Some(value));
    }
    let keys = match &valid {
        None => codes,
        Some(valid) => {
            list.push(None);
            let mut keys = vec![count as u32; has.len()];
            for (code, row) in codes.into_iter().zip(has.set_indices()) {
                if valid.is_valid(row) {
                    keys[row] = code;
                }
            }
            keys
        }
    };
    let keys = UInt32Array::new(ScalarBuffer::from(keys), None);
    let values = list.into_iter().collect::<BinaryViewArray>();
    let array = DictionaryArray::<UInt32Type>::try_new(keys, Arc::new(values));
    Ok(PathValues::Dynamics(Arc::new(array.map_err(|_| Malformed("a dictionary code has no value"))?)))
}

/// The values of several leaf columns, or of one of an odd kind, as dynamic values.
fn mixed(
    chunk: &Chunk<'_>,
    places: &[Place],
    leaves: &[u32],
    nulls: Option<&NullBuffer>,
) -> Decoded<PathValues> {
    let columns =
        leaves.iter().map(|leaf| Values::read(&chunk.leaves[*leaf as usize])).collect::<Decoded<Vec<_>>>()?;
    let mut next = vec![0usize; columns.len()];
    let slots: Vec<Option<usize>> = places
        .iter()
        .map(|place| match place {
            Place::Leaf(leaf) => leaves.binary_search(leaf).ok(),
            _ => None,
        })
        .collect();
    let mut views: Vec<u128> = Vec::with_capacity(chunk.codes.len());
    let mut valid: Vec<bool> = Vec::with_capacity(chunk.codes.len());
    let mut bytes: Vec<u8> = Vec::new();
    for (row, code) in chunk.codes.iter().enumerate() {
        let Some(slot) = slots[*code as usize] else {
            views.push(0);
            valid.push(false);
            continue;
        };
        let start = bytes.len();
        columns[slot].append(next[slot], &mut bytes)?;
        next[slot] += 1;
        if bytes.len() > i32::MAX as usize {
            return Err(Malformed("values are too long"));
        }
        views.push(make_view(&bytes[start..], 0, start as u32));
        if bytes.len() - start <= INLINE_BYTES {
            bytes.truncate(start);
        }
        // A leaf of raw bytes may say null in its own way.
        valid.push(nulls.is_none_or(|nulls| nulls.is_valid(row)));
    }
    let nulls = NullBuffer::from(valid);
    let array = BinaryViewArray::try_new(views.into(), vec![Buffer::from_vec(bytes)], Some(nulls));
    Ok(PathValues::Dynamics(Arc::new(array.map_err(|_| Malformed("texts lie outside their buffer"))?)))
}
