//! Kusto's query results cache: `set query_results_cache_max_age = 5m` answers from an earlier run of the same
//! query if that is not older.
//!
//! The same query: the same text, database, parameters and request properties (but for those that only say who
//! asks), by the same principal, with results of the same columns. Not kept: what takes external data, runs a
//! plugin or asks who is asking, results above 16 MB, failures. Knows neither formats nor how a query runs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::engine::Batch;
use crate::engine::cache::{CacheKey, Fingerprint, Keep, QueryCache};
use crate::engine::context::QuerySettings;
use crate::query::{PreparedQuery, QueryInput};
use crate::response::value_text::{datetime_text, quoted};
use crate::server::options::RequestOptions;

/// The largest result that is kept.
const RESULT_BYTES_MAX: u64 = 16 << 20;

/// What a query answered.
pub struct KeptResult {
    /// With the index of the result each is of.
    pub batches: Vec<(usize, Batch)>,
    started: Instant,
    started_ticks: i64,
    client_request_id: String,
}

/// Its age counts from a moment of this process.
impl Keep for KeptResult {}

impl KeptResult {
    /// Which run it is of, as the answer tells: JSON text.
    pub fn origin(&self) -> String {
        format!(
            "{{\"OriginalClientRequestId\":{},\"OriginalStartedOn\":\"{}\"}}",
            quoted(&self.client_request_id),
            datetime_text(self.started_ticks)
        )
    }
}

/// A query that may be answered from an earlier run.
pub struct ResultsCache {
    cache: Arc<QueryCache>,
    key: CacheKey,
    max_age: Duration,
    refresh: bool,
    /// By the cache's clock.
    now: u64,
    started: Instant,
    started_ticks: i64,
    client_request_id: String,
    /// What has come of this run; `None`: too much.
    seen: Option<(Vec<(usize, Batch)>, u64)>,
}

impl ResultsCache {
    /// `None`: the query does not ask for it, or must not be answered so.
    pub fn of(
        settings: &QuerySettings,
        input: &QueryInput,
        options: &RequestOptions,
        prepared: &PreparedQuery,
        client_request_id: &str,
    ) -> Option<ResultsCache> {
        let max_age = options.results_cache_max_age?;
        let cache = settings.cache.clone()?;
        if !prepared.may_be_answered_again() || input.text.to_ascii_lowercase().contains("current_principal")
        {
            return None;
        }
        let mut fingerprint = Fingerprint::default();
        fingerprint
            .add(&"result")
            .add(&input.text)
            .add(&input.database.to_lowercase())
            .add(&input.parameters)
            .add(&input.time_scope)
            .add(&RequestOptions {
                application: None,
                user: None,
                results_cache_force_refresh: false,
                ..options.clone()
            })
            .add(&settings.principal)
            .add(&settings.endpoint);
        for result in &prepared.results {
            fingerprint.add(&(&result.name, &result.columns));
        }
        Some(ResultsCache {
            key: CacheKey { extent: Uuid::nil(), fingerprint: fingerprint.finish() },
            now: cache.now(),
            cache,
            max_age,
            refresh: options.results_cache_force_refresh,
            started: Instant::now(),
            started_ticks: crate::machine::now_ticks(),
            client_request_id: client_request_id.to_owned(),
            seen: Some((Vec::new(), 0)),
        })
    }

    /// The answer of an earlier run that is not too old.
    pub fn find(&self) -> Option<Arc<KeptResult>> {
        if self.refresh {
            return None;
        }
        let kept = self.cache.get::<KeptResult>(&self.key)?;
        (self.started.saturating_duration_since(kept.started) <= self.max_age).then_some(kept)
    }

    /// Takes note of rows of this run.
    pub fn see(&mut self, index: usize, batch: &Batch) {
        if let Some((batches, bytes)) = &mut self.seen {
            *bytes += batch.memory_bytes() as u64;
            if *bytes > RESULT_BYTES_MAX.min(self.cache.largest_bytes()) {
                self.seen = None;
            } else {
                batches.push((index, batch.clone()));
            }
        }
    }

    /// Keeps the rows of this run, which came to its end.
    pub fn keep(self) {
        if let Some((batches, bytes)) = self.seen {
            let kept = KeptResult {
                batches,
                started: self.started,
                started_ticks: self.started_ticks,
                client_request_id: self.client_request_id,
            };
            self.cache.put(self.key, Arc::new(kept), bytes, self.now);
        }
    }
}
