//! `scan`: rows in order against steps that remember what they matched. Reference: scan-operator.
//!
//! Each step may hold an active sequence: the last row that it and every step before it matched. A row is
//! tried against the steps from the last to the first; it moves the sequence of an earlier step on, or
//! replaces what the step itself holds. What an expression needs from the row alone is computed for all rows
//! at once; only what looks at the state runs row by row. Knows nothing of the text of a query.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, UInt32Array};
use arrow_buffer::BooleanBuffer;
use conshelf_kql::plan::{Expr, ExprKind, Plan, ScanOutput, ScanStep};
use conshelf_kql::{Type, Value};

use crate::engine::batch::Batch;
use crate::engine::constant;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::Executor;
use crate::engine::execute::columns;
use crate::engine::execute::expression::Expressions;
use crate::engine::execute::key::KeyTable;
use crate::engine::execute::materialised::Materialised;
use crate::engine::execute::pipeline::{BATCH_ROWS, Pipeline};
use crate::engine::literal::{array_to_value, value_to_array};
use crate::engine::profile::OperatorProfile;

/// Rows between two looks at the clock.
const CHECK_ROWS: usize = 4096;

/// A column of one row.
type Cell = ArrayRef;

pub struct ScanSteps<'a> {
    pub partition: &'a [Expr],
    pub defaults: &'a [Value],
    pub steps: &'a [ScanStep],
    pub with_match_id: bool,
}

pub fn pipeline(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    input: &Plan,
    call: &ScanSteps<'_>,
) -> Result<Pipeline> {
    let rows = executor.materialise(input)?;
    let started = std::time::Instant::now();
    let rows = columns::concat(&rows.batches, &input.schema)?;
    if rows.rows > u32::MAX as usize {
        return Err(EngineError::Evaluation(String::from("too many rows to scan")));
    }
    let groups = match call.partition {
        [] => Vec::new(),
        keys => {
            let types: Vec<Type> = keys.iter().map(|key| key.ty).collect();
            let values = Expressions::new(executor, keys)?.columns(&rows)?;
            let mut groups = Vec::new();
            KeyTable::new(&types).assign(&values, rows.rows, &mut groups)?;
            groups
        }
    };
    let record = Record::new(input, call.defaults);
    let steps = call
        .steps
        .iter()
        .map(|step| Step::new(executor, &rows, &record, step))
        .collect::<Result<Vec<_>>>()?;
    let mut output = Output::new(executor, &rows, &record, &steps, call.with_match_id);
    let mut scans: BTreeMap<u32, Scan<'_>> = BTreeMap::new();
    let mut next_match = 0;
    for row in 0..rows.rows {
        if row % CHECK_ROWS == 0 {
            executor.query.check()?;
        }
        let group = groups.get(row).copied().unwrap_or(0);
        let scan = scans.entry(group).or_insert_with(|| Scan {
            steps: &steps,
            record: &record,
            active: vec![None; steps.len()],
        });
        scan.row(&rows, row, &mut next_match, &mut output)?;
    }
    for scan in scans.into_values() {
        for sequence in scan.active.into_iter().flatten() {
            output.put_last(sequence)?;
        }
    }
    let batches = output.finish()?;
    profile.add_time(started.elapsed());
    Ok(Pipeline::of(Arc::new(Materialised::new(&executor.query, batches)?), profile.clone(), true))
}

/// The columns an expression of a step may see: of the input, then the declared ones.
struct Record {
    types: Vec<Type>,
    /// What stands there before anything matched.
    empty: Vec<Cell>,
    defaults: Vec<Value>,
    width: usize,
}

impl Record {
    fn new(input: &Plan, defaults: &[Value]) -> Record {
        let mut types: Vec<Type> = input.schema.iter().map(|column| column.ty).collect();
        let mut empty: Vec<Cell> = types.iter().map(|ty| columns::nulls(*ty, 1)).collect();
        types.extend(defaults.iter().map(Value::ty));
        empty.extend(defaults.iter().map(value_to_array));
        Record { types, empty, defaults: defaults.to_vec(), width: input.schema.len() }
    }
}

/// Where a stateful expression finds a column.
#[derive(Clone, Copy)]
enum Origin {
    Row(usize),
    State { step: usize, column: usize },
}

/// An expression of a step.
enum Part {
    /// Of the row alone: its value for all rows.
    Column(ArrayRef),
    Stateful {
        expression: Expressions,
        origins: Vec<Origin>,
    },
}

struct Step {
    /// Rows for which the part of the condition holds that needs no state.
    possible: Option<BooleanBuffer>,
    conditions: Vec<Part>,
    assignments: Vec<(usize, Part)>,
    output: ScanOutput,
    optional: bool,
}

impl Step {
    fn new(executor: &Executor, rows: &Batch, record: &Record, step: &ScanStep) -> Result<Step> {
        let mut possible: Option<BooleanBuffer> = None;
        let mut conditions = Vec::new();
        let mut parts = Vec::new();
        conjuncts(&step.condition, &mut parts);
        for part in parts {
            match Part::new(executor, rows, record, part)? {
                Part::Column(values) => {
                    let selected = columns::selection(columns::booleans(&values)?);
                    possible = Some(match possible {
                        None => selected,
                        Some(possible) => &possible & &selected,
                    });
                }
                stateful => conditions.push(stateful),
            }
        }
        let assignments = step
            .assignments
            .iter()
            .map(|(position, value)| Ok((*position, Part::new(executor, rows, record, value)?)))
            .collect::<Result<_>>()?;
        Ok(Step { possible, conditions, assignments, output: step.output, optional: step.optional })
    }

    /// Whether the row matches with the given state behind it.
    fn matches(
        &self,
        rows: &Batch,
        row: usize,
        record: &Record,
        state: &[Option<Rc<Vec<Cell>>>],
    ) -> Result<bool> {
        if self.possible.as_ref().is_some_and(|possible| !possible.value(row)) {
            return Ok(false);
        }
        for condition in &self.conditions {
            let value = condition.cell(rows, row, record, state)?;
            if !columns::selection(columns::booleans(&value)?).value(0) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Part {
    fn new(executor: &Executor, rows: &Batch, record: &Record, expression: &Expr) -> Result<Part> {
        let mut expression = expression.clone();
        let width = record.types.len();
        let mut origins: Vec<(usize, Origin)> = Vec::new();
        place(&mut expression, &mut |column, ty| {
            let (number, column) = (column / width.max(1), column % width.max(1));
            // A declared column of the row itself has its default.
            if number == 0 && column >= record.width {
                return Expr::constant(record.defaults[column - record.width].clone());
            }
            let key = number * width + column;
            let found = origins.iter().position(|(known, _)| *known == key);
            let position = found.unwrap_or_else(|| {
                let origin = match number {
                    0 => Origin::Row(column),
                    _ => Origin::State { step: number - 1, column },
                };
                origins.push((key, origin));
                origins.len() - 1
            });
            Expr::column(position, ty)
        });
        let origins: Vec<Origin> = origins.into_iter().map(|(_, origin)| origin).collect();
        let expression = Expressions::new(executor, &[expression])?;
        if origins.iter().any(|origin| matches!(origin, Origin::State { .. })) {
            return Ok(Part::Stateful { expression, origins });
        }
        let read = origins.iter().filter_map(|origin| match origin {
            Origin::Row(column) => Some(rows.columns[*column].clone()),
            Origin::State { .. } => None,
        });
        let batch = Batch::new(read.collect(), rows.rows);
        Ok(Part::Column(expression.column(&batch, 0)?))
    }

    fn cell(
        &self,
        rows: &Batch,
        row: usize,
        record: &Record,
        state: &[Option<Rc<Vec<Cell>>>],
    ) -> Result<Cell> {
        match self {
            Part::Column(values) => Ok(values.slice(row, 1)),
            Part::Stateful { expression, origins } => {
                let columns = origins.iter().map(|origin| match origin {
                    Origin::Row(column) => rows.columns[*column].slice(row, 1),
                    Origin::State { step, column } => match state.get(*step).and_then(Option::as_ref) {
                        Some(held) => held[*column].clone(),
                        None => record.empty[*column].clone(),
                    },
                });
                expression.column(&Batch::new(columns.collect(), 1), 0)
            }
        }
    }
}

/// What a step holds: its sequence.
#[derive(Clone)]
struct Sequence {
    /// By step, up to the one that holds it: the record it matched last.
    matched: Vec<Option<Rc<Vec<Cell>>>>,
    match_id: i64,
    /// A row that is yielded when the step's series ends (`output=last`).
    pending: Option<u32>,
}

struct Scan<'a> {
    steps: &'a [Step],
    record: &'a Record,
    active: Vec<Option<Sequence>>,
}

impl Scan<'_> {
    fn row(&mut self, rows: &Batch, row: usize, next_match: &mut i64, output: &mut Output<'_>) -> Result<()> {
        for number in (0..self.steps.len()).rev() {
            let step = &self.steps[number];
            if step.possible.as_ref().is_some_and(|possible| !possible.value(row)) {
                continue;
            }
            let Some(mut sequence) = self.advanced(rows, row, number, next_match, output)? else { continue };
            let cells = self.cells(rows, row, number, &sequence.matched)?;
            sequence.matched.resize(number + 1, None);
            sequence.matched[number] = Some(Rc::new(cells));
            match step.output {
                ScanOutput::All => output.put(row as u32, number, &sequence)?,
                ScanOutput::Last => sequence.pending = Some(row as u32),
                ScanOutput::None => {}
            }
            self.active[number] = Some(sequence);
        }
        Ok(())
    }

    /// The sequence that the row carries on at a step, or begins; the row's own record is not in it yet.
    fn advanced(
        &mut self,
        rows: &Batch,
        row: usize,
        number: usize,
        next_match: &mut i64,
        output: &mut Output<'_>,
    ) -> Result<Option<Sequence>> {
        let step = &self.steps[number];
        // The steps before it, back to the first that must not be left out.
        let mut begins = true;
        for before in (0..number).rev() {
            if let Some(sequence) = &self.active[before]
                && step.matches(rows, row, self.record, &sequence.matched)?
            {
                if let Some(old) = self.active[number].take() {
                    output.put_last(old)?;
                }
                let Some(sequence) = self.active[before].take() else { continue };
                output.put_last(sequence.clone())?;
                return Ok(Some(Sequence { pending: None, ..sequence }));
            }
            if !self.steps[before].optional {
                begins = false;
                break;
            }
        }
        if let Some(sequence) = &self.active[number] {
            if step.matches(rows, row, self.record, &sequence.matched)? {
                return Ok(self.active[number].take());
            }
        } else if begins && step.matches(rows, row, self.record, &[])? {
            let match_id = *next_match;
            *next_match += 1;
            return Ok(Some(Sequence { matched: Vec::new(), match_id, pending: None }));
        }
        Ok(None)
    }

    fn cells(
        &self,
        rows: &Batch,
        row: usize,
        number: usize,
        state: &[Option<Rc<Vec<Cell>>>],
    ) -> Result<Vec<Cell>> {
        let mut cells: Vec<Cell> = rows.columns.iter().map(|column| column.slice(row, 1)).collect();
        cells.extend(self.record.empty[self.record.width..].iter().cloned());
        for (position, part) in &self.steps[number].assignments {
            cells[*position] = part.cell(rows, row, self.record, state)?;
        }
        Ok(cells)
    }
}

/// The rows that come out.
struct Output<'a> {
    executor: &'a Executor,
    rows: &'a Batch,
    types: &'a [Type],
    picks: Vec<u32>,
    /// By position in the record: values, where some step assigns to it or it is declared.
    assigned: BTreeMap<usize, Vec<Value>>,
    match_ids: Option<Vec<i64>>,
    batches: Vec<Batch>,
}

impl<'a> Output<'a> {
    fn new(
        executor: &'a Executor,
        rows: &'a Batch,
        record: &'a Record,
        steps: &[Step],
        with_match_id: bool,
    ) -> Output<'a> {
        let declared = record.width..record.types.len();
        let targets = steps.iter().flat_map(|step| step.assignments.iter().map(|(position, _)| *position));
        Output {
            executor,
            rows,
            types: &record.types,
            picks: Vec::new(),
            assigned: targets.chain(declared).map(|position| (position, Vec::new())).collect(),
            match_ids: with_match_id.then(Vec::new),
            batches: Vec::new(),
        }
    }

    /// A row with what the step assigned to it.
    fn put(&mut self, row: u32, step: usize, sequence: &Sequence) -> Result<()> {
        let Some(Some(cells)) = sequence.matched.get(step) else { return Ok(()) };
        self.picks.push(row);
        for (position, values) in &mut self.assigned {
            values.push(array_to_value(&cells[*position], 0, self.types[*position])?);
        }
        if let Some(ids) = &mut self.match_ids {
            ids.push(sequence.match_id);
        }
        if self.picks.len() >= BATCH_ROWS { self.flush() } else { Ok(()) }
    }

    /// The row that waited for the end of its series.
    fn put_last(&mut self, sequence: Sequence) -> Result<()> {
        match sequence.pending {
            Some(row) => self.put(row, sequence.matched.len().saturating_sub(1), &sequence),
            None => Ok(()),
        }
    }

    fn flush(&mut self) -> Result<()> {
        self.executor.query.check()?;
        let picks = UInt32Array::from(std::mem::take(&mut self.picks));
        let mut batch = Vec::with_capacity(self.types.len() + 1);
        for (position, ty) in self.types.iter().enumerate() {
            batch.push(match self.assigned.get_mut(&position) {
                Some(values) => constant::array_of(*ty, std::mem::take(values).iter())?,
                None => columns::take_column(&self.rows.columns[position], &picks)?,
            });
        }
        if let Some(ids) = &mut self.match_ids {
            batch.push(Arc::new(Int64Array::from(std::mem::take(ids))));
        }
        self.batches.push(Batch::new(batch, picks.len()));
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<Batch>> {
        if !self.picks.is_empty() {
            self.flush()?;
        }
        Ok(self.batches)
    }
}

/// The conditions that `and` joins. Of one that is null or false the others do not matter.
fn conjuncts<'e>(condition: &'e Expr, found: &mut Vec<&'e Expr>) {
    use conshelf_kql::function::{FunctionId, OperatorFunction};
    match &condition.kind {
        ExprKind::Call { function: FunctionId::Operator(OperatorFunction::And), arguments } => {
            arguments.iter().for_each(|argument| conjuncts(argument, found));
        }
        _ => found.push(condition),
    }
}

/// Puts other expressions in the place of columns.
fn place(expression: &mut Expr, change: &mut dyn FnMut(usize, Type) -> Expr) {
    match &mut expression.kind {
        ExprKind::Column(column) => *expression = change(*column, expression.ty),
        ExprKind::Constant(_) | ExprKind::Parameter(_) | ExprKind::ScalarSubquery(_) => {}
        ExprKind::Call { arguments, .. } => {
            arguments.iter_mut().for_each(|argument| place(argument, change));
        }
        ExprKind::InSubquery { value, .. } => place(value, change),
        ExprKind::CorrelatedSubquery { parameters, .. } => {
            parameters.iter_mut().for_each(|(_, value)| place(value, change));
        }
    }
}
