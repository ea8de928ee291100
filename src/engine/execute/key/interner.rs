//! Numbers for distinct texts and dynamic values, in the order in which they first appear.

use std::hash::{BuildHasher, Hasher};
use std::ops::Range;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BinaryViewArray, StringViewArray};
use arrow_buffer::Buffer;
use arrow_data::ByteView;
use conshelf_kql::Type;
use conshelf_storage::dynamic::{self, DynamicRef};
use foldhash::fast::FixedState;

use super::slots::{STEP, Slots};
use super::{NONE, mix};
use crate::engine::error::Result;
use crate::engine::execute::columns;

/// Texts of up to this length stand in the view itself.
pub const INLINE: usize = 12;
const BLOCK_BYTES: usize = 1 << 20;
/// Arrow's offsets into a buffer are 32-bit.
const BLOCK_BYTES_MAX: usize = 1 << 30;

/// The hash of a text, as keys of groups have it.
pub fn hash_text(value: &[u8]) -> u64 {
    let mut hasher = FixedState::default().build_hasher();
    hasher.write(value);
    mix(0, hasher.finish())
}

/// Distinct values of one column.
pub struct Interner {
    is_dynamic: bool,
    slots: Slots,
    /// Of the values by number.
    hashes: Vec<u64>,
    /// Arrow views of the values by number, into `blocks`.
    views: Vec<u128>,
    blocks: Vec<Vec<u8>>,
    hasher: FixedState,
}

impl Interner {
    /// The interner of a column type that needs one.
    pub fn of(ty: Type) -> Option<Interner> {
        matches!(ty, Type::String | Type::Dynamic)
            .then(|| Interner { is_dynamic: ty == Type::Dynamic, ..Interner::texts() })
    }

    pub fn texts() -> Interner {
        Interner {
            is_dynamic: false,
            slots: Slots::default(),
            hashes: Vec::new(),
            views: Vec::new(),
            blocks: Vec::new(),
            hasher: FixedState::default(),
        }
    }

    pub fn len(&self) -> usize {
        self.views.len()
    }

    pub fn memory_bytes(&self) -> usize {
        self.slots.memory_bytes()
            + self.hashes.capacity() * 8
            + self.views.capacity() * 16
            + self.blocks.iter().map(Vec::capacity).sum::<usize>()
    }

    /// The number of every row's value, new ones made as needed; of nulls any number.
    pub fn assign(&mut self, column: &ArrayRef, codes: &mut Vec<u32>) -> Result<()> {
        codes.clear();
        codes.reserve(column.len());
        if let Some(dictionary) = columns::as_dictionary(column) {
            let values = columns::texts(dictionary.values())?;
            let mut known = vec![NONE; values.len()];
            for key in dictionary.keys().values() {
                let code = &mut known[*key as usize];
                if *code == NONE {
                    *code = self.number(values.value(*key as usize).as_bytes());
                }
                codes.push(*code);
            }
        } else if self.is_dynamic {
            let values = columns::dynamics(column)?;
            for row in 0..values.len() {
                codes.push(if values.is_valid(row) { self.number(values.value(row)) } else { 0 });
            }
        } else {
            self.assign_texts(columns::texts(column)?, None, codes);
        }
        Ok(())
    }

    /// `assign` of texts that are no dictionary, with their hashes as `partition` computes them.
    pub fn assign_hashed(&mut self, column: &ArrayRef, hashes: &[u64], codes: &mut Vec<u32>) -> Result<()> {
        codes.clear();
        codes.reserve(column.len());
        self.assign_texts(columns::texts(column)?, Some(hashes), codes);
        Ok(())
    }

    /// Some rows at a time: their look-ups wait for memory together.
    fn assign_texts(&mut self, values: &StringViewArray, known: Option<&[u64]>, codes: &mut Vec<u32>) {
        let mut hashes = [0u64; STEP];
        let mut candidates = [None; STEP];
        for start in (0..values.len()).step_by(STEP) {
            let rows = start..values.len().min(start + STEP);
            let stored = &self.hashes;
            self.slots.reserve(rows.len(), |number| stored[number as usize]);
            match known {
                Some(known) => hashes[..rows.len()].copy_from_slice(&known[rows.clone()]),
                None => self.hash_rows(values, rows.clone(), &mut hashes),
            }
            self.slots.candidates(&hashes[..rows.len()], &mut candidates);
            // The ends of the texts that will be compared.
            let ends = candidates[..rows.len()].iter().flatten();
            let touched = ends.fold(0u8, |all, code| all ^ self.stored_end(*code));
            std::hint::black_box(touched);
            for ((hash, candidate), row) in hashes.iter().zip(candidates).zip(rows) {
                let value = values.value(row).as_bytes();
                let found = candidate.filter(|code| self.is(*code, value));
                codes.push(found.unwrap_or_else(|| self.number_of(value, *hash)));
            }
        }
    }

    /// Calls `take(row, number)` for some rows of a column of texts, given their hashes (`hash_text`).
    pub fn number_texts(
        &mut self,
        values: &StringViewArray,
        rows: &[u32],
        hashes: &[u64],
        mut take: impl FnMut(u32, u32),
    ) {
        let mut candidates = [None; STEP];
        let mut numbers = [0u32; STEP];
        for (rows, hashes) in rows.chunks(STEP).zip(hashes.chunks(STEP)) {
            let stored = &self.hashes;
            self.slots.reserve(rows.len(), |number| stored[number as usize]);
            self.slots.candidates(hashes, &mut candidates);
            // What will be compared or copied: memory is waited for together.
            let mut touched = 0u8;
            for (row, candidate) in rows.iter().zip(candidates) {
                let value = values.value(*row as usize).as_bytes();
                touched ^= value.first().copied().unwrap_or(0) ^ value.last().copied().unwrap_or(0);
                touched ^= candidate.map_or(0, |code| self.stored_end(code));
            }
            std::hint::black_box(touched);
            for (((row, hash), candidate), number) in
                rows.iter().zip(hashes).zip(candidates).zip(&mut numbers)
            {
                let value = values.value(*row as usize).as_bytes();
                let found = candidate.filter(|code| self.is(*code, value));
                *number = found.unwrap_or_else(|| self.number_of(value, *hash));
            }
            rows.iter().zip(numbers).for_each(|(row, number)| take(*row, number));
        }
    }

    /// Views of the texts by number, and the blocks they point into.
    pub fn into_parts(self) -> (Vec<u128>, Vec<Vec<u8>>) {
        (self.views, self.blocks)
    }

    fn hash_rows(&self, values: &StringViewArray, rows: Range<usize>, hashes: &mut [u64; STEP]) {
        let mut last: Option<(&[u8], u64)> = None;
        for (hash, row) in hashes.iter_mut().zip(rows) {
            let value = values.value(row).as_bytes();
            *hash = match last {
                Some((known, hash)) if known == value => hash,
                _ => self.hash(value),
            };
            last = Some((value, *hash));
        }
    }

    fn stored_end(&self, code: u32) -> u8 {
        let view = self.views[code as usize];
        if view as u32 as usize <= INLINE {
            return 0;
        }
        let view = ByteView::from(view);
        self.blocks[view.buffer_index as usize][(view.offset + view.length - 1) as usize]
    }

    /// The number of every row's value, `NONE` where it is not known or null.
    pub fn find(&self, column: &ArrayRef, codes: &mut Vec<u32>) -> Result<()> {
        codes.clear();
        codes.reserve(column.len());
        if let Some(dictionary) = columns::as_dictionary(column) {
            let values = columns::texts(dictionary.values())?;
            let mut known: Vec<Option<u32>> = vec![None; values.len()];
            for key in dictionary.keys().values() {
                let key = *key as usize;
                let code = *known[key].get_or_insert_with(|| self.look_up(values.value(key).as_bytes()));
                codes.push(code);
            }
        } else if self.is_dynamic {
            let values = columns::dynamics(column)?;
            for row in 0..values.len() {
                codes.push(if values.is_valid(row) { self.look_up(values.value(row)) } else { NONE });
            }
        } else {
            codes.extend(columns::texts(column)?.bytes_iter().map(|value| self.look_up(value)));
        }
        Ok(())
    }

    /// The values by number.
    pub fn array(&self) -> Result<ArrayRef> {
        let buffers: Vec<Buffer> = self.blocks.iter().map(Buffer::from_slice_ref).collect();
        let views = self.views.clone().into();
        Ok(if self.is_dynamic {
            Arc::new(BinaryViewArray::try_new(views, buffers, None)?)
        } else {
            Arc::new(StringViewArray::try_new(views, buffers, None)?)
        })
    }

    fn hash(&self, value: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        if self.is_dynamic {
            dynamic::hash(DynamicRef::new(value), &mut hasher);
        } else {
            hasher.write(value);
        }
        // That of a whole key, so that `partition` and this agree.
        mix(0, hasher.finish())
    }

    fn look_up(&self, value: &[u8]) -> u32 {
        self.slots.find(self.hash(value), |code| self.is(code, value)).unwrap_or(NONE)
    }

    fn number(&mut self, value: &[u8]) -> u32 {
        let known = &self.hashes;
        self.slots.reserve(1, |number| known[number as usize]);
        self.number_of(value, self.hash(value))
    }

    /// `number` of a value with that hash, for which there is room.
    fn number_of(&mut self, value: &[u8], hash: u64) -> u32 {
        if let Some(code) = self.slots.find(hash, |code| self.is(code, value)) {
            return code;
        }
        let code = self.views.len() as u32;
        let view = self.store(value);
        self.views.push(view);
        self.hashes.push(hash);
        self.slots.insert(hash, code);
        code
    }

    fn is(&self, code: u32, value: &[u8]) -> bool {
        let view = &self.views[code as usize];
        let length = *view as u32 as usize;
        if !self.is_dynamic && length != value.len() {
            return false;
        }
        let bytes = view.to_le_bytes();
        let stored = if length <= INLINE {
            &bytes[4..4 + length]
        } else {
            let view = ByteView::from(*view);
            let offset = view.offset as usize;
            &self.blocks[view.buffer_index as usize][offset..offset + length]
        };
        if self.is_dynamic {
            stored == value || dynamic::equal(DynamicRef::new(stored), DynamicRef::new(value))
        } else {
            stored == value
        }
    }

    /// Copies a value into the blocks and makes its view.
    fn store(&mut self, value: &[u8]) -> u128 {
        if value.len() <= INLINE {
            let mut bytes = [0u8; 16];
            bytes[..4].copy_from_slice(&(value.len() as u32).to_le_bytes());
            bytes[4..4 + value.len()].copy_from_slice(value);
            return u128::from_le_bytes(bytes);
        }
        let full = self.blocks.last().is_none_or(|block| block.len() + value.len() > block.capacity());
        if full {
            let grown = self.blocks.last().map_or(BLOCK_BYTES, |block| block.capacity() * 2);
            self.blocks.push(Vec::with_capacity(grown.min(BLOCK_BYTES_MAX).max(value.len())));
        }
        let buffer_index = (self.blocks.len() - 1) as u32;
        let mut offset = 0;
        if let Some(block) = self.blocks.last_mut() {
            offset = block.len() as u32;
            block.extend_from_slice(value);
        }
        let mut prefix = [0u8; 4];
        prefix.copy_from_slice(&value[..4]);
        ByteView { length: value.len() as u32, prefix: u32::from_le_bytes(prefix), buffer_index, offset }
            .as_u128()
    }
}
