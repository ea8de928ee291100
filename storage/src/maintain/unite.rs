//! The dictionaries of many batches as one, so that rows to be sealed are picked by codes and no text of them is looked
//! at twice.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{Array, ArrayRef, DictionaryArray, StringViewArray, UInt32Array};

use crate::column::arrow_error;
use crate::encoding::dictionary::fast_map;
use crate::error::{Result, StorageError};

/// One of so many rows may have a text of its own: above that a dictionary gains little over the texts.
const DISTINCT_SHARE: usize = 3;

/// String columns of several batches by the codes of one dictionary.
pub(crate) struct United {
    values: ArrayRef,
    /// The codes of each batch, `UInt32Array`.
    pub codes: Vec<ArrayRef>,
}

/// `None`: most rows have no dictionary, or too many texts are distinct.
pub(crate) fn unite(arrays: &[ArrayRef]) -> Result<Option<United>> {
    let rows: usize = arrays.iter().map(|array| array.len()).sum();
    let coded: usize =
        arrays.iter().filter(|array| array.as_any_dictionary_opt().is_some()).map(|array| array.len()).sum();
    if coded * 8 < rows * 7 || rows == 0 {
        return Ok(None);
    }
    let limit = rows / DISTINCT_SHARE;
    let mut known = fast_map();
    let mut distinct: Vec<&str> = Vec::new();
    let mut codes: Vec<ArrayRef> = Vec::with_capacity(arrays.len());
    for array in arrays {
        let (values, keys) = match array.as_dictionary_opt::<UInt32Type>() {
            Some(array) => (array.values().as_string_view(), Some(array.keys())),
            None => (array.as_string_view(), None),
        };
        let translation: Vec<u32> = values
            .iter()
            .map(|value| {
                let value = value.unwrap_or_default();
                *known.entry(value).or_insert_with(|| {
                    distinct.push(value);
                    distinct.len() as u32 - 1
                })
            })
            .collect();
        if distinct.len() > limit {
            return Ok(None);
        }
        let array = match keys {
            None => translation.into(),
            Some(keys) => keys
                .values()
                .iter()
                .map(|key| translation.get(*key as usize).copied())
                .collect::<Option<Vec<u32>>>()
                .ok_or_else(|| StorageError::Invalid("a code of a dictionary has no value".to_owned()))?
                .into(),
        };
        let array: UInt32Array = array;
        codes.push(Arc::new(array));
    }
    Ok(Some(United { values: Arc::new(StringViewArray::from_iter_values(distinct)), codes }))
}

impl United {
    /// The column of some codes.
    pub fn column(&self, codes: &ArrayRef) -> Result<ArrayRef> {
        let codes = codes.as_primitive::<UInt32Type>().clone();
        Ok(Arc::new(DictionaryArray::try_new(codes, self.values.clone()).map_err(arrow_error)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_with_dictionaries_of_their_own_share_one() {
        let flat = |texts: &[&str]| Arc::new(StringViewArray::from_iter_values(texts)) as ArrayRef;
        let coded = |keys: &[u32], texts: &[&str]| {
            let keys = UInt32Array::from(keys.to_vec());
            Arc::new(DictionaryArray::new(keys, flat(texts))) as ArrayRef
        };
        let arrays = [
            coded(&[0, 1, 0, 1, 1, 0, 0, 1], &["a", "long enough to stand outside"]),
            flat(&["b"]),
            coded(&[1, 1, 0, 1], &["unused", "a"]),
        ];
        let united = unite(&arrays).unwrap().unwrap();
        let mut found = Vec::new();
        for codes in &united.codes {
            let column = united.column(codes).unwrap();
            let column = crate::column::flatten(&column).unwrap();
            found.extend(column.as_string_view().iter().flatten().map(str::to_owned).collect::<Vec<_>>());
        }
        let expected: Vec<String> = arrays
            .iter()
            .flat_map(|array| {
                let array = crate::column::flatten(array).unwrap();
                array.as_string_view().iter().flatten().map(str::to_owned).collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(found, expected);
        assert!(unite(&[flat(&["a", "a", "a"]), coded(&[0, 0], &["a"])]).unwrap().is_none());
        assert!(unite(&[coded(&[0, 1, 2], &["a", "b", "c"])]).unwrap().is_none());
        assert!(unite(&[]).unwrap().is_none());
    }
}
