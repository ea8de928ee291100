//! What is read of matches, for many of them at once: the columns that conditions and projections work on.

use std::sync::Arc;

use arrow_array::builder::BinaryViewBuilder;
use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array, UInt32Array};
use conshelf_kql::Type;
use conshelf_kql::plan::graph::{GraphValue, GraphValueKind, PathCollect, PathLocal};
use conshelf_storage::DynamicBuilder;

use super::matches::Matches;
use super::structure::Graph;
use crate::engine::batch::Batch;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::Executor;
use crate::engine::execute::columns;
use crate::engine::execute::expression::Expressions;
use crate::engine::kernel::Datum;
use crate::engine::kernel::dynamic::value::Values;

/// The values of a search, ready to be read.
pub struct MatchValues {
    values: Vec<GraphValue>,
    /// By value: the expression along a path.
    along: Vec<Option<Expressions>>,
    graph: Arc<Graph>,
}

impl MatchValues {
    pub fn new(executor: &Executor, graph: Arc<Graph>, values: &[GraphValue]) -> Result<MatchValues> {
        let along = values
            .iter()
            .map(|value| match &value.kind {
                GraphValueKind::Path { expression, .. } => {
                    Expressions::new(executor, std::slice::from_ref(expression)).map(Some)
                }
                _ => Ok(None),
            })
            .collect::<Result<_>>()?;
        Ok(MatchValues { values: values.to_vec(), along, graph })
    }

    pub fn kinds(&self) -> impl Iterator<Item = &GraphValueKind> {
        self.values.iter().map(|value| &value.kind)
    }

    /// The values that expressions over values need: their columns, and what paths among these read.
    pub fn needed(&self, expressions: &Expressions) -> Vec<bool> {
        let mut needed = vec![false; self.values.len()];
        for position in expressions.prepared().iter().flat_map(|expression| expression.columns()) {
            if let Some(needed) = needed.get_mut(position) {
                *needed = true;
            }
        }
        for position in (0..self.values.len()).rev() {
            if !needed[position] {
                continue;
            }
            if let GraphValueKind::Path { locals, .. } = &self.values[position].kind {
                for local in locals {
                    if let PathLocal::Outer(value) = local {
                        needed[*value] = true;
                    }
                }
            }
        }
        needed
    }

    /// A column per value, a row per match. Values that are not needed are null.
    pub fn batch(&self, matches: &Matches, needed: &[bool]) -> Result<Batch> {
        let nothing = columns::nulls(Type::Bool, matches.count);
        let mut read: Vec<ArrayRef> = Vec::with_capacity(self.values.len());
        for (position, value) in self.values.iter().enumerate() {
            let column = match needed.get(position) {
                Some(true) => self.value(position, value, matches, &read)?,
                _ => nothing.clone(),
            };
            read.push(column);
        }
        Ok(Batch::new(read, matches.count))
    }

    fn value(
        &self,
        position: usize,
        value: &GraphValue,
        matches: &Matches,
        before: &[ArrayRef],
    ) -> Result<ArrayRef> {
        let graph = &self.graph;
        Ok(match &value.kind {
            GraphValueKind::NodeProperty { node, column } => {
                taken(property(&graph.nodes, *column)?, &matches.nodes[*node])?
            }
            GraphValueKind::NodeId { node } => taken(&graph.ids, &matches.nodes[*node])?,
            GraphValueKind::NodeDegreeIn { node } => self.degrees(&matches.nodes[*node], true),
            GraphValueKind::NodeDegreeOut { node } => self.degrees(&matches.nodes[*node], false),
            GraphValueKind::EdgeProperty { edge, column } => {
                taken(property(&graph.edges, *column)?, &matches.paths[*edge].edges)?
            }
            GraphValueKind::Path { edge, inner_nodes, collect, locals, .. } => {
                let (ends, elements) = matches.paths[*edge].parts(*inner_nodes);
                let Some(along) = &self.along[position] else {
                    return Err(EngineError::Internal(String::from("a path without its expression")));
                };
                let rows = self.along_rows(along, *inner_nodes, ends, elements, locals, before)?;
                let column = along.column(&rows, 0)?;
                collected(
                    *collect,
                    &column,
                    along.prepared().first().map_or(Type::Dynamic, |a| a.ty()),
                    ends,
                )?
            }
            GraphValueKind::Lifted { .. } => columns::nulls(value.ty, matches.count),
        })
    }

    fn degrees(&self, nodes: &[u32], reaching: bool) -> ArrayRef {
        let edges = if reaching { &self.graph.reaching } else { &self.graph.leaving };
        Arc::new(Int64Array::from_iter_values(nodes.iter().map(|node| edges.degree(*node) as i64)))
    }

    /// The rows along all paths: properties of the elements, then locals.
    fn along_rows(
        &self,
        along: &Expressions,
        inner_nodes: bool,
        ends: &[u32],
        elements: &[u32],
        locals: &[PathLocal],
        before: &[ArrayRef],
    ) -> Result<Batch> {
        let table = if inner_nodes { &self.graph.nodes } else { &self.graph.edges };
        let read = along.prepared().first().map_or_else(Vec::new, |expression| expression.columns());
        let nothing = columns::nulls(Type::Bool, elements.len());
        let rows = UInt32Array::from(elements.to_vec());
        let mut columns = Vec::with_capacity(table.columns.len() + locals.len());
        for (position, column) in table.columns.iter().enumerate() {
            columns.push(match read.contains(&position) {
                true => columns::take_column(column, &rows)?,
                false => nothing.clone(),
            });
        }
        for local in locals {
            columns.push(match local {
                PathLocal::NodeId => taken(&self.graph.ids, elements)?,
                PathLocal::NodeDegreeIn => self.degrees(elements, true),
                PathLocal::NodeDegreeOut => self.degrees(elements, false),
                PathLocal::Outer(value) => {
                    let Some(column) = before.get(*value) else {
                        return Err(EngineError::Internal(String::from("a path reads a later value")));
                    };
                    taken(column, &matches_of(ends))?
                }
            });
        }
        Ok(Batch::new(columns, elements.len()))
    }
}

fn property(table: &Batch, column: usize) -> Result<&ArrayRef> {
    table
        .columns
        .get(column)
        .ok_or_else(|| EngineError::Internal(String::from("a graph has no property of that number")))
}

fn taken(column: &ArrayRef, rows: &[u32]) -> Result<ArrayRef> {
    columns::take_column(column, &UInt32Array::from(rows.to_vec()))
}

/// By element of all paths, the number of its match.
fn matches_of(ends: &[u32]) -> Vec<u32> {
    let mut rows = Vec::with_capacity(ends.last().map_or(0, |end| *end as usize));
    for (row, end) in ends.iter().enumerate() {
        rows.resize(*end as usize, row as u32);
    }
    rows
}

/// The values along each path as one value.
fn collected(collect: PathCollect, column: &ArrayRef, ty: Type, ends: &[u32]) -> Result<ArrayRef> {
    let parts = ends.iter().scan(0usize, |start, end| {
        let part = *start..*end as usize;
        *start = part.end;
        Some(part)
    });
    if collect == PathCollect::Map {
        let datum = Datum::Array(columns::flatten(column)?);
        let values = Values::new(&datum, ty)?;
        let mut builder = DynamicBuilder::new();
        let mut arrays = BinaryViewBuilder::with_capacity(ends.len());
        for part in parts {
            builder.begin_array();
            part.for_each(|row| values.put(row, &mut builder));
            builder.end_array();
            builder.finish_with(|bytes| arrays.append_value(bytes));
        }
        return Ok(Arc::new(arrays.finish()));
    }
    let truths = columns::booleans(column)?;
    let holds = |row: usize| truths.is_valid(row) && truths.value(row);
    Ok(Arc::new(BooleanArray::from_iter(parts.map(|mut part| {
        Some(match collect {
            PathCollect::All => part.all(holds),
            _ => part.any(holds),
        })
    }))))
}
