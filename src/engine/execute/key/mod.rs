//! Keys of groups and joins: rows in, dense group numbers out.
//!
//! Every key column becomes a code of fixed width: integers and times their value, reals their canonical
//! bits (all NaN are one, -0.0 is 0.0), texts and dynamic values the number an `Interner` gives them. The
//! codes of a row are packed into 64-bit words, with a bit for null, and the words are hashed. A null is
//! equal to a null. Group numbers count up from zero in the order in which keys first appear.

mod interner;
mod layout;
mod local;
pub mod partition;
mod slots;

use arrow_array::{Array, ArrayRef, UInt32Array};
use conshelf_kql::Type;
use hashbrown::HashTable;

use crate::engine::error::{EngineError, Result};
use crate::engine::execute::columns;
pub(super) use interner::{INLINE as INLINE_BYTES, Interner, hash_text};
use layout::Layout;
pub(super) use layout::canonical_bits;
pub(super) use slots::{STEP, Slots};

/// No group: a key that was looked for and is not there.
pub const NONE: u32 = u32::MAX;

/// Batches of fewer rows are not worth numbering among themselves first.
const LOCAL_ROWS: usize = 1_024;

/// Largest number of groups.
const GROUPS_MAX: usize = (u32::MAX - 1) as usize;

/// The groups of some key columns.
pub struct KeyTable {
    types: Vec<Type>,
    layout: Layout,
    interners: Vec<Option<Interner>>,
    index: Index,
    /// Packed words per row, kept between batches.
    scratch: Vec<u64>,
}

enum Index {
    /// No key columns: one group once there is a row.
    Single {
        seen: bool,
    },
    /// One text column: the interner's number is the group.
    Text,
    One(WordIndex<1>),
    Two(WordIndex<2>),
    Three(WordIndex<3>),
    Four(WordIndex<4>),
    Many(ManyIndex),
}

impl KeyTable {
    pub fn new(types: &[Type]) -> KeyTable {
        let layout = Layout::new(types);
        let interners = types.iter().map(|ty| Interner::of(*ty)).collect();
        let index = match (types, layout.words) {
            ([], _) => Index::Single { seen: false },
            ([Type::String], _) => Index::Text,
            (_, 1) => Index::One(WordIndex::default()),
            (_, 2) => Index::Two(WordIndex::default()),
            (_, 3) => Index::Three(WordIndex::default()),
            (_, 4) => Index::Four(WordIndex::default()),
            (_, words) => Index::Many(ManyIndex { words, ..ManyIndex::default() }),
        };
        KeyTable { types: types.to_vec(), layout, interners, index, scratch: Vec::new() }
    }

    /// Number of groups.
    pub fn len(&self) -> usize {
        match &self.index {
            Index::Single { seen } => usize::from(*seen),
            Index::Text => self.interners.first().and_then(Option::as_ref).map_or(0, Interner::len),
            Index::One(index) => index.keys.len(),
            Index::Two(index) => index.keys.len(),
            Index::Three(index) => index.keys.len(),
            Index::Four(index) => index.keys.len(),
            Index::Many(index) => index.keys.len() / index.words,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        let interners: usize = self.interners.iter().flatten().map(Interner::memory_bytes).sum();
        let index = match &self.index {
            Index::Single { .. } | Index::Text => 0,
            Index::One(index) => index.memory_bytes(),
            Index::Two(index) => index.memory_bytes(),
            Index::Three(index) => index.memory_bytes(),
            Index::Four(index) => index.memory_bytes(),
            Index::Many(index) => index.keys.capacity() * 8 + index.table.allocation_size(),
        };
        interners + index + self.scratch.capacity() * 8
    }

    /// The group of every row, new ones made as needed.
    pub fn assign(&mut self, keys: &[ArrayRef], rows: usize, groups: &mut Vec<u32>) -> Result<()> {
        groups.clear();
        match &mut self.index {
            Index::Single { seen } => {
                *seen |= rows > 0;
                groups.resize(rows, 0);
                return Ok(());
            }
            Index::Text => {
                let (Some(Some(interner)), Some(key)) = (self.interners.first_mut(), keys.first()) else {
                    return Err(EngineError::Internal(String::from("a text key without its column")));
                };
                return interner.assign(key, groups);
            }
            _ => {}
        }
        if rows >= LOCAL_ROWS
            && let Some(local) = local::codes(&self.types, keys, rows)?
        {
            let picks = UInt32Array::from(local.representatives);
            let firsts =
                keys.iter().map(|key| columns::take_column(key, &picks)).collect::<Result<Vec<_>>>()?;
            let mut group_of = Vec::new();
            self.assign_rows(&firsts, picks.len(), &mut group_of)?;
            groups.extend(local.codes.iter().map(|code| group_of[*code as usize]));
            return Ok(());
        }
        self.assign_rows(keys, rows, groups)
    }

    /// `assign` of rows of one partition, with their hashes as `partition` computes them if they are known.
    pub fn assign_spread(
        &mut self,
        keys: &[ArrayRef],
        rows: usize,
        hashes: Option<&[u64]>,
        groups: &mut Vec<u32>,
    ) -> Result<()> {
        if let (Index::Text, Some(Some(interner)), [key], Some(hashes)) =
            (&self.index, self.interners.first_mut(), keys, hashes)
            && columns::as_dictionary(key).is_none()
        {
            return interner.assign_hashed(key, hashes, groups);
        }
        match self.index {
            Index::Single { .. } | Index::Text => self.assign(keys, rows, groups),
            // Keys that were spread hardly repeat themselves in one batch.
            _ => {
                groups.clear();
                self.assign_rows(keys, rows, groups)
            }
        }
    }

    fn assign_rows(&mut self, keys: &[ArrayRef], rows: usize, groups: &mut Vec<u32>) -> Result<()> {
        self.scratch.clear();
        self.scratch.resize(rows * self.layout.words, 0);
        for (position, key) in keys.iter().enumerate() {
            let place = self.layout.places[position];
            match &mut self.interners[position] {
                Some(interner) => {
                    interner.assign(key, groups)?;
                    self.layout.put_codes(&mut self.scratch, place, groups, key);
                }
                None => self.layout.put(&mut self.scratch, place, self.types[position], key)?,
            }
        }
        groups.clear();
        groups.reserve(rows);
        match &mut self.index {
            Index::Single { .. } | Index::Text => {}
            Index::One(index) => index.assign(&self.scratch, groups),
            Index::Two(index) => index.assign(&self.scratch, groups),
            Index::Three(index) => index.assign(&self.scratch, groups),
            Index::Four(index) => index.assign(&self.scratch, groups),
            Index::Many(index) => index.assign(&self.scratch, groups),
        }
        if self.len() > GROUPS_MAX {
            return Err(EngineError::Evaluation(String::from("more groups than can be counted")));
        }
        Ok(())
    }

    /// The group of every row, `NONE` where the key is not known.
    pub fn find(&self, keys: &[ArrayRef], rows: usize, groups: &mut Vec<u32>) -> Result<()> {
        groups.clear();
        if let Index::Single { seen } = &self.index {
            groups.resize(rows, if *seen { 0 } else { NONE });
            return Ok(());
        }
        if let (Index::Text, Some(Some(interner)), Some(key)) =
            (&self.index, self.interners.first(), keys.first())
        {
            return interner.find(key, groups);
        }
        let mut words = vec![0u64; rows * self.layout.words];
        let mut missing = vec![false; rows];
        for (position, key) in keys.iter().enumerate() {
            let place = self.layout.places[position];
            match &self.interners[position] {
                Some(interner) => {
                    interner.find(key, groups)?;
                    for (row, code) in groups.iter_mut().enumerate() {
                        if *code == NONE && key.is_valid(row) {
                            missing[row] = true;
                        }
                    }
                    self.layout.put_codes(&mut words, place, groups, key);
                }
                None => self.layout.put(&mut words, place, self.types[position], key)?,
            }
        }
        groups.clear();
        groups.reserve(rows);
        match &self.index {
            Index::Single { .. } | Index::Text => {}
            Index::One(index) => index.find(&words, groups),
            Index::Two(index) => index.find(&words, groups),
            Index::Three(index) => index.find(&words, groups),
            Index::Four(index) => index.find(&words, groups),
            Index::Many(index) => index.find(&words, groups),
        }
        for (group, missing) in groups.iter_mut().zip(missing) {
            if missing {
                *group = NONE;
            }
        }
        Ok(())
    }

    /// The key columns, one value per group.
    pub fn columns(&self) -> Result<Vec<ArrayRef>> {
        let words: &[u64] = match &self.index {
            Index::Single { .. } => return Ok(Vec::new()),
            Index::Text => {
                let interner = self.interners.first().and_then(Option::as_ref);
                return Ok(interner.map(Interner::array).transpose()?.into_iter().collect());
            }
            Index::One(index) => index.keys.as_flattened(),
            Index::Two(index) => index.keys.as_flattened(),
            Index::Three(index) => index.keys.as_flattened(),
            Index::Four(index) => index.keys.as_flattened(),
            Index::Many(index) => &index.keys,
        };
        (0..self.types.len())
            .map(|position| {
                let place = self.layout.places[position];
                match &self.interners[position] {
                    Some(interner) => {
                        let codes = self.layout.codes(words, place, self.types[position]);
                        columns::take_column(&interner.array()?, &codes)
                    }
                    None => self.layout.column(words, place, self.types[position]),
                }
            })
            .collect()
    }
}

/// Mixes one more word into a hash.
fn mix(hash: u64, word: u64) -> u64 {
    let product = u128::from(hash ^ word ^ 0x9E37_79B9_7F4A_7C15) * 0xD6E8_FEB8_6659_FD93_u128;
    (product as u64) ^ ((product >> 64) as u64)
}

fn hash_words(words: &[u64]) -> u64 {
    words.iter().fold(0x2545_F491_4F6C_DD1D, |hash, word| mix(hash, *word))
}

/// Groups by keys of `N` words.
struct WordIndex<const N: usize> {
    slots: Slots,
    keys: Vec<[u64; N]>,
}

impl<const N: usize> Default for WordIndex<N> {
    fn default() -> Self {
        WordIndex { slots: Slots::default(), keys: Vec::new() }
    }
}

impl<const N: usize> WordIndex<N> {
    fn assign(&mut self, words: &[u64], groups: &mut Vec<u32>) {
        let (rows, _) = words.as_chunks::<N>();
        let (mut hashes, mut found) = ([0; STEP], [NONE; STEP]);
        for rows in rows.chunks(STEP) {
            let keys = &self.keys;
            self.slots.reserve(rows.len(), |number| hash_words(&keys[number as usize]));
            self.look_up(rows, &mut hashes, &mut found);
            for ((key, hash), group) in rows.iter().zip(hashes).zip(found) {
                groups.push(if group == NONE { self.group(key, hash) } else { group });
            }
        }
    }

    /// Hashes up to `STEP` keys and finds the groups of those that are where they are looked for first.
    fn look_up(&self, rows: &[[u64; N]], hashes: &mut [u64; STEP], found: &mut [u32; STEP]) {
        let mut last = None;
        for (key, place) in rows.iter().zip(0..) {
            hashes[place] = match last {
                Some((known, hash)) if known == key => hash,
                _ => hash_words(key),
            };
            last = Some((key, hashes[place]));
        }
        let mut candidates = [None; STEP];
        self.slots.candidates(&hashes[..rows.len()], &mut candidates);
        for ((key, candidate), group) in rows.iter().zip(candidates).zip(found) {
            *group = candidate.filter(|number| self.keys[*number as usize] == *key).unwrap_or(NONE);
        }
    }

    fn find_one(&self, key: &[u64; N], hash: u64) -> Option<u32> {
        self.slots.find(hash, |number| self.keys[number as usize] == *key)
    }

    fn group(&mut self, key: &[u64; N], hash: u64) -> u32 {
        if let Some(group) = self.find_one(key, hash) {
            return group;
        }
        let group = self.keys.len() as u32;
        self.slots.insert(hash, group);
        self.keys.push(*key);
        group
    }

    fn find(&self, words: &[u64], groups: &mut Vec<u32>) {
        let (rows, _) = words.as_chunks::<N>();
        let (mut hashes, mut found) = ([0; STEP], [NONE; STEP]);
        for rows in rows.chunks(STEP) {
            self.look_up(rows, &mut hashes, &mut found);
            for ((key, hash), group) in rows.iter().zip(hashes).zip(found) {
                groups.push(if group == NONE { self.find_one(key, hash).unwrap_or(NONE) } else { group });
            }
        }
    }

    fn memory_bytes(&self) -> usize {
        self.keys.capacity() * N * 8 + self.slots.memory_bytes()
    }
}

/// Groups by keys of many words.
#[derive(Default)]
struct ManyIndex {
    words: usize,
    table: HashTable<u32>,
    keys: Vec<u64>,
}

impl ManyIndex {
    fn assign(&mut self, rows: &[u64], groups: &mut Vec<u32>) {
        let words = self.words;
        for key in rows.chunks_exact(words) {
            let keys = &self.keys;
            let of = |group: &u32| &keys[*group as usize * words..][..words];
            let hash = hash_words(key);
            if let Some(group) = self.table.find(hash, |group| of(group) == key) {
                groups.push(*group);
                continue;
            }
            let group = (self.keys.len() / words) as u32;
            self.table.insert_unique(hash, group, |group| hash_words(of(group)));
            self.keys.extend_from_slice(key);
            groups.push(group);
        }
    }

    fn find(&self, rows: &[u64], groups: &mut Vec<u32>) {
        let words = self.words;
        groups.extend(rows.chunks_exact(words).map(|key| {
            let of = |group: &u32| &self.keys[*group as usize * words..][..words];
            self.table.find(hash_words(key), |group| of(group) == key).copied().unwrap_or(NONE)
        }));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::types::UInt32Type;
    use arrow_array::{DictionaryArray, Float64Array, Int32Array, Int64Array, StringViewArray, UInt32Array};

    use super::*;

    fn groups_of(types: &[Type], keys: &[ArrayRef]) -> (Vec<u32>, Vec<ArrayRef>) {
        let mut table = KeyTable::new(types);
        let mut groups = Vec::new();
        let rows = keys[0].len();
        table.assign(keys, rows, &mut groups).unwrap();
        let mut again = Vec::new();
        table.find(keys, rows, &mut again).unwrap();
        assert_eq!(groups, again);
        (groups, table.columns().unwrap())
    }

    #[test]
    fn nulls_and_special_reals() {
        let keys: ArrayRef = Arc::new(Float64Array::from(vec![
            Some(0.0),
            Some(-0.0),
            None,
            Some(f64::NAN),
            None,
            Some(-f64::NAN),
            Some(1.5),
        ]));
        let (groups, columns) = groups_of(&[Type::Real], &[keys]);
        assert_eq!(groups, [0, 0, 1, 2, 1, 2, 3]);
        assert_eq!(columns[0].len(), 4);
        assert!(columns[0].is_null(1));
    }

    #[test]
    fn texts_are_case_sensitive_and_dictionaries_agree() {
        let flat: ArrayRef = Arc::new(StringViewArray::from_iter_values([
            "a",
            "A",
            "a long text that is not inlined",
            "a",
            "",
            "a long text that is not inlineD",
        ]));
        let (groups, columns) = groups_of(&[Type::String], std::slice::from_ref(&flat));
        assert_eq!(groups, [0, 1, 2, 0, 3, 4]);
        let dictionary: ArrayRef = Arc::new(
            DictionaryArray::<UInt32Type>::try_new(UInt32Array::from(vec![0, 1, 2, 0, 4, 5]), flat).unwrap(),
        );
        let (again, columns_again) = groups_of(&[Type::String], &[dictionary]);
        assert_eq!(groups, again);
        assert_eq!(&columns[0], &columns_again[0]);
    }

    #[test]
    fn large_batches_are_numbered_as_small_ones() {
        let rows = 5_000usize;
        let scramble = |row: usize| row.wrapping_mul(2_654_435_761) >> 7;
        let texts = StringViewArray::from_iter_values(["info", "", "error", "warning"]);
        let codes = UInt32Array::from_iter_values((0..rows).map(|row| (scramble(row) % 4) as u32));
        let columns: Vec<(Type, ArrayRef)> = vec![
            (Type::String, Arc::new(DictionaryArray::<UInt32Type>::try_new(codes, Arc::new(texts)).unwrap())),
            (
                Type::Int,
                Arc::new(
                    (0..rows)
                        .map(|row| (row % 7 != 0).then_some((scramble(row) % 9) as i32))
                        .collect::<Int32Array>(),
                ),
            ),
            (
                Type::DateTime,
                Arc::new(
                    (0..rows)
                        .map(|row| (row % 11 != 0).then_some((row / 100 * 600) as i64))
                        .collect::<Int64Array>(),
                ),
            ),
            (
                Type::Bool,
                Arc::new(
                    (0..rows)
                        .map(|row| [Some(true), Some(false), None][scramble(row) % 3])
                        .collect::<arrow_array::BooleanArray>(),
                ),
            ),
            (
                Type::Long,
                Arc::new((0..rows).map(|row| Some(scramble(row) as i64 % 3_000)).collect::<Int64Array>()),
            ),
        ];
        for chosen in [&[0, 1][..], &[1], &[2, 0], &[3], &[3, 2, 1, 0], &[4], &[4, 0], &[0, 3]] {
            let types: Vec<Type> = chosen.iter().map(|index| columns[*index].0).collect();
            let keys: Vec<ArrayRef> = chosen.iter().map(|index| columns[*index].1.clone()).collect();
            let (mut whole, mut pieces) = (KeyTable::new(&types), KeyTable::new(&types));
            let (mut groups, mut part, mut all) = (Vec::new(), Vec::new(), Vec::new());
            whole.assign(&keys, rows, &mut groups).unwrap();
            for start in (0..rows).step_by(500) {
                let keys: Vec<ArrayRef> = keys.iter().map(|key| key.slice(start, 500)).collect();
                pieces.assign(&keys, 500, &mut part).unwrap();
                all.extend_from_slice(&part);
            }
            assert_eq!(groups, all, "{chosen:?}");
            assert_eq!(whole.columns().unwrap(), pieces.columns().unwrap(), "{chosen:?}");
        }
    }

    #[test]
    fn texts_with_their_hashes_are_numbered_as_without() {
        let texts = |step: usize| -> ArrayRef {
            let long = |row: usize| format!("https://example.com/{}", row * step % 700);
            let value =
                |row: usize| if row.is_multiple_of(3) { long(row) } else { (row * step % 90).to_string() };
            Arc::new(StringViewArray::from_iter_values((0..3_000).map(value)))
        };
        let (mut hashed, mut plain) = (KeyTable::new(&[Type::String]), KeyTable::new(&[Type::String]));
        let (mut groups, mut expected) = (Vec::new(), Vec::new());
        for step in [7, 1, 11] {
            let spread = partition::spread(&[Type::String], &[texts(step)], 3_000, 4).unwrap();
            let order = UInt32Array::from(spread.order);
            let keys = [columns::take_column(&texts(step), &order).unwrap()];
            hashed.assign_spread(&keys, spread.hashes.len(), Some(&spread.hashes), &mut groups).unwrap();
            plain.assign(&keys, keys[0].len(), &mut expected).unwrap();
            assert_eq!(groups, expected);
            hashed.find(&keys, keys[0].len(), &mut groups).unwrap();
            assert_eq!(groups, expected);
        }
        assert_eq!(hashed.columns().unwrap(), plain.columns().unwrap());
    }

    #[test]
    fn packed_columns_come_back() {
        let types = [
            Type::Int,
            Type::String,
            Type::Long,
            Type::Bool,
            Type::Guid,
            Type::Real,
            Type::DateTime,
            Type::Int,
        ];
        let guid = |n: u8| [n; 16];
        let keys: Vec<ArrayRef> = vec![
            Arc::new(Int32Array::from(vec![Some(-1), None, Some(-1), Some(7)])),
            Arc::new(StringViewArray::from_iter_values(["x", "y", "x", ""])),
            Arc::new(Int64Array::from(vec![Some(i64::MIN), Some(0), Some(i64::MIN), None])),
            Arc::new(arrow_array::BooleanArray::from(vec![Some(true), None, Some(true), Some(false)])),
            Arc::new(
                arrow_array::FixedSizeBinaryArray::try_from_sparse_iter_with_size(
                    [Some(guid(1)), None, Some(guid(1)), Some(guid(9))].into_iter(),
                    16,
                )
                .unwrap(),
            ),
            Arc::new(Float64Array::from(vec![Some(1.0), None, Some(1.0), Some(-2.0)])),
            Arc::new(Int64Array::from(vec![Some(5), Some(6), Some(5), None])),
            Arc::new(Int32Array::from(vec![None, Some(3), None, Some(0)])),
        ];
        let (groups, columns) = groups_of(&types, &keys);
        assert_eq!(groups, [0, 1, 0, 2]);
        let pick = UInt32Array::from(vec![0, 1, 3]);
        for (column, key) in columns.iter().zip(&keys) {
            assert_eq!(column, &columns::take_column(key, &pick).unwrap());
        }
    }
}
