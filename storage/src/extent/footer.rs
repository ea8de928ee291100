//! The footer of an extent: what columns and row groups there are, where their bytes lie, and what is known
//! of them. Encoding is canonical: one footer has one form of bytes.

use uuid::Uuid;

use crate::encoding::input::{Decoded, Input, Malformed};
use crate::format::{EXTENT_ALIGNMENT, EXTENT_HEADER_BYTES, ROW_GROUP_ROWS_MAX, index_kind};
use crate::predicate::Literal;
use crate::statistics::{ColumnStatistics, Sum};
use crate::types::ColumnType;

/// A checksummed piece of the file. `length` counts what is used; the file holds zeros after it up to the
/// next multiple of `EXTENT_ALIGNMENT`, under the same checksum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Section {
    pub offset: u64,
    pub length: u64,
    pub checksum: u64,
}

impl Section {
    /// Length with the padding.
    pub fn stored_length(&self) -> u64 {
        self.length.next_multiple_of(EXTENT_ALIGNMENT as u64)
    }

    pub fn end(&self) -> u64 {
        self.offset + self.stored_length()
    }
}

/// How a chunk is indexed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Index {
    None,
    TermBloom(Section),
    Dictionary,
    Terms(Section),
}

impl Index {
    /// The section an index has of its own.
    pub fn section(&self) -> Option<&Section> {
        match self {
            Index::TermBloom(section) | Index::Terms(section) => Some(section),
            Index::None | Index::Dictionary => None,
        }
    }
}

/// One column of one row group.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Chunk {
    pub section: Section,
    pub statistics: ColumnStatistics,
    pub index: Index,
}

/// A column of the extent. The name is that at writing: for people, never for look-ups.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    pub id: u32,
    pub ty: ColumnType,
    pub name: String,
}

/// A typed sub-column shredded out of a dynamic column: the values under `path` that are of type `ty`.
/// Version 1 writes none; a reader that does not use them may ignore them, because the dynamic column
/// itself stays complete.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SubColumn {
    /// Position of the dynamic column in the list of columns.
    pub parent: u32,
    pub path: String,
    pub ty: ColumnType,
}

/// A run of rows: a chunk a column, then a chunk a sub-column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RowGroup {
    pub rows: u32,
    pub chunks: Vec<Chunk>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Footer {
    pub extent_id: Uuid,
    pub table_id: Uuid,
    pub created_ticks: i64,
    pub partition: Option<(i64, i64)>,
    pub original_bytes: u64,
    pub tags: Vec<String>,
    pub columns: Vec<Column>,
    pub sub_columns: Vec<SubColumn>,
    pub row_groups: Vec<RowGroup>,
}

/// Presence flags of the statistics of a chunk.
mod flag {
    pub const BOUNDS_EXACT: u8 = 1;
    pub const SORTED: u8 = 2;
    pub const MIN: u8 = 4;
    pub const MAX: u8 = 8;
    pub const SUM: u8 = 16;
    pub const DISTINCT: u8 = 32;
    pub const ALL: u8 = 63;
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&(text.len() as u32).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn take_text(input: &mut Input<'_>) -> Decoded<String> {
    let bytes = input.part()?.rest();
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Malformed("a text of the footer is not UTF-8"))
}

fn take_type(input: &mut Input<'_>) -> Decoded<ColumnType> {
    ColumnType::from_tag(input.u8()?).ok_or(Malformed("unknown column type"))
}

/// A list cannot have more entries than the bytes that are left allow.
fn take_count(input: &mut Input<'_>, entry_bytes: usize) -> Decoded<usize> {
    let count = input.u32()? as usize;
    if count > input.remaining() / entry_bytes {
        return Err(Malformed("a list of the footer is longer than the footer"));
    }
    Ok(count)
}

impl Section {
    fn encode(&self, out: &mut Vec<u8>) {
        for field in [self.offset, self.length, self.checksum] {
            out.extend_from_slice(&field.to_le_bytes());
        }
    }

    fn decode(input: &mut Input<'_>) -> Decoded<Section> {
        let section = Section { offset: input.u64()?, length: input.u64()?, checksum: input.u64()? };
        let aligned = section.offset.is_multiple_of(EXTENT_ALIGNMENT as u64);
        let limit = u64::MAX / 4;
        if !aligned || section.offset < EXTENT_HEADER_BYTES as u64 {
            return Err(Malformed("a section of the file is not aligned"));
        }
        if section.offset > limit || section.length > limit {
            return Err(Malformed("a section lies outside the file"));
        }
        Ok(section)
    }
}

fn put_literal(out: &mut Vec<u8>, literal: &Literal) {
    match literal {
        Literal::Bool(value) => out.push(u8::from(*value)),
        Literal::Integer(value) => out.extend_from_slice(&value.to_le_bytes()),
        Literal::Real(value) => out.extend_from_slice(&value.to_le_bytes()),
        Literal::String(value) => put_text(out, value),
        Literal::Bytes16(value) => out.extend_from_slice(value),
    }
}

fn take_literal(input: &mut Input<'_>, ty: ColumnType) -> Decoded<Literal> {
    Ok(match ty {
        ColumnType::Bool => match input.u8()? {
            value @ 0..=1 => Literal::Bool(value == 1),
            _ => return Err(Malformed("a bool is neither 0 nor 1")),
        },
        ColumnType::Int | ColumnType::Long | ColumnType::DateTime | ColumnType::TimeSpan => {
            Literal::Integer(input.i64()?)
        }
        ColumnType::Real => Literal::Real(f64::from_bits(input.u64()?)),
        ColumnType::String => Literal::String(take_text(input)?),
        ColumnType::Decimal | ColumnType::Guid => Literal::Bytes16(input.bytes16()?),
        ColumnType::Dynamic => return Err(Malformed("dynamic columns have no bounds")),
    })
}

fn encode_statistics(statistics: &ColumnStatistics, out: &mut Vec<u8>) {
    let set = |present: bool, flag: u8| if present { flag } else { 0 };
    out.push(
        set(statistics.exact_bounds, flag::BOUNDS_EXACT)
            | set(statistics.sorted, flag::SORTED)
            | set(statistics.min.is_some(), flag::MIN)
            | set(statistics.max.is_some(), flag::MAX)
            | set(statistics.sum.is_some(), flag::SUM)
            | set(statistics.distinct.is_some(), flag::DISTINCT),
    );
    out.extend_from_slice(&statistics.nulls.to_le_bytes());
    out.extend_from_slice(&statistics.nans.to_le_bytes());
    for bound in [&statistics.min, &statistics.max].into_iter().flatten() {
        put_literal(out, bound);
    }
    match statistics.sum {
        Some(Sum::Integer(sum)) => out.extend_from_slice(&sum.to_le_bytes()),
        Some(Sum::Real(sum)) => out.extend_from_slice(&sum.to_le_bytes()),
        None => {}
    }
    if let Some(distinct) = statistics.distinct {
        out.extend_from_slice(&distinct.to_le_bytes());
    }
}

fn decode_statistics(input: &mut Input<'_>, ty: ColumnType, rows: u32) -> Decoded<ColumnStatistics> {
    let flags = input.u8()?;
    if flags & !flag::ALL != 0 {
        return Err(Malformed("unknown flags of statistics"));
    }
    let has = |flag| flags & flag != 0;
    let (nulls, nans) = (input.u32()?, input.u32()?);
    if nulls > rows || nans > rows - nulls {
        return Err(Malformed("statistics count more rows than there are"));
    }
    Ok(ColumnStatistics {
        rows,
        nulls,
        nans,
        exact_bounds: has(flag::BOUNDS_EXACT),
        sorted: has(flag::SORTED),
        min: if has(flag::MIN) { Some(take_literal(input, ty)?) } else { None },
        max: if has(flag::MAX) { Some(take_literal(input, ty)?) } else { None },
        sum: match (has(flag::SUM), ty) {
            (false, _) => None,
            (true, ColumnType::Real) => Some(Sum::Real(f64::from_bits(input.u64()?))),
            (true, _) => Some(Sum::Integer(i128::from_le_bytes(input.bytes16()?))),
        },
        distinct: if has(flag::DISTINCT) { Some(input.u32()?) } else { None },
    })
}

impl Footer {
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.extent_id.as_bytes());
        out.extend_from_slice(self.table_id.as_bytes());
        out.extend_from_slice(&self.created_ticks.to_le_bytes());
        out.push(u8::from(self.partition.is_some()));
        if let Some((start, end)) = self.partition {
            out.extend_from_slice(&start.to_le_bytes());
            out.extend_from_slice(&end.to_le_bytes());
        }
        out.extend_from_slice(&self.original_bytes.to_le_bytes());
        out.extend_from_slice(&(self.tags.len() as u32).to_le_bytes());
        self.tags.iter().for_each(|tag| put_text(out, tag));
        out.extend_from_slice(&(self.columns.len() as u32).to_le_bytes());
        for column in &self.columns {
            out.extend_from_slice(&column.id.to_le_bytes());
            out.push(column.ty as u8);
            put_text(out, &column.name);
        }
        out.extend_from_slice(&(self.sub_columns.len() as u32).to_le_bytes());
        for column in &self.sub_columns {
            out.extend_from_slice(&column.parent.to_le_bytes());
            out.push(column.ty as u8);
            put_text(out, &column.path);
        }
        out.extend_from_slice(&(self.row_groups.len() as u32).to_le_bytes());
        for group in &self.row_groups {
            out.extend_from_slice(&group.rows.to_le_bytes());
            for chunk in &group.chunks {
                chunk.section.encode(out);
                encode_statistics(&chunk.statistics, out);
                match &chunk.index {
                    Index::None => out.push(index_kind::NONE),
                    Index::Dictionary => out.push(index_kind::DICTIONARY),
                    Index::TermBloom(section) => {
                        out.push(index_kind::TERM_BLOOM);
                        section.encode(out);
                    }
                    Index::Terms(section) => {
                        out.push(index_kind::TERM_INDEX);
                        section.encode(out);
                    }
                }
            }
        }
    }

    pub fn decode(bytes: &[u8]) -> Decoded<Footer> {
        let mut input = Input::new(bytes);
        let extent_id = Uuid::from_bytes(input.bytes16()?);
        let table_id = Uuid::from_bytes(input.bytes16()?);
        let created_ticks = input.i64()?;
        let partition = match input.u8()? {
            0 => None,
            1 => Some((input.i64()?, input.i64()?)),
            _ => return Err(Malformed("the partition is neither absent nor present")),
        };
        let original_bytes = input.u64()?;
        let tags = (0..take_count(&mut input, 4)?).map(|_| take_text(&mut input)).collect::<Decoded<_>>()?;
        let columns: Vec<Column> = (0..take_count(&mut input, 9)?)
            .map(|_| {
                Ok(Column { id: input.u32()?, ty: take_type(&mut input)?, name: take_text(&mut input)? })
            })
            .collect::<Decoded<_>>()?;
        let sub_columns: Vec<SubColumn> = (0..take_count(&mut input, 9)?)
            .map(|_| {
                let column = SubColumn {
                    parent: input.u32()?,
                    ty: take_type(&mut input)?,
                    path: take_text(&mut input)?,
                };
                match columns.get(column.parent as usize) {
                    Some(parent) if parent.ty == ColumnType::Dynamic => Ok(column),
                    _ => Err(Malformed("a sub-column has no dynamic column")),
                }
            })
            .collect::<Decoded<_>>()?;
        let types: Vec<ColumnType> = columns
            .iter()
            .map(|column| column.ty)
            .chain(sub_columns.iter().map(|column| column.ty))
            .collect();
        let groups = take_count(&mut input, 4)?;
        let row_groups =
            (0..groups).map(|_| decode_row_group(&mut input, &types)).collect::<Decoded<Vec<RowGroup>>>()?;
        input.finish()?;
        Ok(Footer {
            extent_id,
            table_id,
            created_ticks,
            partition,
            original_bytes,
            tags,
            columns,
            sub_columns,
            row_groups,
        })
    }

    /// Every section of the file, in the order of the footer.
    pub fn sections(&self) -> impl Iterator<Item = Section> {
        self.row_groups
            .iter()
            .flat_map(|group| &group.chunks)
            .flat_map(|chunk| std::iter::once(chunk.section).chain(chunk.index.section().copied()))
    }
}

fn decode_row_group(input: &mut Input<'_>, types: &[ColumnType]) -> Decoded<RowGroup> {
    let rows = input.u32()?;
    if rows as usize > ROW_GROUP_ROWS_MAX {
        return Err(Malformed("a row group is too large"));
    }
    let chunk = |ty: &ColumnType| {
        let section = Section::decode(input)?;
        let statistics = decode_statistics(input, *ty, rows)?;
        let index = match input.u8()? {
            index_kind::NONE => Index::None,
            index_kind::TERM_BLOOM => Index::TermBloom(Section::decode(input)?),
            index_kind::DICTIONARY => Index::Dictionary,
            index_kind::TERM_INDEX => Index::Terms(Section::decode(input)?),
            _ => return Err(Malformed("unknown kind of index")),
        };
        Ok(Chunk { section, statistics, index })
    };
    Ok(RowGroup { rows, chunks: types.iter().map(chunk).collect::<Decoded<_>>()? })
}
