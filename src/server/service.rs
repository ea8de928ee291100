//! What every handler shares: the store, what is going on, limits, counters.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use conshelf_storage::Store;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use crate::activity::Activity;
use crate::engine::cache::{BUDGET_BYTES, QueryCache};
use crate::engine::context::{QueryLimits, QuerySettings};
use crate::engine::locations::Locations;
use crate::ingest::small::SmallRequests;
use crate::ingest::threads::IngestThreads;
use crate::server::error::ApiError;
use crate::server::metrics::Metrics;
use crate::telemetry::Telemetry;

/// Commands that run at the same time.
const COMMANDS_AT_ONCE: usize = 64;

/// How the server works; see `config` for what the flags say.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What queries know of the server and may reach.
    pub query: Arc<QuerySettings>,
    pub query_timeout: Duration,
    pub command_timeout: Duration,
    pub query_memory_bytes: u64,
    /// Queries that run at the same time; more wait in line.
    pub queries_at_once: usize,
    /// Queries that may wait; more are refused with 429.
    pub queries_waiting: usize,
    pub ingestions_at_once: usize,
    /// Largest body of a query or command.
    pub body_bytes: u64,
    /// Largest body of the Kusto streaming route, as sent. The friendly route has no bound.
    pub streaming_ingest_bytes: u64,
    /// A directory of dashboards as files.
    pub dashboards: Option<PathBuf>,
    /// Origins of pages that may show embedded dashboards, as `frame-ancestors` takes them; empty: this server only.
    pub frame_ancestors: Vec<String>,
    /// Origins that browsers may call from; `*` for any.
    pub cors_origins: Vec<String>,
    /// The token that requests must carry, if any.
    pub token: Option<String>,
    /// Keep the server's own events in the database `Conshelf`.
    pub telemetry: bool,
    /// Where IP addresses are.
    pub locations: Arc<Locations>,
    /// How often what queries keep for later ones is written to the data directory; `None`: never, nor read from it.
    pub query_cache_saved_every: Option<Duration>,
    /// How long running requests get when the server stops.
    pub shutdown_grace: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Settings {
            query: Arc::new(QuerySettings {
                cache: QueryCache::of(BUDGET_BYTES),
                ..QuerySettings::default()
            }),
            query_timeout: Duration::from_secs(240),
            command_timeout: Duration::from_secs(600),
            query_memory_bytes: query_memory(),
            queries_at_once: (cores * 4).max(8),
            queries_waiting: 256,
            ingestions_at_once: (cores * 8).max(32),
            body_bytes: 64 << 20,
            streaming_ingest_bytes: 64 << 20,
            dashboards: None,
            frame_ancestors: Vec::new(),
            cors_origins: Vec::new(),
            token: None,
            telemetry: true,
            locations: Arc::default(),
            query_cache_saved_every: None,
            shutdown_grace: Duration::from_secs(20),
        }
    }
}

/// Memory of one query that sets no other limit: half of the machine's, at most the engine's own default.
fn query_memory() -> u64 {
    let limit = QueryLimits::default().memory_bytes;
    match crate::machine::machine_memory("MemTotal:") {
        0 => limit,
        total => limit.min(total / 2),
    }
}

/// See the module.
#[derive(Debug)]
pub struct Service {
    pub store: Store,
    pub settings: Settings,
    pub small_requests: SmallRequests,
    pub activity: Activity,
    pub metrics: Metrics,
    pub telemetry: Telemetry,
    pub started: Instant,
    pub started_ticks: i64,
    stopping: AtomicBool,
    query_slots: Arc<Semaphore>,
    command_slots: Arc<Semaphore>,
    queries_waiting: AtomicUsize,
    ingest_slots: Arc<Semaphore>,
    pub ingest_threads: IngestThreads,
}

impl Service {
    pub fn new(store: Store, settings: Settings) -> Arc<Service> {
        let activity = Activity::default();
        let telemetry = Telemetry::new(settings.telemetry);
        let listener = telemetry.clone();
        activity.set_listener(Box::new(move |record| listener.query(record)));
        Arc::new(Service {
            query_slots: Arc::new(Semaphore::new(settings.queries_at_once.max(1))),
            command_slots: Arc::new(Semaphore::new(COMMANDS_AT_ONCE)),
            ingest_slots: Arc::new(Semaphore::new(settings.ingestions_at_once.max(1))),
            ingest_threads: IngestThreads::default(),
            queries_waiting: AtomicUsize::new(0),
            metrics: Metrics::default(),
            telemetry,
            started: Instant::now(),
            started_ticks: crate::machine::now_ticks(),
            stopping: AtomicBool::new(false),
            activity,
            small_requests: SmallRequests::new(store.clone()),
            store,
            settings,
        })
    }

    /// No new work is taken from now on.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Waits for a place among the running queries; refuses when too many wait already.
    pub async fn query_slot(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        if let Ok(permit) = self.query_slots.clone().try_acquire_owned() {
            return Ok(permit);
        }
        let waiting = Waiting::enter(&self.queries_waiting);
        if waiting.place > self.settings.queries_waiting {
            self.metrics.throttled.add(1);
            return Err(ApiError::throttled(
                "too many queries are running and waiting; try again in a moment",
            ));
        }
        let patience = self.settings.query_timeout.min(Duration::from_secs(60));
        match tokio::time::timeout(patience, self.query_slots.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => {
                self.metrics.throttled.add(1);
                Err(ApiError::throttled("the query waited too long for its turn; try again in a moment"))
            }
        }
    }

    /// A place among the running commands: apart from the queries, so that the server can be looked into and
    /// queries be cancelled while it is busy.
    pub async fn command_slot(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        match tokio::time::timeout(Duration::from_secs(60), self.command_slots.clone().acquire_owned()).await
        {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(ApiError::throttled("too many commands are running; try again in a moment")),
        }
    }

    /// A place among the running ingestions.
    pub async fn ingest_slot(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        match tokio::time::timeout(Duration::from_secs(30), self.ingest_slots.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(ApiError::throttled("too many ingestions are running; try again in a moment")),
        }
    }
}

/// Counts a waiting request for as long as it lives.
struct Waiting<'a> {
    count: &'a AtomicUsize,
    place: usize,
}

impl Waiting<'_> {
    fn enter(count: &AtomicUsize) -> Waiting<'_> {
        Waiting { place: count.fetch_add(1, Ordering::Relaxed) + 1, count }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Who asks, as the headers say; attached to every request.
#[derive(Clone, Debug)]
pub struct Caller {
    pub client_request_id: String,
    pub activity_id: Uuid,
    pub application: String,
    pub user: String,
    pub read_only: bool,
}
