//! What a running query carries: deadline, memory budget, cancellation, progress, the query's "now".
//!
//! Every operator charges it. One mechanism for all limits (DESIGN D12).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::engine::cache::{CacheUse, QueryCache};
use crate::engine::error::{EngineError, Result};
use crate::engine::locations::Locations;
use crate::ingest::external::ExternalAccess;

/// Limits of one query.
#[derive(Clone, Copy, Debug)]
pub struct QueryLimits {
    pub timeout: Duration,
    pub memory_bytes: u64,
    /// `None`: no truncation.
    pub result_rows: Option<u64>,
    pub result_bytes: Option<u64>,
}

impl Default for QueryLimits {
    fn default() -> QueryLimits {
        QueryLimits {
            timeout: Duration::from_secs(4 * 60),
            memory_bytes: 4 << 30,
            result_rows: Some(500_000),
            result_bytes: Some(64 << 20),
        }
    }
}

/// What a server lets its queries know and reach.
#[derive(Clone, Debug)]
pub struct QuerySettings {
    /// The name of the server: `current_cluster_endpoint()`.
    pub endpoint: String,
    /// Whoever asks: `current_principal()`. What a client says of itself is no proof and does not stand here.
    pub principal: String,
    /// What `externaldata` and its kin may read.
    pub external_data: ExternalAccess,
    /// What queries keep for later ones; `None`: nothing.
    pub cache: Option<Arc<QueryCache>>,
    /// What this query makes of it.
    pub cache_use: CacheUse,
}

impl Default for QuerySettings {
    fn default() -> QuerySettings {
        QuerySettings {
            endpoint: String::from("localhost"),
            principal: String::from("conshelf=anonymous"),
            external_data: ExternalAccess::default(),
            cache: None,
            cache_use: CacheUse::Use,
        }
    }
}

/// Counters that anyone may read while the query runs.
#[derive(Debug, Default)]
pub struct Progress {
    pub rows_scanned: AtomicU64,
    pub bytes_scanned: AtomicU64,
    pub extents_scanned: AtomicU64,
    pub extents_total: AtomicU64,
    pub morsels_done: AtomicU64,
    pub morsels_total: AtomicU64,
    /// Units of extents whose groups were known, and those that were computed.
    pub cache_hits: AtomicU64,
    pub cache_misses: AtomicU64,
}

/// Shared by all workers of one query; cheap to clone through `Arc`.
#[derive(Debug)]
pub struct QueryContext {
    pub limits: QueryLimits,
    /// `now()`: ticks since 0001-01-01T00:00:00Z.
    pub now_ticks: i64,
    pub settings: Arc<QuerySettings>,
    pub started: Instant,
    pub progress: Progress,
    /// Where IP addresses are.
    pub locations: Arc<Locations>,
    cancelled: AtomicBool,
    memory_used: AtomicU64,
    memory_peak: AtomicU64,
}

impl QueryContext {
    pub fn new(limits: QueryLimits, now_ticks: i64) -> Arc<QueryContext> {
        QueryContext::with_settings(limits, now_ticks, Arc::default(), Arc::default())
    }

    pub fn with_locations(
        limits: QueryLimits,
        now_ticks: i64,
        locations: Arc<Locations>,
    ) -> Arc<QueryContext> {
        QueryContext::with_settings(limits, now_ticks, Arc::default(), locations)
    }

    pub fn with_settings(
        limits: QueryLimits,
        now_ticks: i64,
        settings: Arc<QuerySettings>,
        locations: Arc<Locations>,
    ) -> Arc<QueryContext> {
        Arc::new(QueryContext {
            limits,
            now_ticks,
            settings,
            started: Instant::now(),
            progress: Progress::default(),
            locations,
            cancelled: AtomicBool::new(false),
            memory_used: AtomicU64::new(0),
            memory_peak: AtomicU64::new(0),
        })
    }

    /// To be called at least once per batch by every loop: cancellation and deadline.
    pub fn check(&self) -> Result<()> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(EngineError::Cancelled);
        }
        if self.started.elapsed() > self.limits.timeout {
            return Err(EngineError::Timeout { seconds: self.limits.timeout.as_secs() });
        }
        Ok(())
    }

    /// Makes every worker stop at its next check.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Charges memory that stays until the reservation is dropped.
    pub fn reserve(self: &Arc<Self>, bytes: u64) -> Result<MemoryReservation> {
        let mut reservation = MemoryReservation { context: self.clone(), bytes: 0 };
        reservation.resize(bytes)?;
        Ok(reservation)
    }

    pub fn memory_peak_bytes(&self) -> u64 {
        self.memory_peak.load(Ordering::Relaxed)
    }
}

/// Memory charged to a query; given back when dropped.
#[derive(Debug)]
pub struct MemoryReservation {
    context: Arc<QueryContext>,
    bytes: u64,
}

impl MemoryReservation {
    /// Changes the charge to `bytes`; fails when the query's budget does not hold it.
    pub fn resize(&mut self, bytes: u64) -> Result<()> {
        if bytes > self.bytes {
            let more = bytes - self.bytes;
            let used = self.context.memory_used.fetch_add(more, Ordering::Relaxed) + more;
            if used > self.context.limits.memory_bytes {
                self.context.memory_used.fetch_sub(more, Ordering::Relaxed);
                return Err(EngineError::Memory { limit_bytes: self.context.limits.memory_bytes });
            }
            self.context.memory_peak.fetch_max(used, Ordering::Relaxed);
        } else {
            self.context.memory_used.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
        }
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for MemoryReservation {
    fn drop(&mut self) {
        self.context.memory_used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
