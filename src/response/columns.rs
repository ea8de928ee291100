//! Typed access to the arrays of a batch, once per batch and column, and the forms of a cell.
//!
//! Encoders walk rows over these; a column that does not hold what its schema says is an error, not a panic.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{
    Array, ArrayRef, BinaryViewArray, BooleanArray, DictionaryArray, FixedSizeBinaryArray, Float64Array,
    Int32Array, Int64Array, StringViewArray,
};
use arrow_schema::DataType;
use conshelf_kql::{Column, Schema, Type};
use conshelf_storage::dynamic::DynamicRef;

use crate::engine::Batch;
use crate::response::EncodeError;
use crate::response::value_text;

/// One column of a batch.
#[derive(Clone, Copy)]
pub enum Cells<'a> {
    Bool(&'a BooleanArray),
    Int(&'a Int32Array),
    Long(&'a Int64Array),
    Real(&'a Float64Array),
    Decimal(&'a FixedSizeBinaryArray),
    DateTime(&'a Int64Array),
    TimeSpan(&'a Int64Array),
    Guid(&'a FixedSizeBinaryArray),
    String(&'a StringViewArray),
    Dictionary(&'a DictionaryArray<UInt32Type>, &'a StringViewArray),
    Dynamic(&'a BinaryViewArray),
}

impl<'a> Cells<'a> {
    /// The column as the type its schema gives it.
    pub fn new(column: &Column, array: &'a ArrayRef) -> Result<Cells<'a>, EncodeError> {
        let wrong = || EncodeError::Wrong {
            column: column.name.clone(),
            ty: column.ty.name(),
            arrow: array.data_type().to_string(),
        };
        Ok(match column.ty {
            Type::Bool => Cells::Bool(array.as_boolean_opt().ok_or_else(wrong)?),
            Type::Int => Cells::Int(array.as_primitive_opt().ok_or_else(wrong)?),
            Type::Long => Cells::Long(array.as_primitive_opt().ok_or_else(wrong)?),
            Type::Real => Cells::Real(array.as_primitive_opt().ok_or_else(wrong)?),
            Type::DateTime => Cells::DateTime(array.as_primitive_opt().ok_or_else(wrong)?),
            Type::TimeSpan => Cells::TimeSpan(array.as_primitive_opt().ok_or_else(wrong)?),
            Type::Decimal => Cells::Decimal(array.as_fixed_size_binary_opt().ok_or_else(wrong)?),
            Type::Guid => Cells::Guid(array.as_fixed_size_binary_opt().ok_or_else(wrong)?),
            Type::Dynamic => Cells::Dynamic(array.as_binary_view_opt().ok_or_else(wrong)?),
            Type::String => match array.data_type() {
                DataType::Dictionary(_, _) => {
                    let dictionary = array.as_dictionary_opt::<UInt32Type>().ok_or_else(wrong)?;
                    Cells::Dictionary(dictionary, dictionary.values().as_string_view_opt().ok_or_else(wrong)?)
                }
                _ => Cells::String(array.as_string_view_opt().ok_or_else(wrong)?),
            },
        })
    }

    /// Every column of a batch.
    pub fn of_batch(schema: &Schema, batch: &'a Batch) -> Result<Vec<Cells<'a>>, EncodeError> {
        if schema.len() != batch.columns.len() {
            return Err(EncodeError::Wrong {
                column: format!("{} columns", schema.len()),
                ty: "a row",
                arrow: format!("{} arrays", batch.columns.len()),
            });
        }
        schema.iter().zip(&batch.columns).map(|(column, array)| Cells::new(column, array)).collect()
    }

    /// The text of a string column; "" where the slot is null.
    pub fn string_at(&self, row: usize) -> Option<&'a str> {
        match self {
            Cells::String(array) => Some(if array.is_valid(row) { array.value(row) } else { "" }),
            Cells::Dictionary(array, values) => Some(match array.key(row) {
                Some(key) if values.is_valid(key) => values.value(key),
                _ => "",
            }),
            _ => None,
        }
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Cells::Bool(array) => array.is_null(row),
            Cells::Int(array) => array.is_null(row),
            Cells::Long(array) | Cells::DateTime(array) | Cells::TimeSpan(array) => array.is_null(row),
            Cells::Real(array) => array.is_null(row),
            Cells::Decimal(array) | Cells::Guid(array) => array.is_null(row),
            Cells::String(_) | Cells::Dictionary(..) => false,
            Cells::Dynamic(array) => array.is_null(row),
        }
    }

    /// The cell as a JSON value, in the forms of the wire protocol.
    pub fn write_json(&self, row: usize, scratch: &mut String, out: &mut Vec<u8>) {
        if self.is_null(row) {
            out.extend_from_slice(b"null");
            return;
        }
        match self {
            Cells::Bool(array) => out.extend_from_slice(if array.value(row) { b"true" } else { b"false" }),
            Cells::Int(array) => value_text::integer(i64::from(array.value(row)), out),
            Cells::Long(array) => value_text::integer(array.value(row), out),
            Cells::Real(array) => value_text::real_json(array.value(row), out),
            Cells::Decimal(_) | Cells::DateTime(_) | Cells::TimeSpan(_) | Cells::Guid(_) => {
                out.push(b'"');
                self.write_plain(row, scratch, out);
                out.push(b'"');
            }
            Cells::String(_) | Cells::Dictionary(..) => {
                value_text::json_string(self.string_at(row).unwrap_or(""), out);
            }
            Cells::Dynamic(array) => dynamic_json(array.value(row), scratch, out),
        }
    }

    /// The cell as plain text: nothing for a null, dynamic values as JSON (a dynamic string as its text).
    pub fn write_plain(&self, row: usize, scratch: &mut String, out: &mut Vec<u8>) {
        if self.is_null(row) {
            return;
        }
        match self {
            Cells::Bool(array) => out.extend_from_slice(if array.value(row) { b"true" } else { b"false" }),
            Cells::Int(array) => value_text::integer(i64::from(array.value(row)), out),
            Cells::Long(array) => value_text::integer(array.value(row), out),
            Cells::Real(array) => value_text::real(array.value(row), out),
            Cells::Decimal(array) => value_text::decimal(array.value(row), out),
            Cells::DateTime(array) => value_text::datetime(array.value(row), out),
            Cells::TimeSpan(array) => value_text::timespan(array.value(row), out),
            Cells::Guid(array) => value_text::guid(array.value(row), out),
            Cells::String(_) | Cells::Dictionary(..) => {
                out.extend_from_slice(self.string_at(row).unwrap_or("").as_bytes());
            }
            Cells::Dynamic(array) => {
                let value = DynamicRef::new(array.value(row));
                match value.as_str() {
                    Some(text) => out.extend_from_slice(text.as_bytes()),
                    None => dynamic_json(array.value(row), scratch, out),
                }
            }
        }
    }
}

fn dynamic_json(bytes: &[u8], scratch: &mut String, out: &mut Vec<u8>) {
    scratch.clear();
    DynamicRef::new(bytes).to_json(scratch);
    out.extend_from_slice(scratch.as_bytes());
}

/// About how many bytes of result the rows of a batch are: what counts against a limit on bytes.
pub struct Weights<'a> {
    /// Of the columns whose values all weigh the same.
    fixed: u64,
    texts: Vec<TextLengths<'a>>,
}

enum TextLengths<'a> {
    /// The lower 32 bits are the length.
    Views(&'a [u128]),
    Coded(&'a [u32], Vec<u32>),
}

impl<'a> Weights<'a> {
    pub fn new(columns: &[Cells<'a>]) -> Weights<'a> {
        let mut weights = Weights { fixed: 0, texts: Vec::new() };
        for cells in columns {
            weights.fixed += match cells {
                Cells::Bool(_) => 1,
                Cells::Int(_) => 4,
                Cells::Long(_) | Cells::Real(_) | Cells::DateTime(_) | Cells::TimeSpan(_) => 8,
                Cells::Decimal(_) | Cells::Guid(_) => 16,
                Cells::String(_) | Cells::Dictionary(..) | Cells::Dynamic(_) => 1,
            };
            match cells {
                Cells::String(array) => weights.texts.push(TextLengths::Views(array.views())),
                Cells::Dynamic(array) => weights.texts.push(TextLengths::Views(array.views())),
                Cells::Dictionary(array, values) => {
                    weights.texts.push(TextLengths::Coded(array.keys().values(), values.lengths().collect()));
                }
                _ => {}
            }
        }
        weights
    }

    pub fn of(&self, rows: Range<usize>) -> u64 {
        let texts = self.texts.iter().map(|lengths| match lengths {
            TextLengths::Views(views) => views[rows.clone()].iter().map(|view| u64::from(*view as u32)).sum(),
            TextLengths::Coded(codes, lengths) => {
                let length = |code: &u32| lengths.get(*code as usize).copied().unwrap_or(0);
                codes[rows.clone()].iter().map(|code| u64::from(length(code))).sum::<u64>()
            }
        });
        texts.sum::<u64>() + self.fixed * rows.len() as u64
    }
}
