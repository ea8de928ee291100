//! Pipelines: a parallel source, transforms without state, and a sink with one local state per worker.
//!
//! A source is cut into morsels that workers take by a counter. Every batch that reaches the sink carries
//! its position (morsel, row in the morsel's output), so that whoever cares can put results in order. A
//! panic in a worker becomes an error of this query alone.

use std::ops::{ControlFlow, Range};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use uuid::Uuid;

use crate::engine::batch::Batch;
use crate::engine::cache::CacheKey;
use crate::engine::context::QueryContext;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::known::KnownRows;
use crate::engine::execute::pool::{self, Progress, Work};
use crate::engine::profile::OperatorProfile;

/// Whether more rows are wanted.
pub type Flow = ControlFlow<()>;

/// Where a source or transform puts its batches.
pub type Emit<'a> = dyn FnMut(Batch) -> Result<Flow> + 'a;

/// Largest number of rows of a batch that an operator should emit.
pub const BATCH_ROWS: usize = 65_536;

/// Transforms that run nested inside each other on whatever stack the caller has.
const SMALL_STAGES: usize = 24;

/// About what it takes until another thread has begun.
const WAKING: Duration = Duration::from_micros(100);

/// Rows cut into morsels.
pub trait Source: Send + Sync {
    fn morsels(&self) -> usize;

    /// What is known of a morsel of which every row would be emitted, unread.
    fn known(&self, _morsel: usize) -> Option<Box<dyn KnownRows + '_>> {
        None
    }

    /// All morsels in runs that are best summed up together, because what comes of one may be known from an
    /// earlier query. `None`: there are no such runs.
    fn units(&self) -> Option<Vec<Range<usize>>> {
        None
    }

    /// What names the way in which rows are chosen, whatever rows there are; `None`: nothing does.
    fn name(&self) -> Option<u128> {
        None
    }

    /// What names the rows of a run of `units` for good; `None`: nothing does.
    fn unit(&self, _morsels: &Range<usize>) -> Option<Unit> {
        None
    }

    /// What names all rows that are read for good; `None`: nothing does.
    fn whole(&self) -> Option<Whole> {
        None
    }

    /// Reads one morsel. `Break` from `emit` means that nothing more of it is wanted.
    fn read(&self, morsel: usize, emit: &mut Emit<'_>) -> Result<Flow>;
}

/// Rows that never change.
#[derive(Clone, Copy, Debug)]
pub struct Unit {
    /// The same for the same rows, and for no others.
    pub key: CacheKey,
    /// Rows before conditions.
    pub rows: usize,
}

/// All rows of a source, none of which ever changes.
#[derive(Clone, Copy, Debug)]
pub struct Whole {
    /// One of the extents.
    pub extent: Uuid,
    /// The same for the same rows, and for no others.
    pub fingerprint: u128,
    /// How many units they are.
    pub units: usize,
}

/// A step from batch to batches that needs no other rows.
pub trait Transform: Send + Sync {
    fn apply(&self, batch: Batch, emit: &mut Emit<'_>) -> Result<Flow>;
}

/// Place of a batch's first row in the output of a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
    pub morsel: u32,
    pub row: u32,
}

impl Position {
    /// Order of the row that is `offset` rows after this position.
    pub fn ordinal(self, offset: usize) -> u64 {
        (u64::from(self.morsel) << 32) | u64::from(self.row.saturating_add(offset as u32))
    }
}

/// The end of a pipeline.
pub trait Sink: Send + Sync + 'static {
    /// State of one worker.
    type Local: Send + 'static;

    fn start(&self) -> Result<Self::Local>;

    /// Takes a batch. `Break`: the whole pipeline may stop.
    fn push(&self, local: &mut Self::Local, position: Position, batch: Batch) -> Result<Flow>;

    /// Takes a morsel from what is known of it; `false`: it must be read.
    fn push_known(
        &self,
        _local: &mut Self::Local,
        _position: Position,
        _source: &dyn Source,
        _morsel: usize,
    ) -> Result<bool> {
        Ok(false)
    }

    /// Runs of morsels that one worker takes one after another; `None`: each for itself.
    fn units(&self, _pipeline: &Pipeline) -> Option<Vec<Range<usize>>> {
        None
    }

    /// Called before a run; `true`: nothing of it need be read.
    fn unit_start(
        &self,
        _local: &mut Self::Local,
        _pipeline: &Pipeline,
        _morsels: &Range<usize>,
    ) -> Result<bool> {
        Ok(false)
    }

    /// Called after a run that was read to its end.
    fn unit_done(&self, _local: &mut Self::Local, _morsels: &Range<usize>) -> Result<()> {
        Ok(())
    }

    /// Called after the last batch of each morsel, also of those without rows.
    fn morsel_done(&self, _local: &mut Self::Local, _morsel: u32) -> Result<Flow> {
        Ok(Flow::Continue(()))
    }

    /// `false`: workers leave after their current morsel until `Run::resume`.
    fn ready(&self) -> bool {
        true
    }

    /// Whether the thread in `Run::wait` has something to do. Asked after each morsel.
    fn has_news(&self) -> bool {
        false
    }
}

/// A transform with its counters.
#[derive(Clone)]
pub struct Stage {
    pub transform: Arc<dyn Transform>,
    pub profile: Arc<OperatorProfile>,
}

/// One source with what happens to its rows.
#[derive(Clone)]
pub struct Segment {
    pub source: Arc<dyn Source>,
    pub profile: Arc<OperatorProfile>,
    pub stages: Vec<Stage>,
}

/// What a plan compiles to: segments (several after a union) whose rows come one after another.
#[derive(Clone)]
pub struct Pipeline {
    pub segments: Vec<Segment>,
    /// The order of rows means something (after sort, serialize, range, datatable).
    pub ordered: bool,
}

impl Pipeline {
    pub fn of(source: Arc<dyn Source>, profile: Arc<OperatorProfile>, ordered: bool) -> Pipeline {
        Pipeline { segments: vec![Segment { source, profile, stages: Vec::new() }], ordered }
    }

    /// Appends a transform to every segment.
    pub fn then(mut self, transform: Arc<dyn Transform>, profile: &Arc<OperatorProfile>) -> Pipeline {
        for segment in &mut self.segments {
            segment.stages.push(Stage { transform: transform.clone(), profile: profile.clone() });
        }
        self
    }

    /// Whether running it nests so little that any thread may do it.
    pub fn fits_small_stack(&self) -> bool {
        self.segments.iter().all(|segment| segment.stages.len() <= SMALL_STAGES)
    }

    pub fn morsels(&self) -> usize {
        self.segments.iter().map(|segment| segment.source.morsels()).sum()
    }

    /// Runs everything into the sink, on up to `workers` threads; yields the local states.
    pub fn run<S: Sink>(
        &self,
        query: &Arc<QueryContext>,
        workers: usize,
        sink: Arc<S>,
    ) -> Result<Vec<S::Local>> {
        let run = Run::new(self.clone(), query.clone(), workers, sink);
        let has_room = self.fits_small_stack() || pool::on_deep_thread();
        if pool::on_worker() || (has_room && (workers <= 1 || run.total <= 1)) {
            return run.here();
        }
        match has_room {
            true => run.take_part(),
            false => run.start(),
        }
        run.wait(|| Ok(Flow::Continue(())))?;
        run.finish()
    }
}

/// A pipeline while it runs.
pub struct Run<S: Sink> {
    pipeline: Pipeline,
    /// First morsel of each segment.
    starts: Vec<usize>,
    /// Runs of morsels that are taken together, if the sink wants any.
    units: Option<Vec<Range<usize>>>,
    /// Runs, or morsels.
    total: usize,
    next: AtomicUsize,
    stopped: AtomicBool,
    query: Arc<QueryContext>,
    sink: Arc<S>,
    workers: usize,
    /// Workers to be called when there turns out to be something for them to do.
    helpers: AtomicUsize,
    myself: Weak<Run<S>>,
    locals: Mutex<Vec<S::Local>>,
    state: Mutex<RunState>,
    changed: Condvar,
}

#[derive(Default)]
struct RunState {
    /// Entries in the pool's queue or being worked on.
    active: usize,
    /// Entries that left because the sink was not ready.
    parked: usize,
    error: Option<EngineError>,
}

impl<S: Sink> Run<S> {
    pub fn new(pipeline: Pipeline, query: Arc<QueryContext>, workers: usize, sink: Arc<S>) -> Arc<Run<S>> {
        let mut starts = Vec::with_capacity(pipeline.segments.len());
        let mut total = 0;
        for segment in &pipeline.segments {
            starts.push(total);
            total += segment.source.morsels();
        }
        let units = sink.units(&pipeline);
        if let Some(units) = &units {
            total = units.len();
        }
        Arc::new_cyclic(|myself| Run {
            myself: myself.clone(),
            helpers: AtomicUsize::new(0),
            pipeline,
            starts,
            units,
            total,
            next: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
            query,
            sink,
            workers,
            locals: Mutex::new(Vec::new()),
            state: Mutex::new(RunState::default()),
            changed: Condvar::new(),
        })
    }

    /// Runs on the calling thread alone.
    fn here(&self) -> Result<Vec<S::Local>> {
        let mut local = self.sink.start()?;
        while let Some(number) = self.take() {
            if self.unit(&mut local, number)?.is_break() {
                break;
            }
        }
        Ok(vec![local])
    }

    /// Hands the run to the pool.
    pub fn start(self: &Arc<Self>) {
        let entries = self.workers.min(self.total).max(1);
        self.state.lock().active = entries;
        pool::submit(&(self.clone() as Arc<dyn Work>), entries);
    }

    /// Works on the run on the calling thread; others are called once there is something to be read, or it takes
    /// longer than waking them.
    fn take_part(&self) {
        self.state.lock().active = 1;
        self.helpers.store(self.workers.min(self.total).max(1) - 1, Ordering::Relaxed);
        while self.slice() == Progress::More {}
    }

    fn call_helpers(&self) {
        if self.helpers.load(Ordering::Relaxed) == 0 {
            return;
        }
        let helpers = self.helpers.swap(0, Ordering::Relaxed);
        if let Some(myself) = self.myself.upgrade().filter(|_| helpers > 0) {
            self.state.lock().active += helpers;
            pool::submit(&(myself as Arc<dyn Work>), helpers);
        }
    }

    /// Waits for the end; calls `meanwhile` whenever something may have changed, and every few milliseconds.
    pub fn wait(self: &Arc<Self>, mut meanwhile: impl FnMut() -> Result<Flow>) -> Result<()> {
        loop {
            match meanwhile() {
                Ok(Flow::Continue(())) => {}
                Ok(Flow::Break(())) => self.stopped.store(true, Ordering::Relaxed),
                Err(error) => self.fail(error),
            }
            let mut state = self.state.lock();
            if state.parked > 0 && (self.sink.ready() || self.stopped.load(Ordering::Relaxed)) {
                let parked = std::mem::take(&mut state.parked);
                state.active += parked;
                drop(state);
                pool::submit(&(self.clone() as Arc<dyn Work>), parked);
                continue;
            }
            if !self.stopped.load(Ordering::Relaxed) && self.sink.has_news() {
                continue;
            }
            if state.active == 0 && state.parked == 0 {
                return match state.error.take() {
                    Some(error) => Err(error),
                    None => Ok(()),
                };
            }
            self.changed.wait_for(&mut state, Duration::from_millis(20));
        }
    }

    /// The local states, once `wait` has returned.
    pub fn finish(&self) -> Result<Vec<S::Local>> {
        let mut locals = std::mem::take(&mut *self.locals.lock());
        if locals.is_empty() {
            locals.push(self.sink.start()?);
        }
        Ok(locals)
    }

    fn fail(&self, error: EngineError) {
        self.stopped.store(true, Ordering::Relaxed);
        let mut state = self.state.lock();
        // The first error is the cause; what follows are its echoes.
        state.error.get_or_insert(error);
    }

    /// The number of the next run of morsels.
    fn take(&self) -> Option<usize> {
        if self.stopped.load(Ordering::Relaxed) {
            return None;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (number < self.total).then_some(number)
    }

    fn unit(&self, local: &mut S::Local, number: usize) -> Result<Flow> {
        let Some(units) = &self.units else { return self.morsel(local, number) };
        let morsels = &units[number];
        if self.sink.unit_start(local, &self.pipeline, morsels)? {
            return Ok(Flow::Continue(()));
        }
        self.call_helpers();
        for morsel in morsels.clone() {
            if self.stopped.load(Ordering::Relaxed) || self.morsel(local, morsel)?.is_break() {
                return Ok(Flow::Break(()));
            }
        }
        self.sink.unit_done(local, morsels)?;
        Ok(Flow::Continue(()))
    }

    fn morsel(&self, local: &mut S::Local, morsel: usize) -> Result<Flow> {
        self.query.check()?;
        let index = self.starts.partition_point(|start| *start <= morsel) - 1;
        let segment = &self.pipeline.segments[index];
        let number = morsel as u32;
        let position = Position { morsel: number, row: 0 };
        let inner = morsel - self.starts[index];
        if segment.stages.is_empty()
            && self.sink.push_known(local, position, segment.source.as_ref(), inner)?
        {
            return self.sink.morsel_done(local, number);
        }
        self.call_helpers();
        let mut row = 0usize;
        let mut stop = Flow::Continue(());
        let started = Instant::now();
        let mut below = Duration::ZERO;
        let read = segment.source.read(inner, &mut |batch| {
            let since = Instant::now();
            segment.profile.add_output(batch.rows);
            let flow = pass(&segment.stages, batch, &self.query, &mut |batch| {
                let position = Position { morsel: number, row: row as u32 };
                row += batch.rows;
                let flow = self.sink.push(local, position, batch)?;
                if flow.is_break() {
                    stop = flow;
                }
                Ok(flow)
            });
            below += since.elapsed();
            flow
        });
        segment.profile.add_time(started.elapsed().saturating_sub(below));
        let _ = read?;
        if self.sink.morsel_done(local, number)?.is_break() {
            stop = Flow::Break(());
        }
        if self.sink.has_news() {
            // Whoever is about to wait has looked before, or waits when the lock is free.
            drop(self.state.lock());
            self.changed.notify_all();
        }
        if stop.is_break() {
            self.stopped.store(true, Ordering::Relaxed);
        }
        Ok(stop)
    }

    fn work_slice(&self) -> Result<Progress> {
        let started = Instant::now();
        let popped = self.locals.lock().pop();
        let mut local = match popped {
            Some(local) => local,
            None => self.sink.start()?,
        };
        let mut progress = Progress::Leave;
        while self.sink.ready() {
            let Some(number) = self.take() else { break };
            if self.unit(&mut local, number)?.is_break() {
                break;
            }
            let elapsed = started.elapsed();
            if elapsed >= WAKING {
                self.call_helpers();
            }
            if elapsed >= pool::SLICE {
                progress = Progress::More;
                break;
            }
        }
        self.locals.lock().push(local);
        Ok(progress)
    }

    fn exhausted(&self) -> bool {
        self.stopped.load(Ordering::Relaxed) || self.next.load(Ordering::Relaxed) >= self.total
    }
}

impl<S: Sink> Work for Run<S> {
    fn slice(&self) -> Progress {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.work_slice()));
        let progress = match outcome {
            Ok(Ok(progress)) => progress,
            Ok(Err(error)) => {
                self.fail(error);
                Progress::Leave
            }
            Err(panic) => {
                self.fail(EngineError::Internal(panic_text(panic.as_ref())));
                Progress::Leave
            }
        };
        if progress == Progress::Leave {
            let mut state = self.state.lock();
            state.active -= 1;
            if !self.exhausted() {
                state.parked += 1;
            }
            drop(state);
            self.changed.notify_all();
        }
        progress
    }
}

/// What a panic said.
pub fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| String::from("panic"))
}

/// Sends a batch through transforms, timing each without what lies below it.
fn pass(stages: &[Stage], batch: Batch, query: &Arc<QueryContext>, emit: &mut Emit<'_>) -> Result<Flow> {
    let Some((stage, rest)) = stages.split_first() else {
        return if batch.rows == 0 { Ok(Flow::Continue(())) } else { emit(batch) };
    };
    if batch.rows == 0 {
        return Ok(Flow::Continue(()));
    }
    let started = Instant::now();
    let mut below = Duration::ZERO;
    let flow = stage.transform.apply(batch, &mut |batch| {
        let since = Instant::now();
        query.check()?;
        stage.profile.add_output(batch.rows);
        let flow = pass(rest, batch, query, emit);
        below += since.elapsed();
        flow
    });
    stage.profile.add_time(started.elapsed().saturating_sub(below));
    flow
}
