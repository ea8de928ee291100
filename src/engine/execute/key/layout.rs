//! Where in the packed words of a key each column's code stands.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, FixedSizeBinaryArray, Float64Array, Int32Array, Int64Array, UInt32Array,
};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use conshelf_kql::Type;

use crate::engine::error::{EngineError, Result};
use crate::engine::execute::columns;

/// The place of one column: its (first) word, the shift of its code there, and of its null bit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    word: usize,
    shift: u32,
    null_word: usize,
    null_shift: u32,
}

/// The places of all columns of a key.
#[derive(Debug)]
pub struct Layout {
    pub words: usize,
    pub places: Vec<Place>,
}

fn width(ty: Type) -> u32 {
    match ty {
        Type::Bool => 1,
        Type::Int | Type::String | Type::Dynamic => 32,
        Type::Long | Type::DateTime | Type::TimeSpan | Type::Real => 64,
        Type::Decimal | Type::Guid => 128,
    }
}

impl Layout {
    pub fn new(types: &[Type]) -> Layout {
        let mut used: Vec<u32> = Vec::new();
        let mut places = vec![Place::default(); types.len()];
        let place = |bits: u32, used: &mut Vec<u32>| -> (usize, u32) {
            if bits >= 64 {
                let word = used.len();
                used.extend(std::iter::repeat_n(64, (bits / 64) as usize));
                return (word, 0);
            }
            match used.iter().position(|taken| taken + bits <= 64) {
                Some(word) => {
                    used[word] += bits;
                    (word, used[word] - bits)
                }
                None => {
                    used.push(bits);
                    (used.len() - 1, 0)
                }
            }
        };
        for wide_first in [128, 64, 32, 1] {
            for (position, ty) in types.iter().enumerate().filter(|(_, ty)| width(**ty) == wide_first) {
                (places[position].word, places[position].shift) = place(width(*ty), &mut used);
            }
        }
        for (position, _) in types.iter().enumerate().filter(|(_, ty)| **ty != Type::String) {
            (places[position].null_word, places[position].null_shift) = place(1, &mut used);
        }
        Layout { words: used.len(), places }
    }

    /// Packs the codes an interner gave; the null bit where the column is null.
    pub fn put_codes(&self, words: &mut [u64], place: Place, codes: &[u32], key: &ArrayRef) {
        match key.nulls().filter(|nulls| nulls.null_count() > 0) {
            None => self.fill(words, place, codes.iter().map(|code| u64::from(*code))),
            Some(nulls) => {
                let codes = codes.iter().zip(nulls.iter());
                self.fill(words, place, codes.map(|(code, valid)| if valid { u64::from(*code) } else { 0 }));
                self.put_nulls(words, place, nulls);
            }
        }
    }

    /// Packs a column of fixed width.
    pub fn put(&self, words: &mut [u64], place: Place, ty: Type, key: &ArrayRef) -> Result<()> {
        let nulls = key.nulls().filter(|nulls| nulls.null_count() > 0);
        match ty {
            Type::Bool => {
                let values = columns::booleans(key)?;
                self.fill_masked(words, place, values.values().iter().map(u64::from), nulls);
            }
            Type::Int => {
                let values = columns::ints(key)?.values();
                self.fill_masked(words, place, values.iter().map(|value| u64::from(*value as u32)), nulls);
            }
            Type::Long | Type::DateTime | Type::TimeSpan => {
                let values = columns::longs(key)?.values();
                self.fill_masked(words, place, values.iter().map(|value| *value as u64), nulls);
            }
            Type::Real => {
                let values = columns::reals(key)?.values();
                self.fill_masked(words, place, values.iter().map(|value| canonical_bits(*value)), nulls);
            }
            Type::Decimal | Type::Guid => {
                let values = columns::bytes16(key)?;
                for row in 0..values.len() {
                    if values.is_valid(row) {
                        let (halves, _) = values.value(row).as_chunks::<8>();
                        for (half, bytes) in halves.iter().enumerate() {
                            words[row * self.words + place.word + half] = u64::from_be_bytes(*bytes);
                        }
                    }
                }
            }
            Type::String | Type::Dynamic => {
                return Err(EngineError::Internal(String::from("a key column without its interner")));
            }
        }
        if let Some(nulls) = nulls {
            self.put_nulls(words, place, nulls);
        }
        Ok(())
    }

    fn fill(&self, words: &mut [u64], place: Place, codes: impl Iterator<Item = u64>) {
        if self.words == 1 {
            for (word, code) in words.iter_mut().zip(codes) {
                *word |= code << place.shift;
            }
        } else {
            for (row, code) in words.chunks_exact_mut(self.words).zip(codes) {
                row[place.word] |= code << place.shift;
            }
        }
    }

    fn fill_masked(
        &self,
        words: &mut [u64],
        place: Place,
        codes: impl Iterator<Item = u64>,
        nulls: Option<&NullBuffer>,
    ) {
        match nulls {
            None => self.fill(words, place, codes),
            Some(nulls) => {
                let masked = codes.zip(nulls.iter()).map(|(code, valid)| if valid { code } else { 0 });
                self.fill(words, place, masked);
            }
        }
    }

    fn put_nulls(&self, words: &mut [u64], place: Place, nulls: &NullBuffer) {
        for (row, valid) in words.chunks_exact_mut(self.words).zip(nulls.iter()) {
            row[place.null_word] |= u64::from(!valid) << place.null_shift;
        }
    }

    fn is_null(&self, row: &[u64], place: Place) -> bool {
        row[place.null_word] >> place.null_shift & 1 == 1
    }

    fn nulls(&self, words: &[u64], place: Place) -> Option<NullBuffer> {
        let valid: BooleanBuffer =
            words.chunks_exact(self.words).map(|row| !self.is_null(row, place)).collect();
        Some(NullBuffer::new(valid)).filter(|nulls| nulls.null_count() > 0)
    }

    /// The interner's codes of every group; null where the key is null.
    pub fn codes(&self, words: &[u64], place: Place, ty: Type) -> UInt32Array {
        let codes: Vec<u32> =
            words.chunks_exact(self.words).map(|row| (row[place.word] >> place.shift) as u32).collect();
        let nulls = if ty == Type::String { None } else { self.nulls(words, place) };
        UInt32Array::new(codes.into(), nulls)
    }

    /// The column of every group.
    pub fn column(&self, words: &[u64], place: Place, ty: Type) -> Result<ArrayRef> {
        let nulls = self.nulls(words, place);
        let rows = words.chunks_exact(self.words);
        let codes = rows.clone().map(|row| row[place.word] >> place.shift);
        Ok(match ty {
            Type::Bool => {
                Arc::new(BooleanArray::new(codes.map(|code| code & 1 == 1).collect::<BooleanBuffer>(), nulls))
            }
            Type::Int => Arc::new(Int32Array::new(
                codes.map(|code| code as u32 as i32).collect::<Vec<_>>().into(),
                nulls,
            )),
            Type::Long | Type::DateTime | Type::TimeSpan => {
                Arc::new(Int64Array::new(codes.map(|code| code as i64).collect::<Vec<_>>().into(), nulls))
            }
            Type::Real => {
                Arc::new(Float64Array::new(codes.map(f64::from_bits).collect::<Vec<_>>().into(), nulls))
            }
            Type::Decimal | Type::Guid => {
                let bytes: Vec<u8> = rows
                    .flat_map(|row| {
                        let mut value = [0u8; 16];
                        value[..8].copy_from_slice(&row[place.word].to_be_bytes());
                        value[8..].copy_from_slice(&row[place.word + 1].to_be_bytes());
                        value
                    })
                    .collect();
                Arc::new(FixedSizeBinaryArray::try_new(16, bytes.into(), nulls)?)
            }
            Type::String | Type::Dynamic => {
                return Err(EngineError::Internal(String::from("a key column without its interner")));
            }
        })
    }
}

/// One pattern of bits for equal reals.
pub fn canonical_bits(value: f64) -> u64 {
    if value.is_nan() {
        f64::NAN.to_bits()
    } else if value == 0.0 {
        0
    } else {
        value.to_bits()
    }
}
