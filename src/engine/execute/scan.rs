//! Reading a table: pruned morsels, predicate columns first, the others only for rows that survive.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow_array::{Array, ArrayRef, Int64Array, NullArray};
use arrow_buffer::BooleanBuffer;
use conshelf_kql::explain::operator_line;
use conshelf_kql::plan::{Expr, Operator, Plan};
use conshelf_storage::{
    ColumnStatistics, ColumnType, EXTENT_ID_COLUMN, EXTENT_TAGS_COLUMN, Effort, INGESTION_TIME_COLUMN,
    Morsel, MorselSource, Predicate, ScanOrder, ScanRequest, TableEntry, TableId, TextAnswer, TextQuestion,
};
use uuid::Uuid;

use crate::engine::batch::Batch;
use crate::engine::cache::{CacheKey, Fingerprint};
use crate::engine::context::QueryContext;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::Executor;
use crate::engine::execute::bound::Bound;
use crate::engine::execute::columns;
use crate::engine::execute::condition::Condition;
use crate::engine::execute::known::KnownRows;
use crate::engine::execute::path::{Part, PathColumn, Paths};
use crate::engine::execute::pipeline::{Emit, Flow, Pipeline, Source, Unit, Whole};
use crate::engine::execute::rewrite::columns_of;
use crate::engine::execute::selection::{Selection, Selections, within};
use crate::engine::execute::text_fact::TextFact;
use crate::engine::profile::OperatorProfile;

/// Names by which a plan reads what is hidden.
const HIDDEN: [(&str, u32, ColumnType); 3] = [
    ("$IngestionTime", INGESTION_TIME_COLUMN, ColumnType::DateTime),
    ("$ExtentId", EXTENT_ID_COLUMN, ColumnType::Guid),
    ("$ExtentTags", EXTENT_TAGS_COLUMN, ColumnType::Dynamic),
];

/// Single rows are picked out of a column when at most one in so many is wanted.
const FEW_ROWS: usize = 8;
/// The same for texts, of which whole pieces stay packed and no values are copied in vain.
const FEW_TEXTS: usize = 2;

pub struct TableScan {
    morsels: Vec<Morsel>,
    /// Stable ids of the yielded columns.
    ids: Vec<u32>,
    /// Whether each of them holds texts or dynamic values.
    texts: Vec<bool>,
    conditions: Vec<Condition>,
    /// Append a column with morsel and row of each row.
    row_ids: bool,
    bound: Option<Arc<dyn Bound>>,
    /// More rows of one morsel are not wanted.
    limit: Option<usize>,
    /// Positions of the columns that whoever takes the rows looks at; the others may be stand-ins.
    used: Vec<usize>,
    table: TableId,
    /// Paths into dynamic columns that are read like columns.
    paths: Paths,
    /// Whether whoever takes the rows knows of them.
    yields_paths: bool,
    /// Names the table and the columns with their types.
    fingerprint: u128,
    /// What is kept of single row groups.
    selections: Option<Selections>,
    /// What comes of the rows is kept, so that it is not worth keeping which rows they are.
    is_summed: AtomicBool,
    query: Arc<QueryContext>,
    profile: Arc<OperatorProfile>,
}

/// What is to be read.
pub struct Request<'a> {
    pub database: &'a str,
    pub table: &'a str,
    pub columns: &'a [String],
    pub predicate: Option<&'a Expr>,
    /// Whether a column with morsel and row of each row is wanted.
    pub row_ids: bool,
    pub bound: Option<Arc<dyn Bound>>,
    /// More rows are not wanted.
    pub limit: Option<usize>,
}

pub fn pipeline(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    database: &str,
    table: &str,
    columns: &[String],
    predicate: Option<&Expr>,
) -> Result<Pipeline> {
    let scan = table_scan(executor, profile, database, table, columns, predicate, None)?;
    Ok(Pipeline::of(Arc::new(scan), profile.clone(), false))
}

/// The pipeline of a plan of whose columns only those are looked at that the expressions read.
/// These come to read the paths into dynamic columns from columns that the scan adds.
pub fn pipeline_using(executor: &Executor, input: &Plan, expressions: &mut [&mut Expr]) -> Result<Pipeline> {
    let Operator::Scan { database, table, columns, predicate } = &*input.operator else {
        return executor.pipeline(input);
    };
    let profile = executor.profile.operator(operator_line(input), executor.depth);
    let mut scan = table_scan(executor, &profile, database, table, columns, predicate.as_ref(), None)?;
    let mut used = Vec::new();
    for expression in expressions {
        **expression = scan.paths.rewrite(expression, &executor.query)?;
        columns_of(expression, &mut used);
    }
    scan.used = used;
    scan.yields_paths = true;
    Ok(Pipeline::of(Arc::new(scan), profile, false))
}

/// A scan of which at most `limit` rows are wanted, if it says so.
pub fn table_scan(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    database: &str,
    table: &str,
    columns: &[String],
    predicate: Option<&Expr>,
    limit: Option<usize>,
) -> Result<TableScan> {
    let request = Request { database, table, columns, predicate, row_ids: false, bound: None, limit };
    TableScan::new(executor, profile, &request)
}

/// The table as the query's snapshot has it.
pub fn entry<'a>(executor: &'a Executor, database: &str, table: &str) -> Result<&'a Arc<TableEntry>> {
    let snapshot = executor.snapshot.as_ref();
    snapshot.and_then(|snapshot| snapshot.table(database, table)).ok_or_else(|| {
        EngineError::Evaluation(format!("table '{table}' of database '{database}' does not exist any more"))
    })
}

/// Stable id and type of a column by the name in a plan.
pub fn column_of(entry: &TableEntry, name: &str) -> Option<(u32, ColumnType)> {
    if let Some((_, id, ty)) = HIDDEN.iter().find(|(hidden, _, _)| *hidden == name) {
        return Some((*id, *ty));
    }
    entry.schema.position(name).map(|position| {
        let column = &entry.schema.columns[position];
        (column.id, column.ty)
    })
}

impl TableScan {
    pub fn new(
        executor: &Executor,
        profile: &Arc<OperatorProfile>,
        request: &Request<'_>,
    ) -> Result<TableScan> {
        let entry = entry(executor, request.database, request.table)?;
        let columns = request
            .columns
            .iter()
            .map(|name| {
                column_of(entry, name).ok_or_else(|| {
                    EngineError::Evaluation(format!("column '{name}' does not exist any more"))
                })
            })
            .collect::<Result<Vec<(u32, ColumnType)>>>()?;
        let mut paths = Paths::new(columns.len());
        let conditions = Condition::all(executor, request.predicate, &columns, &mut paths)?;
        let parts = conditions.iter().filter_map(|condition| condition.translation.as_ref());
        let predicate = Predicate::And(parts.map(|part| part.predicate.clone()).collect());
        let data = executor.snapshot.as_ref().and_then(|snapshot| snapshot.table_data(entry.id));
        let Some(data) = data else {
            return Err(EngineError::Evaluation(format!(
                "table '{}' does not exist any more",
                request.table
            )));
        };
        let mut scan = data.scan(&ScanRequest { predicate, order: ScanOrder::Any })?;
        if let Some(bound) = &request.bound {
            bound.arrange(&mut scan.morsels);
        }
        let totals = &scan.totals;
        profile.set_note(format!(
            "extents={}/{} row_groups={}/{} rows={}/{}{}",
            totals.extents_scanned,
            totals.extents_total,
            totals.row_groups_scanned,
            totals.row_groups_total,
            totals.rows_scanned,
            totals.rows_total,
            if totals.damaged.is_empty() { String::new() } else { format!(" damaged={:?}", totals.damaged) },
        ));
        let progress = &executor.query.progress;
        progress.extents_total.fetch_add(totals.extents_total, Ordering::Relaxed);
        progress.extents_scanned.fetch_add(totals.extents_scanned, Ordering::Relaxed);
        progress.morsels_total.fetch_add(scan.morsels.len() as u64, Ordering::Relaxed);
        let conditions_empty = conditions.is_empty();
        Ok(TableScan {
            morsels: scan.morsels,
            ids: columns.iter().map(|(id, _)| *id).collect(),
            texts: columns
                .iter()
                .map(|(_, ty)| matches!(ty, ColumnType::String | ColumnType::Dynamic))
                .collect(),
            conditions,
            row_ids: request.row_ids,
            bound: request.bound.clone(),
            limit: request.limit,
            used: (0..columns.len()).collect(),
            table: entry.id,
            paths,
            yields_paths: false,
            fingerprint: Fingerprint::default().add(&(entry.id, &columns)).finish(),
            selections: Selections::of(executor).filter(|_| !conditions_empty),
            is_summed: AtomicBool::new(false),
            query: executor.query.clone(),
            profile: profile.clone(),
        })
    }

    /// The rows that meet all conditions; of columns that are read for it `found` gets those rows.
    fn meet(&self, morsel: &Morsel, found: &mut [Option<ArrayRef>]) -> Result<Selection> {
        let mut rows = morsel.rows();
        let (mut kept, settled) = self.select(morsel);
        if let Some(kept) = &kept {
            rows = kept.count_set_bits();
            if rows == 0 {
                return Ok(Selection::None);
            }
        }
        let keep = |selected: BooleanBuffer,
                    found: &mut [Option<ArrayRef>],
                    kept: &mut Option<BooleanBuffer>,
                    rows: &mut usize|
         -> Result<()> {
            let count = selected.count_set_bits();
            if count == *rows {
                return Ok(());
            }
            for column in found.iter_mut().flatten() {
                *column = columns::filter_column(column, &selected)?;
            }
            *kept = Some(match kept.take() {
                None => selected,
                Some(kept) => within(&kept, &selected),
            });
            *rows = count;
            self.query.check()
        };
        for (condition, settled) in self.conditions.iter().zip(settled) {
            if settled {
                continue;
            }
            if let Some(selected) = self.hinted(morsel, condition, found, kept.as_ref(), rows)? {
                keep(selected, found, &mut kept, &mut rows)?;
            }
            if rows > 0 {
                self.fill(morsel, &condition.columns, found, kept.as_ref())?;
                let selected = condition.expression.select(&partial(found, rows), &self.query)?;
                keep(selected, found, &mut kept, &mut rows)?;
            }
            if rows == 0 {
                return Ok(Selection::None);
            }
        }
        Ok(kept.map_or(Selection::All, Selection::Some))
    }

    /// Which of the rows left may meet a condition on a text that is not there yet, as far as storage tells without
    /// unpacking much.
    fn hinted(
        &self,
        morsel: &Morsel,
        condition: &Condition,
        found: &[Option<ArrayRef>],
        kept: Option<&BooleanBuffer>,
        rows: usize,
    ) -> Result<Option<BooleanBuffer>> {
        let Some((column, test)) = &condition.hint else { return Ok(None) };
        if found[*column].is_some() || rows * FEW_TEXTS <= morsel.rows() {
            return Ok(None);
        }
        let answers = morsel.ask_texts(self.ids[*column], &[TextQuestion::Fits(test)], Effort::Little)?;
        Ok(match answers.as_deref() {
            Some([TextAnswer::Found(passing)]) => Some(match kept {
                Some(kept) => columns::filter_buffer(passing, kept),
                None => passing.clone(),
            }),
            _ => None,
        })
    }

    /// What names the conditions that not all rows of a row group are known to meet; `None`: there are none, or
    /// they have no name.
    fn selection_key(&self, morsel: &Morsel) -> Option<CacheKey> {
        self.selections.as_ref()?;
        let MorselSource::Extent { id, row_group } = morsel.source() else { return None };
        let mut names = Vec::new();
        for condition in &self.conditions {
            if !condition.always_holds(morsel) {
                names.push(condition.fingerprint?);
            }
        }
        names.sort_unstable();
        let fingerprint = Fingerprint::default().add(&("selection", self.table, row_group, &names)).finish();
        (!names.is_empty()).then_some(CacheKey { extent: id, fingerprint })
    }

    /// Reads the columns at the given positions that are not there yet, leaving out rows dropped already.
    fn fill(
        &self,
        morsel: &Morsel,
        positions: &[usize],
        found: &mut [Option<ArrayRef>],
        kept: Option<&BooleanBuffer>,
    ) -> Result<()> {
        let path = |position: &&usize| **position >= self.ids.len();
        for position in positions.iter().filter(path) {
            if found.get(*position).is_some_and(Option::is_none) {
                self.fill_path(morsel, *position, positions, found, kept)?;
            }
        }
        for texts in [false, true] {
            let missing: Vec<usize> = positions
                .iter()
                .copied()
                .filter(|position| found.get(*position).is_some_and(Option::is_none))
                .filter(|position| self.texts.get(*position) == Some(&texts))
                .collect();
            if !missing.is_empty() {
                let few = if texts { FEW_TEXTS } else { FEW_ROWS };
                self.fill_missing(morsel, &missing, found, kept, few)?;
            }
        }
        Ok(())
    }

    fn fill_missing(
        &self,
        morsel: &Morsel,
        missing: &[usize],
        found: &mut [Option<ArrayRef>],
        kept: Option<&BooleanBuffer>,
        few: usize,
    ) -> Result<()> {
        let ids: Vec<u32> = missing.iter().map(|position| self.ids[*position]).collect();
        let few = kept.filter(|kept| kept.count_set_bits() * few <= morsel.rows());
        let arrays = match few {
            Some(kept) => {
                let rows: Vec<u32> = kept.set_indices().map(|row| row as u32).collect();
                morsel.read_rows(&ids, &rows)?
            }
            None => morsel.read(&ids)?,
        };
        let mut bytes = 0;
        for (position, array) in missing.iter().zip(arrays) {
            bytes += columns::held_bytes(&Batch { columns: vec![array.clone()], rows: array.len() });
            found[*position] = Some(match kept.filter(|_| few.is_none()) {
                Some(kept) => columns::filter_column(&array, kept)?,
                None => array,
            });
        }
        self.profile.add_bytes(bytes);
        self.query.progress.bytes_scanned.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    /// Reads a path column: alone where storage has it so, else out of the whole column.
    fn fill_path(
        &self,
        morsel: &Morsel,
        position: usize,
        positions: &[usize],
        found: &mut [Option<ArrayRef>],
        kept: Option<&BooleanBuffer>,
    ) -> Result<()> {
        let Some(path) = self.paths.at(position) else { return Ok(()) };
        let keys = match &path.part {
            Part::Path(keys) => keys,
            Part::Text(fact) => {
                return self.fill_fact(morsel, position, (path, fact), positions, found, kept);
            }
        };
        let whole_is_there = found[path.column].is_some()
            && kept.is_some_and(|kept| kept.count_set_bits() * FEW_ROWS <= morsel.rows());
        let values = match whole_is_there {
            true => None,
            false => morsel.read_path(self.ids[path.column], keys)?,
        };
        let array = match values {
            Some(values) => self.of_storage(path.of_values(values, &self.query)?, kept)?,
            None => self.of_whole(morsel, path, found, kept)?,
        };
        found[position] = Some(array);
        Ok(())
    }

    /// The rows left of an array that storage gave for a whole morsel, which is counted as read.
    fn of_storage(&self, array: ArrayRef, kept: Option<&BooleanBuffer>) -> Result<ArrayRef> {
        let bytes = columns::held_bytes(&Batch { columns: vec![array.clone()], rows: array.len() });
        self.profile.add_bytes(bytes);
        self.query.progress.bytes_scanned.fetch_add(bytes, Ordering::Relaxed);
        match kept {
            Some(kept) => columns::filter_column(&array, kept),
            None => Ok(array),
        }
    }

    /// A path column or fact out of the whole column, which is read if it is not there.
    fn of_whole(
        &self,
        morsel: &Morsel,
        path: &PathColumn,
        found: &mut [Option<ArrayRef>],
        kept: Option<&BooleanBuffer>,
    ) -> Result<ArrayRef> {
        self.fill(morsel, &[path.column], found, kept)?;
        let whole = found[path.column]
            .as_ref()
            .ok_or_else(|| EngineError::Internal(String::from("a column was read and is not there")))?;
        path.of_whole(whole, &self.query)
    }

    /// Fills in a fact about the texts of a column: from storage, unless the texts are read anyway or few of them
    /// are left to look at. Other facts among `positions` that must read the same texts are filled in with it.
    fn fill_fact(
        &self,
        morsel: &Morsel,
        position: usize,
        (path, fact): (&PathColumn, &TextFact),
        positions: &[usize],
        found: &mut [Option<ArrayRef>],
        kept: Option<&BooleanBuffer>,
    ) -> Result<()> {
        let id = self.ids[path.column];
        let is_few =
            fact.reads_texts() && kept.is_some_and(|kept| kept.count_set_bits() * FEW_TEXTS <= morsel.rows());
        if let TextFact::InDynamic { finder, .. } = fact {
            let rows = if is_few { None } else { morsel.search_dynamics(id, finder)? };
            let array = match rows {
                Some(rows) => self.of_storage(fact.of_answer(TextAnswer::Found(rows)), kept)?,
                None => self.of_whole(morsel, path, found, kept)?,
            };
            found[position] = Some(array);
            return Ok(());
        }
        let is_read = self.used.contains(&path.column)
            || self.conditions.iter().any(|condition| condition.columns.contains(&path.column));
        // Where the texts are read anyway it is worth asking first only if that may spare many of them.
        let effort = if is_read { Effort::Little } else { Effort::Any };
        let is_asked = found[path.column].is_none() && !is_few && (!is_read || fact.reads_texts());
        let mut facts = vec![(position, fact)];
        if fact.reads_texts() {
            for other in positions.iter().filter(|other| **other != position) {
                if let Some(PathColumn { column, part: Part::Text(fact), .. }) = self.paths.at(*other)
                    && *column == path.column
                    && fact.reads_texts()
                    && found[*other].is_none()
                {
                    facts.push((*other, fact));
                }
            }
        }
        let questions: Option<Vec<TextQuestion<'_>>> =
            facts.iter().map(|(_, fact)| fact.question()).collect();
        let answers = match questions {
            Some(questions) if is_asked => morsel.ask_texts(id, &questions, effort)?,
            _ => None,
        };
        let Some(answers) = answers else {
            found[position] = Some(self.of_whole(morsel, path, found, kept)?);
            return Ok(());
        };
        for ((position, fact), answer) in facts.into_iter().zip(answers) {
            found[position] = Some(self.of_storage(fact.of_answer(answer), kept)?);
        }
        Ok(())
    }

    /// Columns by their stable ids for single, ascending rows of a morsel.
    pub fn read_rows(&self, number: usize, ids: &[u32], rows: &[u32]) -> Result<Batch> {
        let batch = Batch::new(self.morsels[number].read_rows(ids, rows)?, rows.len());
        self.profile.add_bytes(columns::held_bytes(&batch));
        Ok(batch)
    }

    /// What indexes say of a morsel: the rows that may meet all conditions (`None`: every row), and which
    /// conditions all of those meet.
    fn select(&self, morsel: &Morsel) -> (Option<BooleanBuffer>, Vec<bool>) {
        let mut kept: Option<BooleanBuffer> = None;
        let settled = self
            .conditions
            .iter()
            .map(|condition| {
                if condition.always_holds(morsel) {
                    return true;
                }
                let Some(translation) = &condition.translation else { return false };
                let selection = morsel.select(&translation.predicate);
                if let Some(rows) = selection.rows {
                    kept = Some(match kept.take() {
                        Some(kept) => &kept & &rows,
                        None => rows,
                    });
                }
                selection.exact && translation.exact
            })
            .collect();
        (kept, settled)
    }

    /// See `Source::units`.
    fn runs(&self) -> Option<Vec<Range<usize>>> {
        // Tags of an extent may be altered.
        let is_fixed = !self.row_ids && self.bound.is_none() && self.limit.is_none();
        if !is_fixed || self.ids.contains(&EXTENT_TAGS_COLUMN) {
            return None;
        }
        let mut units: Vec<Range<usize>> = Vec::new();
        let mut last = None;
        for (number, morsel) in self.morsels.iter().enumerate() {
            let place = place_of(morsel);
            match units.last_mut() {
                Some(unit) if place.is_some() && place == last => unit.end = number + 1,
                _ => units.push(number..number + 1),
            }
            last = place;
        }
        units.iter().any(|unit| place_of(&self.morsels[unit.start]).is_some()).then_some(units)
    }
}

/// Row groups of one unit in large extents; small extents have that many units.
const UNIT_ROW_GROUPS: u32 = 8;

/// The extent of a morsel and its number among the extent's units; `None` for rows of the row store.
fn place_of(morsel: &Morsel) -> Option<(Uuid, u32)> {
    match morsel.source() {
        MorselSource::Extent { id, row_group } => {
            let size = (morsel.extent_row_groups()? / UNIT_ROW_GROUPS).clamp(1, UNIT_ROW_GROUPS);
            Some((id, row_group / size))
        }
        MorselSource::RowStore { .. } => None,
    }
}

/// A morsel whose rows all pass.
struct KnownMorsel<'a> {
    scan: &'a TableScan,
    morsel: &'a Morsel,
}

impl KnownRows for KnownMorsel<'_> {
    fn rows(&self) -> usize {
        self.morsel.rows()
    }

    fn column(&self, position: usize) -> Option<ColumnStatistics> {
        self.morsel.statistics(*self.scan.ids.get(position)?)
    }
}

/// A batch whose unread columns are stand-ins that nothing looks at.
fn partial(found: &[Option<ArrayRef>], rows: usize) -> Batch {
    let columns = found
        .iter()
        .map(|column| column.clone().unwrap_or_else(|| Arc::new(NullArray::new(rows)) as ArrayRef))
        .collect();
    Batch::new(columns, rows)
}

impl Source for TableScan {
    fn morsels(&self) -> usize {
        self.morsels.len()
    }

    fn known(&self, number: usize) -> Option<Box<dyn KnownRows + '_>> {
        let morsel = &self.morsels[number];
        let passes = self.conditions.iter().all(|condition| condition.always_holds(morsel));
        (passes && !self.row_ids && self.limit.is_none())
            .then(|| Box::new(KnownMorsel { scan: self, morsel }) as Box<dyn KnownRows>)
    }

    fn units(&self) -> Option<Vec<Range<usize>>> {
        let units = self.runs()?;
        self.is_summed.store(true, Ordering::Relaxed);
        Some(units)
    }

    fn whole(&self) -> Option<Whole> {
        let units = self.runs()?.len();
        let (extent, _) = place_of(self.morsels.first()?)?;
        let mut fingerprint = Fingerprint::default();
        fingerprint.add(&("whole", self.fingerprint));
        for morsel in &self.morsels {
            let MorselSource::Extent { id, row_group } = morsel.source() else { return None };
            fingerprint.add_bytes(id.as_bytes()).add_bytes(&row_group.to_le_bytes());
        }
        for condition in &self.conditions {
            if !self.morsels.iter().all(|morsel| condition.always_holds(morsel)) {
                fingerprint.add(&condition.fingerprint?);
            }
        }
        Some(Whole { extent, fingerprint: fingerprint.finish(), units })
    }

    fn name(&self) -> Option<u128> {
        let conditions: Option<Vec<u128>> =
            self.conditions.iter().map(|condition| condition.fingerprint).collect();
        let mut conditions = conditions?;
        conditions.sort_unstable();
        Some(Fingerprint::default().add(&("scan", self.fingerprint, conditions)).finish())
    }

    fn unit(&self, morsels: &Range<usize>) -> Option<Unit> {
        let morsels = self.morsels.get(morsels.clone())?;
        let (extent, _) = place_of(morsels.first()?)?;
        let mut fingerprint = Fingerprint::default();
        fingerprint.add(&self.fingerprint);
        for morsel in morsels {
            let MorselSource::Extent { row_group, .. } = morsel.source() else { return None };
            fingerprint.add(&row_group);
        }
        for condition in &self.conditions {
            if !morsels.iter().all(|morsel| condition.always_holds(morsel)) {
                fingerprint.add(&condition.fingerprint?);
            }
        }
        let rows = morsels.iter().map(Morsel::rows).sum();
        Some(Unit { key: CacheKey { extent, fingerprint: fingerprint.finish() }, rows })
    }

    fn read(&self, number: usize, emit: &mut Emit<'_>) -> Result<Flow> {
        let morsel = &self.morsels[number];
        self.query.progress.morsels_done.fetch_add(1, Ordering::Relaxed);
        if let Some(bound) = &self.bound
            && !bound.may_win(number, morsel)?
        {
            return Ok(Flow::Continue(()));
        }
        let mut rows = morsel.rows();
        let mut found: Vec<Option<ArrayRef>> = vec![None; self.ids.len() + self.paths.count()];
        let selections = self.selections.as_ref().zip(self.selection_key(morsel));
        let known = selections.as_ref().and_then(|(selections, key)| selections.get(key, rows));
        if known != Some(Selection::None) {
            self.query.progress.rows_scanned.fetch_add(rows as u64, Ordering::Relaxed);
        }
        let selection = match known {
            Some(known) => known,
            None => {
                let selection = self.meet(morsel, &mut found)?;
                if let Some((selections, key)) = selections
                    && !self.is_summed.load(Ordering::Relaxed)
                {
                    selections.put(key, &selection);
                }
                selection
            }
        };
        let mut kept = match selection {
            Selection::None => return Ok(Flow::Continue(())),
            Selection::All => None,
            Selection::Some(kept) => {
                rows = kept.count_set_bits();
                Some(kept)
            }
        };
        if let Some(limit) = self.limit
            && limit < rows
        {
            let first =
                kept.as_ref().map_or(limit, |kept| kept.set_indices().nth(limit).unwrap_or(kept.len()));
            let head = BooleanBuffer::collect_bool(morsel.rows(), |row| {
                row < first && kept.as_ref().is_none_or(|kept| kept.value(row))
            });
            for column in found.iter_mut().flatten() {
                *column = column.slice(0, limit);
            }
            kept = Some(head);
            rows = limit;
        }
        self.fill(morsel, &self.used, &mut found, kept.as_ref())?;
        let yielded = if self.yields_paths { found.len() } else { self.ids.len() };
        let mut batch = partial(&found[..yielded], rows);
        if self.row_ids {
            let base = (number as i64) << 32;
            let ids: Int64Array = match &kept {
                Some(kept) => kept.set_indices().map(|row| base | row as i64).collect(),
                None => (0..rows as i64).map(|row| base | row).collect(),
            };
            batch.columns.push(Arc::new(ids));
        }
        emit(batch)
    }
}
