//! Merging: small extents of a partition become a larger one, rows in order of time, in bounded memory.
//!
//! Tiers by number of rows keep the cost down: extents are merged with their like, so a row is written about
//! once per tier. A partition that nothing is added to any more is merged once more as a whole, and sparse
//! neighbours of that sort become one coarser partition.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef};
use uuid::Uuid;

use crate::catalog::{TableEntry, TableId};
use crate::column::flatten;
use crate::error::{Result, StorageError};
use crate::extent::Extent;
use crate::extent_pool::Pooled;
use crate::limits::{
    EXTENT_ORIGINAL_BYTES_MAX, EXTENT_ROWS_MAX, EXTENT_ROWS_MIN, MERGE_COLD_AGE_TICKS, MERGE_COLD_INPUTS_MIN,
    MERGE_FREE_ROWS, MERGE_GENERATIONS_MAX, MERGE_INPUTS_MAX, MERGE_INPUTS_MIN, MERGE_MEMORY_BYTES,
    MERGE_QUIET_AGE_TICKS, PARTITION_COARSENING, RETENTION_SLACK_SHARE, ROW_GROUP_ROWS, TICKS_PER_SECOND,
};
use crate::maintain::extent_file::{self, NewExtent, abandon, columns_of, discard};
use crate::maintain::gather::{Run, gather, push_rows};
use crate::maintain::retention::soft_delete_period;
use crate::manifest::edit::{Edit, ExtentRecord};
use crate::manifest::state::{State, TableState};
use crate::predicate::Literal;
use crate::row_store::union_of_tags;
use crate::shared::Shared;
use crate::types::ColumnType;

/// Longest time that a merge waits for queries before each row group.
const MERGE_WAIT_MAX: Duration = Duration::from_millis(500);
const MERGE_WAIT_STEP: Duration = Duration::from_millis(10);

/// Extents of one table that are to become one.
#[derive(Debug)]
pub(crate) struct MergePlan {
    pub entry: Arc<TableEntry>,
    pub inputs: Vec<Arc<ExtentRecord>>,
    /// That of the result: holds those of all inputs.
    pub partition: (i64, i64),
}

/// The next merge that is worth its cost. `usable` leaves out extents that cannot be read.
pub(crate) fn plan_merge(
    state: &State,
    now_ticks: i64,
    partition_span_ticks: i64,
    usable: impl Fn(Uuid) -> bool,
) -> Option<MergePlan> {
    let mut best: Option<MergePlan> = None;
    for table in state.tables.values() {
        if table.extents.len() < 2 {
            continue;
        }
        let partitions = partitions_of(table, &usable);
        let within = plan_within(&partitions, now_ticks);
        let planned = within.or_else(|| {
            plan_across(&partitions, now_ticks, partition_span_ticks, || {
                soft_delete_period(state, &table.entry)
            })
        });
        if let Some((partition, inputs)) = planned
            && best.as_ref().is_none_or(|best| inputs.len() > best.inputs.len())
        {
            best = Some(MergePlan { entry: table.entry.clone(), inputs, partition });
        }
    }
    best
}

/// The extents of a table that may be merged, by partition, and those partitions that have others, too.
struct Partition {
    extents: Vec<Arc<ExtentRecord>>,
    /// Rows of all its extents.
    rows: u64,
    newest_ticks: i64,
    has_full: bool,
}

type Span = (i64, i64);

fn partitions_of(table: &TableState, usable: impl Fn(Uuid) -> bool) -> BTreeMap<Span, Partition> {
    let mut partitions: BTreeMap<Span, Partition> = BTreeMap::new();
    for extent in table.extents.iter() {
        let full =
            extent.rows >= EXTENT_ROWS_MAX / 2 || extent.original_bytes >= EXTENT_ORIGINAL_BYTES_MAX / 2;
        let partition = partitions.entry(extent.partition).or_insert_with(|| Partition {
            extents: Vec::new(),
            rows: 0,
            newest_ticks: i64::MIN,
            has_full: false,
        });
        partition.rows += extent.rows;
        partition.newest_ticks = partition.newest_ticks.max(extent.created_ticks);
        if full || !usable(extent.id) {
            partition.has_full = true;
        } else {
            partition.extents.push(extent.clone());
        }
    }
    partitions
}

fn plan_within(
    partitions: &BTreeMap<Span, Partition>,
    now_ticks: i64,
) -> Option<(Span, Vec<Arc<ExtentRecord>>)> {
    let mut best: Option<(Span, Vec<Arc<ExtentRecord>>)> = None;
    for (span, partition) in partitions {
        let extents = &partition.extents;
        if extents.len() < 2 {
            continue;
        }
        let mut candidates = Vec::new();
        let newest = partition.newest_ticks;
        if newest < now_ticks.saturating_sub(MERGE_COLD_AGE_TICKS) && extents.len() >= MERGE_COLD_INPUTS_MIN {
            candidates.push((MERGE_COLD_INPUTS_MIN, comparable(extents.clone())));
        }
        if newest < now_ticks.saturating_sub(MERGE_QUIET_AGE_TICKS) {
            let young = extents.iter().filter(|extent| may_settle(extent)).cloned().collect();
            let inputs = comparable(young);
            let rows: u64 = inputs.iter().map(|extent| extent.rows).sum();
            if inputs.first().is_some_and(|least| least.rows < EXTENT_ROWS_MIN) && rows >= EXTENT_ROWS_MIN {
                candidates.push((2, inputs));
            }
        }
        let mut tiers: BTreeMap<u32, Vec<Arc<ExtentRecord>>> = BTreeMap::new();
        for extent in extents {
            tiers.entry(tier(extent.rows)).or_default().push(extent.clone());
        }
        candidates.extend(tiers.into_values().map(|extents| (MERGE_INPUTS_MIN, extents)));
        for (least, extents) in candidates {
            let inputs = within_bounds(extents);
            // A full extent is worth making even of fewer parts than usual.
            let makes_full =
                inputs.len() >= 4 && inputs.iter().map(|e| e.rows).sum::<u64>() >= EXTENT_ROWS_MAX / 2;
            if (inputs.len() >= least || makes_full)
                && best.as_ref().is_none_or(|(_, best)| inputs.len() > best.len())
            {
                best = Some((*span, inputs));
            }
        }
    }
    best
}

/// Neighbouring partitions that nothing is added to and that have few rows each become one extent of a coarser
/// partition: as many as it takes to fill a usual extent, so that time still prunes. Rows of a table with a
/// retention must not wait long for their neighbours to be past it, too.
fn plan_across(
    partitions: &BTreeMap<Span, Partition>,
    now_ticks: i64,
    partition_span_ticks: i64,
    retention_ticks: impl FnOnce() -> Option<i64>,
) -> Option<(Span, Vec<Arc<ExtentRecord>>)> {
    if partitions.len() < 2 {
        return None;
    }
    let quiet = now_ticks.saturating_sub(MERGE_QUIET_AGE_TICKS);
    let coarse = partition_span_ticks.max(TICKS_PER_SECOND).saturating_mul(PARTITION_COARSENING);
    let is_sparse = |(start, end): &Span, partition: &Partition| {
        !partition.has_full
            && partition.rows < EXTENT_ROWS_MIN
            && partition.newest_ticks < quiet
            && end.saturating_sub(*start) <= coarse
    };
    partitions.iter().filter(|(span, partition)| is_sparse(span, partition)).nth(1)?;
    let widest = match retention_ticks() {
        Some(period) => coarse.min(period / RETENTION_SLACK_SHARE),
        None => coarse,
    };
    let mut best: Option<(Span, Vec<Arc<ExtentRecord>>)> = None;
    let mut run: Vec<(&Span, &Partition)> = Vec::new();
    let mut consider = |run: &[(&Span, &Partition)]| {
        let rows: u64 = run.iter().map(|(_, partition)| partition.rows).sum();
        let enough = rows >= EXTENT_ROWS_MIN || run.len() >= MERGE_INPUTS_MIN;
        let (Some(first), Some(end)) = (run.first(), run.iter().map(|(span, _)| span.1).max()) else {
            return;
        };
        if run.len() < 2 || !enough {
            return;
        }
        let extents: Vec<_> =
            run.iter().flat_map(|(_, partition)| partition.extents.iter().cloned()).collect();
        let inputs = within_bounds(extents.clone());
        // A part of a partition in the coarser one would be merged again and again.
        if inputs.len() == extents.len() && best.as_ref().is_none_or(|(_, best)| inputs.len() > best.len()) {
            best = Some(((first.0.0, end), inputs));
        }
    };
    for (span, partition) in partitions {
        if !is_sparse(span, partition) {
            consider(&std::mem::take(&mut run));
            continue;
        }
        let same_span = |first: &Span| {
            first.0.div_euclid(coarse) == span.0.div_euclid(coarse)
                && span.1.saturating_sub(first.0) <= widest
        };
        let rows: u64 = run.iter().map(|(_, partition)| partition.rows).sum();
        if rows >= EXTENT_ROWS_MIN || run.first().is_some_and(|(first, _)| !same_span(first)) {
            consider(&std::mem::take(&mut run));
        }
        run.push((span, partition));
    }
    consider(&run);
    best
}

/// Whether an extent may be merged ahead of its like once nothing is added to its partition: each merge of larger
/// ones writes its rows once more, so there are only a few.
fn may_settle(extent: &ExtentRecord) -> bool {
    extent.rows < MERGE_FREE_ROWS || extent.generation < MERGE_GENERATIONS_MAX
}

/// Size class of an extent: each holds eight times the rows of the one below.
fn tier(rows: u64) -> u32 {
    rows.max(1).ilog2() / 3
}

/// The small extents up to the first that is far larger than all before it together: a few late rows are no
/// reason to write the rest of their day again.
fn comparable(mut extents: Vec<Arc<ExtentRecord>>) -> Vec<Arc<ExtentRecord>> {
    extents.sort_by_key(|extent| (extent.rows, extent.id));
    let mut rows = 0;
    let count = extents
        .iter()
        .take_while(|extent| {
            let similar = rows == 0 || extent.rows <= 4 * rows;
            rows += extent.rows;
            similar
        })
        .count();
    extents.truncate(count);
    extents
}

/// The oldest extents that together stay inside the bounds of an extent and of a merge's memory.
fn within_bounds(mut extents: Vec<Arc<ExtentRecord>>) -> Vec<Arc<ExtentRecord>> {
    extents.sort_by_key(|extent| (extent.min_time, extent.created_ticks, extent.id));
    let (mut rows, mut bytes, mut memory) = (0, 0, 0);
    let mut inputs = Vec::new();
    for extent in extents {
        rows += extent.rows;
        bytes += extent.original_bytes;
        memory += extent.original_bytes / u64::from(extent.row_groups.max(1));
        let fits =
            rows <= EXTENT_ROWS_MAX && bytes <= EXTENT_ORIGINAL_BYTES_MAX && memory <= MERGE_MEMORY_BYTES;
        if inputs.len() >= MERGE_INPUTS_MAX || (!fits && inputs.len() >= 2) {
            break;
        }
        inputs.push(extent);
    }
    if inputs.len() < 2 { Vec::new() } else { inputs }
}

/// Does the next merge; `false` when there is none.
pub(crate) fn merge_once(shared: &Shared) -> Result<bool> {
    let _one_at_a_time = shared.merging.lock();
    shared.check_open()?;
    let state = shared.current.read().state.clone();
    let plan = {
        let unusable = shared.unmergeable.lock();
        let span = shared.options.partition_span_ticks;
        plan_merge(&state, shared.now(), span, |id| !unusable.contains(&id))
    };
    let Some(plan) = plan else { return Ok(false) };
    merge(shared, &plan)?;
    Ok(true)
}

/// Waits while queries read, but not for ever: merging a row group costs about as much as the longest wait.
fn make_way(shared: &Shared) -> Result<()> {
    let until = Instant::now() + MERGE_WAIT_MAX;
    shared.check_open()?;
    while shared.pool.is_queried() && Instant::now() < until {
        std::thread::sleep(MERGE_WAIT_STEP);
        shared.check_open()?;
    }
    Ok(())
}

fn merge(shared: &Shared, plan: &MergePlan) -> Result<()> {
    let table: TableId = plan.entry.id;
    let columns = columns_of(&plan.entry);
    let mut inputs = Vec::with_capacity(plan.inputs.len());
    for record in &plan.inputs {
        match shared.pool.get(&plan.entry, record)? {
            Pooled::Open(extent) => inputs.push(Input::new(extent, plan.entry.time_column())),
            Pooled::Damaged(_) => {
                shared.unmergeable.lock().insert(record.id);
                return Ok(());
            }
        }
    }
    let mut rows = MergedRows { columns, order: BinaryHeap::new(), inputs, groups: Vec::new() };
    rows.start();
    let new = NewExtent {
        entry: &plan.entry,
        partition: plan.partition,
        created_ticks: plan.inputs.iter().map(|input| input.created_ticks).max().unwrap_or_default(),
        generation: plan.inputs.iter().map(|input| input.generation).max().unwrap_or_default() + 1,
        tags: union_of_tags(plan.inputs.iter().map(|input| input.tags.as_slice())),
    };
    let written = extent_file::write(shared, new, || {
        make_way(shared)?;
        rows.next_group()
    });
    let merged = match written {
        Ok(merged) => merged,
        Err(error @ StorageError::Corrupt { .. }) => {
            // Queries still get what is whole of it; merging would spread the hole.
            for (record, input) in plan.inputs.iter().zip(&rows.inputs) {
                if matches!(&error, StorageError::Corrupt { path, .. } if path == input.extent.path()) {
                    shared.unmergeable.lock().insert(record.id);
                    shared.pool.report(&plan.entry, record, &error);
                }
            }
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let mut overtaken = false;
    let ids: Vec<Uuid> = plan.inputs.iter().map(|input| input.id).collect();
    let at_ticks = shared.now();
    let committed = shared.commit_edits(|state, _| {
        let alive = state.tables.get(&table).is_some_and(|table| {
            let known: std::collections::HashSet<Uuid> =
                table.extents.iter().map(|extent| extent.id).collect();
            ids.iter().all(|id| known.contains(id))
        });
        if !alive {
            overtaken = true;
            return Ok(Vec::new());
        }
        Ok(vec![Edit::ReplaceExtents {
            table,
            add: vec![merged.clone()],
            remove: ids.clone(),
            merged: true,
            at_ticks,
        }])
    });
    match committed {
        Ok(()) if overtaken => {
            discard(shared, &plan.entry, &[merged]);
            Ok(())
        }
        Ok(()) => Ok(()),
        Err(failure) => {
            abandon(shared, &plan.entry, &[merged], failure.doubtful);
            Err(failure.error)
        }
    }
}

/// One extent being merged: at most one row group of it is in memory.
struct Input {
    extent: Arc<Extent>,
    time_column: Option<u32>,
    next_group: u32,
    loaded: Option<Loaded>,
}

struct Loaded {
    /// Index in `MergedRows::groups`.
    group: usize,
    times: ArrayRef,
    row: usize,
}

impl Input {
    fn new(extent: Arc<Extent>, time_column: Option<u32>) -> Input {
        Input { extent, time_column, next_group: 0, loaded: None }
    }

    /// A lower bound of the next row's time; null sorts first, as when sealing. `None` at the end.
    fn next_key(&self) -> Option<i64> {
        if let Some(loaded) = &self.loaded {
            return Some(loaded.key());
        }
        if self.next_group >= self.extent.row_group_count() {
            return None;
        }
        let statistics = self.time_column.and_then(|id| self.extent.statistics(self.next_group, id));
        match statistics {
            Some(statistics) if statistics.nulls == 0 => match statistics.min {
                Some(Literal::Integer(least)) => Some(least),
                _ => Some(i64::MIN),
            },
            _ => Some(i64::MIN),
        }
    }
}

impl Loaded {
    fn key(&self) -> i64 {
        let times = self.times.as_primitive::<Int64Type>();
        if times.is_valid(self.row) { times.value(self.row) } else { i64::MIN }
    }
}

/// The rows of all inputs in order of time.
struct MergedRows {
    columns: Vec<(u32, ColumnType)>,
    order: BinaryHeap<Reverse<(i64, usize)>>,
    inputs: Vec<Input>,
    /// Row groups whose rows are not all written: columns in the order of `columns`.
    groups: Vec<Vec<ArrayRef>>,
}

impl MergedRows {
    fn start(&mut self) {
        for (index, input) in self.inputs.iter().enumerate() {
            if let Some(key) = input.next_key() {
                self.order.push(Reverse((key, index)));
            }
        }
    }

    fn next_group(&mut self) -> Result<Option<Vec<ArrayRef>>> {
        let mut runs: Vec<Run> = Vec::new();
        let mut rows = 0;
        while rows < ROW_GROUP_ROWS {
            let Some(Reverse((_, index))) = self.order.pop() else { break };
            if self.inputs[index].loaded.is_none() {
                self.load(index)?;
            } else {
                let bound = self.order.peek().map_or(i64::MAX, |Reverse((key, _))| *key);
                rows += self.take_run(index, bound, ROW_GROUP_ROWS - rows, &mut runs);
            }
            if let Some(key) = self.inputs[index].next_key() {
                self.order.push(Reverse((key, index)));
            }
        }
        if runs.is_empty() {
            return Ok(None);
        }
        let mut arrays = Vec::with_capacity(self.columns.len());
        for (position, (_, ty)) in self.columns.iter().enumerate() {
            let sources: Vec<&ArrayRef> = self.groups.iter().map(|group| &group[position]).collect();
            arrays.push(gather(&sources, &runs, *ty)?);
        }
        self.forget_written();
        Ok(Some(arrays))
    }

    fn load(&mut self, index: usize) -> Result<()> {
        let input = &mut self.inputs[index];
        let group = input.next_group;
        input.next_group += 1;
        let mut arrays = Vec::with_capacity(self.columns.len());
        for (id, ty) in &self.columns {
            arrays.push(flatten(&input.extent.read_column(group, *id, *ty)?)?);
        }
        let time_position = self.columns.iter().position(|(id, _)| Some(*id) == input.time_column);
        // Without a time column the hidden ingestion time, which is the last column, gives the order.
        let times = arrays[time_position.unwrap_or(self.columns.len() - 1)].clone();
        if !times.is_empty() {
            input.loaded = Some(Loaded { group: self.groups.len(), times, row: 0 });
            self.groups.push(arrays);
        }
        Ok(())
    }

    /// Takes rows of an input up to a time, at least one.
    fn take_run(&mut self, index: usize, bound: i64, limit: usize, runs: &mut Vec<Run>) -> usize {
        let input = &mut self.inputs[index];
        let Some(loaded) = &mut input.loaded else { return 0 };
        let times = loaded.times.as_primitive::<Int64Type>();
        let start = loaded.row;
        let end = times.len().min(start + limit);
        let mut row = start + 1;
        while row < end && (times.is_null(row) || times.value(row) <= bound) {
            row += 1;
        }
        push_rows(runs, loaded.group, start, row - start);
        loaded.row = row;
        if row == times.len() {
            input.loaded = None;
        }
        row - start
    }

    /// Drops the row groups that no input reads from any more.
    fn forget_written(&mut self) {
        let mut kept = Vec::new();
        for input in &mut self.inputs {
            if let Some(loaded) = &mut input.loaded {
                kept.push(std::mem::take(&mut self.groups[loaded.group]));
                loaded.group = kept.len() - 1;
            }
        }
        self.groups = kept;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::CatalogChange;
    use crate::limits::PARTITION_SPAN_TICKS as DAY;
    use crate::manifest::plan::{PlanContext, plan};
    use crate::types::TableSchema;

    const NOW: i64 = 1000 * DAY;

    /// A state with one table whose extents have these (day, rows, age in hours).
    fn state(extents: &[(i64, u64, i64)]) -> State {
        let mut state = State::default();
        let database = CatalogChange::CreateDatabase { name: "d".to_owned(), if_not_exists: false };
        let table = CatalogChange::CreateTable {
            database: "d".to_owned(),
            name: "t".to_owned(),
            schema: TableSchema::new([("time", ColumnType::DateTime)]),
            folder: String::new(),
            docstring: String::new(),
            if_not_exists: false,
        };
        for change in [database, table] {
            for edit in plan(&state, &change, PlanContext { now_ticks: NOW, sequence: 0 }).unwrap() {
                state.apply(&edit).unwrap();
            }
        }
        let table = *state.tables.keys().next().unwrap();
        let add = extents
            .iter()
            .map(|(day, rows, hours)| ExtentRecord {
                id: Uuid::new_v4(),
                partition: (day * DAY, (day + 1) * DAY),
                rows: *rows,
                row_groups: rows.div_ceil(65_536) as u32,
                file_bytes: rows * 10,
                original_bytes: rows * 100,
                file_checksum: 0,
                time_column: Some(0),
                min_time: Some(day * DAY),
                max_time: Some(day * DAY + 1),
                created_ticks: NOW - hours * DAY / 24,
                generation: 0,
                tags: Vec::new(),
            })
            .collect();
        let edit = Edit::ReplaceExtents { table, add, remove: Vec::new(), merged: false, at_ticks: NOW };
        state.apply(&edit).unwrap();
        state
    }

    fn planned(extents: &[(i64, u64, i64)]) -> Option<(usize, u64)> {
        let plan = plan_merge(&state(extents), NOW, DAY, |_| true)?;
        let holds = |input: &ExtentRecord| {
            plan.partition.0 <= input.partition.0 && input.partition.1 <= plan.partition.1
        };
        assert!(plan.inputs.iter().all(|input| holds(input)));
        Some((plan.inputs.len(), plan.inputs.iter().map(|input| input.rows).sum()))
    }

    #[test]
    fn what_is_merged() {
        assert_eq!(planned(&[]), None);
        assert_eq!(planned(&[(1, 10_000, 0); 7]), None, "too few of a tier");
        assert_eq!(planned(&[(1, 10_000, 0); 8]), Some((8, 80_000)));
        assert_eq!(planned(&[(1, 100, 0); 250]), Some((100, 10_000)), "bounded number of inputs");
        let two_days: Vec<_> = [(1, 10_000, 0); 7].into_iter().chain([(2, 10_000, 0); 7]).collect();
        assert_eq!(planned(&two_days), None, "not across partitions");
        let tiers: Vec<_> = [(1, 10_000, 0); 7].into_iter().chain([(1, 1_000_000, 0); 3]).collect();
        assert_eq!(planned(&tiers), None, "not across tiers while the partition is warm");
        assert_eq!(planned(&[(1, 10_000, 2); 4]), Some((4, 40_000)), "a cold partition as a whole");
        assert_eq!(planned(&[(1, 10_000_000, 2); 4]), None, "full ones never");
        assert_eq!(planned(&[(1, 3_000_000, 0); 4]), Some((4, 12_000_000)), "when a full one comes of it");
        let late: Vec<_> = [(1, 10, 2); 3].into_iter().chain([(1, 5_000_000, 30)]).collect();
        assert_eq!(planned(&late), None, "late rows do not rewrite their day");
    }

    #[test]
    fn what_is_merged_when_nothing_is_added_any_more() {
        let burst = [(1, 900_000, 1), (1, 1_000_000, 1), (1, 4_000_000, 1), (1, 10_000_000, 1)];
        assert_eq!(planned(&burst), Some((3, 5_900_000)), "what is left over reaches the usual size");
        assert_eq!(planned(&burst[1..]), None, "extents of the usual size stay");
        assert_eq!(planned(&[(1, 300_000, 0), (1, 900_000, 0)]), None, "not while it is warm");

        let month: Vec<_> = (0..30).map(|day| (992 + day, 160_000, 1)).collect();
        assert_eq!(planned(&month), Some((7, 1_120_000)), "sparse days up to the usual size");
        let few: Vec<_> = (0..7).map(|day| (992 + day, 100, 1)).collect();
        assert_eq!(planned(&few), None, "few of them are not worth it");
        let warm: Vec<_> = month.iter().map(|(day, rows, _)| (*day, *rows, 0)).collect();
        assert_eq!(planned(&warm), None, "not while they are warm");
        let apart: Vec<_> = (0..8).map(|month| (992 + month * 32, 100_000, 1)).collect();
        assert_eq!(planned(&apart), None, "not across months");
        let dense: Vec<_> = (0..30).map(|day| (992 + day, 1_500_000, 1)).collect();
        assert_eq!(planned(&dense), None, "days with many rows stay apart");
    }

    /// Seals a stream into days of a state and merges with a clock; gives the rows that merges wrote per row
    /// sealed, and the sizes that are left.
    fn simulate(
        seals: u64,
        rows: impl Fn(u64) -> u64,
        seconds_between: i64,
        day_rows: u64,
    ) -> (f64, Vec<u64>) {
        let mut state = state(&[]);
        let table = *state.tables.keys().next().unwrap();
        let template = self::state(&[(0, 1, 0)]);
        let template = template.tables.values().next().unwrap().extents[0].as_ref().clone();
        let (mut sealed, mut merged, mut now) = (0, 0, NOW);
        let replace = |state: &mut State, add: ExtentRecord, remove: Vec<Uuid>, now: i64| {
            let edit = Edit::ReplaceExtents { table, add: vec![add], remove, merged: true, at_ticks: now };
            state.apply(&edit).unwrap();
        };
        for seal in 0..=seals {
            if seal < seals {
                let rows = rows(seal);
                let day = (sealed / day_rows) as i64;
                sealed += rows;
                let record = ExtentRecord {
                    id: Uuid::new_v4(),
                    partition: (day * DAY, (day + 1) * DAY),
                    rows,
                    row_groups: rows.div_ceil(65_536) as u32,
                    original_bytes: rows * 100,
                    created_ticks: now,
                    ..template.clone()
                };
                replace(&mut state, record, Vec::new(), now);
                now += seconds_between * TICKS_PER_SECOND;
            } else {
                now += 10 * 60 * TICKS_PER_SECOND;
            }
            while let Some(plan) = plan_merge(&state, now, DAY, |_| true) {
                let rows = plan.inputs.iter().map(|input| input.rows).sum();
                merged += rows;
                let record = ExtentRecord {
                    id: Uuid::new_v4(),
                    partition: plan.partition,
                    rows,
                    row_groups: rows.div_ceil(65_536) as u32,
                    original_bytes: rows * 100,
                    created_ticks: plan.inputs.iter().map(|input| input.created_ticks).max().unwrap(),
                    generation: plan.inputs.iter().map(|input| input.generation).max().unwrap() + 1,
                    ..template.clone()
                };
                let gone = plan.inputs.iter().map(|input| input.id).collect();
                replace(&mut state, record, gone, now);
            }
        }
        let mut left: Vec<u64> =
            state.tables.values().next().unwrap().extents.iter().map(|extent| extent.rows).collect();
        left.sort_unstable();
        (merged as f64 / sealed as f64, left)
    }

    #[test]
    fn merges_write_few_rows_and_leave_few_extents() {
        let million = |_| 1 << 20;
        for (name, (amplification, left), most, extents) in [
            ("a burst into one day", simulate(10, million, 2, u64::MAX), 1.0, 4),
            (
                "a burst with odd seals",
                simulate(40, |seal| 100_000 + seal % 7 * 90_000, 1, u64::MAX),
                3.0,
                10,
            ),
            ("a day under load", simulate(200, million, 2, u64::MAX), 2.0, 40),
            ("a seal a minute", simulate(3000, |_| 5_000, 60, u64::MAX), 3.6, 20),
            ("a seal every three minutes", simulate(2000, |_| 100_000, 180, 50_000_000), 3.0, 60),
            ("a sparse month", simulate(30, |_| 160_000, 1, 160_000), 1.0, 6),
            ("a sparse year", simulate(365, |_| 1_000, 86_400, 1_000), 3.0, 60),
        ] {
            println!("{name}: {amplification:.2} {left:?}");
            assert!(amplification <= most, "{name}: {amplification} rows written per row");
            assert!(left.len() <= extents, "{name}: {} extents are left: {left:?}", left.len());
        }
    }
}
