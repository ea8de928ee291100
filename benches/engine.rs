//! Small measurements inside one process: decoding of bodies, and queries over sealed rows.
//!
//! ```text
//! cargo bench --bench engine
//! ```
//!
//! Whole-system figures, through HTTP and beside a peer, are those of the `workloads` bench.

#[path = "workloads/generate.rs"]
mod generate;

use std::ops::ControlFlow;
use std::sync::LazyLock;

use conshelf::engine::context::QueryLimits;
use conshelf::engine::{Engine, QueryContext, QueryRequest};
use conshelf::ingest::{self, IngestRequest};
use conshelf::storage::{Store, StoreOptions};
use divan::Bencher;
use divan::counter::ItemsCount;

/// Rows of the queried table.
const ROWS: u64 = 500_000;
/// Rows of one decoded body.
const BODY_ROWS: u64 = 2_000;

fn body(rows: u64) -> Vec<u8> {
    let mut logs = generate::workload("logs", rows, 1).expect("the workload exists");
    let mut text = String::new();
    (0..rows).for_each(|_| logs.row(&mut text));
    text.into_bytes()
}

fn store_rows(store: &Store, body: &[u8]) {
    let request = IngestRequest::new("NetDefaultDB", "logs");
    ingest::run(store, &request, &mut std::io::Cursor::new(body)).expect("the rows are stored");
}

struct Fixture {
    _directory: tempfile::TempDir,
    engine: Engine,
}

/// A store with sealed log rows.
static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let directory = tempfile::tempdir().expect("a directory");
    let options = StoreOptions { background: false, ..StoreOptions::default() };
    let store = Store::open(directory.path(), options).expect("a store");
    store_rows(&store, &body(ROWS));
    store.seal(None).expect("sealed");
    Fixture { _directory: directory, engine: Engine::new(store) }
});

fn query(bencher: Bencher<'_, '_>, text: &str) {
    let fixture = &*FIXTURE;
    bencher.counter(ItemsCount::new(ROWS)).bench(|| {
        let request = QueryRequest {
            text: text.to_string(),
            database: String::from("NetDefaultDB"),
            parameters: Vec::new(),
            context: QueryContext::new(QueryLimits::default(), 638_500_000_000_000_000),
        };
        let prepared = fixture.engine.prepare(&request).expect("a good query");
        fixture.engine.run(&prepared, &mut |_, _| Ok(ControlFlow::Continue(()))).expect("an answer").rows
    });
}

#[divan::bench]
fn ingest_body(bencher: Bencher<'_, '_>) {
    let directory = tempfile::tempdir().expect("a directory");
    let options =
        StoreOptions { background: false, row_store_limit_bytes: u64::MAX, ..StoreOptions::default() };
    let store = Store::open(directory.path(), options).expect("a store");
    let body = body(BODY_ROWS);
    bencher.counter(ItemsCount::new(BODY_ROWS)).bench_local(|| store_rows(&store, &body));
}

#[divan::bench]
fn scan_and_sum(bencher: Bencher<'_, '_>) {
    query(bencher, "logs | summarize sum(DurationMs), sum(BytesSent)");
}

#[divan::bench]
fn filter_by_term(bencher: Bencher<'_, '_>) {
    query(bencher, "logs | where Message has 'upstream' | count");
}

#[divan::bench]
fn filter_by_value(bencher: Bencher<'_, '_>) {
    query(bencher, "logs | where Status >= 500 and Level == 'Error' | summarize avg(DurationMs)");
}

#[divan::bench]
fn group_by_minute(bencher: Bencher<'_, '_>) {
    query(bencher, "logs | summarize count() by bin(Timestamp, 1m)");
}

#[divan::bench]
fn group_by_service_and_level(bencher: Bencher<'_, '_>) {
    query(bencher, "logs | summarize count(), avg(DurationMs) by Service, Level");
}

#[divan::bench]
fn group_by_many_paths(bencher: Bencher<'_, '_>) {
    query(bencher, "logs | summarize count() by Path | top 10 by count_");
}

fn main() {
    divan::main();
}
