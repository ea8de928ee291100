//! Small measurements inside one process, one thread: encodings, kernels, aggregates, decoders, encoders.
//!
//! ```text
//! cargo bench --bench micro                  everything
//! cargo bench --bench micro -- decode has    only what has one of these in its name
//! ```
//!
//! Each line has rows and bytes per second and the share of the memory read bandwidth measured in the same run:
//! what a column costs beyond reading it once. Bytes are those of the values in memory (columns) or of the
//! text (bodies and answers). Whole-system figures are those of `workloads` and `compare`.

#[path = "workloads/generate.rs"]
mod generate;

use std::hint::black_box;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::{ArrayRef, BinaryViewArray, Float64Array, Int64Array, StringViewArray};
use conshelf::demo::Random;
use conshelf::engine::context::QueryLimits;
use conshelf::engine::{Batch, Engine, QueryContext, QueryRequest};
use conshelf::ingest::{self, IngestRequest};
use conshelf::response::{Completion, Format, ResultHeader};
use conshelf::storage::encoding::{EncodeOptions, decode_chunk, describe_chunk, encode_chunk};
use conshelf::storage::{ColumnType, Store, StoreOptions, dynamic};

/// Rows of an encoded chunk: one row group.
const CHUNK_ROWS: usize = 65_536;
/// Rows of the queried table.
const TABLE_ROWS: u64 = 300_000;
/// Rows of one decoded body.
const BODY_ROWS: u64 = 5_000;
/// Rows of one encoded answer.
const ANSWER_ROWS: usize = 20_000;
/// How long one thing is repeated.
const BUDGET: Duration = Duration::from_millis(400);

/// Prints lines, as far as they were asked for.
struct Report {
    wanted: Vec<String>,
    bandwidth: f64,
}

impl Report {
    fn measure(&self, name: &str, rows: usize, bytes: usize, mut work: impl FnMut()) {
        if !self.wanted.is_empty() && !self.wanted.iter().any(|part| name.contains(part.as_str())) {
            return;
        }
        let seconds = fastest(&mut work);
        let rate = bytes as f64 / seconds;
        println!(
            "| {name} | {:.1} | {:.2} | {:.1} % |",
            rows as f64 / seconds / 1e6,
            rate / 1e9,
            rate / self.bandwidth * 100.0
        );
    }
}

/// Seconds of the fastest of many runs: the one that was disturbed least.
fn fastest(work: &mut dyn FnMut()) -> f64 {
    let begun = Instant::now();
    let mut best = f64::INFINITY;
    for run in 0.. {
        let started = Instant::now();
        work();
        best = best.min(started.elapsed().as_secs_f64());
        if run >= 2 && begun.elapsed() > BUDGET {
            break;
        }
    }
    best
}

/// Bytes per second at which one thread reads memory that no cache holds.
fn read_bandwidth() -> f64 {
    let values = vec![1u64; 32 << 20];
    let seconds = fastest(&mut || {
        black_box(black_box(&values).iter().fold(0u64, |sum, value| sum.wrapping_add(*value)));
    });
    (values.len() * 8) as f64 / seconds
}

/// Columns that make the writer choose each of its encodings; `describe_chunk` says which it was.
fn columns() -> Vec<(&'static str, ColumnType, ArrayRef, usize)> {
    let mut random = Random::new(1);
    let rows = CHUNK_ROWS;
    let mut list: Vec<(&'static str, ColumnType, ArrayRef, usize)> = Vec::new();
    let mut integers = |name, value: &mut dyn FnMut(usize) -> i64| {
        let array: ArrayRef = Arc::new(Int64Array::from_iter_values((0..rows).map(value)));
        list.push((name, ColumnType::Long, array, rows * 8));
    };
    integers("one value", &mut |_| 7);
    integers("small range", &mut |_| random.below(1000) as i64);
    integers("steps of time", &mut |row| 638_500_000_000_000_000 + row as i64 * 100_000);
    integers("noisy steps", &mut |row| row as i64 * 5_000 + random.below(3_000) as i64);
    integers("runs", &mut |row| (row / 500) as i64 * 1_000_003 % 977);
    integers("few wide values", &mut |_| random.below(50) as i64 * 0x1234_5678_9abc);
    integers("mostly one value", &mut |_| {
        if random.below(50) == 0 { random.below(1 << 40) as i64 } else { 0 }
    });
    integers("any bits", &mut |_| random.next_u64() as i64);
    let mut reals = |name, value: &mut dyn FnMut() -> f64| {
        let array: ArrayRef = Arc::new(Float64Array::from_iter_values((0..rows).map(|_| value())));
        list.push((name, ColumnType::Real, array, rows * 8));
    };
    reals("two decimals", &mut || random.below(10_000) as f64 / 100.0);
    reals("any real", &mut || random.normal());
    let mut texts = |name, value: &mut dyn FnMut() -> String| {
        let values: Vec<String> = (0..rows).map(|_| value()).collect();
        let bytes = values.iter().map(String::len).sum();
        list.push((name, ColumnType::String, Arc::new(StringViewArray::from_iter_values(values)), bytes));
    };
    texts("few texts", &mut || format!("service-{:02}", random.below(50)));
    texts("unique ids", &mut || format!("{:016x}{:016x}", random.next_u64(), random.next_u64()));
    texts("messages", &mut || {
        format!(
            "Order {} was created by user {} with {} items",
            random.below(10_000_000),
            random.below(100_000),
            random.below(20)
        )
    });
    let values: Vec<Vec<u8>> = (0..rows)
        .filter_map(|_| {
            let text = format!(
                "{{\"region\":\"region-{}\",\"user\":{},\"cart\":{{\"items\":{},\"total\":{}.5}}}}",
                random.below(9),
                random.below(100_000),
                random.below(9),
                random.below(300)
            );
            dynamic::from_json(&text).ok()
        })
        .collect();
    let bytes = values.iter().map(Vec::len).sum();
    list.push(("objects", ColumnType::Dynamic, Arc::new(BinaryViewArray::from_iter_values(values)), bytes));
    list
}

fn encodings(report: &Report) {
    for (name, ty, array, bytes) in columns() {
        let mut chunk = Vec::new();
        encode_chunk(ty, &array, &EncodeOptions::MERGE, &mut chunk).expect("the column is encoded");
        let encoding = describe_chunk(&chunk, array.len()).expect("its own chunk");
        report.measure(&format!("encode {name}: {encoding}"), array.len(), bytes, || {
            let mut out = Vec::with_capacity(chunk.len());
            encode_chunk(ty, &array, &EncodeOptions::MERGE, &mut out).expect("the column is encoded");
            black_box(out);
        });
        report.measure(&format!("decode {name}: {encoding}"), array.len(), bytes, || {
            black_box(decode_chunk(ty, &chunk, array.len()).expect("its own chunk"));
        });
    }
}

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

fn store(directory: &tempfile::TempDir) -> Store {
    let options =
        StoreOptions { background: false, row_store_limit_bytes: u64::MAX, ..StoreOptions::default() };
    Store::open(directory.path(), options).expect("a store")
}

/// The results' headers and their batches.
fn answer(engine: &Engine, text: &str) -> (Vec<ResultHeader>, Vec<Batch>) {
    let request = QueryRequest {
        // What is measured is the work, not what was kept of it.
        text: format!("set query_results_cache_per_shard=false; {text}"),
        database: String::from("NetDefaultDB"),
        parameters: Vec::new(),
        context: QueryContext::new(QueryLimits::default(), 638_500_000_000_000_000),
    };
    let prepared = engine.prepare(&request).expect("a good query");
    let headers = prepared.results().into_iter().map(|result| ResultHeader::primary(result.schema)).collect();
    let mut batches = Vec::new();
    let run = engine.run(&prepared, &mut |_, batch| {
        batches.push(batch);
        Ok(ControlFlow::Continue(()))
    });
    run.expect("an answer");
    (headers, batches)
}

/// Query, and the bytes a row has in the columns it reads.
const QUERIES: &[(&str, &str, usize)] = &[
    ("kernel has", "logs | where Message has 'upstream' | count", 100),
    ("kernel contains", "logs | where Message contains 'set by pe' | count", 100),
    ("kernel matches regex", "logs | where Message matches regex @'took \\d+ ms' | count", 100),
    ("kernel arithmetic", "logs | summarize sum(DurationMs * 2.0 + BytesSent)", 16),
    ("kernel compare", "logs | where BytesSent > 1000 and DurationMs < 50.0 | count", 16),
    ("kernel bin", "logs | summarize count() by bin(BytesSent, 1000)", 8),
    ("kernel property of dynamic", "logs | summarize sum(tolong(Properties.user))", 110),
    ("aggregate sum", "logs | summarize sum(DurationMs), sum(BytesSent)", 16),
    ("aggregate count by minute", "logs | summarize count() by bin(Timestamp, 1m)", 8),
    ("aggregate count by few", "logs | summarize count() by Service", 4),
    ("aggregate avg by two", "logs | summarize count(), avg(DurationMs) by Service, Level", 16),
    ("aggregate count by many", "logs | summarize count() by Path", 4),
    ("aggregate dcount by hour", "logs | summarize dcount(ClientIp) by bin(Timestamp, 1h)", 12),
    ("aggregate percentile by few", "logs | summarize percentile(DurationMs, 95) by Service", 12),
];

fn queries(report: &Report, engine: &Engine) {
    for (name, text, bytes) in QUERIES {
        report.measure(name, TABLE_ROWS as usize, TABLE_ROWS as usize * bytes, || {
            black_box(answer(engine, text));
        });
    }
}

fn decoders(report: &Report, engine: &Engine) {
    let json = body(BODY_ROWS);
    // The same rows as CSV, by our own encoder.
    let columns =
        "Timestamp, Level, Service, Host, TraceId, Method, Path, Status, DurationMs, BytesSent, Message";
    let (headers, batches) = answer(engine, &format!("logs | take {BODY_ROWS} | project {columns}"));
    let csv = encoded(Format::Csv, &headers, &batches);
    for (name, body) in [("ingest JSON", json), ("ingest CSV", csv)] {
        let directory = tempfile::tempdir().expect("a directory");
        let store = store(&directory);
        report.measure(name, BODY_ROWS as usize, body.len(), || store_rows(&store, &body));
    }
}

fn encoded(format: Format, headers: &[ResultHeader], batches: &[Batch]) -> Vec<u8> {
    let mut out = Vec::new();
    let Some(mut encoder) = format.friendly_encoder() else { return out };
    let result = encoder
        .begin(headers, &mut out)
        .and_then(|()| encoder.begin_result(0, &headers[0], &mut out))
        .and_then(|()| batches.iter().try_for_each(|batch| encoder.rows(&headers[0], batch, &mut out)))
        .and_then(|()| encoder.end_result(&headers[0], None, &mut out))
        .and_then(|()| encoder.finish(&Completion::default(), &mut out));
    result.expect("the batches are those of the headers");
    out
}

fn encoders(report: &Report, engine: &Engine) {
    let (headers, batches) = answer(engine, &format!("logs | take {ANSWER_ROWS}"));
    for name in ["json", "ndjson", "csv", "arrow"] {
        let format = Format::from_name(name).expect("a format");
        let bytes = encoded(format, &headers, &batches).len();
        report.measure(&format!("answer as {name}"), ANSWER_ROWS, bytes, || {
            black_box(encoded(format, &headers, &batches));
        });
    }
}

fn main() {
    let wanted = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let report = Report { wanted, bandwidth: read_bandwidth() };
    println!("memory read bandwidth of one thread: {:.1} GB/s\n", report.bandwidth / 1e9);
    println!("| what | million rows/s | GB/s | of the bandwidth |\n|---|---:|---:|---:|");
    encodings(&report);
    let directory = tempfile::tempdir().expect("a directory");
    let table = store(&directory);
    store_rows(&table, &body(TABLE_ROWS));
    table.seal(None).expect("sealed");
    let engine = Engine::new(table).with_workers(1);
    queries(&report, &engine);
    decoders(&report, &engine);
    encoders(&report, &engine);
}
