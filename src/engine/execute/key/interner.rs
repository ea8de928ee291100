//! Numbers for distinct texts and dynamic values, in the order in which they first appear.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BinaryViewArray, StringViewArray};
use arrow_buffer::Buffer;
use arrow_data::ByteView;
use conshelf_kql::Type;
use conshelf_storage::dynamic::{self, DynamicRef};
use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::NONE;
use crate::engine::error::Result;
use crate::engine::execute::columns;

/// Texts of up to this length stand in the view itself.
const INLINE: usize = 12;
const BLOCK_BYTES: usize = 1 << 20;
/// Arrow's offsets into a buffer are 32-bit.
const BLOCK_BYTES_MAX: usize = 1 << 30;

/// Distinct values of one column.
pub struct Interner {
    is_dynamic: bool,
    /// Hash and number.
    table: HashTable<(u64, u32)>,
    /// Arrow views of the values by number, into `blocks`.
    views: Vec<u128>,
    blocks: Vec<Vec<u8>>,
    hasher: FixedState,
}

impl Interner {
    /// The interner of a column type that needs one.
    pub fn of(ty: Type) -> Option<Interner> {
        matches!(ty, Type::String | Type::Dynamic).then(|| Interner {
            is_dynamic: ty == Type::Dynamic,
            table: HashTable::new(),
            views: Vec::new(),
            blocks: Vec::new(),
            hasher: FixedState::default(),
        })
    }

    pub fn len(&self) -> usize {
        self.views.len()
    }

    pub fn memory_bytes(&self) -> usize {
        self.table.allocation_size()
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
            let values = columns::texts(column)?;
            let (mut last, mut last_code) = (None, 0);
            for row in 0..values.len() {
                let value = values.value(row).as_bytes();
                if last != Some(value) {
                    last_code = self.number(value);
                    last = Some(value);
                }
                codes.push(last_code);
            }
        }
        Ok(())
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
        hasher.finish()
    }

    fn look_up(&self, value: &[u8]) -> u32 {
        let hash = self.hash(value);
        let found = self.table.find(hash, |(other, code)| *other == hash && self.is(*code, value));
        found.map_or(NONE, |(_, code)| *code)
    }

    fn number(&mut self, value: &[u8]) -> u32 {
        let hash = self.hash(value);
        let found = self.table.find(hash, |(other, code)| *other == hash && self.is(*code, value));
        if let Some((_, code)) = found {
            return *code;
        }
        let code = self.views.len() as u32;
        let view = self.store(value);
        self.views.push(view);
        self.table.insert_unique(hash, (hash, code), |(hash, _)| *hash);
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
