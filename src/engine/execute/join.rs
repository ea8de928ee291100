//! `join` of all nine kinds, by hashing one side.
//!
//! References: join-operator and its pages per kind. A null key matches a null key, as the recorded engine
//! answers show. The right side is hashed and the left streams past it; kinds that keep unmatched rows of
//! the right remember which were met. `innerunique` first reduces the left to one row per key that has a
//! partner.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow_array::types::UInt32Type;
use arrow_array::{Array, ArrayRef, DictionaryArray, StringViewArray, UInt32Array};
use arrow_buffer::BooleanBuffer;
use conshelf_kql::plan::{Expr, JoinKind, Plan};
use conshelf_kql::{Schema, Type};
use hashbrown::HashMap;

use crate::engine::batch::Batch;
use crate::engine::context::{MemoryReservation, QueryContext};
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::Executor;
use crate::engine::execute::columns;
use crate::engine::execute::expression::Expressions;
use crate::engine::execute::key::{KeyTable, NONE};
use crate::engine::execute::materialised::Materialised;
use crate::engine::execute::pipeline::{BATCH_ROWS, Emit, Flow, Pipeline, Position, Sink, Source, Transform};
use crate::engine::execute::resolve::{VALUES_MAX, with_partners};
use crate::engine::profile::OperatorProfile;

/// Texts of a hashed side of more rows are taken as they are.
const CODED_ROWS: usize = 1 << 16;

/// The hashed side.
struct Build {
    table: KeyTable,
    /// Rows of group g: `rows[starts[g] .. starts[g + 1]]`.
    starts: Vec<u32>,
    rows: Vec<u32>,
    batch: Batch,
    /// The text columns of few rows as numbers of their different texts.
    coded: Vec<Option<Coded>>,
    /// Per row, for kinds that ask which rows found no partner.
    met: Vec<AtomicBool>,
    _memory: MemoryReservation,
}

/// A text column of the hashed side: what it yields is codes.
struct Coded {
    /// The different texts, and after them the empty one.
    values: ArrayRef,
    codes: Vec<u32>,
    /// Of the empty text.
    empty: u32,
}

impl Coded {
    fn of(column: &ArrayRef) -> Result<Coded> {
        let flat = columns::flatten(column)?;
        let texts = columns::texts(&flat)?;
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        let mut values: Vec<&str> = Vec::new();
        let mut codes = Vec::with_capacity(texts.len());
        for row in 0..=texts.len() {
            let text = if row < texts.len() { texts.value(row) } else { "" };
            codes.push(*numbers.entry(text).or_insert_with(|| {
                values.push(text);
                values.len() as u32 - 1
            }));
        }
        let empty = codes.pop().unwrap_or(0);
        Ok(Coded { values: Arc::new(StringViewArray::from_iter_values(values)), codes, empty })
    }

    fn memory_bytes(&self) -> usize {
        self.values.get_array_memory_size() + self.codes.capacity() * 4
    }

    /// The texts of rows; the empty one for those that are none.
    fn pick(&self, rows: &UInt32Array) -> Result<ArrayRef> {
        let keys: Vec<u32> = match rows.null_count() {
            0 => rows.values().iter().map(|row| self.codes[*row as usize]).collect(),
            _ => rows.iter().map(|row| row.map_or(self.empty, |row| self.codes[row as usize])).collect(),
        };
        Ok(Arc::new(DictionaryArray::<UInt32Type>::try_new(keys.into(), self.values.clone())?))
    }
}

fn key_types(keys: &[Expr]) -> Vec<Type> {
    keys.iter().map(|key| key.ty).collect()
}

impl Build {
    fn new(executor: &Executor, plan: &Plan, keys: &[Expr], remember: bool) -> Result<Build> {
        let query = &executor.query;
        let input = executor.materialise(plan)?;
        if input.rows >= NONE as usize {
            return Err(EngineError::Evaluation(String::from("join: the right side has too many rows")));
        }
        let expressions = Expressions::new(executor, keys)?;
        let mut table = KeyTable::new(&key_types(keys));
        let mut group_of = Vec::with_capacity(input.rows);
        let mut groups = Vec::new();
        for batch in &input.batches {
            query.check()?;
            table.assign(&expressions.columns(batch)?, batch.rows, &mut groups)?;
            group_of.extend_from_slice(&groups);
        }
        let mut starts = vec![0u32; table.len() + 1];
        for group in &group_of {
            starts[*group as usize + 1] += 1;
        }
        for group in 0..table.len() {
            starts[group + 1] += starts[group];
        }
        let mut next = starts.clone();
        let mut rows = vec![0u32; group_of.len()];
        for (row, group) in group_of.iter().enumerate() {
            let slot = &mut next[*group as usize];
            rows[*slot as usize] = row as u32;
            *slot += 1;
        }
        let batch = columns::concat(&input.batches, &plan.schema)?;
        let met =
            if remember { (0..batch.rows).map(|_| AtomicBool::new(false)).collect() } else { Vec::new() };
        let coded = plan.schema.iter().zip(&batch.columns).map(|(column, array)| {
            let is_coded = column.ty == Type::String && batch.rows <= CODED_ROWS;
            is_coded.then(|| Coded::of(array)).transpose()
        });
        let coded = coded.collect::<Result<Vec<_>>>()?;
        let bytes = table.memory_bytes()
            + columns::held_bytes(&batch) as usize
            + coded.iter().flatten().map(Coded::memory_bytes).sum::<usize>()
            + (starts.len() + rows.len()) * 4
            + met.len();
        drop(input);
        let memory = query.reserve(bytes as u64)?;
        Ok(Build { table, starts, rows, batch, coded, met, _memory: memory })
    }

    fn partners(&self, group: u32) -> &[u32] {
        if group == NONE {
            return &[];
        }
        let group = group as usize;
        &self.rows[self.starts[group] as usize..self.starts[group + 1] as usize]
    }

    /// Whether no two rows have one key.
    fn is_unique(&self) -> bool {
        self.rows.len() == self.table.len()
    }

    /// The columns for some rows; nulls (empty texts) for those that are none.
    fn pick(&self, rows: &UInt32Array) -> Result<Vec<ArrayRef>> {
        let columns = self.batch.columns.iter().zip(&self.coded);
        let pick = |(column, coded): (&ArrayRef, &Option<Coded>)| match coded {
            Some(coded) => coded.pick(rows),
            None => columns::take_column(column, rows),
        };
        columns.map(pick).collect()
    }
}

/// Which rows a probe yields.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Pairs of partners; with `keep`, also probe rows without a partner, beside nulls.
    Pairs { keep: bool },
    /// Probe rows that have a partner.
    Semi,
    /// Probe rows that have none.
    Anti,
}

/// The streaming side meets the hashed one.
struct Probe {
    build: Arc<Build>,
    keys: Expressions,
    mode: Mode,
    /// The streaming side's columns come second.
    swapped: bool,
}

impl Transform for Probe {
    fn apply(&self, batch: Batch, emit: &mut Emit<'_>) -> Result<Flow> {
        let mut groups = Vec::new();
        self.build.table.find(&self.keys.columns(&batch)?, batch.rows, &mut groups)?;
        let keep = match self.mode {
            Mode::Semi | Mode::Anti => {
                let wanted = self.mode == Mode::Semi;
                let selected = groups.iter().map(|group| (*group != NONE) == wanted).collect();
                return emit(columns::filter(&batch, &selected)?);
            }
            Mode::Pairs { keep } => keep,
        };
        if self.build.is_unique() {
            return self.single(&batch, &groups, keep, emit);
        }
        let mut left: Vec<u32> = Vec::new();
        let mut right: Vec<Option<u32>> = Vec::new();
        let mut unmatched = false;
        for (row, group) in groups.iter().enumerate() {
            let partners = self.build.partners(*group);
            if partners.is_empty() && keep {
                left.push(row as u32);
                right.push(None);
                unmatched = true;
            }
            for partner in partners {
                if let Some(met) = self.build.met.get(*partner as usize) {
                    met.store(true, Ordering::Relaxed);
                }
                left.push(row as u32);
                right.push(Some(*partner));
                if left.len() == BATCH_ROWS {
                    if self.pairs(&batch, &left, &right, unmatched, emit)?.is_break() {
                        return Ok(Flow::Break(()));
                    }
                    left.clear();
                    right.clear();
                    unmatched = false;
                }
            }
        }
        if left.is_empty() {
            return Ok(Flow::Continue(()));
        }
        self.pairs(&batch, &left, &right, unmatched, emit)
    }
}

impl Probe {
    /// Pairs where each row has one partner at most: rows of the streaming side stay where they are.
    fn single(&self, batch: &Batch, groups: &[u32], keep: bool, emit: &mut Emit<'_>) -> Result<Flow> {
        let build = &self.build;
        let unmatched = groups.iter().filter(|group| **group == NONE).count();
        let partner = |group: &u32| build.partners(*group).first().copied();
        let right: UInt32Array = match (unmatched, keep) {
            (0, _) => groups.iter().map(|group| build.rows[*group as usize]).collect::<Vec<u32>>().into(),
            (_, true) => groups.iter().map(partner).collect(),
            (_, false) => groups.iter().filter_map(partner).collect::<Vec<u32>>().into(),
        };
        if !build.met.is_empty() {
            right.iter().flatten().for_each(|row| build.met[row as usize].store(true, Ordering::Relaxed));
        }
        let left = match (unmatched, keep) {
            (0, _) | (_, true) => batch.clone(),
            (_, false) => {
                columns::filter(batch, &groups.iter().map(|group| *group != NONE).collect::<BooleanBuffer>())?
            }
        };
        if left.rows == 0 {
            return Ok(Flow::Continue(()));
        }
        self.emit(left, build.pick(&right)?, emit)
    }

    fn emit(&self, left: Batch, right: Vec<ArrayRef>, emit: &mut Emit<'_>) -> Result<Flow> {
        let rows = left.rows;
        let (mut first, second) = if self.swapped { (right, left.columns) } else { (left.columns, right) };
        first.extend(second);
        emit(Batch::new(first, rows))
    }

    fn pairs(
        &self,
        batch: &Batch,
        left: &[u32],
        right: &[Option<u32>],
        unmatched: bool,
        emit: &mut Emit<'_>,
    ) -> Result<Flow> {
        let left = columns::take(batch, &UInt32Array::from(left.to_vec()))?;
        let right_rows = if unmatched {
            UInt32Array::from(right.to_vec())
        } else {
            UInt32Array::from_iter_values(right.iter().flatten().copied())
        };
        let right = self.build.pick(&right_rows)?;
        self.emit(left, right, emit)
    }
}

/// After the probe: rows of the hashed side that found no partner, beside nulls.
struct Unmet {
    build: Arc<Build>,
    probe_schema: Schema,
    swapped: bool,
}

impl Source for Unmet {
    fn morsels(&self) -> usize {
        self.build.batch.rows.div_ceil(BATCH_ROWS)
    }

    fn read(&self, morsel: usize, emit: &mut Emit<'_>) -> Result<Flow> {
        let first = morsel * BATCH_ROWS;
        let last = (first + BATCH_ROWS).min(self.build.batch.rows);
        let rows: Vec<u32> = (first..last)
            .filter(|row| !self.build.met[*row].load(Ordering::Relaxed))
            .map(|row| row as u32)
            .collect();
        if rows.is_empty() {
            return Ok(Flow::Continue(()));
        }
        let count = rows.len();
        let kept = columns::take(&self.build.batch, &UInt32Array::from(rows))?.columns;
        let padding: Vec<ArrayRef> =
            self.probe_schema.iter().map(|column| columns::nulls(column.ty, count)).collect();
        let (mut columns, second) = if self.swapped { (kept, padding) } else { (padding, kept) };
        columns.extend(second);
        emit(Batch::new(columns, count))
    }
}

pub fn pipeline(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    kind: JoinKind,
    left: &Plan,
    right: &Plan,
    left_keys: &[Expr],
    right_keys: &[Expr],
) -> Result<Pipeline> {
    // Semi and anti joins that yield the right side stream it past the left.
    let swapped = matches!(kind, JoinKind::RightSemi | JoinKind::RightAnti);
    let (probe, probe_keys, hashed, hashed_keys) =
        if swapped { (right, right_keys, left, left_keys) } else { (left, left_keys, right, right_keys) };
    if key_types(probe_keys) != key_types(hashed_keys) {
        return Err(EngineError::Internal(String::from("join keys of different types")));
    }
    let remember = matches!(kind, JoinKind::RightOuter | JoinKind::FullOuter);
    let build = Arc::new(Build::new(executor, hashed, hashed_keys, remember)?);
    let mode = match kind {
        JoinKind::InnerUnique | JoinKind::Inner | JoinKind::RightOuter => Mode::Pairs { keep: false },
        JoinKind::LeftOuter | JoinKind::FullOuter => Mode::Pairs { keep: true },
        JoinKind::LeftSemi | JoinKind::RightSemi => Mode::Semi,
        JoinKind::LeftAnti | JoinKind::RightAnti => Mode::Anti,
    };
    let mut narrowed = None;
    if matches!(mode, Mode::Pairs { keep: false } | Mode::Semi) && build.table.len() <= VALUES_MAX {
        narrowed = with_partners(probe, probe_keys, &build.table.columns()?)?;
    }
    let mut streaming = executor.pipeline(narrowed.as_ref().unwrap_or(probe))?;
    if kind == JoinKind::InnerUnique {
        let sink = Unique {
            build: build.clone(),
            keys: Expressions::new(executor, probe_keys)?,
            schema: probe.schema.clone(),
            query: executor.query.clone(),
        };
        let rows = unique(executor, &streaming, sink)?;
        streaming = Pipeline::of(Arc::new(rows), Arc::default(), false);
    }
    let keys = Expressions::new(executor, probe_keys)?;
    let probing = Arc::new(Probe { build: build.clone(), keys, mode, swapped });
    let mut joined = streaming.then(probing, profile);
    joined.ordered = false;
    if remember {
        // What was met is known once all of the streaming side has passed.
        let rows = super::collect::collect(&joined, &executor.query, executor.workers)?;
        let unmet = Unmet { build, probe_schema: probe.schema.clone(), swapped };
        joined = Pipeline::of(rows, Arc::default(), false);
        joined.segments.extend(Pipeline::of(Arc::new(unmet), profile.clone(), false).segments);
    }
    Ok(joined)
}

/// Keeps the first row of each key that has a partner.
struct Unique {
    build: Arc<Build>,
    keys: Expressions,
    schema: Schema,
    query: Arc<QueryContext>,
}

struct UniqueLocal {
    /// By group of the hashed side: where its first row is, in `rows`.
    first: Vec<(u64, u32)>,
    batches: Vec<Batch>,
    rows: u32,
    bytes: u64,
    memory: MemoryReservation,
}

impl Sink for Unique {
    type Local = UniqueLocal;

    fn start(&self) -> Result<UniqueLocal> {
        let groups = self.build.table.len();
        Ok(UniqueLocal {
            first: vec![(u64::MAX, 0); groups],
            batches: Vec::new(),
            rows: 0,
            bytes: groups as u64 * 16,
            memory: self.query.reserve(groups as u64 * 16)?,
        })
    }

    fn push(&self, local: &mut UniqueLocal, position: Position, batch: Batch) -> Result<Flow> {
        let mut groups = Vec::new();
        self.build.table.find(&self.keys.columns(&batch)?, batch.rows, &mut groups)?;
        let mut rows: Vec<u32> = Vec::new();
        for (row, group) in groups.iter().enumerate().filter(|(_, group)| **group != NONE) {
            let first = &mut local.first[*group as usize];
            let ordinal = position.ordinal(row);
            if ordinal < first.0 {
                *first = (ordinal, local.rows + rows.len() as u32);
                rows.push(row as u32);
            }
        }
        if !rows.is_empty() {
            let picked = columns::compact(columns::take(&batch, &UInt32Array::from(rows))?);
            local.rows += picked.rows as u32;
            local.bytes += columns::held_bytes(&picked);
            local.memory.resize(local.bytes)?;
            local.batches.push(picked);
        }
        Ok(Flow::Continue(()))
    }
}

fn unique(executor: &Executor, streaming: &Pipeline, sink: Unique) -> Result<Materialised> {
    let schema = sink.schema.clone();
    let locals = streaming.run(&executor.query, executor.workers, Arc::new(sink))?;
    let mut first: Vec<(u64, u32)> = Vec::new();
    let mut batches = Vec::new();
    let mut rows = 0u32;
    for local in locals {
        if first.is_empty() {
            first = vec![(u64::MAX, 0); local.first.len()];
        }
        for (known, (ordinal, row)) in first.iter_mut().zip(local.first) {
            if ordinal < known.0 {
                *known = (ordinal, rows + row);
            }
        }
        rows += local.rows;
        batches.extend(local.batches);
    }
    let mut picked: Vec<(u64, u32)> = first.into_iter().filter(|(ordinal, _)| *ordinal != u64::MAX).collect();
    picked.sort_unstable();
    let all = columns::concat(&batches, &schema)?;
    let picked = UInt32Array::from_iter_values(picked.into_iter().map(|(_, row)| row));
    Materialised::new(&executor.query, vec![columns::take(&all, &picked)?])
}
