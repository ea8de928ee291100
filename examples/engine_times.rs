//! Times of typical queries over a generated table of logs, in this process: `engine_times [ROWS]`.
//! Prints the first and the best run of each, and the profile of the best.

use std::sync::Arc;
use std::time::Instant;

use arrow_array::{ArrayRef, Float64Array, Int32Array, Int64Array, StringViewArray};
use conshelf::engine::context::QueryLimits;
use conshelf::engine::{Engine, QueryContext, QueryRequest};
use conshelf::storage::{AppendOptions, CatalogChange, ColumnType, DEFAULT_DATABASE, Durability, Store};
use conshelf::storage::{StoreOptions, TableSchema};

const DAY: i64 = 864_000_000_000;
const START: i64 = 738_000 * DAY;

fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rows: i64 = std::env::args().nth(1).map_or(Ok(1_000_000), |rows| rows.parse())?;
    let directory = std::env::temp_dir().join(format!("conshelf-times-{rows}"));
    let built = directory.exists();
    let options =
        StoreOptions { durability: Durability::Relaxed, background: false, ..StoreOptions::default() };
    let store = Store::open(&directory, options)?;
    if !built {
        fill(&store, rows)?;
    }
    let engine = Engine::new(store);
    let queries = std::env::args().nth(2).map_or_else(
        || {
            [
                "Logs | count",
                "Logs | summarize count() by bin(Time, 1m)",
                "Logs | summarize count() by bin(Time, 1h)",
                "Logs | summarize min(Time), max(Time), count()",
                "Logs | summarize count() by Level",
                "Logs | summarize count() by Level, Service",
                "Logs | summarize avg(Duration), max(Duration) by Service, bin(Time, 10m)",
                "Logs | summarize percentiles(Duration, 50, 95) by Service",
                "Logs | where Level == 'Error' | summarize count() by bin(Time, 5m)",
                "Logs | where Message has 'timeout' | count",
                "Logs | where Message contains 'imeou' | count",
                "Logs | where Trace == 'nothing' | count",
                "Logs | summarize dcount(Trace)",
                "Logs | summarize count() by User | top 10 by count_",
                "Logs | summarize count() by Path | top 10 by count_",
                "Logs | top 100 by Duration desc",
                "Logs | top 100 by Time desc",
                "Logs | take 10",
                "Logs | where Time > datetime(2021-07-31 23:00) | summarize count() by Status",
                "Logs | distinct Level, Status",
                "Logs | extend w = strlen(Message) | summarize avg(w) by Level",
                "Logs | sort by Duration desc | project Duration | take 5",
                "Logs | summarize arg_max(Time, *) by Service",
                "Logs | join kind=inner (datatable(Service: string, Team: string)['service-1', 'a', 'service-2', 'b']) on Service | summarize count() by Team",
            ]
            .map(String::from)
            .to_vec()
        },
        |query| vec![query],
    );
    for query in queries {
        let mut best = f64::MAX;
        let mut first = 0.0;
        let mut profile = String::new();
        for run in 0..5 {
            let limits = QueryLimits { result_rows: None, result_bytes: None, ..QueryLimits::default() };
            let context = QueryContext::new(limits, START + DAY);
            let request = QueryRequest {
                text: query.clone(),
                database: DEFAULT_DATABASE.to_owned(),
                parameters: Vec::new(),
                context,
            };
            let started = Instant::now();
            match engine.explain(&request) {
                Ok(text) => {
                    let took = started.elapsed().as_secs_f64() * 1e3;
                    if run == 0 {
                        first = took;
                    }
                    if took < best {
                        best = took;
                        profile = text;
                    }
                }
                Err(error) => profile = format!("{error}\n"),
            }
        }
        println!("{best:9.2} ms  (first {first:9.2})  {query}");
        if std::env::var_os("PROFILE").is_some() {
            print!("{profile}");
        }
    }
    Ok(())
}

fn fill(store: &Store, rows: i64) -> Result<(), Box<dyn std::error::Error>> {
    let schema = TableSchema::new([
        ("Time", ColumnType::DateTime),
        ("Level", ColumnType::String),
        ("Service", ColumnType::String),
        ("Path", ColumnType::String),
        ("Trace", ColumnType::String),
        ("Status", ColumnType::Int),
        ("User", ColumnType::Long),
        ("Duration", ColumnType::Real),
        ("Message", ColumnType::String),
    ]);
    let snapshot = store.commit(CatalogChange::CreateTable {
        database: DEFAULT_DATABASE.to_owned(),
        name: String::from("Logs"),
        schema,
        folder: String::new(),
        docstring: String::new(),
        if_not_exists: false,
    })?;
    let table = snapshot.table(DEFAULT_DATABASE, "Logs").ok_or("no table")?.id;
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let step = DAY / rows.max(1);
    let batch = 250_000;
    let mut done = 0;
    while done < rows {
        let range = done..(done + batch).min(rows);
        let levels = ["Info", "Info", "Info", "Info", "Info", "Info", "Debug", "Warning", "Info", "Error"];
        let mut texts = |make: &mut dyn FnMut(u64, i64) -> String| -> ArrayRef {
            Arc::new(StringViewArray::from_iter_values(
                range.clone().map(|row| make(random(&mut state), row)),
            ))
        };
        let level = texts(&mut |r, _| levels[(r % 10) as usize].to_owned());
        let service = texts(&mut |r, _| format!("service-{}", (r % 50).min(r / 64 % 50)));
        let path =
            texts(&mut |r, _| format!("/api/v1/items/{}/details", (r % 10_000).min(r / 65_536 % 10_000)));
        let trace = texts(&mut |r, row| format!("{r:016x}{row:016x}"));
        let message = texts(&mut |r, row| match r % 12 {
            0 if r % 1_200 == 0 => {
                format!("connection timeout after {} ms to host-{}", r % 5_000, r / 7 % 200)
            }
            0..=4 => format!("handled request {row} in {} us, {} bytes sent", r % 90_000, r / 3 % 1_000_000),
            5..=8 => format!("cache lookup for key user:{} hit={} shard={}", r % 100_000, r % 2, r / 5 % 16),
            _ => format!(
                "background job {} finished with state ok after {} steps, queue depth {}",
                r % 512,
                r / 9 % 100,
                r / 11 % 40
            ),
        });
        let status: Int32Array = range
            .clone()
            .map(|_| {
                Some([200, 200, 200, 200, 201, 204, 301, 400, 404, 500][(random(&mut state) % 10) as usize])
            })
            .collect();
        let user: Int64Array = range.clone().map(|_| Some((random(&mut state) % 1_000_000) as i64)).collect();
        let duration: Float64Array = range
            .clone()
            .map(|_| Some(((random(&mut state) % 1_000_000) as f64 / 1_000.0).powi(2).round() / 1_000.0))
            .collect();
        let time: Int64Array = range.clone().map(|row| Some(START + row * step)).collect();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(time),
            level,
            service,
            path,
            trace,
            Arc::new(status),
            Arc::new(user),
            Arc::new(duration),
            message,
        ];
        store.append(table, &columns, AppendOptions::default())?;
        done = range.end;
        if done % 1_000_000 == 0 || done == rows {
            store.seal(Some(table))?;
        }
    }
    while store.merge_once()? {}
    Ok(())
}
