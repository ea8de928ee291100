//! Column types, column definitions and table schemas as storage sees them.
//!
//! Knows the ten types and their Arrow arrays; knows nothing of KQL or of how rows were parsed.

use std::sync::Arc;

use arrow_schema::DataType;
use serde::{Deserialize, Serialize};

/// The ten Kusto column types. The tag values are part of the on-disk format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum ColumnType {
    Bool = 1,
    Int = 2,
    Long = 3,
    Real = 4,
    Decimal = 5,
    DateTime = 6,
    TimeSpan = 7,
    String = 8,
    Guid = 9,
    Dynamic = 10,
}

impl ColumnType {
    /// Every type, in tag order.
    pub const ALL: [ColumnType; 10] = [
        ColumnType::Bool,
        ColumnType::Int,
        ColumnType::Long,
        ColumnType::Real,
        ColumnType::Decimal,
        ColumnType::DateTime,
        ColumnType::TimeSpan,
        ColumnType::String,
        ColumnType::Guid,
        ColumnType::Dynamic,
    ];

    /// The type of a tag read from disk, or `None` for a tag no version knows.
    pub fn from_tag(tag: u8) -> Option<ColumnType> {
        ColumnType::ALL.iter().copied().find(|ty| *ty as u8 == tag)
    }

    /// The flat Arrow type of a column of this type (strings may also travel as a dictionary of it).
    pub fn arrow_type(self) -> DataType {
        match self {
            ColumnType::Bool => DataType::Boolean,
            ColumnType::Int => DataType::Int32,
            ColumnType::Long | ColumnType::DateTime | ColumnType::TimeSpan => DataType::Int64,
            ColumnType::Real => DataType::Float64,
            ColumnType::Decimal | ColumnType::Guid => DataType::FixedSizeBinary(16),
            ColumnType::String => DataType::Utf8View,
            ColumnType::Dynamic => DataType::BinaryView,
        }
    }

    /// Kusto's name of the type, as written in KQL.
    pub fn name(self) -> &'static str {
        match self {
            ColumnType::Bool => "bool",
            ColumnType::Int => "int",
            ColumnType::Long => "long",
            ColumnType::Real => "real",
            ColumnType::Decimal => "decimal",
            ColumnType::DateTime => "datetime",
            ColumnType::TimeSpan => "timespan",
            ColumnType::String => "string",
            ColumnType::Guid => "guid",
            ColumnType::Dynamic => "dynamic",
        }
    }
}

/// One column of a table. `id` is stable for the life of the table: extents refer to columns by it, so
/// that a rename or a reordering rewrites no data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnDefinition {
    pub id: u32,
    pub name: String,
    #[serde(rename = "type")]
    pub ty: ColumnType,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub docstring: String,
}

/// The ordered columns of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSchema {
    pub columns: Vec<ColumnDefinition>,
    /// The id the next added column gets; ids of dropped columns are never used again.
    pub next_column_id: u32,
}

/// Shared schema handle.
pub type SchemaRef = Arc<TableSchema>;

impl TableSchema {
    /// A schema of named, typed columns, with ids from zero.
    pub fn new<N: Into<String>>(columns: impl IntoIterator<Item = (N, ColumnType)>) -> TableSchema {
        let columns: Vec<ColumnDefinition> = columns
            .into_iter()
            .zip(0u32..)
            .map(|((name, ty), id)| ColumnDefinition { id, name: name.into(), ty, docstring: String::new() })
            .collect();
        let next_column_id = u32::try_from(columns.len()).unwrap_or(u32::MAX);
        TableSchema { columns, next_column_id }
    }

    /// Position of the column of that name (names are case-sensitive).
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Position of the time column: the first `datetime`, if any.
    pub fn time_position(&self) -> Option<usize> {
        self.columns.iter().position(|column| column.ty == ColumnType::DateTime)
    }
}
