//! Puts texts together again, all of them or some rows.

use std::borrow::Cow;
use std::ops::Range;

use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder, Buffer, OffsetBuffer, ScalarBuffer};

use super::write::{self, Literal};
use super::{
    DEPTH, DIGITS_MAX, GUID_CHARACTERS, HEX_DIGITS_MAX, NUMBER_END, Node, Template, Variable, anchored, kind,
};
use crate::encoding::input::{Decoded, Input, Malformed};
use crate::encoding::integer;
use crate::encoding::text::{self, Texts};
use crate::encoding::text_question::Effort;
use crate::text_test::{ByteSet, TextTest};

/// Texts of so many bytes are put together at a time where only a look at them is wanted.
const PIECE_BYTES: usize = 128 << 10;

const WRONG_LENGTH: Malformed = Malformed("ids of the wrong length");

/// The values of a variable.
pub(super) enum Values<'a> {
    Digits { widths: Widths, numbers: Vec<i64> },
    Hex { places: Places, bytes: &'a [u8] },
    Guid(Cow<'a, [[u8; 16]]>),
}

/// The fewest digits of numbers.
pub(super) enum Widths {
    One(usize),
    Each(Vec<u8>),
}

impl Widths {
    fn of(widths: Vec<i64>) -> Decoded<Widths> {
        if widths.iter().any(|width| *width < 0 || *width > DIGITS_MAX as i64) {
            return Err(Malformed("a number has too many digits"));
        }
        let first = widths.first().copied().unwrap_or(0);
        if widths.iter().all(|width| *width == first) {
            return Ok(Widths::One(first as usize));
        }
        Ok(Widths::Each(widths.iter().map(|width| *width as u8).collect()))
    }

    #[inline]
    fn get(&self, place: usize) -> usize {
        match self {
            Widths::One(width) => *width,
            Widths::Each(widths) => widths.get(place).map_or(0, |width| usize::from(*width)),
        }
    }
}

/// Where ids stand and how many digits they have.
pub(super) enum Places {
    /// All have so many, one stands behind the other.
    Even(usize),
    Each(Vec<(u32, u32)>),
}

impl Places {
    /// Those of `count` ids, or of some, in so many bytes.
    fn read(lengths: Input<'_>, count: usize, wanted: Option<&[u32]>, bytes: usize) -> Decoded<Places> {
        let in_range = |length: i64| (1..=HEX_DIGITS_MAX as i64).contains(&length);
        if let Some(length) = integer::constant(lengths)? {
            if !in_range(length) || count * (length as usize).div_ceil(2) != bytes {
                return Err(WRONG_LENGTH);
            }
            return Ok(match wanted {
                None => Places::Even(length as usize),
                Some(wanted) => {
                    let packed = (length as u32).div_ceil(2);
                    Places::Each(wanted.iter().map(|place| (place * packed, length as u32)).collect())
                }
            });
        }
        // Where an id begins follows from the lengths of all before it.
        let lengths: Vec<i64> = integer::decode(lengths, count, DEPTH)?;
        let mut places = Vec::with_capacity(count);
        let mut end = 0u32;
        for length in lengths {
            if !in_range(length) {
                return Err(WRONG_LENGTH);
            }
            places.push((end, length as u32));
            end += (length as u32).div_ceil(2);
        }
        if end as usize != bytes {
            return Err(WRONG_LENGTH);
        }
        Ok(Places::Each(match wanted {
            None => places,
            Some(wanted) => wanted.iter().map(|place| places[*place as usize]).collect(),
        }))
    }

    /// The first byte of an id, and its digits.
    #[inline]
    fn get(&self, place: usize) -> (usize, usize) {
        match self {
            Places::Even(length) => (place * length.div_ceil(2), *length),
            Places::Each(places) => (places[place].0 as usize, places[place].1 as usize),
        }
    }
}

impl<'a> Values<'a> {
    /// The values of `count` rows, or those at some places.
    pub(super) fn read(variable: &Variable<'a>, count: usize, wanted: Option<&[u32]>) -> Decoded<Values<'a>> {
        let integers = |input: Input<'a>| match wanted {
            Some(wanted) => integer::pick(input, count, DEPTH, wanted),
            None => integer::decode(input, count, DEPTH),
        };
        let mut values = variable.values;
        match variable.kind {
            kind::DIGITS => {
                let numbers = integers(values)?;
                if numbers.iter().any(|number| *number < 0 || *number >= NUMBER_END) {
                    return Err(Malformed("a number of a text is out of range"));
                }
                Ok(Values::Digits { widths: Widths::of(integers(variable.lengths)?)?, numbers })
            }
            kind::HEX => {
                let bytes = values.rest();
                let places = Places::read(variable.lengths, count, wanted, bytes.len())?;
                Ok(Values::Hex { places, bytes })
            }
            _ => {
                let (guids, rest) = values.rest().as_chunks::<16>();
                if guids.len() != count || !rest.is_empty() {
                    return Err(Malformed("guids of the wrong length"));
                }
                Ok(Values::Guid(match wanted {
                    None => Cow::Borrowed(guids),
                    Some(wanted) => Cow::Owned(wanted.iter().map(|place| guids[*place as usize]).collect()),
                }))
            }
        }
    }

    /// Bytes of the text of a value.
    #[inline]
    pub(super) fn length(&self, place: usize) -> usize {
        match self {
            Values::Digits { widths, numbers } => write::digits(numbers[place] as u64).max(widths.get(place)),
            Values::Hex { places, .. } => places.get(place).1,
            Values::Guid(_) => GUID_CHARACTERS,
        }
    }

    /// Writes the text of a value to the start of `out` and yields where it ends.
    pub(super) fn text(&self, place: usize, out: &mut Vec<u8>) -> usize {
        let needed = self.length(place) + write::SLACK;
        if out.len() < needed {
            out.resize(needed, 0);
        }
        match self {
            Values::Digits { numbers, widths } => {
                write::number(numbers[place] as u64, widths.get(place), out, 0)
            }
            Values::Hex { places, bytes } => {
                let (start, length) = places.get(place);
                write::hex(&bytes[start..], length, out, 0)
            }
            Values::Guid(guids) => write::guid(&guids[place], out, 0),
        }
    }

    /// No value is longer.
    fn longest(&self) -> usize {
        match self {
            Values::Digits { .. } => DIGITS_MAX,
            Values::Hex { .. } => HEX_DIGITS_MAX,
            Values::Guid(_) => GUID_CHARACTERS,
        }
    }
}

/// A template with the values of its variables.
struct Filled<'a> {
    /// What stands before the first variable.
    first: Literal,
    /// The variables, each with what stands behind it.
    rest: Vec<(Values<'a>, Literal)>,
}

impl<'a> Filled<'a> {
    fn read(template: &Template<'a>, wanted: Option<&[u32]>) -> Decoded<Filled<'a>> {
        let mut literals = template.literals.iter().map(|literal| Literal::new(literal));
        let first = literals.next().unwrap_or_else(|| Literal::new(&[]));
        let read = |variable: &Variable<'a>| Values::read(variable, template.rows, wanted);
        let rest = template
            .variables
            .iter()
            .zip(literals)
            .map(|(variable, literal)| Ok((read(variable)?, literal)))
            .collect::<Decoded<_>>()?;
        Ok(Filled { first, rest })
    }

    /// No text is longer.
    fn longest(&self) -> usize {
        self.rest
            .iter()
            .fold(self.first.length(), |sum, (values, literal)| sum + values.longest() + literal.length())
    }

    /// Writes a text at a position and yields where it ends. There is room for the longest and for what is written
    /// past an end.
    #[inline]
    fn write(&self, place: usize, out: &mut [u8], mut at: usize) -> usize {
        at = self.first.write(out, at);
        for (values, literal) in &self.rest {
            at = match values {
                Values::Digits { numbers, widths } => {
                    write::number(numbers[place] as u64, widths.get(place), out, at)
                }
                Values::Hex { places, bytes } => {
                    let (start, length) = places.get(place);
                    write::hex(&bytes[start..], length, out, at)
                }
                Values::Guid(guids) => write::guid(&guids[place], out, at),
            };
            at = literal.write(out, at);
        }
        at
    }
}

/// Texts that are put together one after the other.
struct Writer {
    bytes: Vec<u8>,
    end: usize,
    /// Where each text ends; the first is 0.
    ends: Vec<i32>,
    /// Room for the longest text of a template.
    longest: usize,
}

impl Writer {
    fn new(templates: &[Option<Filled<'_>>], bytes: usize, rows: usize) -> Writer {
        let longest = templates.iter().flatten().map(Filled::longest).max().unwrap_or(0) + write::SLACK;
        let mut ends = Vec::with_capacity(rows + 1);
        ends.push(0);
        Writer { bytes: vec![0; bytes + longest], end: 0, ends, longest }
    }

    fn template(&mut self, template: &Filled<'_>, place: usize) {
        if self.bytes.len() - self.end < self.longest {
            self.bytes.resize(2 * self.bytes.len() + self.longest, 0);
        }
        self.end = template.write(place, &mut self.bytes, self.end);
        self.ends.push(self.end as i32);
    }

    fn text(&mut self, text: &[u8]) {
        if self.bytes.len() - self.end < text.len() {
            self.bytes.resize(2 * self.bytes.len() + text.len(), 0);
        }
        self.bytes[self.end..self.end + text.len()].copy_from_slice(text);
        self.end += text.len();
        self.ends.push(self.end as i32);
    }

    /// The text at a place among those of its template, or of the others; an empty one where there are none.
    #[inline]
    fn row(&mut self, template: Option<&Filled<'_>>, others: &Option<Texts>, place: usize) {
        match (template, others) {
            (Some(template), _) => self.template(template, place),
            (None, Some(others)) => self.text(&others.bytes[range(others, place)]),
            (None, None) => self.text(&[]),
        }
    }

    fn clear(&mut self) {
        self.end = 0;
        self.ends.truncate(1);
    }

    fn finish(mut self) -> Texts {
        self.bytes.truncate(self.end);
        Texts {
            offsets: OffsetBuffer::new(ScalarBuffer::from(self.ends)),
            bytes: Buffer::from_vec(self.bytes),
        }
    }
}

const WRONG_TOTAL: Malformed = Malformed("the lengths of texts do not add up");

/// All templates with all their values, and the texts without.
fn fill<'a>(node: &Node<'a>) -> Decoded<(Vec<Option<Filled<'a>>>, Option<Texts>)> {
    let templates = node
        .templates
        .iter()
        .map(|template| Filled::read(template, None).map(Some))
        .collect::<Decoded<_>>()?;
    Ok((templates, others(node)?))
}

/// The texts without template, if there are any.
fn others(node: &Node<'_>) -> Decoded<Option<Texts>> {
    match node.others_count {
        0 => {
            node.others.finish()?;
            Ok(None)
        }
        count => text::decode_plain(node.others, count).map(Some),
    }
}

/// All texts of a node whose tag is read.
pub(crate) fn decode(input: Input<'_>, rows: usize) -> Decoded<Texts> {
    let node = Node::read(input, rows)?;
    let (templates, others) = fill(&node)?;
    let mut out = Writer::new(&templates, node.total, rows);
    let mut next = vec![0usize; templates.len() + 1];
    for code in &node.codes {
        let code = *code as usize;
        out.row(templates.get(code).and_then(Option::as_ref), &others, next[code]);
        next[code] += 1;
        if out.end > node.total {
            return Err(WRONG_TOTAL);
        }
    }
    if out.end != node.total {
        return Err(WRONG_TOTAL);
    }
    Ok(out.finish())
}

/// The bytes of each text of a node whose tag is read. Texts are not put together, nor are ids looked at.
pub(crate) fn lengths(input: Input<'_>, rows: usize) -> Decoded<Vec<i64>> {
    let node = Node::read(input, rows)?;
    let mut by_template = Vec::with_capacity(node.templates.len() + 1);
    for template in &node.templates {
        by_template.push(template_lengths(template)?);
    }
    let others = others(&node)?;
    by_template.push(others.map_or_else(Vec::new, |others| {
        others.offsets.windows(2).map(|ends| i64::from(ends[1] - ends[0])).collect()
    }));
    let mut next = vec![0usize; by_template.len()];
    let mut total = 0;
    let mut lengths = Vec::with_capacity(rows);
    for code in &node.codes {
        let code = *code as usize;
        let length = by_template[code].get(next[code]).copied().unwrap_or(0);
        next[code] += 1;
        total += length;
        lengths.push(length);
    }
    if total == node.total as i64 { Ok(lengths) } else { Err(WRONG_TOTAL) }
}

/// The bytes of each text of a template.
fn template_lengths(template: &Template<'_>) -> Decoded<Vec<i64>> {
    let count = template.rows;
    let mut fixed: usize = template.literals.iter().map(|literal| literal.len()).sum();
    let mut lengths = vec![0i64; count];
    for variable in &template.variables {
        match variable.kind {
            kind::DIGITS => match Values::read(variable, count, None)? {
                Values::Digits { widths: Widths::One(width), numbers } => {
                    for (length, number) in lengths.iter_mut().zip(&numbers) {
                        *length += write::digits(*number as u64).max(width) as i64;
                    }
                }
                values => {
                    for (place, length) in lengths.iter_mut().enumerate() {
                        *length += values.length(place) as i64;
                    }
                }
            },
            kind::HEX => match integer::constant(variable.lengths)? {
                Some(length) if (1..=HEX_DIGITS_MAX as i64).contains(&length) => fixed += length as usize,
                Some(_) => return Err(WRONG_LENGTH),
                None => {
                    let digits: Vec<i64> = integer::decode(variable.lengths, count, DEPTH)?;
                    for (length, digits) in lengths.iter_mut().zip(&digits) {
                        if !(1..=HEX_DIGITS_MAX as i64).contains(digits) {
                            return Err(WRONG_LENGTH);
                        }
                        *length += digits;
                    }
                }
            },
            _ => fixed += GUID_CHARACTERS,
        }
    }
    lengths.iter_mut().for_each(|length| *length += fixed as i64);
    Ok(lengths)
}

fn range(texts: &Texts, place: usize) -> Range<usize> {
    texts.offsets[place] as usize..texts.offsets[place + 1] as usize
}

/// Some texts of a node whose tag is read; `wanted` ascends, and all its rows exist.
pub(crate) fn decode_rows(input: Input<'_>, rows: usize, wanted: &[u32]) -> Decoded<Texts> {
    let node = Node::read(input, rows)?;
    let count = node.templates.len();
    // The wanted ones among the rows of each template, and among the others.
    let mut picks: Vec<Vec<u32>> = vec![Vec::new(); count + 1];
    let mut before = vec![0u32; count + 1];
    let mut start = 0;
    if let Some(code) = node.only {
        picks[code as usize] = wanted.to_vec();
    }
    for row in wanted.iter().filter(|_| node.only.is_none()) {
        let row = *row as usize;
        node.codes[start..row].iter().for_each(|code| before[*code as usize] += 1);
        start = row;
        let code = node.codes[row] as usize;
        picks[code].push(before[code]);
    }
    let mut templates = Vec::with_capacity(count);
    for (template, picks) in node.templates.iter().zip(&picks) {
        templates.push(if picks.is_empty() { None } else { Some(Filled::read(template, Some(picks))?) });
    }
    let others = match picks[count].as_slice() {
        [] => None,
        picks => Some(text::decode_rows_plain(node.others, node.others_count, picks)?),
    };
    let mut out = Writer::new(&templates, 0, wanted.len());
    let mut next = vec![0usize; count + 1];
    for row in wanted {
        let code = node.codes[*row as usize] as usize;
        out.row(templates.get(code).and_then(Option::as_ref), &others, next[code]);
        next[code] += 1;
        if out.end > node.total {
            return Err(WRONG_TOTAL);
        }
    }
    Ok(out.finish())
}

/// The rows of a node whose tag is read that pass a test. Where what varies makes no difference the templates tell,
/// and their texts are not put together. `None`: most of the texts would have to be, and the effort is to be little.
pub(crate) fn find(
    input: Input<'_>,
    rows: usize,
    test: &TextTest,
    effort: Effort,
) -> Decoded<Option<BooleanBuffer>> {
    let node = Node::read(input, rows)?;
    let set = |variable: &Variable<'_>| match variable.kind {
        kind::DIGITS => ByteSet::Digits,
        kind::HEX => ByteSet::LowerHex,
        _ => ByteSet::Guid,
    };
    // Whether all texts of a template pass; `None` where they must be looked at.
    let verdicts: Vec<Option<bool>> = node
        .templates
        .iter()
        .map(|template| {
            let sets: Vec<ByteSet> = template.variables.iter().map(set).collect();
            test.verdict(&template.literals, &sets)
        })
        .collect();
    // Where they depend on what varies, the rows of a template that pass, if its columns tell.
    let mut undecided = node.others_count;
    let mut chosen: Vec<Option<Vec<u32>>> = vec![None; verdicts.len()];
    for ((template, verdict), chosen) in node.templates.iter().zip(&verdicts).zip(&mut chosen) {
        if verdict.is_none() {
            *chosen = anchored::places(template, test)?;
            undecided += if chosen.is_none() { template.rows } else { 0 };
        }
    }
    if effort == Effort::Little && undecided * 2 > rows {
        return Ok(None);
    }
    if undecided == 0 && chosen.iter().all(Option::is_none) {
        let passes: Vec<bool> = verdicts.iter().map(|verdict| *verdict == Some(true)).collect();
        return Ok(Some(BooleanBuffer::collect_bool(rows, |row| passes[node.codes[row] as usize])));
    }
    let mut templates = Vec::with_capacity(verdicts.len());
    for ((template, verdict), chosen) in node.templates.iter().zip(&verdicts).zip(&chosen) {
        templates.push(match (verdict, chosen) {
            (None, None) => Some(Filled::read(template, None)?),
            _ => None,
        });
    }
    let others = others(&node)?;
    let mut left: Vec<std::slice::Iter<'_, u32>> =
        chosen.iter().map(|chosen| chosen.as_deref().unwrap_or(&[]).iter()).collect();
    let mut found = BooleanBufferBuilder::new(rows);
    found.append_n(rows, false);
    let mut piece = Writer::new(&templates, PIECE_BYTES, 0);
    let mut looked_at: Vec<usize> = Vec::new();
    let mut next = vec![0usize; node.templates.len() + 1];
    for (row, code) in node.codes.iter().enumerate() {
        let code = *code as usize;
        if let Some(Some(verdict)) = verdicts.get(code) {
            if *verdict {
                found.set_bit(row, true);
            }
            continue;
        }
        if let Some(Some(_)) = chosen.get(code) {
            let place = next[code] as u32;
            next[code] += 1;
            if left[code].as_slice().first() == Some(&place) {
                left[code].next();
                found.set_bit(row, true);
            }
            continue;
        }
        piece.row(templates.get(code).and_then(Option::as_ref), &others, next[code]);
        next[code] += 1;
        looked_at.push(row);
        if piece.end >= PIECE_BYTES {
            test.each_row(&piece.bytes[..piece.end], &piece.ends, |at| found.set_bit(looked_at[at], true));
            piece.clear();
            looked_at.clear();
        }
    }
    test.each_row(&piece.bytes[..piece.end], &piece.ends, |at| found.set_bit(looked_at[at], true));
    Ok(Some(found.finish()))
}
