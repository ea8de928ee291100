//! Takes values apart: shapes are found once, leaves go to their columns.

use super::{DEPTH_MAX, LEAVES_MAX, SHAPE_BYTES_MAX, SHAPES_MAX, kind, node};
use crate::dynamic::{DynamicKind, DynamicRef};
use crate::encoding::dictionary::{FastMap, fast_map};
use crate::encoding::input::{Decoded, Input, put_part};
use crate::encoding::{bitmap, choose, fixed16};
use crate::format::encoding_tag as tag;

/// Rows after which the shapes must have begun to repeat.
const TRIAL_ROWS: usize = 2048;

/// The values of one place and kind.
enum Values<'a> {
    Integers(Vec<i64>),
    Reals(Vec<f64>),
    Bools(Vec<bool>),
    Guids(Vec<[u8; 16]>),
    Texts(Vec<&'a [u8]>),
}

/// A leaf of the value at hand.
#[derive(Clone, Copy)]
enum Found<'a> {
    Integer(i64),
    Real(f64),
    Bool(bool),
    Guid([u8; 16]),
    Text(&'a [u8]),
}

/// Appends the node of values (null ones are empty), unless they have too many shapes or no object.
pub(crate) fn encode(values: &[&[u8]], valid: impl Fn(usize) -> bool, level: i32, out: &mut Vec<u8>) -> bool {
    let mut shapes: FastMap<Vec<u8>, u32> = fast_map();
    // For each shape its leaf columns in the order of a walk.
    let mut shape_leaves: Vec<Vec<u32>> = Vec::new();
    let mut shape_bytes: Vec<u8> = Vec::new();
    let mut leaves: FastMap<(Vec<u8>, u8), u32> = fast_map();
    let mut columns: Vec<(u8, Values<'_>)> = Vec::new();
    let mut codes: Vec<i64> = Vec::with_capacity(values.len());
    let mut walk = Walk::default();
    let mut objects = false;
    let mut total = 0usize;
    for (row, value) in values.iter().enumerate() {
        walk.skeleton.clear();
        walk.found.clear();
        if valid(row) {
            total += value.len();
            walk.value(value, 0);
        } else {
            walk.skeleton.push(node::NULL);
        }
        let code = match shapes.get(walk.skeleton.as_slice()) {
            Some(code) => *code,
            None => {
                let code = shape_leaves.len();
                if code >= SHAPES_MAX || (row < TRIAL_ROWS && code > TRIAL_ROWS / 4) {
                    return false;
                }
                objects |= walk.skeleton.first() == Some(&node::OBJECT);
                let mut places = Places { leaves: &mut leaves, columns: &mut columns, list: Vec::new() };
                if !places.shape(&walk.skeleton, &mut shape_bytes)
                    || shape_bytes.len() > SHAPE_BYTES_MAX
                    || places.columns.len() > LEAVES_MAX
                {
                    return false;
                }
                shape_leaves.push(places.list);
                shapes.insert(walk.skeleton.clone(), code as u32);
                code as u32
            }
        };
        for (leaf, found) in shape_leaves[code as usize].iter().zip(&walk.found) {
            match (&mut columns[*leaf as usize].1, *found) {
                (Values::Integers(list), Found::Integer(value)) => list.push(value),
                (Values::Reals(list), Found::Real(value)) => list.push(value),
                (Values::Bools(list), Found::Bool(value)) => list.push(value),
                (Values::Guids(list), Found::Guid(value)) => list.push(value),
                (Values::Texts(list), Found::Text(value)) => list.push(value),
                // The kind of a leaf column is that of its leaves.
                _ => return false,
            }
        }
        codes.push(i64::from(code));
    }
    if !objects {
        return false;
    }
    write(total, &shape_bytes, shape_leaves.len(), &codes, &columns, level, out);
    true
}

fn write(
    total: usize,
    shapes: &[u8],
    shape_count: usize,
    codes: &[i64],
    columns: &[(u8, Values<'_>)],
    level: i32,
    out: &mut Vec<u8>,
) {
    out.push(tag::SHAPED);
    out.extend_from_slice(&(total as u32).to_le_bytes());
    out.extend_from_slice(&(columns.len() as u32).to_le_bytes());
    let directory = out.len();
    out.resize(directory + columns.len() * 5, 0);
    put_part(out, |out| {
        out.extend_from_slice(&(shape_count as u32).to_le_bytes());
        out.extend_from_slice(shapes);
    });
    put_part(out, |out| choose::encode_integers(codes, super::DEPTH, out));
    for (index, (kind, values)) in columns.iter().enumerate() {
        let start = out.len();
        match values {
            Values::Integers(list) => choose::encode_integers(list, 0, out),
            Values::Reals(list) => choose::encode_reals(list, None, None, level, out),
            Values::Bools(list) => bitmap::encode(list, out),
            Values::Guids(list) => fixed16::encode(list, level, out),
            Values::Texts(list) => {
                choose::encode_texts(list, level, out);
            }
        }
        let length = ((out.len() - start) as u32).to_le_bytes();
        out[directory + index * 5] = *kind;
        out[directory + index * 5 + 1..directory + index * 5 + 5].copy_from_slice(&length);
    }
}

/// The skeleton of a value: a shape whose leaves are named by kind; and the leaves in the same order.
#[derive(Default)]
struct Walk<'a> {
    skeleton: Vec<u8>,
    found: Vec<Found<'a>>,
}

impl<'a> Walk<'a> {
    fn value(&mut self, bytes: &'a [u8], depth: usize) {
        let value = DynamicRef::new(bytes);
        let (kind, found) = match value.kind() {
            DynamicKind::Object if depth < DEPTH_MAX => {
                if let Some(parts) = value.plain_object() {
                    self.skeleton.push(node::OBJECT);
                    self.skeleton.extend_from_slice(&(parts.len() as u32).to_le_bytes());
                    for (key, part) in parts {
                        self.skeleton.extend_from_slice(&(key.len() as u32).to_le_bytes());
                        self.skeleton.extend_from_slice(key);
                        self.value(part, depth + 1);
                    }
                    return;
                }
                (kind::RAW, Found::Text(bytes))
            }
            DynamicKind::Null if depth > 0 && bytes == DynamicRef::NULL.bytes() => {
                self.skeleton.push(node::NULL);
                return;
            }
            DynamicKind::Bool if bytes.len() == 1 => (kind::BOOL, Found::Bool(value.as_bool() == Some(true))),
            DynamicKind::Long => match value.as_long() {
                Some(number) if bytes.len() == 1 + long_width(number) => (kind::LONG, Found::Integer(number)),
                _ => (kind::RAW, Found::Text(bytes)),
            },
            DynamicKind::Real => match value.as_real() {
                Some(number) => (kind::REAL, Found::Real(number)),
                None => (kind::RAW, Found::Text(bytes)),
            },
            DynamicKind::DateTime => match value.as_datetime() {
                Some(ticks) => (kind::DATETIME, Found::Integer(ticks)),
                None => (kind::RAW, Found::Text(bytes)),
            },
            DynamicKind::TimeSpan => match value.as_timespan() {
                Some(ticks) => (kind::TIMESPAN, Found::Integer(ticks)),
                None => (kind::RAW, Found::Text(bytes)),
            },
            DynamicKind::String => (kind::STRING, Found::Text(bytes.get(1..).unwrap_or_default())),
            DynamicKind::Guid => match value.as_guid() {
                Some(guid) => (kind::GUID, Found::Guid(guid)),
                None => (kind::RAW, Found::Text(bytes)),
            },
            DynamicKind::Array => (kind::ARRAY, Found::Text(bytes)),
            _ => (kind::RAW, Found::Text(bytes)),
        };
        self.skeleton.extend_from_slice(&[node::LEAF, kind]);
        self.found.push(found);
    }
}

/// Bytes of a long in a dynamic value.
pub(super) fn long_width(value: i64) -> usize {
    if i64::from(value as i8) == value {
        1
    } else if i64::from(value as i16) == value {
        2
    } else if i64::from(value as i32) == value {
        4
    } else {
        8
    }
}

/// Gives the leaves of a new shape their columns.
struct Places<'m, 'a> {
    /// By path (each key with its length before it) and kind.
    leaves: &'m mut FastMap<(Vec<u8>, u8), u32>,
    columns: &'m mut Vec<(u8, Values<'a>)>,
    list: Vec<u32>,
}

impl Places<'_, '_> {
    /// Appends the shape of a skeleton.
    fn shape(&mut self, skeleton: &[u8], out: &mut Vec<u8>) -> bool {
        let mut path = Vec::new();
        self.node(&mut Input::new(skeleton), &mut path, out).is_ok()
    }

    fn node(&mut self, skeleton: &mut Input<'_>, path: &mut Vec<u8>, out: &mut Vec<u8>) -> Decoded<()> {
        let found = skeleton.u8()?;
        out.push(found);
        match found {
            node::LEAF => {
                let kind = skeleton.u8()?;
                let columns = &mut *self.columns;
                let leaf = *self.leaves.entry((path.clone(), kind)).or_insert_with(|| {
                    let values = match kind {
                        kind::BOOL => Values::Bools(Vec::new()),
                        kind::LONG | kind::DATETIME | kind::TIMESPAN => Values::Integers(Vec::new()),
                        kind::REAL => Values::Reals(Vec::new()),
                        kind::GUID => Values::Guids(Vec::new()),
                        _ => Values::Texts(Vec::new()),
                    };
                    columns.push((kind, values));
                    columns.len() as u32 - 1
                });
                self.list.push(leaf);
                out.extend_from_slice(&leaf.to_le_bytes());
            }
            node::OBJECT => {
                let count = skeleton.u32()?;
                out.extend_from_slice(&count.to_le_bytes());
                for _ in 0..count {
                    let length = skeleton.u32()?;
                    let key = skeleton.take(length as usize)?;
                    out.extend_from_slice(&length.to_le_bytes());
                    out.extend_from_slice(key);
                    let end = path.len();
                    path.extend_from_slice(&length.to_le_bytes());
                    path.extend_from_slice(key);
                    self.node(skeleton, path, out)?;
                    path.truncate(end);
                }
            }
            _ => {}
        }
        Ok(())
    }
}
