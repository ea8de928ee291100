//! A list of rows, in whichever form is smallest: all of them, a bit a row, or Elias–Fano codes of the rows
//! (or of the rows that are left out). `FORMAT.md` ("Term index") has the layouts.

use crate::encoding::input::{Decoded, Malformed};

/// How a list is written.
mod form {
    pub const ALL: u32 = 0;
    pub const BITMAP: u32 = 1;
    pub const SPARSE: u32 = 2;
    pub const SPARSE_COMPLEMENT: u32 = 3;
    pub const UNION: u32 = 4;
}

/// The form of a list that is other lists together: their numbers, four bytes each. None of them is a union.
pub(crate) const UNION: u32 = form::UNION;

const WRONG: Malformed = Malformed("a list of rows is malformed");

/// Words of a bitmap of so many rows.
pub(crate) fn words(rows: usize) -> usize {
    rows.div_ceil(64)
}

/// Bits of each of `count` numbers below `rows` that are written as they are.
fn low_bits(count: usize, rows: usize) -> u32 {
    rows.checked_div(count).map_or(0, |gap| gap.max(1).ilog2())
}

/// Bytes of the low and of the high part of `count` numbers below `rows`.
fn sparse_bytes(count: usize, rows: usize) -> (usize, usize) {
    let low = low_bits(count, rows);
    ((count * low as usize).div_ceil(8), (count + (rows >> low) + 1).div_ceil(8))
}

/// Bytes that [`encode`] appends for so many of the rows.
pub(crate) fn encoded_bytes(count: usize, rows: usize) -> usize {
    let size = |count| {
        let (low, high) = sparse_bytes(count, rows);
        low + high
    };
    if count == rows { 0 } else { size(count).min(size(rows - count)).min(rows.div_ceil(8)) }
}

/// Appends the rows whose bits are set in words without bits past `rows`; gives back the form.
pub(crate) fn encode(bits: &[u64], rows: usize, out: &mut Vec<u8>) -> u32 {
    let count: usize = bits.iter().map(|word| word.count_ones() as usize).sum();
    if count == rows {
        return form::ALL;
    }
    let size = |count| {
        let (low, high) = sparse_bytes(count, rows);
        low + high
    };
    let bitmap = rows.div_ceil(8);
    if size(count) < bitmap {
        encode_sparse(bits.iter().copied(), count, rows, out);
        form::SPARSE
    } else if size(rows - count) < bitmap {
        let left_out = bits.iter().enumerate().map(|(index, word)| {
            let inside = rows - index * 64;
            if inside >= 64 { !word } else { !word & ((1 << inside) - 1) }
        });
        encode_sparse(left_out, rows - count, rows, out);
        form::SPARSE_COMPLEMENT
    } else {
        let start = out.len();
        bits.iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
        out.truncate(start + bitmap);
        form::BITMAP
    }
}

fn encode_sparse(bits: impl Iterator<Item = u64>, count: usize, rows: usize, out: &mut Vec<u8>) {
    let low = low_bits(count, rows);
    let (low_bytes, high_bytes) = sparse_bytes(count, rows);
    let start = out.len();
    out.resize(start + low_bytes + high_bytes, 0);
    let (lows, highs) = out[start..].split_at_mut(low_bytes);
    let mask = (1u64 << low) - 1;
    let mut lows = lows.iter_mut();
    // Low bits that do not fill a byte yet, and how many they are.
    let (mut pending, mut filled) = (0u64, 0);
    let mut number = 0;
    for (index, word) in bits.enumerate() {
        let mut word = word;
        while word != 0 {
            let row = index * 64 + word.trailing_zeros() as usize;
            word &= word - 1;
            pending |= (row as u64 & mask) << filled;
            filled += low;
            while filled >= 8 {
                lows.by_ref().take(1).for_each(|slot| *slot = pending as u8);
                pending >>= 8;
                filled -= 8;
            }
            let at = (row >> low) + number;
            highs[at / 8] |= 1 << (at % 8);
            number += 1;
        }
    }
    lows.take(1).for_each(|slot| *slot = pending as u8);
}

/// A list in somebody else's bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Posting<'a> {
    pub form: u32,
    /// How many rows it has.
    pub count: usize,
    /// How many rows there are.
    pub rows: usize,
    pub bytes: &'a [u8],
}

impl Posting<'_> {
    /// A bit a row, none past the last one.
    pub fn bits(&self) -> Decoded<Vec<u64>> {
        let rows = self.rows;
        let mut out = vec![0u64; words(rows)];
        let left_out = rows.checked_sub(self.count).ok_or(WRONG)?;
        match self.form {
            form::ALL if left_out == 0 && self.bytes.is_empty() => out.fill(u64::MAX),
            form::BITMAP if self.bytes.len() == rows.div_ceil(8) => {
                for (word, bytes) in out.iter_mut().zip(self.bytes.chunks(8)) {
                    let mut padded = [0; 8];
                    padded[..bytes.len()].copy_from_slice(bytes);
                    *word = u64::from_le_bytes(padded);
                }
            }
            form::SPARSE => set_sparse(self.bytes, self.count, rows, &mut out)?,
            form::SPARSE_COMPLEMENT => {
                set_sparse(self.bytes, left_out, rows, &mut out)?;
                out.iter_mut().for_each(|word| *word = !*word);
            }
            _ => return Err(WRONG),
        }
        if let Some(last) = out.last_mut()
            && !rows.is_multiple_of(64)
        {
            *last &= (1 << (rows % 64)) - 1;
        }
        if out.iter().map(|word| word.count_ones() as usize).sum::<usize>() != self.count {
            return Err(WRONG);
        }
        Ok(out)
    }
}

fn set_sparse(bytes: &[u8], count: usize, rows: usize, out: &mut [u64]) -> Decoded<()> {
    let low = low_bits(count, rows);
    let (low_bytes, high_bytes) = sparse_bytes(count, rows);
    if bytes.len() != low_bytes + high_bytes {
        return Err(WRONG);
    }
    let (lows, highs) = bytes.split_at(low_bytes);
    let mask = (1u64 << low) - 1;
    let mut number = 0;
    for (index, bytes) in highs.chunks(8).enumerate() {
        let mut padded = [0; 8];
        padded[..bytes.len()].copy_from_slice(bytes);
        let mut word = u64::from_le_bytes(padded);
        while word != 0 {
            let at = index * 64 + word.trailing_zeros() as usize;
            word &= word - 1;
            let bit = number * low as usize;
            let part = match lows.get(bit / 8..).and_then(|rest| rest.first_chunk::<8>()) {
                Some(bytes) => u64::from_le_bytes(*bytes),
                None => {
                    let mut padded = [0; 8];
                    let rest = lows.get(bit / 8..).unwrap_or_default();
                    padded[..rest.len()].copy_from_slice(rest);
                    u64::from_le_bytes(padded)
                }
            };
            let high = at.checked_sub(number).ok_or(WRONG)?;
            let row = (high << low) | (part >> (bit % 8) & mask) as usize;
            *out.get_mut(row / 64).ok_or(WRONG)? |= 1 << (row % 64);
            number += 1;
        }
    }
    if number != count {
        return Err(WRONG);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lists_come_back(rows in 1usize..3000, every in 1u64..400, inverted: bool, seed: u64) {
            let mut bits = vec![0u64; words(rows)];
            for row in 0..rows {
                let hash = xxhash_rust::xxh3::xxh3_64_with_seed(&row.to_le_bytes(), seed);
                let drawn = hash.is_multiple_of(every);
                bits[row / 64] |= u64::from(drawn != inverted) << (row % 64);
            }
            let mut bytes = Vec::new();
            let form = encode(&bits, rows, &mut bytes);
            let count = bits.iter().map(|word| word.count_ones() as usize).sum();
            prop_assert_eq!(bytes.len(), encoded_bytes(count, rows));
            prop_assert_eq!(Posting { form, count, rows, bytes: &bytes }.bits(), Ok(bits));
            // Anything else is refused or answered, never a panic.
            for form in 0..5 {
                let _ = Posting { form, count: count / 2, rows, bytes: &bytes }.bits();
                let _ = Posting { form, count, rows: rows / 2, bytes: &bytes }.bits();
            }
        }
    }
}
