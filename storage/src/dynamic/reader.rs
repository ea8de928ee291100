//! Reads a dynamic value in place.

use super::{DynamicKind, MAX_DEPTH, header, tag};

/// A dynamic value in somebody else's bytes. Making one is free; every access checks its bounds, and what
/// is malformed reads as null, so reading never panics. [`validate`] says whether all of it is well-formed.
#[derive(Clone, Copy, Debug)]
pub struct DynamicRef<'a> {
    bytes: &'a [u8],
}

/// Bytes that are not a dynamic value, and where they go wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed dynamic value at byte {offset}: {reason}")]
pub struct InvalidDynamic {
    pub offset: usize,
    pub reason: &'static str,
}

/// The decoded header of an array or object.
#[derive(Clone, Copy, Debug)]
struct Container<'a> {
    count: usize,
    width: usize,
    /// End offsets into `data`, `width` bytes each.
    ends: &'a [u8],
    /// Positions of the keys in sorted order, `width` bytes each; empty when not kept.
    order: &'a [u8],
    data: &'a [u8],
}

#[inline]
fn read_width(bytes: &[u8], width: usize, index: usize) -> usize {
    let slot = bytes.get(index * width..(index + 1) * width);
    match slot {
        Some([one]) => usize::from(*one),
        Some([a, b]) => usize::from(u16::from_le_bytes([*a, *b])),
        Some([a, b, c, d]) => u32::from_le_bytes([*a, *b, *c, *d]) as usize,
        Some([a, b, c, d, e, f, g, h]) => {
            usize::try_from(u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h])).unwrap_or(usize::MAX)
        }
        _ => usize::MAX,
    }
}

impl<'a> Container<'a> {
    fn read(bytes: &'a [u8], object: bool) -> Option<Container<'a>> {
        let flags = *bytes.get(1)?;
        if flags & !(header::WIDTH | header::SORTED) != 0 {
            return None;
        }
        let width = 1usize << (flags & header::WIDTH);
        let rest = bytes.get(2..)?;
        let count = read_width(rest, width, 0);
        let entries = if object { count.checked_mul(2)? } else { count };
        let (ends, rest) = rest.get(width..)?.split_at_checked(entries.checked_mul(width)?)?;
        let ordered = if flags & header::SORTED != 0 { count.checked_mul(width)? } else { 0 };
        let (order, data) = rest.split_at_checked(ordered)?;
        Some(Container { count, width, ends, order, data })
    }

    #[inline]
    fn entry(&self, index: usize) -> Option<&'a [u8]> {
        let start = if index == 0 { 0 } else { read_width(self.ends, self.width, index - 1) };
        self.data.get(start..read_width(self.ends, self.width, index))
    }

    fn key(&self, position: usize) -> Option<&'a [u8]> {
        self.entry(position * 2)
    }

    fn find(&self, key: &[u8]) -> Option<usize> {
        if self.order.is_empty() {
            return (0..self.count).find(|position| self.key(*position) == Some(key));
        }
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = (low + high) / 2;
            let position = read_width(self.order, self.width, middle);
            if position >= self.count {
                return None;
            }
            match self.key(position)?.cmp(key) {
                std::cmp::Ordering::Equal => return Some(position),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }
}

impl<'a> DynamicRef<'a> {
    /// The null value.
    pub const NULL: DynamicRef<'static> = DynamicRef { bytes: &[tag::NULL] };

    /// A view of the bytes of one value.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> DynamicRef<'a> {
        DynamicRef { bytes }
    }

    /// The bytes of this value; those of a nested value are a complete value too.
    #[inline]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// What the value is. Malformed bytes are null.
    #[inline]
    pub fn kind(&self) -> DynamicKind {
        match self.bytes.first() {
            Some(&(tag::FALSE | tag::TRUE)) => DynamicKind::Bool,
            Some(&tag::LONG) => DynamicKind::Long,
            Some(&tag::REAL) => DynamicKind::Real,
            Some(&tag::DECIMAL) => DynamicKind::Decimal,
            Some(&tag::DATETIME) => DynamicKind::DateTime,
            Some(&tag::TIMESPAN) => DynamicKind::TimeSpan,
            Some(&tag::STRING) => DynamicKind::String,
            Some(&tag::GUID) => DynamicKind::Guid,
            Some(&tag::ARRAY) => DynamicKind::Array,
            Some(&tag::OBJECT) => DynamicKind::Object,
            _ => DynamicKind::Null,
        }
    }

    #[inline]
    pub fn is_null(&self) -> bool {
        self.kind() == DynamicKind::Null
    }

    #[inline]
    fn body(&self, tag: u8) -> Option<&'a [u8]> {
        match self.bytes {
            [found, body @ ..] if *found == tag => Some(body),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self.bytes.first() {
            Some(&tag::TRUE) => Some(true),
            Some(&tag::FALSE) => Some(false),
            _ => None,
        }
    }

    /// The integer, if the value is a long.
    #[inline]
    pub fn as_long(&self) -> Option<i64> {
        match *self.body(tag::LONG)? {
            [a] => Some(i64::from(a as i8)),
            [a, b] => Some(i64::from(i16::from_le_bytes([a, b]))),
            [a, b, c, d] => Some(i64::from(i32::from_le_bytes([a, b, c, d]))),
            [a, b, c, d, e, f, g, h] => Some(i64::from_le_bytes([a, b, c, d, e, f, g, h])),
            _ => None,
        }
    }

    /// The double, if the value is a real (not a long).
    pub fn as_real(&self) -> Option<f64> {
        Some(f64::from_le_bytes(self.body(tag::REAL)?.try_into().ok()?))
    }

    /// The value of a long or a real as a double.
    pub fn as_number(&self) -> Option<f64> {
        self.as_real().or_else(|| self.as_long().map(|value| value as f64))
    }

    /// The canonical bytes and the text, if the value is a decimal.
    pub fn as_decimal(&self) -> Option<([u8; 16], &'a str)> {
        let (canonical, text) = self.body(tag::DECIMAL)?.split_first_chunk::<16>()?;
        Some((*canonical, std::str::from_utf8(text).ok()?))
    }

    /// Ticks, if the value is a datetime.
    pub fn as_datetime(&self) -> Option<i64> {
        Some(i64::from_le_bytes(self.body(tag::DATETIME)?.try_into().ok()?))
    }

    /// Ticks, if the value is a timespan.
    pub fn as_timespan(&self) -> Option<i64> {
        Some(i64::from_le_bytes(self.body(tag::TIMESPAN)?.try_into().ok()?))
    }

    /// The text, if the value is a string.
    #[inline]
    pub fn as_str(&self) -> Option<&'a str> {
        std::str::from_utf8(self.body(tag::STRING)?).ok()
    }

    pub fn as_guid(&self) -> Option<[u8; 16]> {
        self.body(tag::GUID)?.try_into().ok()
    }

    #[inline]
    fn array(&self) -> Option<Container<'a>> {
        self.body(tag::ARRAY)?;
        Container::read(self.bytes, false)
    }

    #[inline]
    fn object(&self) -> Option<Container<'a>> {
        self.body(tag::OBJECT)?;
        Container::read(self.bytes, true)
    }

    /// Number of elements of an array or of keys of an object; `None` for a scalar.
    pub fn len(&self) -> Option<usize> {
        self.array().or_else(|| self.object()).map(|container| container.count)
    }

    /// Whether this is an array or object without parts.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// The value under a key of an object (case-sensitive).
    #[inline]
    pub fn get(&self, key: &str) -> Option<DynamicRef<'a>> {
        let object = self.object()?;
        let position = object.find(key.as_bytes())?;
        Some(DynamicRef::new(object.entry(position * 2 + 1)?))
    }

    /// The element of an array; negative positions count from the end.
    pub fn at(&self, index: i64) -> Option<DynamicRef<'a>> {
        let array = self.array()?;
        let count = i64::try_from(array.count).ok()?;
        let position = if index < 0 { index.checked_add(count)? } else { index };
        if position < 0 || position >= count {
            return None;
        }
        Some(DynamicRef::new(array.entry(position as usize)?))
    }

    /// The parts of an object that is exactly what a builder makes of its keys and values; `None` for others.
    pub(crate) fn plain_object(&self) -> Option<PlainObject<'a>> {
        let object = self.object()?;
        let parts = object.count.checked_mul(2)?;
        let sorted = object.count > super::SORTED_ABOVE;
        let length = object.data.len();
        let width = match length.max(object.count) {
            0..=0xff => 1,
            0x100..=0xffff => 2,
            0x1_0000..=0xffff_ffff => 4,
            _ => 8,
        };
        if object.width != width || object.order.is_empty() == sorted {
            return None;
        }
        let mut end = 0;
        for index in 0..parts {
            let next = read_width(object.ends, width, index);
            if next < end || next > length {
                return None;
            }
            end = next;
        }
        if end != length {
            return None;
        }
        let distinct = if sorted {
            let position = |index| read_width(object.order, width, index);
            (0..object.count).all(|index| position(index) < object.count)
                && (1..object.count)
                    .all(|index| object.key(position(index - 1)) < object.key(position(index)))
        } else {
            (1..object.count).all(|right| (0..right).all(|left| object.key(left) != object.key(right)))
        };
        distinct.then_some(PlainObject { container: object, next: 0 })
    }

    /// The elements of an array; nothing for other kinds.
    pub fn iter_array(&self) -> ArrayIter<'a> {
        ArrayIter { container: self.array(), next: 0 }
    }

    /// Keys and values of an object in their order; nothing for other kinds.
    pub fn iter_object(&self) -> ObjectIter<'a> {
        ObjectIter { container: self.object(), next: 0 }
    }
}

/// The bytes of keys and values of an object, in order.
#[derive(Clone, Debug)]
pub(crate) struct PlainObject<'a> {
    container: Container<'a>,
    next: usize,
}

impl<'a> Iterator for PlainObject<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.container.count {
            return None;
        }
        let key = self.container.key(self.next)?;
        let value = self.container.entry(self.next * 2 + 1)?;
        self.next += 1;
        Some((key, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.container.count - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for PlainObject<'_> {}

/// Elements of an array, in order.
#[derive(Clone, Debug)]
pub struct ArrayIter<'a> {
    container: Option<Container<'a>>,
    next: usize,
}

impl<'a> Iterator for ArrayIter<'a> {
    type Item = DynamicRef<'a>;

    fn next(&mut self) -> Option<DynamicRef<'a>> {
        let container = self.container.as_ref()?;
        if self.next >= container.count {
            return None;
        }
        let element = container.entry(self.next).unwrap_or_default();
        self.next += 1;
        Some(DynamicRef::new(element))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.container.as_ref().map_or(0, |container| container.count - self.next);
        (left, Some(left))
    }
}

impl ExactSizeIterator for ArrayIter<'_> {}

/// Keys and values of an object, in order.
#[derive(Clone, Debug)]
pub struct ObjectIter<'a> {
    container: Option<Container<'a>>,
    next: usize,
}

impl<'a> Iterator for ObjectIter<'a> {
    type Item = (&'a str, DynamicRef<'a>);

    fn next(&mut self) -> Option<(&'a str, DynamicRef<'a>)> {
        let container = self.container.as_ref()?;
        if self.next >= container.count {
            return None;
        }
        let key = container.key(self.next).and_then(|key| std::str::from_utf8(key).ok()).unwrap_or_default();
        let value = container.entry(self.next * 2 + 1).unwrap_or_default();
        self.next += 1;
        Some((key, DynamicRef::new(value)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.container.as_ref().map_or(0, |container| container.count - self.next);
        (left, Some(left))
    }
}

impl ExactSizeIterator for ObjectIter<'_> {}

/// Checks that the bytes are one well-formed value: tags, lengths, offsets, UTF-8, key order, depth.
/// Work is linear in the length; no input makes it panic.
pub fn validate(bytes: &[u8]) -> Result<(), InvalidDynamic> {
    validate_at(bytes, 0, 0)
}

fn validate_at(bytes: &[u8], offset: usize, depth: usize) -> Result<(), InvalidDynamic> {
    let fail = |reason| Err(InvalidDynamic { offset, reason });
    if depth > MAX_DEPTH {
        return fail("nested too deeply");
    }
    let Some((&found, body)) = bytes.split_first() else { return fail("a value has no tag") };
    match found {
        tag::NULL | tag::FALSE | tag::TRUE if body.is_empty() => Ok(()),
        tag::LONG if matches!(body.len(), 1 | 2 | 4 | 8) => Ok(()),
        tag::REAL | tag::DATETIME | tag::TIMESPAN if body.len() == 8 => Ok(()),
        tag::GUID if body.len() == 16 => Ok(()),
        tag::STRING if std::str::from_utf8(body).is_ok() => Ok(()),
        tag::DECIMAL if DynamicRef::new(bytes).as_decimal().is_some_and(|(_, text)| is_number(text)) => {
            Ok(())
        }
        tag::ARRAY | tag::OBJECT => {
            let object = found == tag::OBJECT;
            let Some(container) = Container::read(bytes, object) else {
                return fail("the header of an array or object is cut or has unknown flags");
            };
            validate_container(bytes, &container, object, offset, depth)
        }
        _ => fail("unknown tag, or a scalar of the wrong length"),
    }
}

/// Only what a decimal prints as: the text goes into JSON as it is.
fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'))
}

fn validate_container(
    bytes: &[u8],
    container: &Container<'_>,
    object: bool,
    offset: usize,
    depth: usize,
) -> Result<(), InvalidDynamic> {
    let fail = |reason| Err(InvalidDynamic { offset, reason });
    let data_start = bytes.len() - container.data.len();
    let entries = container.ends.len() / container.width;
    let mut end = 0;
    for index in 0..entries {
        let start = end;
        end = read_width(container.ends, container.width, index);
        let Some(part) = container.data.get(start..end) else {
            return fail("an offset lies outside the value");
        };
        if object && index % 2 == 0 {
            if std::str::from_utf8(part).is_err() {
                return fail("a key is not UTF-8");
            }
        } else {
            validate_at(part, offset + data_start + start, depth + 1)?;
        }
    }
    if end != container.data.len() {
        return fail("bytes follow the last part");
    }
    if !container.order.is_empty() {
        let position = |index| read_width(container.order, container.width, index);
        let keys_ascend = (0..container.count).all(|index| position(index) < container.count)
            && (1..container.count)
                .all(|index| container.key(position(index - 1)) < container.key(position(index)));
        if !object || !keys_ascend {
            return fail("the sorted order of the keys is wrong");
        }
    }
    Ok(())
}
