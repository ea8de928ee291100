//! Rows of a command's answer, built cell by cell.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{
    BinaryViewBuilder, BooleanBuilder, FixedSizeBinaryBuilder, Float64Builder, Int32Builder, Int64Builder,
    StringViewBuilder,
};
use conshelf_kql::{Column, Schema, Type};
use uuid::Uuid;

use crate::engine::Batch;

enum Cells {
    Bool(BooleanBuilder),
    Int(Int32Builder),
    Long(Int64Builder),
    Real(Float64Builder),
    Ticks(Int64Builder),
    Bytes16(FixedSizeBinaryBuilder),
    String(StringViewBuilder),
    Dynamic(BinaryViewBuilder),
}

impl Cells {
    fn new(ty: Type) -> Cells {
        match ty {
            Type::Bool => Cells::Bool(BooleanBuilder::new()),
            Type::Int => Cells::Int(Int32Builder::new()),
            Type::Long => Cells::Long(Int64Builder::new()),
            Type::Real => Cells::Real(Float64Builder::new()),
            Type::DateTime | Type::TimeSpan => Cells::Ticks(Int64Builder::new()),
            Type::Guid | Type::Decimal => Cells::Bytes16(FixedSizeBinaryBuilder::new(16)),
            Type::String => Cells::String(StringViewBuilder::new()),
            Type::Dynamic => Cells::Dynamic(BinaryViewBuilder::new()),
        }
    }

    fn append_null(&mut self) {
        match self {
            Cells::Bool(builder) => builder.append_null(),
            Cells::Int(builder) => builder.append_null(),
            Cells::Long(builder) | Cells::Ticks(builder) => builder.append_null(),
            Cells::Real(builder) => builder.append_null(),
            Cells::Bytes16(builder) => builder.append_null(),
            Cells::String(builder) => builder.append_value(""),
            Cells::Dynamic(builder) => builder.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Cells::Bool(builder) => Arc::new(builder.finish()),
            Cells::Int(builder) => Arc::new(builder.finish()),
            Cells::Long(builder) | Cells::Ticks(builder) => Arc::new(builder.finish()),
            Cells::Real(builder) => Arc::new(builder.finish()),
            Cells::Bytes16(builder) => Arc::new(builder.finish()),
            Cells::String(builder) => Arc::new(builder.finish()),
            Cells::Dynamic(builder) => Arc::new(builder.finish()),
        }
    }
}

/// Builds rows left to right: one call per cell, then `end_row`. A cell whose call does not fit its column
/// becomes null, and cells that were not given too.
pub struct RowsBuilder {
    schema: Schema,
    cells: Vec<Cells>,
    at: usize,
    rows: usize,
}

impl RowsBuilder {
    pub fn new(columns: &[(&str, Type)]) -> RowsBuilder {
        RowsBuilder {
            schema: columns.iter().map(|(name, ty)| Column::new(*name, *ty)).collect(),
            cells: columns.iter().map(|(_, ty)| Cells::new(*ty)).collect(),
            at: 0,
            rows: 0,
        }
    }

    fn cell(&mut self, append: impl FnOnce(&mut Cells) -> bool) -> &mut RowsBuilder {
        if let Some(cells) = self.cells.get_mut(self.at)
            && !append(cells)
        {
            debug_assert!(false, "cell {} of {:?} has another type", self.at, self.schema);
            cells.append_null();
        }
        self.at += 1;
        self
    }

    pub fn text(&mut self, text: impl AsRef<str>) -> &mut RowsBuilder {
        self.cell(|cells| match cells {
            Cells::String(builder) => {
                builder.append_value(text.as_ref());
                true
            }
            _ => false,
        })
    }

    pub fn bool(&mut self, value: bool) -> &mut RowsBuilder {
        self.cell(|cells| match cells {
            Cells::Bool(builder) => {
                builder.append_value(value);
                true
            }
            _ => false,
        })
    }

    pub fn int(&mut self, value: i32) -> &mut RowsBuilder {
        self.cell(|cells| match cells {
            Cells::Int(builder) => {
                builder.append_value(value);
                true
            }
            _ => false,
        })
    }

    pub fn long(&mut self, value: u64) -> &mut RowsBuilder {
        self.cell(|cells| match cells {
            Cells::Long(builder) => {
                builder.append_value(i64::try_from(value).unwrap_or(i64::MAX));
                true
            }
            _ => false,
        })
    }

    pub fn real(&mut self, value: f64) -> &mut RowsBuilder {
        self.cell(|cells| match cells {
            Cells::Real(builder) => {
                builder.append_value(value);
                true
            }
            _ => false,
        })
    }

    /// A datetime or timespan.
    pub fn ticks(&mut self, ticks: i64) -> &mut RowsBuilder {
        self.cell(|cells| match cells {
            Cells::Ticks(builder) => {
                builder.append_value(ticks);
                true
            }
            _ => false,
        })
    }

    pub fn guid(&mut self, id: Uuid) -> &mut RowsBuilder {
        self.cell(|cells| match cells {
            Cells::Bytes16(builder) => builder.append_value(id.as_bytes()).is_ok(),
            _ => false,
        })
    }

    /// A dynamic value given as JSON text; null when it is not JSON.
    pub fn json(&mut self, json: &str) -> &mut RowsBuilder {
        self.cell(|cells| match cells {
            Cells::Dynamic(builder) => {
                match conshelf_storage::dynamic::from_json(json) {
                    Ok(bytes) => builder.append_value(bytes),
                    Err(_) => builder.append_null(),
                }
                true
            }
            _ => false,
        })
    }

    pub fn null(&mut self) -> &mut RowsBuilder {
        self.cell(|cells| {
            cells.append_null();
            true
        })
    }

    pub fn end_row(&mut self) -> &mut RowsBuilder {
        while self.at < self.cells.len() {
            self.null();
        }
        self.at = 0;
        self.rows += 1;
        self
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn finish(&mut self) -> (Schema, Batch) {
        let columns = self.cells.iter_mut().map(Cells::finish).collect();
        (self.schema.clone(), Batch::new(columns, self.rows))
    }
}
