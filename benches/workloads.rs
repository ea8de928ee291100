//! Whole-system measurements: a generated workload goes through HTTP into a real server and is queried.
//!
//! ```text
//! cargo bench --bench workloads                                  1 M rows of cpu and logs, a table of figures
//! cargo bench --bench workloads -- --rows 10000000 logs          one workload, another size
//! ```
//!
//! Times run from sending a request until the whole answer was read: the first run, and the median of the
//! following ones. The quick look without Python: `benches/compare` sets other engines beside it.

#[path = "workloads/generate.rs"]
mod generate;
#[path = "workloads/measure.rs"]
mod measure;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let mut rows = 1_000_000;
    let mut workloads = Vec::new();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rows" => rows = arguments.next().and_then(|rows| rows.parse().ok()).unwrap_or(rows),
            "--test" => rows = 10_000,
            other => workloads.push(other.to_string()),
        }
    }
    if workloads.is_empty() {
        workloads = vec![String::from("cpu"), String::from("logs")];
    }
    for workload in &workloads {
        if let Err(message) = measure::run(workload, rows) {
            eprintln!("{workload}: {message}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
