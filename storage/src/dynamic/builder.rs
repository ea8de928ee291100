//! Writes a dynamic value front to back into one reusable buffer.

use super::{DynamicRef, SORTED_ABOVE, header, tag};

/// Builds one value at a time: scalars, or arrays and objects between `begin_…` and `end_…`; in an object
/// every value follows its `key`. `finish` hands the bytes over and makes the builder ready for the next.
///
/// Any order of calls gives a valid value: what is left open is closed, a key without a value gets null, a
/// value without a key the empty key. Of equal keys in one object the first keeps its place and the last
/// gives the value.
#[derive(Debug, Default)]
pub struct DynamicBuilder {
    buffer: Vec<u8>,
    frames: Vec<Frame>,
    /// End positions in `buffer` of the parts of all open containers: elements, or keys and values in turn.
    ends: Vec<usize>,
    /// Scratch of `end_object`.
    order: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    object: bool,
    /// Where the container's parts start in `buffer`.
    start: usize,
    /// Where its entries start in `ends`.
    first_end: usize,
}

impl DynamicBuilder {
    pub fn new() -> DynamicBuilder {
        DynamicBuilder::default()
    }

    /// Appends a null.
    pub fn null(&mut self) {
        self.node(tag::NULL, &[]);
    }

    /// Appends a truth value.
    pub fn bool(&mut self, value: bool) {
        self.node(if value { tag::TRUE } else { tag::FALSE }, &[]);
    }

    /// Appends an integer, in as few of 1, 2, 4 or 8 bytes as it needs.
    pub fn long(&mut self, value: i64) {
        let bytes = value.to_le_bytes();
        let width = if i64::from(value as i8) == value {
            1
        } else if i64::from(value as i16) == value {
            2
        } else if i64::from(value as i32) == value {
            4
        } else {
            8
        };
        self.node(tag::LONG, &bytes[..width]);
    }

    /// Appends a double; NaN and infinities are values.
    pub fn real(&mut self, value: f64) {
        self.node(tag::REAL, &value.to_le_bytes());
    }

    /// Appends a decimal: its canonical bytes, which storage does not interpret, and its text for printing.
    pub fn decimal(&mut self, canonical: [u8; 16], text: &str) {
        self.open_value();
        self.buffer.push(tag::DECIMAL);
        self.buffer.extend_from_slice(&canonical);
        self.buffer.extend_from_slice(text.as_bytes());
        self.close_value();
    }

    /// Appends a datetime in ticks.
    pub fn datetime(&mut self, ticks: i64) {
        self.node(tag::DATETIME, &ticks.to_le_bytes());
    }

    /// Appends a timespan in ticks.
    pub fn timespan(&mut self, ticks: i64) {
        self.node(tag::TIMESPAN, &ticks.to_le_bytes());
    }

    /// Appends a string.
    pub fn string(&mut self, value: &str) {
        self.node(tag::STRING, value.as_bytes());
    }

    /// Appends a guid, bytes in the order of its text.
    pub fn guid(&mut self, bytes: [u8; 16]) {
        self.node(tag::GUID, &bytes);
    }

    /// Appends a copy of a whole value. Malformed bytes count as null.
    pub fn value(&mut self, value: DynamicRef<'_>) {
        match value.bytes() {
            [] => self.null(),
            [tag, body @ ..] => self.node(*tag, body),
        }
    }

    /// Starts an array; the values that follow are its elements.
    pub fn begin_array(&mut self) {
        self.begin(false);
    }

    /// Ends the innermost array.
    pub fn end_array(&mut self) {
        self.end();
    }

    /// Starts an object; every value that follows is announced by [`DynamicBuilder::key`].
    pub fn begin_object(&mut self) {
        self.begin(true);
    }

    /// Ends the innermost object.
    pub fn end_object(&mut self) {
        self.end();
    }

    /// The key of the next value of the innermost object. Ignored outside an object.
    pub fn key(&mut self, key: &str) {
        self.key_with(|buffer| buffer.extend_from_slice(key.as_bytes()));
    }

    /// The value built, leaving the builder empty. Nothing built: null.
    pub fn finish(&mut self) -> Vec<u8> {
        self.close_all();
        let bytes = self.buffer.as_slice().to_vec();
        self.clear();
        bytes
    }

    /// Hands the value built to `take` without giving up the buffer, then clears the builder.
    pub fn finish_with<R>(&mut self, take: impl FnOnce(&[u8]) -> R) -> R {
        self.close_all();
        let result = take(&self.buffer);
        self.clear();
        result
    }

    /// Forgets what was built so far; keeps the memory.
    pub fn clear(&mut self) {
        self.buffer.clear();
        self.frames.clear();
        self.ends.clear();
    }

    /// How deep the containers are nested that are open now.
    pub(super) fn depth(&self) -> usize {
        self.frames.len()
    }

    /// Closes open containers down to a depth that was current before; used after a parse error.
    pub(super) fn unwind(&mut self, depth: usize) {
        while self.frames.len() > depth {
            self.end();
        }
    }

    /// Appends a key whose bytes `write` appends; they must be UTF-8.
    pub(super) fn key_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        match self.frames.last() {
            Some(frame) if frame.object => {
                if self.key_is_pending() {
                    self.null();
                }
                write(&mut self.buffer);
                self.ends.push(self.buffer.len());
            }
            _ => {}
        }
    }

    /// Appends a string whose bytes `write` appends; they must be UTF-8.
    pub(super) fn string_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.open_value();
        self.buffer.push(tag::STRING);
        write(&mut self.buffer);
        self.close_value();
    }

    #[inline]
    fn node(&mut self, tag: u8, body: &[u8]) {
        self.open_value();
        self.buffer.push(tag);
        self.buffer.extend_from_slice(body);
        self.close_value();
    }

    fn key_is_pending(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.object && (self.ends.len() - frame.first_end) % 2 == 1)
    }

    #[inline]
    fn open_value(&mut self) {
        match self.frames.last() {
            None => self.buffer.clear(),
            Some(frame) if frame.object && !self.key_is_pending() => self.ends.push(self.buffer.len()),
            Some(_) => {}
        }
    }

    #[inline]
    fn close_value(&mut self) {
        if !self.frames.is_empty() {
            self.ends.push(self.buffer.len());
        }
    }

    fn begin(&mut self, object: bool) {
        self.open_value();
        self.frames.push(Frame { object, start: self.buffer.len(), first_end: self.ends.len() });
    }

    fn close_all(&mut self) {
        self.unwind(0);
        if self.buffer.is_empty() {
            self.null();
        }
    }

    fn end(&mut self) {
        if self.key_is_pending() {
            self.null();
        }
        let Some(frame) = self.frames.pop() else { return };
        if frame.object && self.order_keys(frame) {
            self.remove_equal_keys(frame);
            self.order_keys(frame);
        }
        let entries = self.ends.len() - frame.first_end;
        let count = if frame.object { entries / 2 } else { entries };
        let length = self.buffer.len() - frame.start;
        let sorted = frame.object && count > SORTED_ABOVE;
        let code: u8 = match length.max(count) {
            0..=0xff => 0,
            0x100..=0xffff => 1,
            0x1_0000..=0xffff_ffff => 2,
            _ => 3,
        };
        let width = 1usize << code;
        let header_length = 2 + width * (1 + entries + if sorted { count } else { 0 });

        self.buffer.resize(self.buffer.len() + header_length, 0);
        self.buffer.copy_within(frame.start..frame.start + length, frame.start + header_length);
        let mut at = frame.start;
        let mut put = |value: &[u8]| {
            self.buffer[at..at + value.len()].copy_from_slice(value);
            at += value.len();
        };
        put(&[
            if frame.object { tag::OBJECT } else { tag::ARRAY },
            code | if sorted { header::SORTED } else { 0 },
        ]);
        put(&(count as u64).to_le_bytes()[..width]);
        for end in &self.ends[frame.first_end..] {
            put(&((end - frame.start) as u64).to_le_bytes()[..width]);
        }
        if sorted {
            for position in &self.order {
                put(&u64::from(*position).to_le_bytes()[..width]);
            }
        }
        self.ends.truncate(frame.first_end);
        self.close_value();
    }

    /// The bytes of entry `index` (keys are the even ones) of a container that is still open.
    fn entry(&self, frame: Frame, index: usize) -> std::ops::Range<usize> {
        let start = match index {
            0 => frame.start,
            _ => self.ends[frame.first_end + index - 1],
        };
        start..self.ends[frame.first_end + index]
    }

    /// Sorts the keys of an open object into `order` when it is large; says whether any two are equal.
    fn order_keys(&mut self, frame: Frame) -> bool {
        let count = (self.ends.len() - frame.first_end) / 2;
        let key_at = |position: usize| &self.buffer[self.entry(frame, position * 2)];
        if count <= SORTED_ABOVE {
            // Most differ in their lengths or in how they begin.
            return (1..count).any(|position| {
                let right = key_at(position);
                (0..position).any(|position| {
                    let left = key_at(position);
                    // Most differ in their lengths or in how they begin.
                    left.len() == right.len() && left.first() == right.first() && left == right
                })
            });
        }
        let mut order = std::mem::take(&mut self.order);
        order.clear();
        order.extend(0..count as u32);
        order.sort_by(|left, right| {
            self.buffer[self.entry(frame, *left as usize * 2)]
                .cmp(&self.buffer[self.entry(frame, *right as usize * 2)])
        });
        let equal = order.windows(2).any(|pair| {
            self.buffer[self.entry(frame, pair[0] as usize * 2)]
                == self.buffer[self.entry(frame, pair[1] as usize * 2)]
        });
        self.order = order;
        equal
    }

    fn remove_equal_keys(&mut self, frame: Frame) {
        let count = (self.ends.len() - frame.first_end) / 2;
        let mut parts: Vec<(Vec<u8>, Vec<u8>)> = Vec::with_capacity(count);
        let mut positions = std::collections::HashMap::new();
        for position in 0..count {
            let key = self.buffer[self.entry(frame, position * 2)].to_vec();
            let value = self.buffer[self.entry(frame, position * 2 + 1)].to_vec();
            match positions.entry(key.clone()) {
                std::collections::hash_map::Entry::Occupied(slot) => {
                    let slot: usize = *slot.get();
                    parts[slot].1 = value;
                }
                std::collections::hash_map::Entry::Vacant(slot) => {
                    slot.insert(parts.len());
                    parts.push((key, value));
                }
            }
        }
        self.buffer.truncate(frame.start);
        self.ends.truncate(frame.first_end);
        for (key, value) in parts {
            self.buffer.extend_from_slice(&key);
            self.ends.push(self.buffer.len());
            self.buffer.extend_from_slice(&value);
            self.ends.push(self.buffer.len());
        }
    }
}
