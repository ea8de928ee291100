//! How many rows a second the store takes: batches of 2,000 from four threads, single rows from sixty-four.
//!
//! `cargo run --release -p conshelf-storage --example append_rate -- DIRECTORY [SECONDS]`

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arrow_array::{
    ArrayRef, BinaryViewArray, FixedSizeBinaryArray, Float64Array, Int32Array, Int64Array, StringViewArray,
};
use conshelf_storage::dynamic::from_json;
use conshelf_storage::{AppendOptions, CatalogChange, ColumnType, Store, StoreOptions, TableId, TableSchema};

const NOW: i64 = 638_500_000_000_000_000;

fn schema() -> TableSchema {
    TableSchema::new([
        ("timestamp", ColumnType::DateTime),
        ("level", ColumnType::String),
        ("service", ColumnType::String),
        ("host", ColumnType::String),
        ("message", ColumnType::String),
        ("url", ColumnType::String),
        ("trace", ColumnType::Guid),
        ("duration", ColumnType::Real),
        ("status", ColumnType::Int),
        ("bytes", ColumnType::Long),
        ("labels", ColumnType::Dynamic),
    ])
}

fn batch(first: u64, rows: u64) -> Vec<ArrayRef> {
    let mut state = first.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let random: Vec<u64> = (0..rows).map(|_| next()).collect();
    let text = |make: &dyn Fn(u64) -> String| -> ArrayRef {
        Arc::new(StringViewArray::from_iter_values(random.iter().map(|value| make(*value))))
    };
    let words = [
        "connection",
        "timeout",
        "retry",
        "upstream",
        "cache",
        "request",
        "served",
        "from",
        "shard",
        "lease",
    ];
    let message = |value: u64| {
        let mut message = format!("request {value:016x} finished:");
        for step in 0..22 {
            message.push(' ');
            message.push_str(words[(value.rotate_left(step * 3) % 10) as usize]);
        }
        message
    };
    let labels: Vec<Vec<u8>> = random
        .iter()
        .map(|value| {
            let json = format!(
                r#"{{"region":"eu-{}","zone":"{}","version":"1.{}.{}","customer":"c-{:08x}","attempt":{}}}"#,
                value % 4,
                value % 3,
                value % 20,
                value % 7,
                value >> 32,
                value % 5
            );
            from_json(&json).unwrap_or_default()
        })
        .collect();
    let traces: Vec<[u8; 16]> = random.iter().map(|value| u128::from(*value).to_le_bytes()).collect();
    vec![
        Arc::new(Int64Array::from_iter_values((0..rows).map(|row| NOW + (first + row) as i64 * 1000))),
        text(&|value| ["info", "info", "info", "warning", "error"][(value % 5) as usize].to_owned()),
        text(&|value| format!("service-{:02}", value % 40)),
        text(&|value| format!("node-{:03}.eu.example.net", value % 200)),
        text(&message),
        text(&|value| format!("/api/v2/customers/{}/orders/{}?expand=items", value % 5000, value >> 40)),
        Arc::new(FixedSizeBinaryArray::try_from_iter(traces.into_iter()).expect("sixteen bytes each")),
        Arc::new(Float64Array::from_iter_values(random.iter().map(|value| (value % 100_000) as f64 / 97.0))),
        Arc::new(Int32Array::from_iter_values(
            random.iter().map(|value| [200, 200, 204, 404, 500][(value % 5) as usize]),
        )),
        Arc::new(Int64Array::from_iter_values(random.iter().map(|value| (value % 1_000_000) as i64))),
        Arc::new(BinaryViewArray::from_iter_values(labels.iter().map(|label| label.as_slice()))),
    ]
}

fn create(store: &Store) -> conshelf_storage::Result<TableId> {
    let snapshot = store.commit(CatalogChange::CreateTable {
        database: "NetDefaultDB".to_owned(),
        name: "logs".to_owned(),
        schema: schema(),
        folder: String::new(),
        docstring: String::new(),
        if_not_exists: true,
    })?;
    Ok(snapshot.table("NetDefaultDB", "logs").expect("just created").id)
}

fn measure(
    directory: &str,
    threads: usize,
    rows: u64,
    seconds: u64,
    background: bool,
) -> conshelf_storage::Result<()> {
    let _ = std::fs::remove_dir_all(directory);
    let options = StoreOptions { background, row_store_limit_bytes: 8 << 30, ..StoreOptions::default() };
    let store = Store::open(directory, options)?;
    let table = create(&store)?;
    // Enough different rows that encoding them is as much work as in earnest.
    let count = 400_000 / rows.max(50);
    let batches: Vec<Vec<ArrayRef>> = (0..count).map(|n| batch(n * rows, rows)).collect();
    let bytes: u64 = batches[0].iter().map(conshelf_storage::row_store::array_bytes).sum();
    let stored = AtomicU64::new(0);
    let start = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (store, batches, stored) = (&store, &batches, &stored);
            scope.spawn(move || {
                let mut turn = thread * batches.len() / threads;
                while start.elapsed() < Duration::from_secs(seconds) {
                    match store.append(table, &batches[turn % batches.len()], AppendOptions::default()) {
                        Ok(appended) => {
                            stored.fetch_add(appended.rows, Ordering::Relaxed);
                        }
                        Err(error) => {
                            eprintln!("{error}");
                            std::thread::sleep(Duration::from_millis(50));
                        }
                    }
                    turn += 1;
                }
            });
        }
    });
    let elapsed = start.elapsed().as_secs_f64();
    let status = store.status();
    let stored = stored.into_inner();
    println!(
        "{threads:2} threads x {rows} rows ({} bytes a row), background {background}: {:.0} rows/s, {:.0} MB/s, {:.0} appends/s, \
         {} syncs, {:.0} MB of log now, {} MB in the row store",
        bytes / rows,
        stored as f64 / elapsed,
        stored as f64 * (bytes / rows) as f64 / elapsed / 1e6,
        stored as f64 / rows as f64 / elapsed,
        status.log_syncs,
        status.log_bytes as f64 / 1e6,
        status.row_store_bytes >> 20,
    );
    let sealing = Instant::now();
    let unsealed: u64 = store.statistics().iter().map(|table| table.row_store_rows).sum();
    store.seal(None)?;
    let statistics = &store.statistics()[0];
    println!(
        "   sealed the last {unsealed} rows in {:.1} s; {} rows in {} extents, {} bytes a row on disk",
        sealing.elapsed().as_secs_f64(),
        statistics.sealed_rows,
        statistics.extents,
        statistics.sealed_bytes / statistics.sealed_rows.max(1)
    );
    store.close()
}

fn main() -> conshelf_storage::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().unwrap_or_else(|| "append-rate-data".to_owned());
    let seconds = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(5);
    measure(&directory, 4, 2000, seconds, false)?;
    measure(&directory, 4, 2000, seconds, true)?;
    measure(&directory, 64, 1, seconds, true)?;
    let _ = std::fs::remove_dir_all(&directory);
    Ok(())
}
