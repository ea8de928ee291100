//! Writes the parts of a text without a call for a few bytes: in steps of fixed size that may go past the end of
//! the part, where the next part is written over them.

use super::GUID_CHARACTERS;

/// Bytes past the end of a text that may be written.
pub(super) const SLACK: usize = STEP + 8;
/// Bytes of a literal that are copied at a time.
const STEP: usize = 32;

/// A part that all texts of a template have, with zeros behind it up to a whole number of steps.
pub(super) struct Literal {
    padded: Vec<u8>,
    length: usize,
}

impl Literal {
    pub fn new(bytes: &[u8]) -> Literal {
        let mut padded = bytes.to_vec();
        padded.resize(bytes.len().next_multiple_of(STEP), 0);
        Literal { padded, length: bytes.len() }
    }

    #[inline(always)]
    pub fn length(&self) -> usize {
        self.length
    }

    /// Writes it at a position; yields where it ends.
    #[inline(always)]
    pub fn write(&self, out: &mut [u8], at: usize) -> usize {
        for (step, slot) in self.padded.as_chunks::<STEP>().0.iter().zip(out[at..].as_chunks_mut::<STEP>().0)
        {
            *slot = *step;
        }
        at + self.length
    }
}

const POWERS: [u64; 20] = {
    let mut powers = [1; 20];
    let mut at = 1;
    while at < 20 {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// Decimal digits of a number below 10^19.
#[inline(always)]
pub(super) fn digits(number: u64) -> usize {
    let number = number | 1;
    // Bits times log10(2), rounded down, is the count or one less.
    let guess = (((64 - number.leading_zeros()) * 1233) >> 12) as usize;
    guess + usize::from(number >= POWERS[guess])
}

/// The eight digits of a number below 10^8, the first in the lowest byte.
#[inline(always)]
fn eight_digits(number: u64) -> u64 {
    let halves = (number / 10_000) | ((number % 10_000) << 32);
    let hundreds = ((halves * 10_486) >> 20) & 0x7f_0000_007f;
    let pairs = hundreds | ((halves - 100 * hundreds) << 16);
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    (tens | ((pairs - 10 * tens) << 8)) + 0x3030_3030_3030_3030
}

#[inline(always)]
fn put(word: u64, out: &mut [u8], at: usize) {
    out[at..at + 8].copy_from_slice(&word.to_le_bytes());
}

/// Writes a number below 10^19 of at least so many digits at a position; yields where it ends.
#[inline(always)]
pub(super) fn number(number: u64, width: usize, out: &mut [u8], at: usize) -> usize {
    let count = digits(number).max(width);
    if count <= 8 {
        if count > 0 {
            put(eight_digits(number) >> (64 - 8 * count), out, at);
        }
        return at + count;
    }
    long_number(number, count, out, at);
    at + count
}

fn long_number(mut number: u64, count: usize, out: &mut [u8], at: usize) {
    let mut left = count;
    while left > 0 {
        let digits = eight_digits(number % 100_000_000);
        number /= 100_000_000;
        let taken = left.min(8);
        left -= taken;
        // From the last digits on, so that nothing goes past the end.
        out[at + left..at + left + taken].copy_from_slice(&digits.to_le_bytes()[8 - taken..]);
    }
}

/// The eight hexadecimal digits of four bytes, the first in the lowest byte.
#[inline(always)]
fn eight_hex_digits(bytes: u32) -> u64 {
    let mut lanes = u64::from(bytes);
    lanes = (lanes | lanes << 16) & 0x0000_ffff_0000_ffff;
    lanes = (lanes | lanes << 8) & 0x00ff_00ff_00ff_00ff;
    let nibbles = (lanes >> 4 & 0x000f_000f_000f_000f) | (lanes & 0x000f_000f_000f_000f) << 8;
    let letters = (nibbles + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101;
    nibbles + 0x3030_3030_3030_3030 + letters * u64::from(b'a' - b'0' - 10)
}

/// Writes so many hexadecimal digits of the bytes at a position; yields where they end.
#[inline(always)]
pub(super) fn hex(bytes: &[u8], length: usize, out: &mut [u8], at: usize) -> usize {
    for (word, place) in bytes[..length.div_ceil(2)].chunks(4).zip((at..).step_by(8)) {
        let word = match word.first_chunk::<4>() {
            Some(word) => *word,
            None => std::array::from_fn(|at| word.get(at).copied().unwrap_or(0)),
        };
        put(eight_hex_digits(u32::from_le_bytes(word)), out, place);
    }
    at + length
}

/// Writes a guid at a position; yields where it ends.
#[inline(always)]
pub(super) fn guid(bytes: &[u8; 16], out: &mut [u8], at: usize) -> usize {
    let mut left = bytes.as_slice();
    for (start, length) in [(0, 8), (9, 4), (14, 4), (19, 4), (24, 12)] {
        let end = hex(left, length, out, at + start);
        left = &left[length / 2..];
        if start + length < GUID_CHARACTERS {
            out[end] = b'-';
        }
    }
    at + GUID_CHARACTERS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_digits() {
        let around = |power: u32| {
            let power = 10u64.pow(power);
            [power - 1, power, power + 1, power / 3, power / 7 * 5]
        };
        for value in (0..19).flat_map(around) {
            let text = value.to_string();
            assert_eq!(digits(value), text.len(), "{value}");
            for width in [0, 3, 8, 12, 18] {
                let mut out = vec![b'x'; 64];
                let end = number(value, width, &mut out, 5);
                assert_eq!(std::str::from_utf8(&out[5..end]), Ok(format!("{value:0width$}").as_str()));
            }
        }
    }

    #[test]
    fn ids_have_their_digits() {
        let bytes: Vec<u8> = (0..=255u8).map(|byte| byte.wrapping_mul(37)).collect();
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        for length in [1, 2, 7, 8, 9, 31, 32, 33, 512] {
            let mut out = vec![b'x'; 600];
            let end = hex(&bytes, length, &mut out, 3);
            assert_eq!(std::str::from_utf8(&out[3..end]), Ok(&text[..length]));
        }
    }
}
