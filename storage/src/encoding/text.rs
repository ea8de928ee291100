//! Strings and dynamic values: lengths and concatenated bytes, plain or zstd; or a dictionary of them.

use std::ops::Range;

use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};

use super::dictionary::{self, Coded};
use super::input::{Decoded, Input, Malformed, put_part};
use super::{choose, integer, templates, zstd_block};
use crate::format::{TEXT_BYTES_MAX, encoding_tag as tag};

/// Texts shorter than this all together are not worth a zstd frame.
const COMPRESS_BYTES_MIN: usize = 256;

/// Texts shorter than this all together are not looked through for templates.
const TEMPLATES_BYTES_MIN: usize = 4096;

const NOT_ASCII: Malformed = Malformed("a text said to be ASCII is not");

/// Decoded text: all bytes end to end, and where each value ends.
pub(crate) struct Texts {
    pub offsets: OffsetBuffer<i32>,
    pub bytes: Buffer,
}

/// A decoded chunk of text.
pub(crate) enum DecodedText {
    Flat(Texts),
    Dictionary { values: Texts, codes: Vec<u32> },
}

/// Text of one zstd frame: enough to compress nearly as well as the whole chunk, little enough that reading
/// a few rows of a large chunk unpacks a fraction of it.
const FRAME_BYTES: usize = 256 << 10;

/// Appends a node of texts without dictionary. Their bytes must stay within `TEXT_BYTES_MAX`.
pub(crate) fn encode_flat(values: &[&[u8]], level: i32, out: &mut Vec<u8>) {
    let total: usize = values.iter().map(|value| value.len()).sum();
    if total >= TEMPLATES_BYTES_MIN
        && let Some(node) = templates::encode(values, total, level)
        && node.len() <= estimate_plain(values, total, level)
    {
        if values.iter().all(|value| value.is_ascii()) {
            out.push(tag::ASCII);
        }
        out.extend_from_slice(&node);
        return;
    }
    encode_plain(values, level, out);
}

/// About as many bytes as [`encode_plain`] takes: as in its middle.
fn estimate_plain(values: &[&[u8]], total: usize, level: i32) -> usize {
    let average = total / values.len().max(1);
    let rows = (FRAME_BYTES / average.max(1)).clamp(1, values.len().max(1));
    let start = (values.len() - rows.min(values.len())) / 2;
    let sample = &values[start..(start + rows).min(values.len())];
    let bytes: usize = sample.iter().map(|value| value.len()).sum();
    let mut node = Vec::new();
    encode_plain(sample, level, &mut node);
    (node.len() as f64 * total as f64 / bytes.max(1) as f64) as usize
}

/// Appends a node of texts without dictionary or templates.
pub(crate) fn encode_plain(values: &[&[u8]], level: i32, out: &mut Vec<u8>) {
    let lengths: Vec<i64> = values.iter().map(|value| value.len() as i64).collect();
    let bytes = values.concat();
    let frames = if bytes.len() < COMPRESS_BYTES_MIN { None } else { compress(values, &bytes, level) };
    if bytes.is_ascii() {
        out.push(tag::ASCII);
    }
    out.push(if frames.is_some() { tag::TEXT_ZSTD } else { tag::TEXT });
    put_part(out, |out| choose::encode_integers(&lengths, 1, out));
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    let Some(frames) = frames else { return out.extend_from_slice(&bytes) };
    out.extend_from_slice(&(frames.len() as u32).to_le_bytes());
    for (rows, frame) in &frames {
        out.extend_from_slice(&rows.to_le_bytes());
        out.extend_from_slice(&(frame.len() as u32).to_le_bytes());
    }
    frames.iter().for_each(|(_, frame)| out.extend_from_slice(frame));
}

/// How many of the values, given by their lengths, go into each frame.
pub(crate) fn frame_rows(lengths: impl Iterator<Item = usize>) -> Vec<u32> {
    let mut frames = Vec::new();
    let (mut bytes, mut rows) = (0, 0);
    for length in lengths {
        bytes += length;
        rows += 1;
        if bytes >= FRAME_BYTES {
            frames.push(rows);
            (bytes, rows) = (0, 0);
        }
    }
    if rows > 0 {
        frames.push(rows);
    }
    frames
}

/// Frames with their rows, where they save at least a sixteenth.
fn compress(values: &[&[u8]], bytes: &[u8], level: i32) -> Option<Vec<(u32, Vec<u8>)>> {
    let level = zstd_block::worthwhile_level(bytes, level)?;
    let mut frames = Vec::new();
    let mut saved = 0isize;
    let (mut row, mut start) = (0, 0);
    for rows in frame_rows(values.iter().map(|value| value.len())) {
        let inside = &values[row..row + rows as usize];
        let end = start + inside.iter().map(|value| value.len()).sum::<usize>();
        let frame = zstd_block::compress_at(&bytes[start..end], level)?;
        saved += (end - start) as isize - frame.len() as isize;
        frames.push((rows, frame));
        (row, start) = (row + rows as usize, end);
        // Random bytes show at once.
        if saved < (end / 32) as isize {
            return None;
        }
    }
    (saved >= (bytes.len() / 16) as isize).then_some(frames)
}

pub(crate) fn encode_dictionary(coded: &Coded<&[u8]>, level: i32, out: &mut Vec<u8>) {
    dictionary::encode(coded, 0, out, |values, out| encode_flat(values, level, out));
}

/// The parts of a node of texts without dictionary.
pub(crate) struct Flat<'a> {
    pub offsets: Vec<i32>,
    /// Whether every byte is said to be an ASCII character.
    pub is_ascii: bool,
    body: Body<'a>,
}

enum Body<'a> {
    Plain(&'a [u8]),
    Frames(Vec<Frame<'a>>),
}

/// A zstd frame, and which rows and bytes of the chunk it holds.
struct Frame<'a> {
    rows: Range<usize>,
    bytes: Range<usize>,
    frame: &'a [u8],
}

impl<'a> Flat<'a> {
    pub fn read(mut input: Input<'a>, rows: usize) -> Decoded<Flat<'a>> {
        let mut kind = input.u8()?;
        let is_ascii = kind == tag::ASCII;
        if is_ascii {
            kind = input.u8()?;
        }
        let lengths: Vec<u32> = integer::decode(input.part()?, rows, 1)?;
        let total = input.count(TEXT_BYTES_MAX)?;
        let mut offsets: Vec<i32> = Vec::with_capacity(rows + 1);
        offsets.push(0);
        let mut end = 0u64;
        for length in lengths {
            end += u64::from(length);
            // Cut values are found below: the sum only grows.
            offsets.push(end as i32);
        }
        if end != total as u64 {
            return Err(Malformed("the lengths of texts do not add up"));
        }
        let body = match kind {
            tag::TEXT if input.remaining() == total => Body::Plain(input.rest()),
            tag::TEXT_ZSTD => Body::Frames(read_frames(input, &offsets)?),
            _ => return Err(Malformed("unknown encoding of text, or text of the wrong length")),
        };
        Ok(Flat { offsets, is_ascii, body })
    }

    /// Runs over the bytes piece by piece: the rows of each piece and its bytes.
    pub fn pieces(&self, mut piece: impl FnMut(Range<usize>, &[u8]) -> Decoded<()>) -> Decoded<()> {
        match &self.body {
            Body::Plain(bytes) => piece(0..self.offsets.len() - 1, bytes),
            Body::Frames(frames) => {
                let longest = frames.iter().map(|frame| frame.bytes.len()).max().unwrap_or(0);
                let mut unpacked = vec![0; longest];
                frames.iter().try_for_each(|frame| {
                    let unpacked = &mut unpacked[..frame.bytes.len()];
                    zstd_block::decompress_into(frame.frame, unpacked)?;
                    piece(frame.rows.clone(), unpacked)
                })
            }
        }
    }

    fn decode(self) -> Decoded<Texts> {
        let bytes = match self.body {
            Body::Plain(bytes) => bytes.to_vec(),
            Body::Frames(frames) => {
                let mut bytes = vec![0; frames.last().map_or(0, |frame| frame.bytes.end)];
                for frame in &frames {
                    zstd_block::decompress_into(frame.frame, &mut bytes[frame.bytes.clone()])?;
                }
                bytes
            }
        };
        if self.is_ascii && !bytes.is_ascii() {
            return Err(NOT_ASCII);
        }
        Ok(Texts {
            offsets: OffsetBuffer::new(ScalarBuffer::from(self.offsets)),
            bytes: Buffer::from_vec(bytes),
        })
    }

    /// Only the given rows, which ascend and exist; frames without any of them stay packed.
    fn decode_rows(&self, rows: &[u32]) -> Decoded<Texts> {
        let range = |row: u32| self.offsets[row as usize] as usize..self.offsets[row as usize + 1] as usize;
        let total = rows.iter().map(|row| range(*row).len()).sum();
        let mut bytes: Vec<u8> = Vec::with_capacity(total);
        let mut offsets: Vec<i32> = Vec::with_capacity(rows.len() + 1);
        offsets.push(0);
        match &self.body {
            Body::Plain(all) => {
                for row in rows {
                    bytes.extend_from_slice(&all[range(*row)]);
                    offsets.push(bytes.len() as i32);
                }
            }
            Body::Frames(frames) => {
                let mut left = rows;
                let mut unpacked = Vec::new();
                for frame in frames {
                    let (inside, after) =
                        left.split_at(left.partition_point(|row| (*row as usize) < frame.rows.end));
                    left = after;
                    if inside.is_empty() {
                        continue;
                    }
                    unpacked.resize(frame.bytes.len(), 0);
                    zstd_block::decompress_into(frame.frame, &mut unpacked)?;
                    for row in inside {
                        let range = range(*row);
                        bytes.extend_from_slice(
                            &unpacked[range.start - frame.bytes.start..range.end - frame.bytes.start],
                        );
                        offsets.push(bytes.len() as i32);
                    }
                }
            }
        }
        Ok(Texts { offsets: OffsetBuffer::new(ScalarBuffer::from(offsets)), bytes: Buffer::from_vec(bytes) })
    }
}

/// Reads the list of frames; they hold all rows in order, and their content sizes are those of their rows.
fn read_frames<'a>(mut input: Input<'a>, offsets: &[i32]) -> Decoded<Vec<Frame<'a>>> {
    let rows = offsets.len() - 1;
    let count = input.count(rows)?;
    let mut directory = Input::new(input.take(count * 8)?);
    let mut frames: Vec<Frame<'a>> = Vec::with_capacity(count);
    let mut row = 0;
    for _ in 0..count {
        let end = row + directory.count(rows - row)?;
        let frame = input.take(directory.u32()? as usize)?;
        let bytes = offsets[row] as usize..offsets[end] as usize;
        zstd_block::check_content_size(frame, bytes.len())?;
        frames.push(Frame { rows: row..end, bytes, frame });
        row = end;
    }
    input.finish()?;
    if row != rows {
        return Err(Malformed("the frames of a text hold fewer rows than there are"));
    }
    Ok(frames)
}

fn decode_rows_flat(input: Input<'_>, rows: usize, wanted: &[u32]) -> Decoded<Texts> {
    match templates_body(input) {
        Some((body, _)) => templates::decode_rows(body, rows, wanted),
        None => Flat::read(input, rows)?.decode_rows(wanted),
    }
}

/// The body of a node of templates, and whether its texts are said to be ASCII characters.
pub(crate) fn templates_body(mut input: Input<'_>) -> Option<(Input<'_>, bool)> {
    let is_ascii = input.first() == Some(tag::ASCII);
    if is_ascii {
        input.u8().ok()?;
    }
    (input.u8() == Ok(tag::TEMPLATES)).then_some((input, is_ascii))
}

/// Texts of a node without templates, which stands inside one.
pub(crate) fn decode_plain(input: Input<'_>, rows: usize) -> Decoded<Texts> {
    Flat::read(input, rows)?.decode()
}

/// The given rows of such a node, which ascend and exist.
pub(crate) fn decode_rows_plain(input: Input<'_>, rows: usize, wanted: &[u32]) -> Decoded<Texts> {
    Flat::read(input, rows)?.decode_rows(wanted)
}

pub(crate) fn decode_flat(input: Input<'_>, rows: usize) -> Decoded<Texts> {
    let Some((body, is_ascii)) = templates_body(input) else { return Flat::read(input, rows)?.decode() };
    let texts = templates::decode(body, rows)?;
    if is_ascii && !texts.bytes.is_ascii() {
        return Err(NOT_ASCII);
    }
    Ok(texts)
}

/// The given rows of a node, which ascend and exist.
pub(crate) fn decode_rows(input: Input<'_>, rows: usize, wanted: &[u32]) -> Decoded<DecodedText> {
    let mut body = input;
    if body.u8()? != tag::DICTIONARY {
        return decode_rows_flat(input, rows, wanted).map(DecodedText::Flat);
    }
    let (count, values, codes) = dictionary::parts(body, rows)?;
    let (distinct, codes) = dictionary::pick_codes(codes, rows, count, 0, wanted)?;
    let values = decode_rows_flat(values, count, &distinct)?;
    Ok(DecodedText::Dictionary { values, codes })
}

pub(crate) fn decode(input: Input<'_>, rows: usize) -> Decoded<DecodedText> {
    let mut body = input;
    if body.u8()? != tag::DICTIONARY {
        return decode_flat(input, rows).map(DecodedText::Flat);
    }
    let (count, values, codes) = dictionary::parts(body, rows)?;
    let values = decode_flat(values, count)?;
    let codes = dictionary::decode_codes(codes, rows, count, 0)?;
    Ok(DecodedText::Dictionary { values, codes })
}

/// The codes of a dictionary node and how many there are; `None` for other nodes.
pub(crate) fn decode_codes(input: Input<'_>, rows: usize) -> Decoded<Option<(Vec<u32>, usize)>> {
    let mut body = input;
    if body.u8()? != tag::DICTIONARY {
        return Ok(None);
    }
    let (count, _, codes) = dictionary::parts(body, rows)?;
    Ok(Some((dictionary::decode_codes(codes, rows, count, 0)?, count)))
}

/// The values of a dictionary node, without its codes; `None` for other nodes.
pub(crate) fn decode_dictionary_values(input: Input<'_>, rows: usize) -> Decoded<Option<Texts>> {
    let mut body = input;
    if body.u8()? != tag::DICTIONARY {
        return Ok(None);
    }
    let (count, values, _) = dictionary::parts(body, rows)?;
    decode_flat(values, count).map(Some)
}
