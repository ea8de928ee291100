//! Whole-system measurements: a generated workload goes through HTTP into a real server and is queried.
//!
//! ```text
//! cargo bench --bench workloads                                  1 M rows of metrics and logs, a table of figures
//! cargo bench --bench workloads -- --rows 10000000 logs          one workload, another size
//! cargo bench --bench workloads -- --peers metrics logs          DuckDB beside it (needs Python; see peers.py)
//! cargo bench --bench workloads -- generate logs 100000 > f      only the data, as NDJSON
//! ```
//!
//! Times run from sending a request until the whole answer was read: the first run, and the median of the
//! following ones.

#[path = "workloads/generate.rs"]
mod generate;
#[path = "workloads/measure.rs"]
mod measure;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.first().is_some_and(|argument| argument == "generate") {
        let workload = arguments.get(1).map_or("logs", String::as_str);
        let rows = arguments.get(2).and_then(|rows| rows.parse().ok()).unwrap_or(100_000);
        let seed = arguments.get(3).and_then(|seed| seed.parse().ok()).unwrap_or(1);
        return generate::to_stdout(workload, rows, seed);
    }
    let mut rows = 1_000_000;
    let mut peers = false;
    let mut workloads = Vec::new();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rows" => rows = arguments.next().and_then(|rows| rows.parse().ok()).unwrap_or(rows),
            "--peers" => peers = true,
            "--test" => rows = 10_000,
            other => workloads.push(other.to_string()),
        }
    }
    if workloads.is_empty() {
        workloads = vec![String::from("metrics"), String::from("logs")];
    }
    for workload in &workloads {
        if let Err(message) = measure::run(workload, rows, peers) {
            eprintln!("{workload}: {message}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
