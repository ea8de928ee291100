//! `mv-expand`: a row per element of arrays or property of bags, several columns side by side.
//!
//! Reference: mv-expand-operator. A null gives one row, an empty array or bag none, another scalar one.

use std::sync::Arc;

use arrow_array::builder::BinaryViewBuilder;
use arrow_array::{Array, ArrayRef, BinaryViewArray, Int64Array, UInt32Array};
use conshelf_kql::Type;
use conshelf_kql::function::{ConversionFunction, FunctionId};
use conshelf_kql::plan::{BagExpansion, Expansion, Expr, Plan};
use conshelf_storage::dynamic::{DynamicBuilder, DynamicKind, DynamicRef};

use crate::engine::batch::Batch;
use crate::engine::error::Result;
use crate::engine::execute::Executor;
use crate::engine::execute::columns;
use crate::engine::execute::expression::Expressions;
use crate::engine::execute::pipeline::{BATCH_ROWS, Emit, Flow, Pipeline, Transform};
use crate::engine::profile::OperatorProfile;

pub struct MvExpand {
    sources: Expressions,
    /// Per expansion: the column it replaces, and the conversion of its elements.
    targets: Vec<(Option<usize>, Option<Expressions>)>,
    bag: BagExpansion,
    with_item_index: bool,
    row_limit: u64,
}

pub fn pipeline(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    input: &Plan,
    expansions: &[Expansion],
    bag: BagExpansion,
    with_item_index: bool,
    row_limit: Option<u64>,
) -> Result<Pipeline> {
    let below = executor.pipeline(input)?;
    let expand = MvExpand::new(executor, expansions, bag, with_item_index, row_limit)?;
    Ok(below.then(Arc::new(expand), profile))
}

/// The conversion of a dynamic column (the only one of its batch) to a type.
pub fn conversion(executor: &Executor, from: Type, ty: Type) -> Result<Option<Expressions>> {
    let function = match ty {
        Type::Bool => ConversionFunction::ToBool,
        Type::Int => ConversionFunction::ToInt,
        Type::Long => ConversionFunction::ToLong,
        Type::Real => ConversionFunction::ToReal,
        Type::Decimal => ConversionFunction::ToDecimal,
        Type::DateTime => ConversionFunction::ToDateTime,
        Type::TimeSpan => ConversionFunction::ToTimeSpan,
        Type::String => ConversionFunction::ToString,
        Type::Guid => ConversionFunction::ToGuid,
        Type::Dynamic => ConversionFunction::ToDynamic,
    };
    if from == ty {
        return Ok(None);
    }
    let call = Expr::call(FunctionId::Conversion(function), vec![Expr::column(0, from)], ty);
    Ok(Some(Expressions::new(executor, &[call])?))
}

impl MvExpand {
    pub fn new(
        executor: &Executor,
        expansions: &[Expansion],
        bag: BagExpansion,
        with_item_index: bool,
        row_limit: Option<u64>,
    ) -> Result<MvExpand> {
        let sources: Vec<Expr> = expansions.iter().map(|expansion| expansion.source.clone()).collect();
        let targets = expansions
            .iter()
            .map(|expansion| Ok((expansion.replaces, conversion(executor, Type::Dynamic, expansion.ty)?)))
            .collect::<Result<_>>()?;
        Ok(MvExpand {
            sources: Expressions::new(executor, &sources)?,
            targets,
            bag,
            with_item_index,
            row_limit: row_limit.unwrap_or(i32::MAX as u64),
        })
    }

    fn flush(&self, batch: &Batch, pending: &mut Pending) -> Result<Batch> {
        let rows = UInt32Array::from(std::mem::take(&mut pending.rows));
        let count = rows.len();
        let mut columns: Vec<Option<ArrayRef>> = vec![None; batch.columns.len()];
        let mut appended = Vec::new();
        for (builder, (replaces, conversion)) in pending.elements.iter_mut().zip(&self.targets) {
            let elements: ArrayRef = Arc::new(builder.finish());
            let elements = match conversion {
                Some(conversion) => conversion.column(&Batch::new(vec![elements], count), 0)?,
                None => elements,
            };
            match replaces.and_then(|position| columns.get_mut(position)) {
                Some(column) => *column = Some(elements),
                None => appended.push(elements),
            }
        }
        let mut all = Vec::with_capacity(columns.len() + appended.len() + 1);
        for (column, source) in columns.into_iter().zip(&batch.columns) {
            all.push(match column {
                Some(column) => column,
                None => columns::take_column(source, &rows)?,
            });
        }
        all.extend(appended);
        if self.with_item_index {
            all.push(Arc::new(Int64Array::from(std::mem::take(&mut pending.indices))));
        }
        Ok(Batch::new(all, count))
    }
}

/// Expanded rows that are not emitted yet.
struct Pending {
    rows: Vec<u32>,
    indices: Vec<i64>,
    elements: Vec<BinaryViewBuilder>,
}

/// The elements of one value.
enum Elements<'a> {
    None,
    One(Option<&'a [u8]>),
    Array(DynamicRef<'a>, usize),
    Bag(Vec<(&'a str, DynamicRef<'a>)>),
}

impl<'a> Elements<'a> {
    fn of(values: &'a BinaryViewArray, row: usize) -> Elements<'a> {
        if values.is_null(row) {
            return Elements::One(None);
        }
        let value = DynamicRef::new(values.value(row));
        match value.kind() {
            DynamicKind::Null => Elements::One(None),
            DynamicKind::Array => match value.len().unwrap_or(0) {
                0 => Elements::None,
                count => Elements::Array(value, count),
            },
            DynamicKind::Object => {
                let properties: Vec<_> = value.iter_object().collect();
                if properties.is_empty() { Elements::None } else { Elements::Bag(properties) }
            }
            _ => Elements::One(Some(values.value(row))),
        }
    }

    fn len(&self) -> usize {
        match self {
            Elements::None => 0,
            Elements::One(_) => 1,
            Elements::Array(_, count) => *count,
            Elements::Bag(properties) => properties.len(),
        }
    }

    fn put(
        &self,
        index: usize,
        bag: BagExpansion,
        scratch: &mut DynamicBuilder,
        out: &mut BinaryViewBuilder,
    ) {
        match self {
            Elements::One(Some(value)) if index == 0 => out.append_value(value),
            Elements::Array(array, count) if index < *count => match array.at(index as i64) {
                Some(element) if !element.is_null() => out.append_value(element.bytes()),
                _ => out.append_null(),
            },
            Elements::Bag(properties) => match properties.get(index) {
                Some((key, value)) => {
                    match bag {
                        BagExpansion::Bag => {
                            scratch.begin_object();
                            scratch.key(key);
                            scratch.value(*value);
                            scratch.end_object();
                        }
                        BagExpansion::Array => {
                            scratch.begin_array();
                            scratch.string(key);
                            scratch.value(*value);
                            scratch.end_array();
                        }
                    }
                    out.append_value(scratch.finish());
                }
                None => out.append_null(),
            },
            Elements::None | Elements::One(_) | Elements::Array(..) => out.append_null(),
        }
    }
}

impl Transform for MvExpand {
    fn apply(&self, batch: Batch, emit: &mut Emit<'_>) -> Result<Flow> {
        let sources = self.sources.columns(&batch)?;
        let sources = sources.iter().map(columns::dynamics).collect::<Result<Vec<_>>>()?;
        let mut pending = Pending {
            rows: Vec::new(),
            indices: Vec::new(),
            elements: sources.iter().map(|_| BinaryViewBuilder::new()).collect(),
        };
        let mut scratch = DynamicBuilder::new();
        for row in 0..batch.rows {
            let values: Vec<Elements<'_>> = sources.iter().map(|values| Elements::of(values, row)).collect();
            let count = values.iter().map(Elements::len).max().unwrap_or(0) as u64;
            for index in 0..count.min(self.row_limit) as usize {
                pending.rows.push(row as u32);
                if self.with_item_index {
                    pending.indices.push(index as i64);
                }
                for (value, out) in values.iter().zip(&mut pending.elements) {
                    value.put(index, self.bag, &mut scratch, out);
                }
                if pending.rows.len() == BATCH_ROWS && emit(self.flush(&batch, &mut pending)?)?.is_break() {
                    return Ok(Flow::Break(()));
                }
            }
        }
        if pending.rows.is_empty() {
            return Ok(Flow::Continue(()));
        }
        emit(self.flush(&batch, &mut pending)?)
    }
}
