//! Reading bytes that may be anything.

/// Bytes that do not follow the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);

pub(crate) type Decoded<T> = Result<T, Malformed>;

/// A cursor over bytes; every read checks the length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a> {
    bytes: &'a [u8],
}

impl<'a> Input<'a> {
    pub fn new(bytes: &'a [u8]) -> Input<'a> {
        Input { bytes }
    }

    /// The next byte, which stays.
    pub fn first(&self) -> Option<u8> {
        self.bytes.first().copied()
    }

    pub fn remaining(&self) -> usize {
        self.bytes.len()
    }

    pub fn take(&mut self, length: usize) -> Decoded<&'a [u8]> {
        let (head, tail) = self.bytes.split_at_checked(length).ok_or(Malformed("bytes end too early"))?;
        self.bytes = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Decoded<[u8; N]> {
        let (head, tail) = self.bytes.split_first_chunk::<N>().ok_or(Malformed("bytes end too early"))?;
        self.bytes = tail;
        Ok(*head)
    }

    pub fn u8(&mut self) -> Decoded<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub fn u32(&mut self) -> Decoded<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Decoded<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub fn i64(&mut self) -> Decoded<i64> {
        self.array().map(i64::from_le_bytes)
    }

    pub fn bytes16(&mut self) -> Decoded<[u8; 16]> {
        self.array()
    }

    /// A u32 that must not exceed `limit`.
    pub fn count(&mut self, limit: usize) -> Decoded<usize> {
        let count = self.u32()? as usize;
        if count > limit { Err(Malformed("a count is too large")) } else { Ok(count) }
    }

    /// A part preceded by its length.
    pub fn part(&mut self) -> Decoded<Input<'a>> {
        let length = self.u32()? as usize;
        self.take(length).map(Input::new)
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.bytes)
    }

    pub fn finish(self) -> Decoded<()> {
        if self.bytes.is_empty() { Ok(()) } else { Err(Malformed("bytes follow the end")) }
    }
}

/// Appends a part preceded by its length.
pub(crate) fn put_part(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    write(out);
    // A part is a piece of a chunk, and chunks stay below 4 GiB (`TEXT_BYTES_MAX`).
    let length = (out.len() - at - 4) as u32;
    out[at..at + 4].copy_from_slice(&length.to_le_bytes());
}
