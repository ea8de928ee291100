//! The keys by which chunks in the order of series are read: decoded once for all columns of a row group.
//!
//! A thread reads the columns of one row group after the other. So it keeps the last key, and the codes of the
//! text columns that it read last, which are often those of the key.

use std::cell::RefCell;
use std::rc::Rc;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{Array, ArrayRef};
use arrow_buffer::ScalarBuffer;

use super::reader::Extent;
use crate::encoding::Malformed;
use crate::encoding::chunk::{decode_codes, key_columns};
use crate::encoding::series::SeriesKey;
use crate::error::Result;
use crate::types::ColumnType;

/// Text columns of which a thread keeps the codes.
const REMEMBERED: usize = 2;

/// Number of an extent and row group.
type Place = (u64, u32);

/// The code of every row, and how many codes there are.
type Codes = (ScalarBuffer<u32>, usize);

#[derive(Default)]
struct Recent {
    /// With the positions of its columns.
    key: Option<(Place, Vec<u32>, Rc<SeriesKey>)>,
    /// Position of the column, codes; the latest first.
    codes: Vec<(Place, usize, Codes)>,
}

thread_local! {
    static RECENT: RefCell<Recent> = RefCell::default();
}

/// Drops what the thread keeps: the next reads check everything again.
pub(super) fn forget() {
    RECENT.with_borrow_mut(|recent| *recent = Recent::default());
}

impl Extent {
    fn place(&self, row_group: u32) -> Place {
        (self.number(), row_group)
    }

    /// The key of a chunk in the order of series; `None` for other chunks. Fails where a column of the key is
    /// damaged.
    pub(super) fn series_key(
        &self,
        row_group: u32,
        position: usize,
        bytes: &[u8],
    ) -> Result<Option<Rc<SeriesKey>>> {
        let rows = self.row_group_rows(row_group) as usize;
        let wrong = |reason: &str| self.chunk_error(row_group, position, reason);
        let columns = key_columns(bytes, rows).map_err(|Malformed(reason)| wrong(reason))?;
        if columns.is_empty() {
            return Ok(None);
        }
        let place = self.place(row_group);
        let known = RECENT.with_borrow(|recent| match &recent.key {
            Some((known, ids, key)) if *known == place && *ids == columns => Some(key.clone()),
            _ => None,
        });
        if known.is_some() {
            return Ok(known);
        }
        let mut codes = Vec::with_capacity(columns.len());
        for id in &columns {
            let found =
                self.position(*id).filter(|position| self.columns()[*position].1 == ColumnType::String);
            let Some(found) = found else { return Err(wrong("the extent has no such key column")) };
            codes.push(self.codes(row_group, found)?);
        }
        let key = SeriesKey::new(&codes).map_err(|Malformed(reason)| wrong(reason))?;
        let key = Rc::new(key);
        RECENT.with_borrow_mut(|recent| recent.key = Some((place, columns, key.clone())));
        Ok(Some(key))
    }

    fn codes(&self, row_group: u32, position: usize) -> Result<Codes> {
        let place = self.place(row_group);
        let known = RECENT.with_borrow(|recent| {
            let mut all = recent.codes.iter();
            all.find(|(known, at, _)| *known == place && *at == position).map(|(_, _, codes)| codes.clone())
        });
        if let Some(known) = known {
            return Ok(known);
        }
        let bytes = self.chunk_bytes(row_group, position)?;
        let wrong = |reason: &str| self.chunk_error(row_group, position, reason);
        decode_codes(bytes, self.row_group_rows(row_group) as usize)
            .map_err(|Malformed(reason)| wrong(reason))?
            .ok_or_else(|| wrong("a key of series is not a dictionary"))
    }

    /// Keeps the codes of a column that was read as a whole.
    pub(super) fn remember_codes(&self, row_group: u32, position: usize, array: &ArrayRef) {
        let Some(array) = array.as_dictionary_opt::<UInt32Type>() else { return };
        let codes = (array.keys().values().clone(), array.values().len());
        RECENT.with_borrow_mut(|recent| {
            recent.codes.truncate(REMEMBERED - 1);
            recent.codes.insert(0, (self.place(row_group), position, codes));
        });
    }
}
