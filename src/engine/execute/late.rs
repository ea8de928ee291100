//! Late columns: an operator that keeps few rows reads its winners' other columns afterwards.
//!
//! It knows nothing of what decides which rows win.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, UInt32Array};
use conshelf_kql::function::{FunctionId, OperatorFunction};
use conshelf_kql::plan::{Expr, ExprKind, Operator, Plan, SortKey};
use conshelf_kql::{Column, Schema, Type};

use crate::engine::batch::Batch;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::Executor;
use crate::engine::execute::bound::{Bound, TopBound};
use crate::engine::execute::collect::collect;
use crate::engine::execute::columns;
use crate::engine::execute::expression::Expressions;
use crate::engine::execute::latest::{Latest, Observe};
use crate::engine::execute::pipeline::{Emit, Flow, Pipeline, Source};
use crate::engine::execute::rewrite::{columns_of, substitute};
use crate::engine::execute::scan::{Request, TableScan, column_of, entry};
use crate::engine::execute::window;

/// A chain of filters and projections over a scan, cut in two: what decides which rows are wanted, and what
/// is only needed of those.
pub struct Late {
    /// Yields the early columns, then the row id.
    pub pipeline: Pipeline,
    /// The early expressions, over the pipeline's columns.
    pub early: Vec<Expr>,
    pub schema: Schema,
    /// What a `top` may tell the scan.
    pub bound: Option<Arc<TopBound>>,
    scan: Arc<TableScan>,
    /// Stable ids of the columns that the late expressions read.
    ids: Vec<u32>,
    /// Over those columns.
    late: Vec<Expr>,
}

/// Which rows are wanted, as far as that lets the scan leave out some.
#[derive(Clone, Copy)]
pub enum Wanted<'a> {
    Any,
    /// The first ones by this key, which is the first early expression.
    First(&'a SortKey),
    /// Of each value of the early expressions but the last the one with the greatest value of that, or the least.
    Extreme {
        greatest: bool,
    },
}

impl Late {
    /// `early` and `late` are expressions over the input.
    /// `None`: reading late gains nothing, or the input is something else than a chain over a scan.
    pub fn of(
        executor: &Executor,
        input: &Plan,
        early: &[Expr],
        late: &[Expr],
        wanted: Wanted<'_>,
    ) -> Result<Option<Late>> {
        let Some(chain) = chain(input) else { return Ok(None) };
        let Operator::Scan { database, table, columns, predicate } = &*chain.scan.operator else {
            return Ok(None);
        };
        let over_scan = |list: &[Expr]| -> Option<Vec<Expr>> {
            list.iter().map(|expression| substitute(expression, &chain.outputs)).collect()
        };
        let (Some(early), Some(late)) = (over_scan(early), over_scan(late)) else { return Ok(None) };
        let mut filters: Vec<Expr> = predicate.iter().cloned().collect();
        filters.extend(chain.filters);
        let (mut early_columns, mut late_columns) = (Vec::new(), Vec::new());
        filters.iter().chain(&early).for_each(|expression| columns_of(expression, &mut early_columns));
        late.iter().for_each(|expression| columns_of(expression, &mut late_columns));
        if late_columns.iter().all(|position| early_columns.contains(position)) {
            return Ok(None);
        }
        let remap = |list: &[Expr], kept: &[usize]| -> Option<Vec<Expr>> {
            let places: Vec<Expr> = (0..columns.len())
                .map(|position| {
                    let place = kept.iter().position(|kept| *kept == position).unwrap_or(0);
                    Expr::column(place, chain.scan.schema[position].ty)
                })
                .collect();
            list.iter().map(|expression| substitute(expression, &places)).collect()
        };
        let (Some(filters), Some(early_list), Some(late_list)) =
            (remap(&filters, &early_columns), remap(&early, &early_columns), remap(&late, &late_columns))
        else {
            return Ok(None);
        };
        let entry = entry(executor, database, table)?;
        let id_of = |position: usize| {
            column_of(entry, &columns[position]).map(|(id, _)| id).ok_or_else(|| {
                EngineError::Evaluation(format!("column '{}' does not exist any more", columns[position]))
            })
        };
        let column = |expression: Option<&Expr>| match expression.map(|expression| &expression.kind) {
            Some(ExprKind::Column(position)) => Some(*position),
            _ => None,
        };
        let is_time = |id: u32| Some(id) == entry.time_column();
        let mut bound = None;
        let mut latest = None;
        match (wanted, column(early.first()), column(early.last())) {
            (Wanted::First(order), Some(position), _) => {
                let id = id_of(position)?;
                bound = TopBound::of(order, id, is_time(id)).map(Arc::new);
            }
            (Wanted::Extreme { greatest }, Some(first), Some(last)) if is_time(id_of(last)?) => {
                let place = |position| early_columns.iter().position(|kept| *kept == position).unwrap_or(0);
                let positions = (place(first), place(last));
                let key = match early.len() {
                    1 => Some(None),
                    2 if chain.scan.schema[first].ty == Type::String => Some(Some(id_of(first)?)),
                    _ => None,
                };
                if let Some(key) = key {
                    latest = Some(Arc::new(Latest::new(executor, greatest, key, positions, &filters)?));
                }
            }
            _ => {}
        }
        let told: Option<Arc<dyn Bound>> = match (&bound, &latest) {
            (Some(bound), _) => Some(bound.clone()),
            (None, Some(latest)) => Some(latest.clone()),
            (None, None) => None,
        };
        let names: Vec<String> = early_columns.iter().map(|position| columns[*position].clone()).collect();
        let predicate = filters.into_iter().reduce(|left, right| {
            Expr::call(FunctionId::Operator(OperatorFunction::And), vec![left, right], Type::Bool)
        });
        let request = Request {
            database,
            table,
            columns: &names,
            predicate: predicate.as_ref(),
            row_ids: true,
            bound: told,
            limit: None,
        };
        let name = format!("Scan {database}.{table} [{}], the rest late", names.join(", "));
        let profile = executor.profile.operator(name, executor.depth);
        let scan = Arc::new(TableScan::new(executor, &profile, &request)?);
        let mut schema: Schema =
            early_columns.iter().map(|position| chain.scan.schema[*position].clone()).collect();
        schema.push(Column::new("$row", Type::Long));
        let ids = late_columns.iter().map(|position| id_of(*position)).collect::<Result<_>>()?;
        let mut pipeline = Pipeline::of(scan.clone(), profile, false);
        if let Some(latest) = latest {
            pipeline = pipeline.then(Arc::new(Observe(latest)), &Arc::default());
        }
        Ok(Some(Late { pipeline, early: early_list, schema, bound, scan, ids, late: late_list }))
    }

    /// The row id as an expression over the pipeline's columns.
    pub fn row_id(&self) -> Expr {
        Expr::column(self.schema.len() - 1, Type::Long)
    }

    /// The values of the late expressions for rows by their ids; nulls for a null id.
    pub fn fetch(&self, executor: &Executor, row_ids: &ArrayRef) -> Result<Vec<ArrayRef>> {
        let row_ids = columns::longs(row_ids)?;
        let mut by_morsel: BTreeMap<usize, Vec<(u32, i64)>> = BTreeMap::new();
        for (place, row_id) in (0i64..).zip(row_ids.iter()) {
            if let Some(row_id) = row_id {
                by_morsel.entry((row_id >> 32) as usize).or_default().push((row_id as u32, place));
            }
        }
        let source = Fetch {
            scan: self.scan.clone(),
            groups: by_morsel.into_iter().collect(),
            ids: self.ids.clone(),
            late: Expressions::new(executor, &self.late)?,
        };
        let pipeline = Pipeline::of(Arc::new(source), Arc::default(), false);
        let fetched = collect(&pipeline, &executor.query, executor.workers)?;
        let mut schema: Schema = self.late.iter().map(|expression| Column::new("", expression.ty)).collect();
        schema.push(Column::new("$place", Type::Long));
        let all = columns::concat(&fetched.batches, &schema)?;
        let mut picks: Vec<Option<u32>> = vec![None; row_ids.len()];
        for (row, place) in (0u32..).zip(columns::longs(&all.columns[self.late.len()])?.values()) {
            picks[*place as usize] = Some(row);
        }
        let picks = UInt32Array::from(picks);
        all.columns[..self.late.len()].iter().map(|column| columns::take_column(column, &picks)).collect()
    }
}

/// Reads single rows of some morsels and computes the late expressions of them.
struct Fetch {
    scan: Arc<TableScan>,
    /// Morsel, then rows with their places in the result.
    groups: Vec<(usize, Vec<(u32, i64)>)>,
    ids: Vec<u32>,
    late: Expressions,
}

impl Source for Fetch {
    fn morsels(&self) -> usize {
        self.groups.len()
    }

    fn read(&self, morsel: usize, emit: &mut Emit<'_>) -> Result<Flow> {
        let (number, rows) = &self.groups[morsel];
        let mut rows = rows.clone();
        rows.sort_unstable();
        let mut distinct: Vec<u32> = rows.iter().map(|(row, _)| *row).collect();
        distinct.dedup();
        let batch = self.scan.read_rows(*number, &self.ids, &distinct)?;
        let mut batch = Batch::new(self.late.columns(&batch)?, batch.rows);
        if distinct.len() < rows.len() {
            let picks = rows.iter().map(|(row, _)| distinct.binary_search(row).map_or(0, |at| at as u32));
            batch = columns::take(&batch, &UInt32Array::from_iter_values(picks))?;
        }
        let places = Int64Array::from_iter_values(rows.iter().map(|(_, place)| *place));
        batch.columns.push(Arc::new(places));
        emit(batch)
    }
}

struct Chain<'a> {
    scan: &'a Plan,
    /// Over the scan's columns.
    filters: Vec<Expr>,
    outputs: Vec<Expr>,
}

/// Filters and projections over a scan, rewritten over its columns.
fn chain(plan: &Plan) -> Option<Chain<'_>> {
    match &*plan.operator {
        Operator::Scan { .. } => {
            let outputs = plan
                .schema
                .iter()
                .enumerate()
                .map(|(index, column)| Expr::column(index, column.ty))
                .collect();
            Some(Chain { scan: plan, filters: Vec::new(), outputs })
        }
        Operator::Filter { input, predicate } => {
            let mut chain = chain(input)?;
            chain.filters.push(substitute(predicate, &chain.outputs)?);
            Some(chain)
        }
        Operator::Project { input, expressions } => {
            if expressions.iter().any(window::has_window) {
                return None;
            }
            let mut chain = chain(input)?;
            let outputs = expressions
                .iter()
                .map(|expression| substitute(expression, &chain.outputs))
                .collect::<Option<_>>()?;
            chain.outputs = outputs;
            Some(chain)
        }
        _ => None,
    }
}
