//! Which rows of a row group meet the conditions of a scan, kept from one query to the next.
//!
//! A row group never changes, so what was found of it once holds. The conditions that all of its rows meet by
//! its statistics are no part of the key: a bound that moves with the time leaves row groups within it known.
//! Knows nothing of how conditions are evaluated.

use std::sync::Arc;

use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};

use crate::engine::cache::{CacheKey, CacheUse, Keep, QueryCache};
use crate::engine::execute::Executor;
use crate::engine::stored::{self, Reader, Writer};

/// Rows of a row group that meet conditions.
#[derive(Clone, Debug, PartialEq)]
pub enum Selection {
    None,
    All,
    Some(BooleanBuffer),
}

/// A selection as it is kept: at most 8 KB for a row group.
#[derive(Debug, PartialEq)]
pub enum Kept {
    None,
    All,
    /// Few rows, by number.
    Rows(Vec<u16>),
    Bits(BooleanBuffer),
}

/// u8: 0 none, 1 all, 2 the rows as u16, 3 number of rows and a bitmap.
impl Keep for Kept {
    fn form() -> u8 {
        stored::SELECTION
    }

    fn encode(&self, out: &mut Vec<u8>) -> bool {
        let mut out = Writer(out);
        match self {
            Kept::None => out.number(0u8),
            Kept::All => out.number(1u8),
            Kept::Rows(list) => {
                out.number(2u8);
                out.numbers(list);
            }
            Kept::Bits(bits) => {
                out.number(3u8);
                stored::put_bits(&mut out, bits);
            }
        }
        true
    }

    fn decode(bytes: &[u8]) -> Option<Kept> {
        let mut from = Reader(bytes);
        let kept = match from.number::<u8>().ok()? {
            0 => Kept::None,
            1 => Kept::All,
            2 => Kept::Rows(from.numbers().ok()?),
            3 => Kept::Bits(stored::take_bits(&mut from)?),
            _ => return None,
        };
        from.0.is_empty().then_some(kept)
    }
}

/// What a scan looks up and keeps.
pub struct Selections {
    cache: Arc<QueryCache>,
    how: CacheUse,
    /// When the scan began, by the cache's clock.
    started: u64,
}

impl Selections {
    /// `None`: this run of a plan keeps nothing.
    pub fn of(executor: &Executor) -> Option<Selections> {
        let cache = executor.cache.as_ref().filter(|_| !executor.nested)?;
        Some(Selections {
            cache: cache.clone(),
            how: executor.query.settings.cache_use,
            started: cache.now(),
        })
    }

    /// The selection of `rows` rows, if it is known.
    pub fn get(&self, key: &CacheKey, rows: usize) -> Option<Selection> {
        if self.how != CacheUse::Use {
            return None;
        }
        Some(match &*self.cache.get::<Kept>(key)? {
            Kept::None => Selection::None,
            Kept::All => Selection::All,
            Kept::Bits(bits) if bits.len() == rows => Selection::Some(bits.clone()),
            Kept::Bits(_) => return None,
            Kept::Rows(list) if list.iter().any(|row| usize::from(*row) >= rows) => return None,
            Kept::Rows(list) => {
                let mut bits = BooleanBufferBuilder::new(rows);
                bits.append_n(rows, false);
                list.iter().for_each(|row| bits.set_bit(usize::from(*row), true));
                Selection::Some(bits.finish())
            }
        })
    }

    pub fn put(&self, key: CacheKey, selection: &Selection) {
        let (kept, bytes) = match selection {
            Selection::None => (Kept::None, 0),
            Selection::All => (Kept::All, 0),
            Selection::Some(bits) => {
                let count = bits.count_set_bits();
                if bits.len() <= usize::from(u16::MAX) + 1 && count * 16 < bits.len() {
                    (Kept::Rows(bits.set_indices().map(|row| row as u16).collect()), count * 2)
                } else {
                    // A copy of its own: the buffer may be a part of a larger one.
                    (Kept::Bits(bits.iter().collect()), bits.len().div_ceil(8))
                }
            }
        };
        self.cache.put(key, Arc::new(kept), (bytes + size_of::<Kept>()) as u64, self.started);
    }
}

/// The selection `inner` of the rows that `outer` selects, as a selection of all rows.
pub fn within(outer: &BooleanBuffer, inner: &BooleanBuffer) -> BooleanBuffer {
    let mut builder = BooleanBufferBuilder::new(outer.len());
    builder.append_n(outer.len(), false);
    for (index, row) in outer.set_indices().enumerate() {
        if inner.value(index) {
            builder.set_bit(row, true);
        }
    }
    builder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn selections_come_back_as_they_were() {
        let cache = QueryCache::of(1 << 20).expect("cache");
        let selections = Selections { started: cache.now(), cache, how: CacheUse::Use };
        let every = |step: usize, rows: usize| {
            Selection::Some(BooleanBuffer::collect_bool(rows, |row| row % step == 0))
        };
        let cases = [
            (Selection::None, 10),
            (Selection::All, 10),
            (every(2, 65_536), 65_536),
            (every(100, 65_536), 65_536),
            (every(65_535, 65_536), 65_536),
            (every(1_000, 100_000), 100_000),
        ];
        for (number, (selection, rows)) in cases.into_iter().enumerate() {
            let key = CacheKey { extent: Uuid::nil(), fingerprint: number as u128 };
            assert_eq!(selections.get(&key, rows), None);
            selections.put(key, &selection);
            assert_eq!(selections.get(&key, rows), Some(selection));
        }
    }
}
