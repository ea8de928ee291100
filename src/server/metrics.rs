//! Counters of the server and their Prometheus text.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::server::service::Service;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Upper bounds of the duration buckets, seconds.
const BUCKETS: [f64; 13] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 240.0];

/// How long something took, and how often it failed.
#[derive(Debug, Default)]
pub struct Durations {
    buckets: [AtomicU64; BUCKETS.len()],
    count: AtomicU64,
    failed: AtomicU64,
    nanoseconds: AtomicU64,
}

impl Durations {
    pub fn record(&self, duration: Duration, succeeded: bool) {
        let seconds = duration.as_secs_f64();
        for (bucket, bound) in self.buckets.iter().zip(BUCKETS) {
            if seconds <= bound {
                bucket.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.failed.fetch_add(u64::from(!succeeded), Ordering::Relaxed);
        self.nanoseconds.fetch_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    fn write(&self, name: &str, help: &str, out: &mut String) {
        let count = self.count();
        let _ = writeln!(out, "# HELP conshelf_{name}_seconds {help}");
        let _ = writeln!(out, "# TYPE conshelf_{name}_seconds histogram");
        for (bucket, bound) in self.buckets.iter().zip(BUCKETS) {
            let value = bucket.load(Ordering::Relaxed);
            let _ = writeln!(out, "conshelf_{name}_seconds_bucket{{le=\"{bound}\"}} {value}");
        }
        let seconds = self.nanoseconds.load(Ordering::Relaxed) as f64 / 1e9;
        let _ = writeln!(out, "conshelf_{name}_seconds_bucket{{le=\"+Inf\"}} {count}");
        let _ = writeln!(out, "conshelf_{name}_seconds_sum {seconds}");
        let _ = writeln!(out, "conshelf_{name}_seconds_count {count}");
        let failed = self.failed.load(Ordering::Relaxed);
        let _ = writeln!(
            out,
            "# TYPE conshelf_{name}_failed_total counter\nconshelf_{name}_failed_total {failed}"
        );
    }
}

/// Everything that is counted.
#[derive(Debug, Default)]
pub struct Metrics {
    pub queries: Durations,
    pub commands: Durations,
    pub ingestions: Durations,
    pub rows_answered: Counter,
    pub rows_ingested: Counter,
    pub bytes_ingested: Counter,
    pub throttled: Counter,
    /// Requests by route and status.
    requests: Mutex<BTreeMap<(&'static str, u16), u64>>,
}

fn single(name: &str, kind: &str, help: &str, value: impl std::fmt::Display, out: &mut String) {
    let _ = writeln!(out, "# HELP conshelf_{name} {help}");
    let _ = writeln!(out, "# TYPE conshelf_{name} {kind}\nconshelf_{name} {value}");
}

fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

impl Metrics {
    pub fn request(&self, route: &'static str, status: u16) {
        *self.requests.lock().entry((route, status)).or_default() += 1;
    }

    pub fn requests_total(&self) -> u64 {
        self.requests.lock().values().sum()
    }

    /// The Prometheus text.
    pub fn prometheus(&self, service: &Service) -> String {
        let mut out = String::new();
        out.push_str("# HELP conshelf_http_requests_total Requests answered, by route and status.\n");
        out.push_str("# TYPE conshelf_http_requests_total counter\n");
        for ((route, status), count) in self.requests.lock().iter() {
            let _ = writeln!(
                out,
                "conshelf_http_requests_total{{route=\"{route}\",status=\"{status}\"}} {count}"
            );
        }
        self.queries.write("query", "Duration of queries.", &mut out);
        self.commands.write("command", "Duration of management commands.", &mut out);
        self.ingestions.write("ingestion", "Duration of ingestion requests.", &mut out);
        single("rows_answered_total", "counter", "Rows sent in answers.", self.rows_answered.get(), &mut out);
        single("rows_ingested_total", "counter", "Rows stored.", self.rows_ingested.get(), &mut out);
        single(
            "ingested_bytes_total",
            "counter",
            "Bytes of ingestion bodies as received.",
            self.bytes_ingested.get(),
            &mut out,
        );
        single("throttled_total", "counter", "Requests refused with 429.", self.throttled.get(), &mut out);
        single(
            "running_requests",
            "gauge",
            "Queries and commands running now.",
            service.activity.running_count(),
            &mut out,
        );
        single(
            "uptime_seconds",
            "gauge",
            "Seconds since the server started.",
            service.started.elapsed().as_secs(),
            &mut out,
        );
        let status = service.store.status();
        let gauges = [
            ("row_store_bytes", "Memory of rows that are not in an extent yet.", status.row_store_bytes),
            ("row_store_limit_bytes", "Bound of that memory.", status.row_store_limit_bytes),
            ("log_bytes", "Size of the log on disk.", status.log_bytes),
            ("manifest_version", "Version of the manifest.", status.manifest_version),
            ("degraded", "1 while ingestion is refused.", u64::from(status.degraded.is_some())),
        ];
        for (name, help, value) in gauges {
            single(name, "gauge", help, value, &mut out);
        }
        if let Some(cache) = &service.settings.query.cache {
            let cache = cache.statistics();
            let help = "Memory of what queries keep for later ones.";
            single("query_cache_bytes", "gauge", help, cache.bytes, &mut out);
            let help = "Bound of that memory.";
            single("query_cache_limit_bytes", "gauge", help, cache.budget_bytes, &mut out);
            single("query_cache_entries", "gauge", "Values kept.", cache.entries, &mut out);
            let help = "Values that a query found.";
            single("query_cache_hits_total", "counter", help, cache.hits, &mut out);
            let help = "Values that a query looked for in vain.";
            single("query_cache_misses_total", "counter", help, cache.misses, &mut out);
        }
        single("log_syncs_total", "counter", "Syncs of the log.", status.log_syncs, &mut out);
        let tables = service.store.statistics();
        type Pick = fn(&conshelf_storage::TableStatistics) -> u64;
        let per_table: [(&str, &str, Pick); 5] = [
            ("table_rows", "Rows of a table.", |table| table.sealed_rows + table.row_store_rows),
            ("table_disk_bytes", "Bytes of a table's extents on disk.", |table| table.sealed_bytes),
            ("table_original_bytes", "Bytes of a table's extents before encoding.", |table| {
                table.original_bytes
            }),
            ("table_extents", "Extents of a table.", |table| table.extents),
            ("table_row_store_bytes", "Memory of a table's unsealed rows.", |table| table.row_store_bytes),
        ];
        for (name, help, pick) in per_table {
            let _ = writeln!(out, "# HELP conshelf_{name} {help}\n# TYPE conshelf_{name} gauge");
            for table in &tables {
                let _ = writeln!(
                    out,
                    "conshelf_{name}{{database=\"{}\",table=\"{}\"}} {}",
                    label(&table.database),
                    label(&table.name),
                    pick(table)
                );
            }
        }
        out
    }
}
