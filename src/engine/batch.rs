//! A run of rows in columns: what flows between operators.

use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use conshelf_kql::Type;

/// Columns of equal length. Their names and types are the plan's; the arrays are those of `arrow_type`, a
/// string column possibly as a dictionary of it.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub columns: Vec<ArrayRef>,
    pub rows: usize,
}

impl Batch {
    pub fn new(columns: Vec<ArrayRef>, rows: usize) -> Batch {
        debug_assert!(columns.iter().all(|column| column.len() == rows));
        Batch { columns, rows }
    }

    /// Bytes the batch holds in memory, shared buffers counted whole.
    pub fn memory_bytes(&self) -> usize {
        self.columns.iter().map(|column| column.get_array_memory_size()).sum()
    }
}

/// The flat Arrow type that carries a Kusto type.
pub fn arrow_type(ty: Type) -> DataType {
    match ty {
        Type::Bool => DataType::Boolean,
        Type::Int => DataType::Int32,
        Type::Long | Type::DateTime | Type::TimeSpan => DataType::Int64,
        Type::Real => DataType::Float64,
        Type::Decimal | Type::Guid => DataType::FixedSizeBinary(16),
        Type::String => DataType::Utf8View,
        Type::Dynamic => DataType::BinaryView,
    }
}
