//! How the keys of a row become one number of 64 or 128 bits.
//!
//! Integers, times and reals are numbers already; texts get one from `texts`. Full widths are taken where all of
//! them fit. Where they do not, integers are narrowed to what the first rows hold, with room to both sides. A row
//! whose keys do not fit (or are null) is left to others: that follows from its keys alone, so that equal keys
//! are never counted in two places.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array};
use arrow_buffer::BooleanBuffer;
use conshelf_kql::Type;

use crate::engine::error::{EngineError, Result};
use crate::engine::execute::columns;
use crate::engine::execute::key::canonical_bits;

/// Bits of the number of a text.
pub const TEXT_BITS: u32 = 32;

/// A key in one number.
pub trait Word: Copy + Eq + Default + Send + Sync + 'static {
    fn put(&mut self, code: u64, shift: u32);
    fn get(self, shift: u32) -> u64;
    fn hash(self) -> u64;
}

const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;

fn folded(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    product as u64 ^ (product >> 64) as u64
}

impl Word for u64 {
    #[inline]
    fn put(&mut self, code: u64, shift: u32) {
        *self |= code << shift;
    }

    #[inline]
    fn get(self, shift: u32) -> u64 {
        self >> shift
    }

    #[inline]
    fn hash(self) -> u64 {
        folded(self ^ 0x2545_F491_4F6C_DD1D, MULTIPLIER)
    }
}

impl Word for u128 {
    #[inline]
    fn put(&mut self, code: u64, shift: u32) {
        *self |= u128::from(code) << shift;
    }

    #[inline]
    fn get(self, shift: u32) -> u64 {
        (self >> shift) as u64
    }

    #[inline]
    fn hash(self) -> u64 {
        let low = folded(self as u64 ^ 0x2545_F491_4F6C_DD1D, MULTIPLIER);
        folded(low ^ (self >> 64) as u64 ^ 0x517C_C1B7_2722_0A95, 0xD6E8_FEB8_6659_FD93)
    }
}

/// The place of one key: its number is what it exceeds `base` by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Field {
    ty: Type,
    base: i64,
    bits: u32,
    shift: u32,
}

/// The places of all keys.
#[derive(Clone, Debug)]
pub struct Shape {
    fields: Vec<Field>,
    pub bits: u32,
}

/// Bits of every value of a type; `None`: keys of that type do not become numbers.
pub fn width(ty: Type) -> Option<u32> {
    match ty {
        Type::Bool => Some(1),
        Type::Int => Some(32),
        Type::String => Some(TEXT_BITS),
        Type::Long | Type::DateTime | Type::TimeSpan | Type::Real => Some(64),
        Type::Decimal | Type::Guid | Type::Dynamic => None,
    }
}

impl Shape {
    /// The shape for keys like those of the first rows; `None`: they are too wide.
    pub fn of(types: &[Type], keys: &[ArrayRef]) -> Result<Option<Shape>> {
        let Some(full) = types.iter().map(|ty| width(*ty)).collect::<Option<Vec<u32>>>() else {
            return Ok(None);
        };
        let ranges = types.iter().zip(keys).map(|(ty, key)| range(*ty, key)).collect::<Result<Vec<_>>>()?;
        let is_int = |ty: Type| ty == Type::Int;
        let is_whole = |ty: Type| matches!(ty, Type::Int | Type::Long | Type::DateTime | Type::TimeSpan);
        let total: u32 = full.iter().sum();
        Ok(if total <= 64 {
            Some(Shape::place(types, &full, &ranges))
        } else if let Some(bits) = narrowed(types, &full, &ranges, 64, is_int) {
            Some(Shape::place(types, &bits, &ranges))
        } else if total <= 128 {
            Some(Shape::place(types, &full, &ranges))
        } else {
            narrowed(types, &full, &ranges, 128, is_whole).map(|bits| Shape::place(types, &bits, &ranges))
        })
    }

    fn place(types: &[Type], bits: &[u32], ranges: &[Option<(i64, i64)>]) -> Shape {
        let mut shift = 0;
        let fields = types
            .iter()
            .zip(bits)
            .zip(ranges)
            .map(|((ty, bits), range)| {
                let base = match (ty, range) {
                    (Type::Int, _) if *bits == 32 => i64::from(i32::MIN),
                    (_, Some((least, greatest))) if width(*ty) != Some(*bits) => {
                        let room = (1i64 << bits).saturating_sub(greatest.wrapping_sub(*least));
                        least.saturating_sub(room / 2)
                    }
                    _ => 0,
                };
                let field = Field { ty: *ty, base, bits: *bits, shift };
                shift += bits;
                field
            })
            .collect();
        Shape { fields, bits: shift }
    }

    /// The rows whose keys are numbers of this shape; `None`: all.
    pub fn fitting(&self, keys: &[ArrayRef]) -> Result<Option<BooleanBuffer>> {
        let mut fitting: Option<BooleanBuffer> = None;
        let mut keep = |rows: BooleanBuffer| {
            fitting = Some(match fitting.take() {
                Some(known) => &known & &rows,
                None => rows,
            });
        };
        for (field, key) in self.fields.iter().zip(keys) {
            if let Some(nulls) = key.nulls().filter(|nulls| nulls.null_count() > 0) {
                keep(nulls.inner().clone());
            }
            if width(field.ty) == Some(field.bits) {
                continue;
            }
            let inside =
                |value: i64| value >= field.base && value.wrapping_sub(field.base) as u64 >> field.bits == 0;
            // A null may stand on any value.
            match range(field.ty, key)? {
                Some((least, greatest)) if inside(least) && inside(greatest) => {}
                None => {}
                Some(_) if field.ty == Type::Int => {
                    let values = columns::ints(key)?.values();
                    keep(BooleanBuffer::collect_bool(values.len(), |row| inside(i64::from(values[row]))));
                }
                Some(_) => {
                    let values = columns::longs(key)?.values();
                    keep(BooleanBuffer::collect_bool(values.len(), |row| inside(values[row])));
                }
            }
        }
        Ok(fitting)
    }

    /// The keys of rows that all fit; `texts` has the numbers of each text column.
    pub fn pack<W: Word>(&self, keys: &[ArrayRef], texts: &[Vec<u32>], rows: usize) -> Result<Vec<W>> {
        let mut words = vec![W::default(); rows];
        for ((field, key), texts) in self.fields.iter().zip(keys).zip(texts) {
            let Field { base, shift, .. } = *field;
            match field.ty {
                Type::Bool => {
                    put(&mut words, shift, columns::booleans(key)?.values().iter().map(u64::from));
                }
                Type::Int => {
                    let values = columns::ints(key)?.values().iter();
                    put(&mut words, shift, values.map(|value| i64::from(*value).wrapping_sub(base) as u64));
                }
                Type::Long | Type::DateTime | Type::TimeSpan => {
                    let values = columns::longs(key)?.values().iter();
                    put(&mut words, shift, values.map(|value| value.wrapping_sub(base) as u64));
                }
                Type::Real => {
                    let values = columns::reals(key)?.values().iter();
                    put(&mut words, shift, values.map(|value| canonical_bits(*value)));
                }
                Type::String => put(&mut words, shift, texts.iter().map(|code| u64::from(*code))),
                Type::Decimal | Type::Guid | Type::Dynamic => return Err(no_number()),
            }
        }
        Ok(words)
    }

    /// The number of the key at a position, of each word.
    pub fn codes<'a, W: Word>(
        &self,
        position: usize,
        words: &'a [W],
    ) -> impl Iterator<Item = u64> + Clone + 'a {
        let Field { bits, shift, .. } = self.fields[position];
        let mask = if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
        words.iter().map(move |word| word.get(shift) & mask)
    }

    /// The column of the key at a position, which is no text.
    pub fn column<W: Word>(&self, position: usize, words: &[W]) -> Result<ArrayRef> {
        let Field { ty, base, .. } = self.fields[position];
        let codes = self.codes(position, words);
        let wholes = codes.clone().map(|code| base.wrapping_add(code as i64));
        Ok(match ty {
            Type::Bool => {
                Arc::new(BooleanArray::new(codes.map(|code| code != 0).collect::<BooleanBuffer>(), None))
            }
            Type::Int => Arc::new(Int32Array::from_iter_values(wholes.map(|value| value as i32))),
            Type::Long | Type::DateTime | Type::TimeSpan => Arc::new(Int64Array::from_iter_values(wholes)),
            Type::Real => Arc::new(Float64Array::from_iter_values(codes.map(f64::from_bits))),
            Type::String | Type::Decimal | Type::Guid | Type::Dynamic => return Err(no_number()),
        })
    }
}

fn no_number() -> EngineError {
    EngineError::Internal(String::from("a key column that is no number"))
}

fn put<W: Word>(words: &mut [W], shift: u32, codes: impl Iterator<Item = u64>) {
    for (word, code) in words.iter_mut().zip(codes) {
        word.put(code, shift);
    }
}

/// Least and greatest of a column of integers or times, nulls counted as what stands in their place.
fn range(ty: Type, key: &ArrayRef) -> Result<Option<(i64, i64)>> {
    let bounds = |values: &[i64]| Some((*values.iter().min()?, *values.iter().max()?));
    Ok(match ty {
        Type::Int => {
            let values = columns::ints(key)?.values();
            values.iter().min().zip(values.iter().max()).map(|(min, max)| (i64::from(*min), i64::from(*max)))
        }
        Type::Long | Type::DateTime | Type::TimeSpan => bounds(columns::longs(key)?.values()),
        _ => None,
    })
}

/// Bits of each key where those of some types take no more than their range needs and an equal share of what is
/// left of `budget`; `None`: there is not enough.
fn narrowed(
    types: &[Type],
    full: &[u32],
    ranges: &[Option<(i64, i64)>],
    budget: u32,
    narrows: impl Fn(Type) -> bool,
) -> Option<Vec<u32>> {
    let needed: Vec<u32> = types
        .iter()
        .zip(full)
        .zip(ranges)
        .map(|((ty, full), range)| match range {
            Some((least, greatest)) if narrows(*ty) => {
                // One more than needed: the range lies in the middle.
                let range = greatest.wrapping_sub(*least) as u64;
                (64 - range.leading_zeros() + 1).min(*full)
            }
            _ => *full,
        })
        .collect();
    let count = types.iter().filter(|ty| narrows(**ty)).count() as u32;
    let spare = budget.checked_sub(needed.iter().sum())?.checked_div(count)?;
    let widened = types.iter().zip(full).zip(&needed);
    let bits = widened.map(|((ty, full), needed)| match narrows(*ty) {
        // A base must not go beyond the least integer.
        true if needed + spare >= *full => *full,
        true => (needed + spare).min(62),
        false => *needed,
    });
    Some(bits.collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = Option<i64>> {
        prop_oneof![
            8 => (-40i64..5_000).prop_map(Some),
            2 => any::<i64>().prop_map(Some),
            1 => Just(Some(i64::MIN)),
            1 => Just(Some(i64::MAX)),
            1 => Just(None),
        ]
    }

    fn columns_of(types: &[Type], rows: &[[Option<i64>; 4]]) -> Vec<ArrayRef> {
        let column = |(position, ty): (usize, &Type)| {
            let values = rows.iter().map(|row| row[position]);
            match ty {
                Type::Int => {
                    Arc::new(Int32Array::from_iter(values.map(|value| value.map(|v| v as i32)))) as _
                }
                _ => Arc::new(Int64Array::from_iter(values)) as ArrayRef,
            }
        };
        types.iter().enumerate().map(column).collect()
    }

    proptest! {
        #[test]
        fn keys_that_fit_come_back(
            types in prop::collection::vec(prop_oneof![Just(Type::Int), Just(Type::Long)], 1..5),
            first in prop::collection::vec([value(), value(), value(), value()], 0..8),
            rows in prop::collection::vec([value(), value(), value(), value()], 0..40),
        ) {
            let Some(shape) = Shape::of(&types, &columns_of(&types, &first)).unwrap() else { return Ok(()) };
            prop_assert!(shape.bits <= 128);
            let keys = columns_of(&types, &rows);
            let fitting = shape.fitting(&keys).unwrap();
            let fits = |row: usize| fitting.as_ref().is_none_or(|fitting| fitting.value(row));
            let inside: Vec<[Option<i64>; 4]> = (0..rows.len()).filter(|row| fits(*row)).map(|row| rows[row]).collect();
            let keys = columns_of(&types, &inside);
            let none = vec![Vec::new(); types.len()];
            let again: Vec<ArrayRef> = if shape.bits <= 64 {
                let words: Vec<u64> = shape.pack(&keys, &none, inside.len()).unwrap();
                (0..types.len()).map(|position| shape.column(position, &words).unwrap()).collect()
            } else {
                let words: Vec<u128> = shape.pack(&keys, &none, inside.len()).unwrap();
                (0..types.len()).map(|position| shape.column(position, &words).unwrap()).collect()
            };
            for (key, again) in keys.iter().zip(&again) {
                prop_assert_eq!(key.null_count(), 0);
                prop_assert_eq!(key.to_data(), again.to_data());
            }
            // The first rows fit but for their nulls.
            if types.iter().all(|ty| *ty == Type::Int) {
                let keys = columns_of(&types, &first);
                let fitting = shape.fitting(&keys).unwrap();
                for row in 0..first.len() {
                    let is_null = keys.iter().any(|key| key.is_null(row));
                    prop_assert_eq!(fitting.as_ref().is_none_or(|fitting| fitting.value(row)), !is_null);
                }
            }
        }
    }
}
