//! Dynamic values as shapes and leaves: objects that repeat their keys become columns.
//!
//! The shape of a value is what stands around its leaves: the keys of its objects in order, their nesting, and
//! the kind of each leaf. A chunk has a dictionary of shapes, the shape of every row, and for each place and
//! kind of leaf one dense column of the values of the rows that have it. Whatever an object could not be
//! rebuilt from byte for byte (arrays, decimals, odd headers) is a leaf of raw bytes. So whole values come back
//! as they were, and one path reads without the others. `FORMAT.md` has the layout.

mod decode;
mod encode;
mod path;
mod search;

use super::dictionary;
use super::input::{Decoded, Input, Malformed};
use super::integer;
use crate::format::{ROW_GROUP_ROWS_MAX, TEXT_BYTES_MAX};

pub(crate) use decode::{decode, decode_rows};
pub(crate) use encode::encode;
pub use path::PathValues;
pub(crate) use path::read_path;
pub(crate) use search::search;

/// Most shapes of a chunk.
const SHAPES_MAX: usize = 4096;
/// Most bytes of all shapes of a chunk.
const SHAPE_BYTES_MAX: usize = 1 << 20;
/// Most columns of leaves.
const LEAVES_MAX: usize = 2048;
/// Objects nested deeper are raw leaves.
const DEPTH_MAX: usize = 16;
/// Nodes of integers inside stand this deep.
const DEPTH: u32 = 1;

/// The bytes of a shape.
mod node {
    pub const NULL: u8 = 0;
    /// u32 leaf.
    pub const LEAF: u8 = 1;
    /// u32 count; for each key part of its bytes, then its node.
    pub const OBJECT: u8 = 2;
}

/// The kinds of leaves, as in the tags of dynamic values; arrays and `RAW` keep their bytes with the tag.
mod kind {
    pub const BOOL: u8 = 1;
    pub const LONG: u8 = 3;
    pub const REAL: u8 = 4;
    pub const DATETIME: u8 = 6;
    pub const TIMESPAN: u8 = 7;
    pub const STRING: u8 = 8;
    pub const GUID: u8 = 9;
    pub const ARRAY: u8 = 10;
    pub const RAW: u8 = 15;
}

/// What stands at a place of a shape.
enum Node<'a> {
    Null,
    Leaf(u32),
    Object(Vec<(&'a [u8], Node<'a>)>),
}

/// One shape of a chunk.
struct Shape<'a> {
    root: Node<'a>,
    /// All leaves in it, each once.
    leaves: Vec<u32>,
}

/// A column of leaves before its values are decoded.
struct Leaf<'a> {
    kind: u8,
    body: Input<'a>,
    /// Rows that have it.
    count: usize,
}

/// A chunk whose shapes and codes are read and whose leaves are not.
struct Chunk<'a> {
    shapes: Vec<Shape<'a>>,
    /// The shape of each row; all exist.
    codes: Vec<u32>,
    leaves: Vec<Leaf<'a>>,
    /// Bytes of all values together.
    total: usize,
}

impl<'a> Chunk<'a> {
    /// Reads what follows the tag.
    fn read(mut input: Input<'a>, rows: usize) -> Decoded<Chunk<'a>> {
        if rows > ROW_GROUP_ROWS_MAX {
            return Err(Malformed("the row group is too large"));
        }
        let total = input.count(TEXT_BYTES_MAX)?;
        let count = input.count(LEAVES_MAX)?;
        let mut directory = Input::new(input.take(count * 5)?);
        let mut shapes_input = input.part()?;
        let codes = input.part()?;
        let mut leaves = Vec::with_capacity(count);
        for _ in 0..count {
            let kind = directory.u8()?;
            let body = Input::new(input.take(directory.u32()? as usize)?);
            leaves.push(Leaf { kind, body, count: 0 });
        }
        input.finish()?;
        let count = shapes_input.count(SHAPES_MAX)?;
        let mut shapes = Vec::with_capacity(count.min(shapes_input.remaining()));
        for _ in 0..count {
            let mut found = Vec::new();
            let root = Node::read(&mut shapes_input, leaves.len(), 0, &mut found)?;
            let places = found.len();
            found.sort_unstable();
            found.dedup();
            if found.len() != places {
                return Err(Malformed("a shape has a leaf twice"));
            }
            shapes.push(Shape { root, leaves: found });
        }
        shapes_input.finish()?;
        let codes = dictionary::decode_codes(codes, rows, shapes.len(), DEPTH - 1)?;
        let mut rows_of = vec![0usize; shapes.len()];
        for code in &codes {
            rows_of[*code as usize] += 1;
        }
        let mut values = 0usize;
        for (shape, rows) in shapes.iter().zip(&rows_of) {
            for leaf in &shape.leaves {
                leaves[*leaf as usize].count += rows;
                values += rows;
            }
        }
        // Every leaf is a byte of its value at least: what is decoded stays in proportion to what is declared.
        if values > total {
            return Err(Malformed("there are more leaves than bytes"));
        }
        Ok(Chunk { shapes, codes, leaves, total })
    }
}

impl<'a> Node<'a> {
    fn read(input: &mut Input<'a>, leaves: usize, depth: usize, found: &mut Vec<u32>) -> Decoded<Node<'a>> {
        match input.u8()? {
            node::NULL => Ok(Node::Null),
            node::LEAF => {
                let leaf = input.u32()?;
                if leaf as usize >= leaves {
                    return Err(Malformed("a shape names a leaf that does not exist"));
                }
                found.push(leaf);
                Ok(Node::Leaf(leaf))
            }
            node::OBJECT if depth < DEPTH_MAX => {
                // A key takes five bytes at least.
                let count = input.count(input.remaining() / 5)?;
                let mut entries = Vec::with_capacity(count);
                for _ in 0..count {
                    let key = input.part()?.rest();
                    entries.push((key, Node::read(input, leaves, depth + 1, found)?));
                }
                Ok(Node::Object(entries))
            }
            _ => Err(Malformed("unknown node of a shape")),
        }
    }
}

/// Names the parts, for people who ask where the bytes go.
pub(crate) fn describe(
    mut input: Input<'_>,
    mut node: impl FnMut(Input<'_>) -> Decoded<String>,
) -> Decoded<String> {
    input.u32()?;
    let count = input.count(LEAVES_MAX)?;
    let mut directory = Input::new(input.take(count * 5)?);
    let shapes = input.part()?.u32()?;
    let codes = node(input.part()?)?;
    let mut leaves = Vec::with_capacity(count);
    for _ in 0..count {
        directory.u8()?;
        let length = directory.u32()? as usize;
        leaves.push(format!("{} in {length}", node(Input::new(input.take(length)?))?));
    }
    Ok(format!("shaped({shapes} shapes: {codes}; {})", leaves.join("; ")))
}

/// Integers of a leaf column.
fn integers(leaf: &Leaf<'_>) -> Decoded<Vec<i64>> {
    integer::decode(leaf.body, leaf.count, 0)
}
