//! A split-block bloom filter of 64-bit hashes.
//!
//! The block and salt scheme is that of Apache Parquet ("Parquet Bloom Filter"): the high 32 bits of a hash
//! choose a block of 256 bits, the low 32 bits set one bit in each of its eight words.

use crate::encoding::input::{Decoded, Malformed};

const SALTS: [u32; 8] =
    [0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31];

pub(crate) const BLOCK_BYTES: usize = 32;

/// Bits a distinct term gets: about two percent of foreign terms seem to be there.
const BITS_PER_TERM: usize = 8;

/// Largest filter of one chunk.
const BLOCKS_MAX: usize = (1 << 20) / BLOCK_BYTES;

#[inline]
fn block_of(hash: u64, blocks: usize) -> usize {
    (((hash >> 32) * blocks as u64) >> 32) as usize
}

#[inline]
fn bit_of(hash: u64, word: usize) -> u32 {
    1 << ((hash as u32).wrapping_mul(SALTS[word]) >> 27)
}

/// The bytes of a filter that holds the hashes; `distinct` is about how many differ.
pub(crate) fn build(hashes: &[u64], distinct: usize) -> Vec<u8> {
    let mut out = Vec::new();
    append(hashes.iter().copied(), distinct, &mut out);
    out
}

/// Appends the bytes of such a filter.
pub(crate) fn append(hashes: impl Iterator<Item = u64>, distinct: usize, out: &mut Vec<u8>) {
    let blocks = (distinct * BITS_PER_TERM).div_ceil(BLOCK_BYTES * 8).clamp(1, BLOCKS_MAX);
    let mut words = vec![[0u32; 8]; blocks];
    for hash in hashes {
        let block = &mut words[block_of(hash, blocks)];
        for (word, slot) in block.iter_mut().enumerate() {
            *slot |= bit_of(hash, word);
        }
    }
    out.reserve(blocks * BLOCK_BYTES);
    words.as_flattened().iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
}

/// A filter in somebody else's bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bloom<'a> {
    blocks: &'a [[u8; BLOCK_BYTES]],
}

impl<'a> Bloom<'a> {
    pub fn new(bytes: &'a [u8]) -> Decoded<Bloom<'a>> {
        let (blocks, rest) = bytes.as_chunks::<BLOCK_BYTES>();
        if blocks.is_empty() || !rest.is_empty() {
            return Err(Malformed("a bloom filter of the wrong length"));
        }
        Ok(Bloom { blocks })
    }

    /// Whether the hash may be in the filter; `false` is certain.
    pub fn may_contain(&self, hash: u64) -> bool {
        let Some(block) = self.blocks.get(block_of(hash, self.blocks.len())) else { return true };
        block.as_chunks::<4>().0.iter().enumerate().all(|(word, bytes)| {
            let bit = bit_of(hash, word);
            u32::from_le_bytes(*bytes) & bit == bit
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_found_and_little_else() {
        let hash = |n: u64| xxhash_rust::xxh3::xxh3_64(&n.to_le_bytes());
        let added: Vec<u64> = (0..20_000).map(hash).collect();
        let bytes = build(&added, added.len());
        let bloom = Bloom::new(&bytes).expect("whole blocks");
        assert!(added.iter().all(|hash| bloom.may_contain(*hash)));
        let wrong = (100_000..200_000).filter(|n| bloom.may_contain(hash(*n))).count();
        assert!(wrong < 5_000, "{wrong} of 100,000 foreign hashes");
        assert!(Bloom::new(&bytes[1..]).is_err() && Bloom::new(&[]).is_err());
    }
}
