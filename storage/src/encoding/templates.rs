//! Texts that programs write: what they have in common once, what varies as numbers.
//!
//! A template is what stands around the variables of a text: runs of digits, hexadecimal ids, guids. A chunk has
//! a dictionary of templates, the template of every row, and for each variable of a template one dense column
//! of the values of its rows. Texts that fit no template stand in a node of their own. So one row is put together
//! from a few numbers, while of zstd a whole frame is unpacked for it. `FORMAT.md` has the layout.

mod anchored;
mod decode;
mod encode;
mod split;
mod write;

use super::input::{Decoded, Input, Malformed};
use super::integer;
use crate::format::TEXT_BYTES_MAX;

pub(crate) use decode::{decode, decode_rows, find, lengths};
pub(crate) use encode::encode;

/// Most templates of a chunk.
const TEMPLATES_MAX: usize = 4096;
/// Most variables of a template.
const VARIABLES_MAX: usize = 64;
/// Most digits of a number.
const DIGITS_MAX: usize = 18;
/// Every number is below.
const NUMBER_END: i64 = 1_000_000_000_000_000_000;
/// Most digits of a hexadecimal id.
const HEX_DIGITS_MAX: usize = 4096;
/// Nodes of integers inside stand this deep.
const DEPTH: u32 = 1;

/// What kind of text a variable is.
mod kind {
    /// Decimal digits, at most [`super::DIGITS_MAX`].
    pub const DIGITS: u8 = 1;
    /// Hexadecimal digits in lower case.
    pub const HEX: u8 = 2;
    /// 8-4-4-4-12 hexadecimal digits in lower case.
    pub const GUID: u8 = 3;
}

/// Characters of a guid.
const GUID_CHARACTERS: usize = 36;

/// A template before the columns of its variables are decoded.
struct Template<'a> {
    /// What stands before each variable and after the last one.
    literals: Vec<&'a [u8]>,
    variables: Vec<Variable<'a>>,
    /// Rows that have it.
    rows: usize,
}

#[derive(Clone, Copy)]
struct Variable<'a> {
    kind: u8,
    /// Widths of numbers, lengths of ids; nothing of guids.
    lengths: Input<'a>,
    values: Input<'a>,
}

/// A node whose templates and codes are read and whose columns are not.
struct Node<'a> {
    templates: Vec<Template<'a>>,
    /// The template of each row; the number of templates where a row has none.
    codes: Vec<u32>,
    /// The code that all rows have.
    only: Option<u32>,
    /// The texts without template.
    others: Input<'a>,
    others_count: usize,
    /// Bytes of all texts together.
    total: usize,
}

impl<'a> Node<'a> {
    /// Reads what follows the tag.
    fn read(mut input: Input<'a>, rows: usize) -> Decoded<Node<'a>> {
        let total = input.count(TEXT_BYTES_MAX)?;
        let count = input.count(TEMPLATES_MAX)?;
        let others_count = input.count(rows)?;
        let mut list = input.part()?;
        let codes = input.part()?;
        let mut columns = input.part()?;
        let others = input;
        let mut templates = Vec::with_capacity(count.min(list.remaining()));
        for _ in 0..count {
            let variables = list.count(VARIABLES_MAX)?;
            let kinds = list.take(variables)?;
            let mut lengths = Input::new(list.take((variables + 1) * 4)?);
            let literals =
                (0..=variables).map(|_| list.take(lengths.u32()? as usize)).collect::<Decoded<_>>()?;
            let variables = kinds
                .iter()
                .map(|kind| {
                    let lengths = match *kind {
                        kind::DIGITS | kind::HEX => columns.part()?,
                        kind::GUID => Input::new(&[]),
                        _ => return Err(Malformed("unknown kind of a variable")),
                    };
                    Ok(Variable { kind: *kind, lengths, values: columns.part()? })
                })
                .collect::<Decoded<_>>()?;
            templates.push(Template { literals, variables, rows: 0 });
        }
        list.finish()?;
        columns.finish()?;
        let codes: Vec<u32> = integer::decode(codes, rows, DEPTH)?;
        let mut counts = vec![0usize; count + 1];
        let only = codes
            .first()
            .copied()
            .filter(|first| codes.iter().all(|code| code == first) && *first <= count as u32);
        if let Some(only) = only {
            counts[only as usize] = rows;
        }
        for code in codes.iter().filter(|_| only.is_none()) {
            *counts
                .get_mut(*code as usize)
                .ok_or(Malformed("a row has a template that does not exist"))? += 1;
        }
        if counts[count] != others_count {
            return Err(Malformed("more or fewer texts without template than rows"));
        }
        let mut values = 0usize;
        for (template, rows) in templates.iter_mut().zip(&counts) {
            template.rows = *rows;
            values += template.variables.len() * rows;
        }
        // Every variable is a byte of its text at least: what is decoded stays in proportion to what is declared.
        if values > total {
            return Err(Malformed("there are more variables than bytes"));
        }
        Ok(Node { templates, codes, only, others, others_count, total })
    }
}

/// Names the parts, for people who ask where the bytes go.
pub(crate) fn describe(
    mut input: Input<'_>,
    mut node: impl FnMut(Input<'_>) -> Decoded<String>,
) -> Decoded<String> {
    input.u32()?;
    let (count, others_count) = (input.u32()?, input.u32()?);
    input.part()?;
    let codes = node(input.part()?)?;
    let columns = input.part()?.remaining();
    if others_count == 0 {
        return Ok(format!("templates({count}: {codes}; variables in {columns})"));
    }
    let in_others = input.remaining();
    let others = node(input)?;
    Ok(format!(
        "templates({count}: {codes}; variables in {columns}; {others_count} others: {others} in {in_others})"
    ))
}
