//! Writes the rows of a workload to standard output, as NDJSON.
//!
//! ```text
//! cargo run --release --example generate -- logs 100000 1 > logs.ndjson       workload, rows, seed
//! ```

#[path = "../workloads/generate.rs"]
mod generate;

use std::io::{BufWriter, Write as _};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize| arguments.get(index).and_then(|text| text.parse::<u64>().ok());
    let name = arguments.first().map_or("", String::as_str);
    let (Some(rows), seed) = (number(1), number(2).unwrap_or(1)) else {
        eprintln!("usage: generate cpu|logs|hits ROWS [SEED]");
        return ExitCode::FAILURE;
    };
    let Some(mut workload) = generate::workload(name, rows, seed) else {
        eprintln!("'{name}' is not a workload: cpu, logs, hits");
        return ExitCode::FAILURE;
    };
    let mut out = BufWriter::with_capacity(1 << 20, std::io::stdout().lock());
    let mut text = String::new();
    for _ in 0..rows {
        text.clear();
        workload.row(&mut text);
        if let Err(error) = out.write_all(text.as_bytes()) {
            eprintln!("standard output: {error}");
            return ExitCode::FAILURE;
        }
    }
    match out.flush() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("standard output: {error}");
            ExitCode::FAILURE
        }
    }
}
