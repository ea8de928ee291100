//! Texts that repeat themselves as a dictionary: levels, hosts, methods take four bytes a row then, in memory as in
//! the log, and sealing has their distinct values at once.
//!
//! Knows texts end to end, not where they come from.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use arrow_array::types::UInt32Type;
use arrow_array::{DictionaryArray, PrimitiveArray, StringArray, StringViewArray};
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use foldhash::fast::RandomState;

/// Fewer rows are not worth the table.
const ROWS_MIN: usize = 256;
/// After so many rows at most so many eighths of them may be distinct: ids and messages are given up soon.
const CHECKS: [(usize, usize); 2] = [(512, 7), (2048, 5)];
/// Eighths of all rows that may be distinct.
const DISTINCT_EIGHTHS: usize = 3;
/// A slot of the table without a code.
const FREE: u32 = u32::MAX;

/// The texts as a dictionary in the order of first occurrence; `None` where too few repeat themselves. Text `i` lies
/// from `offsets[i]` to `offsets[i + 1]` in `bytes`, which are UTF-8.
pub fn dictionary(offsets: &[i32], bytes: &[u8]) -> Option<DictionaryArray<UInt32Type>> {
    let rows = offsets.len().saturating_sub(1);
    if rows < ROWS_MIN {
        return None;
    }
    let limit = rows * DISTINCT_EIGHTHS / 8;
    // At most half of it is taken.
    let mask = (2 * limit).next_power_of_two() - 1;
    let mut table = vec![FREE; mask + 1];
    let mut distinct = Distinct { hashes: Vec::new(), bytes: Vec::new(), ends: vec![0] };
    let mut codes: Vec<u32> = Vec::with_capacity(rows);
    let state = RandomState::default();
    let mut checks = CHECKS.iter();
    let mut check = checks.next();
    for ends in offsets.windows(2) {
        if let Some((at, eighths)) = check
            && codes.len() == *at
        {
            if distinct.hashes.len() * 8 > at * eighths {
                return None;
            }
            check = checks.next();
        }
        let text = &bytes[ends[0] as usize..ends[1] as usize];
        if let Some(last) = codes.last()
            && equal(distinct.get(*last), text)
        {
            codes.push(*last);
            continue;
        }
        let mut hasher = state.build_hasher();
        hasher.write(text);
        let hash = hasher.finish();
        let mut slot = hash as usize & mask;
        let code = loop {
            let code = table[slot];
            if code == FREE {
                if distinct.hashes.len() == limit {
                    return None;
                }
                table[slot] = distinct.hashes.len() as u32;
                break distinct.push(hash, text);
            }
            if distinct.hashes[code as usize] == hash && equal(distinct.get(code), text) {
                break code;
            }
            slot = (slot + 1) & mask;
        };
        codes.push(code);
    }
    distinct.bytes.shrink_to_fit();
    let offsets = OffsetBuffer::new(ScalarBuffer::from(distinct.ends));
    let values = StringArray::try_new(offsets, Buffer::from_vec(distinct.bytes), None).ok()?;
    let keys = PrimitiveArray::<UInt32Type>::new(ScalarBuffer::from(codes), None);
    DictionaryArray::try_new(keys, Arc::new(StringViewArray::from(&values))).ok()
}

/// The distinct texts.
struct Distinct {
    hashes: Vec<u64>,
    bytes: Vec<u8>,
    ends: Vec<i32>,
}

impl Distinct {
    fn push(&mut self, hash: u64, text: &[u8]) -> u32 {
        self.hashes.push(hash);
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len() as i32);
        self.hashes.len() as u32 - 1
    }

    #[inline]
    fn get(&self, code: u32) -> &[u8] {
        let code = code as usize;
        &self.bytes[self.ends[code] as usize..self.ends[code + 1] as usize]
    }
}

/// Whether texts are equal: for short ones quicker than the call of a comparison of any length.
#[inline]
fn equal(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    match (left.first_chunk::<8>(), right.first_chunk::<8>(), left.last_chunk::<8>(), right.last_chunk::<8>())
    {
        (Some(left_first), Some(right_first), Some(left_last), Some(right_last)) if left.len() <= 16 => {
            left_first == right_first && left_last == right_last
        }
        (None, ..) => left.iter().zip(right).all(|(left, right)| left == right),
        _ => left == right,
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::Array;
    use arrow_array::cast::AsArray;
    use proptest::prelude::*;

    use super::*;

    fn coded(texts: &[String]) -> Option<Vec<String>> {
        let mut offsets = vec![0];
        let mut bytes = Vec::new();
        for text in texts {
            bytes.extend_from_slice(text.as_bytes());
            offsets.push(bytes.len() as i32);
        }
        let array = dictionary(&offsets, &bytes)?;
        assert!(array.values().len() * 8 <= texts.len() * DISTINCT_EIGHTHS);
        let values = array.values().as_string_view();
        Some(array.keys().values().iter().map(|code| values.value(*code as usize).to_owned()).collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn every_text_comes_back(
            rows in 0usize..3000,
            distinct in 1u64..2000,
            seed: u64,
            pieces in proptest::collection::vec("[a-c]{0,20}", 1..8),
        ) {
            let texts: Vec<String> = (0..rows as u64)
                .map(|row| {
                    let number = (row ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23) % distinct;
                    let piece = &pieces[number as usize % pieces.len()];
                    if number % 3 == 0 { piece.clone() } else { format!("{piece}{number}") }
                })
                .collect();
            let found = coded(&texts);
            if distinct <= 16 {
                prop_assert_eq!(found.is_some(), rows >= ROWS_MIN);
            }
            if let Some(found) = found {
                prop_assert_eq!(found, texts);
            }
        }
    }

    #[test]
    fn ids_are_left_as_they_are() {
        for rows in [256, 511, 512, 513, 4096] {
            let texts: Vec<String> = (0..rows).map(|row| format!("{row:x}")).collect();
            assert_eq!(coded(&texts), None, "{rows}");
        }
    }
}
