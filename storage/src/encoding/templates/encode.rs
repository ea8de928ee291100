//! Finds the templates of texts and writes the node.

use super::split::{Split, parts};
use super::{DEPTH, TEMPLATES_MAX, kind};
use crate::encoding::dictionary::{FastMap, fast_map};
use crate::encoding::input::put_part;
use crate::encoding::{choose, text};
use crate::format::encoding_tag as tag;

/// Texts that are looked at before all are split.
const SAMPLE_TEXTS: usize = 1024;
/// A template of fewer texts does not pay for its columns.
const TEXTS_MIN: usize = 16;

/// The values of a variable.
enum Column {
    Digits(Digits),
    Hex { lengths: Vec<i64>, bytes: Vec<u8> },
    Guid(Vec<u8>),
}

/// Numbers, some of which begin with zeros.
#[derive(Default)]
struct Digits {
    numbers: Vec<i64>,
    /// Digits of each number that begins with a zero, 0 of others.
    widths: Vec<i64>,
    /// Fewest digits of numbers that begin with no zero; of those that do the fewest and the most.
    plain_min: usize,
    padded: Option<(usize, usize)>,
}

impl Digits {
    fn push(&mut self, digits: &[u8]) {
        self.numbers.push(digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')));
        let is_padded = digits.len() > 1 && digits[0] == b'0';
        self.widths.push(if is_padded { digits.len() as i64 } else { 0 });
        let count = digits.len();
        if is_padded {
            self.padded =
                Some(self.padded.map_or((count, count), |(least, most)| (least.min(count), most.max(count))));
        } else {
            self.plain_min = if self.plain_min == 0 { count } else { self.plain_min.min(count) };
        }
    }

    fn encode(&mut self, out: &mut Vec<u8>) {
        // One width for all where no number is shorter.
        if let Some((least, most)) = self.padded
            && least == most
            && (self.plain_min == 0 || self.plain_min >= most)
        {
            self.widths.fill(most as i64);
        }
        put_part(out, |out| choose::encode_integers(&self.widths, DEPTH, out));
        put_part(out, |out| choose::encode_integers(&self.numbers, DEPTH, out));
    }
}

impl Column {
    fn of(kind: u8) -> Column {
        match kind {
            kind::DIGITS => Column::Digits(Digits::default()),
            kind::HEX => Column::Hex { lengths: Vec::new(), bytes: Vec::new() },
            _ => Column::Guid(Vec::new()),
        }
    }

    fn push(&mut self, text: &[u8]) {
        match self {
            Column::Digits(digits) => digits.push(text),
            Column::Hex { lengths, bytes } => {
                lengths.push(text.len() as i64);
                push_nibbles(text.iter(), bytes);
            }
            Column::Guid(bytes) => push_nibbles(text.iter().filter(|byte| **byte != b'-'), bytes),
        }
    }

    fn encode(&mut self, out: &mut Vec<u8>) {
        match self {
            Column::Digits(digits) => digits.encode(out),
            Column::Hex { lengths, bytes } => {
                put_part(out, |out| choose::encode_integers(lengths, DEPTH, out));
                put_part(out, |out| out.extend_from_slice(bytes));
            }
            Column::Guid(bytes) => put_part(out, |out| out.extend_from_slice(bytes)),
        }
    }
}

/// Appends hexadecimal digits, two a byte, the first in the high half.
fn push_nibbles<'a>(mut digits: impl Iterator<Item = &'a u8>, out: &mut Vec<u8>) {
    let nibble = |digit: &u8| if *digit >= b'a' { digit - b'a' + 10 } else { digit - b'0' };
    while let Some(high) = digits.next() {
        out.push(nibble(high) << 4 | digits.next().map_or(0, nibble));
    }
}

/// The texts of one template.
struct Found {
    name: Vec<u8>,
    columns: Vec<Column>,
    rows: usize,
}

/// The node of the texts, which are `total` bytes; `None` where they have few templates in common.
pub(crate) fn encode(values: &[&[u8]], total: usize, level: i32) -> Option<Vec<u8>> {
    let mut split = Split::default();
    if !looks_alike(values, &mut split) {
        return None;
    }
    let mut known: FastMap<Vec<u8>, u32> = fast_map();
    let mut found: Vec<Found> = Vec::new();
    let mut codes: Vec<u32> = Vec::with_capacity(values.len());
    for value in values {
        let code = if !split.split(value) {
            u32::MAX
        } else if let Some(code) = known.get(split.name.as_slice()) {
            *code
        } else if found.len() < TEMPLATES_MAX {
            let columns = split.variables.iter().map(|(kind, _, _)| Column::of(*kind)).collect();
            found.push(Found { name: split.name.clone(), columns, rows: 0 });
            known.insert(split.name.clone(), found.len() as u32 - 1);
            found.len() as u32 - 1
        } else {
            u32::MAX
        };
        if let Some(found) = found.get_mut(code as usize) {
            found.rows += 1;
            for (column, (_, start, end)) in found.columns.iter_mut().zip(&split.variables) {
                column.push(&value[*start..*end]);
            }
        }
        codes.push(code);
    }
    // Rare templates are none.
    let mut numbers: Vec<Option<i64>> = Vec::with_capacity(found.len());
    let mut kept = 0;
    for found in &found {
        let is_kept = found.rows >= TEXTS_MIN;
        numbers.push(is_kept.then_some(kept));
        kept += i64::from(is_kept);
    }
    found.retain(|found| found.rows >= TEXTS_MIN);
    let mut others: Vec<&[u8]> = Vec::new();
    let codes: Vec<i64> = codes
        .iter()
        .zip(values)
        .map(|(code, value)| {
            let number = numbers.get(*code as usize).copied().flatten();
            number.unwrap_or_else(|| {
                others.push(value);
                kept
            })
        })
        .collect();
    if found.is_empty() || others.len() * 2 > values.len() {
        return None;
    }
    let mut out = Vec::with_capacity(total / 8);
    out.push(tag::TEMPLATES);
    for number in [total, found.len(), others.len()] {
        out.extend_from_slice(&(number as u32).to_le_bytes());
    }
    put_part(&mut out, |out| {
        for found in &found {
            let (kinds, literals) = parts(&found.name);
            out.extend_from_slice(&(kinds.len() as u32).to_le_bytes());
            out.extend_from_slice(&kinds);
            for literal in &literals {
                out.extend_from_slice(&(literal.len() as u32).to_le_bytes());
            }
            literals.iter().for_each(|literal| out.extend_from_slice(literal));
        }
    });
    put_part(&mut out, |out| choose::encode_integers(&codes, DEPTH, out));
    put_part(&mut out, |out| {
        found.iter_mut().flat_map(|found| &mut found.columns).for_each(|column| column.encode(out));
    });
    if !others.is_empty() {
        text::encode_plain(&others, level, &mut out);
    }
    Some(out)
}

/// Whether most texts of a sample have a template in common with others, and variables.
fn looks_alike(values: &[&[u8]], split: &mut Split) -> bool {
    let step = (values.len() / SAMPLE_TEXTS).max(1);
    let mut counts: FastMap<Vec<u8>, (usize, usize)> = fast_map();
    let mut sampled = 0;
    for value in values.iter().step_by(step) {
        sampled += 1;
        if !split.split(value) {
            continue;
        }
        match counts.get_mut(split.name.as_slice()) {
            Some((count, _)) => *count += 1,
            None => {
                counts.insert(split.name.clone(), (1, split.variables.len()));
            }
        }
        if sampled == SAMPLE_TEXTS / 4 && counts.len() > sampled / 2 {
            return false;
        }
    }
    let (mut common, mut variables) = (0, 0);
    for (count, each) in counts.values().filter(|(count, _)| *count > 1) {
        common += count;
        variables += count * each;
    }
    common * 4 > sampled * 3 && variables * 2 > sampled
}
