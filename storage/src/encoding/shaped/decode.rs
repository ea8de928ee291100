//! Puts values together again, all of them or some rows.

use arrow_buffer::{BooleanBuffer, Buffer, OffsetBuffer, ScalarBuffer};

use super::encode::long_width;
use super::{Chunk, Leaf, Node, integers, kind};
use crate::dynamic::{SORTED_ABOVE, header, tag};
use crate::encoding::input::{Decoded, Input, Malformed};
use crate::encoding::text::{self, DecodedText, Texts};
use crate::encoding::{bitmap, fixed16, integer, real};

/// The values of a leaf column.
pub(super) enum Values {
    Bools(BooleanBuffer),
    Longs(Vec<i64>),
    Reals(Vec<f64>),
    /// Tag, then ticks.
    Ticks(u8, Vec<i64>),
    Guids(Vec<u8>),
    Strings(DecodedText),
    /// Whole values.
    Raw(DecodedText),
}

impl Values {
    pub fn read(leaf: &Leaf<'_>) -> Decoded<Values> {
        Values::of(leaf, || text::decode(leaf.body, leaf.count))
    }

    /// The given values of the column, which ascend and exist; with whether others are there as well.
    fn read_some(leaf: &Leaf<'_>, wanted: &[u32]) -> Decoded<(Values, bool)> {
        let integers = || integer::pick(leaf.body, leaf.count, 0, wanted);
        Ok(match leaf.kind {
            kind::LONG => (Values::Longs(integers()?), false),
            kind::REAL => (Values::Reals(real::pick(leaf.body, leaf.count, wanted)?), false),
            kind::DATETIME => (Values::Ticks(tag::DATETIME, integers()?), false),
            kind::TIMESPAN => (Values::Ticks(tag::TIMESPAN, integers()?), false),
            kind::STRING | kind::ARRAY | kind::RAW => {
                (Values::of(leaf, || text::decode_rows(leaf.body, leaf.count, wanted))?, false)
            }
            _ => (Values::read(leaf)?, true),
        })
    }

    fn of(leaf: &Leaf<'_>, texts: impl FnOnce() -> Decoded<DecodedText>) -> Decoded<Values> {
        Ok(match leaf.kind {
            kind::BOOL => Values::Bools(bitmap::decode(leaf.body, leaf.count)?),
            kind::LONG => Values::Longs(integers(leaf)?),
            kind::REAL => Values::Reals(real::decode(leaf.body, leaf.count)?),
            kind::DATETIME => Values::Ticks(tag::DATETIME, integers(leaf)?),
            kind::TIMESPAN => Values::Ticks(tag::TIMESPAN, integers(leaf)?),
            kind::GUID => Values::Guids(fixed16::decode(leaf.body, leaf.count)?),
            kind::STRING => Values::Strings(texts()?),
            kind::ARRAY | kind::RAW => Values::Raw(texts()?),
            _ => return Err(Malformed("unknown kind of leaf")),
        })
    }

    /// Appends a value as it stands in dynamic values.
    pub fn append(&self, index: usize, out: &mut Vec<u8>) -> Decoded<()> {
        const MISSING: Malformed = Malformed("a column of leaves is too short");
        match self {
            Values::Bools(values) if index < values.len() => {
                out.push(if values.value(index) { tag::TRUE } else { tag::FALSE });
            }
            Values::Bools(_) => return Err(MISSING),
            Values::Longs(values) => {
                let value = *values.get(index).ok_or(MISSING)?;
                out.push(tag::LONG);
                out.extend_from_slice(&value.to_le_bytes()[..long_width(value)]);
            }
            Values::Reals(values) => {
                out.push(tag::REAL);
                out.extend_from_slice(&values.get(index).ok_or(MISSING)?.to_le_bytes());
            }
            Values::Ticks(tag, values) => {
                out.push(*tag);
                out.extend_from_slice(&values.get(index).ok_or(MISSING)?.to_le_bytes());
            }
            Values::Guids(bytes) => {
                out.push(tag::GUID);
                out.extend_from_slice(bytes.get(index * 16..index * 16 + 16).ok_or(MISSING)?);
            }
            Values::Strings(texts) => {
                out.push(tag::STRING);
                out.extend_from_slice(text_at(texts, index).ok_or(MISSING)?);
            }
            Values::Raw(texts) => out.extend_from_slice(text_at(texts, index).ok_or(MISSING)?),
        }
        Ok(())
    }
}

fn text_at(texts: &DecodedText, index: usize) -> Option<&[u8]> {
    let (texts, index) = match texts {
        DecodedText::Flat(texts) => (texts, index),
        DecodedText::Dictionary { values, codes } => (values, *codes.get(index)? as usize),
    };
    let (start, end) = (*texts.offsets.get(index)?, *texts.offsets.get(index + 1)?);
    texts.bytes.get(start as usize..end as usize)
}

/// All leaf columns, and where each stands.
struct Columns {
    values: Vec<Values>,
    next: Vec<usize>,
}

/// All values of a node whose tag is read.
pub(crate) fn decode(input: Input<'_>, rows: usize) -> Decoded<Texts> {
    let chunk = Chunk::read(input, rows)?;
    let values = chunk.leaves.iter().map(Values::read).collect::<Decoded<Vec<Values>>>()?;
    let mut columns = Columns { next: vec![0; values.len()], values };
    let mut bytes: Vec<u8> = Vec::with_capacity(chunk.total.min(rows.saturating_mul(4096)));
    let mut offsets: Vec<i32> = Vec::with_capacity(rows + 1);
    offsets.push(0);
    for code in &chunk.codes {
        columns.row(&chunk.shapes[*code as usize].root, &mut bytes)?;
        if bytes.len() > chunk.total {
            return Err(Malformed("values are longer than declared"));
        }
        offsets.push(bytes.len() as i32);
    }
    if bytes.len() != chunk.total {
        return Err(Malformed("values are shorter than declared"));
    }
    Ok(texts(offsets, bytes))
}

/// Some values of a node whose tag is read; `wanted` ascends, and all its rows exist.
pub(crate) fn decode_rows(input: Input<'_>, rows: usize, wanted: &[u32]) -> Decoded<Texts> {
    let chunk = Chunk::read(input, rows)?;
    // Which values of each leaf column the rows have.
    let mut picks: Vec<Vec<u32>> = vec![Vec::new(); chunk.leaves.len()];
    let mut before: Vec<u32> = vec![0; chunk.leaves.len()];
    let mut start = 0;
    // Rows of each shape between two wanted ones: shapes are few, rows and their leaves many.
    let mut between: Vec<u32> = vec![0; chunk.shapes.len()];
    let are_few = wanted.len() * chunk.shapes.len() <= rows;
    for row in wanted {
        let row = *row as usize;
        if are_few {
            chunk.codes[start..row].iter().for_each(|code| between[*code as usize] += 1);
            for (shape, rows) in chunk.shapes.iter().zip(&mut between) {
                let rows = std::mem::take(rows);
                shape.leaves.iter().for_each(|leaf| before[*leaf as usize] += rows);
            }
        } else {
            for code in &chunk.codes[start..row] {
                chunk.shapes[*code as usize].leaves.iter().for_each(|leaf| before[*leaf as usize] += 1);
            }
        }
        start = row;
        for leaf in &chunk.shapes[chunk.codes[row] as usize].leaves {
            picks[*leaf as usize].push(before[*leaf as usize]);
        }
    }
    let mut values = Vec::with_capacity(chunk.leaves.len());
    let mut whole = Vec::with_capacity(chunk.leaves.len());
    for (leaf, picks) in chunk.leaves.iter().zip(&picks) {
        let (read, is_whole) = match picks.is_empty() {
            true => (Values::Longs(Vec::new()), false),
            false => Values::read_some(leaf, picks)?,
        };
        values.push(read);
        whole.push(is_whole);
    }
    let mut columns = Columns { next: vec![0; values.len()], values };
    let mut bytes: Vec<u8> = Vec::new();
    let mut offsets: Vec<i32> = Vec::with_capacity(wanted.len() + 1);
    offsets.push(0);
    let mut taken = vec![0usize; picks.len()];
    for row in wanted {
        let shape = &chunk.shapes[chunk.codes[*row as usize] as usize];
        for leaf in &shape.leaves {
            let leaf = *leaf as usize;
            columns.next[leaf] = if whole[leaf] { picks[leaf][taken[leaf]] as usize } else { taken[leaf] };
            taken[leaf] += 1;
        }
        columns.row(&shape.root, &mut bytes)?;
        if bytes.len() > chunk.total {
            return Err(Malformed("values are longer than declared"));
        }
        offsets.push(bytes.len() as i32);
    }
    Ok(texts(offsets, bytes))
}

fn texts(offsets: Vec<i32>, bytes: Vec<u8>) -> Texts {
    Texts { offsets: OffsetBuffer::new(ScalarBuffer::from(offsets)), bytes: Buffer::from_vec(bytes) }
}

impl Columns {
    /// Appends the next value of a shape. One that is null as a whole is no value at all.
    fn row(&mut self, root: &Node<'_>, out: &mut Vec<u8>) -> Decoded<()> {
        match root {
            Node::Null => Ok(()),
            root => self.node(root, out),
        }
    }

    fn node(&mut self, node: &Node<'_>, out: &mut Vec<u8>) -> Decoded<()> {
        match node {
            Node::Null => out.push(tag::NULL),
            Node::Leaf(leaf) => {
                let leaf = *leaf as usize;
                let index = self.next[leaf];
                self.next[leaf] += 1;
                self.values[leaf].append(index, out)?;
            }
            Node::Object(entries) => self.object(entries, out)?,
        }
        Ok(())
    }

    /// The layout of objects that builders make. Most are short, so the header is laid out for one-byte offsets
    /// and made longer where the parts turn out to need it.
    fn object(&mut self, entries: &[(&[u8], Node<'_>)], out: &mut Vec<u8>) -> Decoded<()> {
        let sorted = entries.len() > SORTED_ABOVE;
        let numbers = 1 + entries.len() * 2 + if sorted { entries.len() } else { 0 };
        let start = out.len();
        out.resize(start + 2 + numbers, 0);
        let data = out.len();
        let mut ends = Ends::new(entries.len());
        for (key, node) in entries {
            out.extend_from_slice(key);
            ends.push(out.len() - data);
            self.node(node, out)?;
            ends.push(out.len() - data);
        }
        let length = out.len() - data;
        let code: u8 = match length.max(entries.len()) {
            0..=0xff => 0,
            0x100..=0xffff => 1,
            _ => 2,
        };
        let width = 1usize << code;
        if width > 1 {
            let longer = numbers * (width - 1);
            out.resize(out.len() + longer, 0);
            out.copy_within(data..data + length, data + longer);
        }
        out[start] = tag::OBJECT;
        out[start + 1] = code | if sorted { header::SORTED } else { 0 };
        let mut at = start + 2;
        let mut put = |value: usize| {
            out[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
            at += width;
        };
        put(entries.len());
        ends.list().iter().for_each(|end| put(*end));
        if sorted {
            let mut order: Vec<usize> = (0..entries.len()).collect();
            order.sort_by_key(|position| entries[*position].0);
            order.into_iter().for_each(put);
        }
        Ok(())
    }
}

/// The ends of the parts of an object; on the stack where they are few.
struct Ends {
    few: [usize; Ends::FEW],
    count: usize,
    many: Vec<usize>,
}

impl Ends {
    const FEW: usize = 2 * SORTED_ABOVE;

    fn new(entries: usize) -> Ends {
        let many = if entries > SORTED_ABOVE { Vec::with_capacity(entries * 2) } else { Vec::new() };
        Ends { few: [0; Ends::FEW], count: 0, many }
    }

    fn push(&mut self, end: usize) {
        match self.few.get_mut(self.count) {
            Some(slot) if self.many.capacity() == 0 => {
                *slot = end;
                self.count += 1;
            }
            _ => self.many.push(end),
        }
    }

    fn list(&self) -> &[usize] {
        if self.many.capacity() == 0 { &self.few[..self.count] } else { &self.many }
    }
}
