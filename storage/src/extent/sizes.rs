//! Bytes of each column of an extent, for reports. Read from the footer alone.

use super::reader::Extent;
use crate::types::ColumnType;

/// What one column takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ColumnBytes {
    pub column: u32,
    /// Before encoding: exact for types of fixed width, else a share of what the file says of all columns.
    pub original: u64,
    /// Encoded values.
    pub data: u64,
    pub index: u64,
}

impl Extent {
    /// One entry a column, the hidden ones included. What is in the file beyond them is header and footer.
    pub fn column_bytes(&self) -> Vec<ColumnBytes> {
        let mut columns: Vec<(ColumnType, ColumnBytes)> = self
            .columns()
            .iter()
            .map(|(column, ty)| (*ty, ColumnBytes { column: *column, ..ColumnBytes::default() }))
            .collect();
        for group in 0..self.row_group_count() {
            for (position, (_, sizes)) in columns.iter_mut().enumerate() {
                let Some(chunk) = self.chunk(group, position) else { continue };
                sizes.data += chunk.section.stored_length();
                if let Some(section) = chunk.index.section() {
                    sizes.index += section.stored_length();
                }
            }
        }
        let (mut rest, mut weights) = (self.original_bytes(), 0);
        for (ty, sizes) in &mut columns {
            match fixed_bytes(*ty) {
                Some(width) => {
                    sizes.original = (width * self.rows()).min(rest);
                    rest -= sizes.original;
                }
                None => weights += sizes.data,
            }
        }
        for (_, sizes) in columns.iter_mut().filter(|(ty, _)| fixed_bytes(*ty).is_none()) {
            let share = u128::from(rest) * u128::from(sizes.data) / u128::from(weights.max(1));
            sizes.original = u64::try_from(share).unwrap_or(rest);
        }
        columns.into_iter().map(|(_, sizes)| sizes).collect()
    }
}

fn fixed_bytes(ty: ColumnType) -> Option<u64> {
    match ty {
        ColumnType::Bool => Some(1),
        ColumnType::Int => Some(4),
        ColumnType::Long | ColumnType::Real | ColumnType::DateTime | ColumnType::TimeSpan => Some(8),
        ColumnType::Decimal | ColumnType::Guid => Some(16),
        ColumnType::String | ColumnType::Dynamic => None,
    }
}
