//! `conshelf ingest`: files into a table of a server, with progress, retries and resumption.
//!
//! A file goes up in bodies of a few megabytes, each with an idempotency key made of its content and place:
//! what was sent twice is stored once. How far a file came is kept beside the user's state, so that
//! `--resume` goes on from there.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use xxhash_rust::xxh3::xxh3_128;

use crate::cli::chunks::{Chunk, Chunks};
use crate::cli::client::{self, Client, DEFAULT_URL};
use crate::cli::complain;
use crate::ingest::format::Format;

/// Sends files into a table; database, table and columns are made as they appear.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  conshelf ingest --table Logs app.ndjson
  conshelf ingest --table Taxi --db Demo nyc_taxi.csv other.csv.gz
  journalctl -o json | conshelf ingest --table Journal -
  conshelf ingest --table Logs --resume big.ndjson            # go on after an interruption")]
pub struct IngestArgs {
    /// Files to send, `-` for standard input; .gz and .zst are unpacked
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Table to fill
    #[arg(long, short)]
    pub table: String,
    /// Database of the table
    #[arg(long, default_value = "NetDefaultDB")]
    pub db: String,
    /// Server to send to
    #[arg(long, env = "CONSHELF_URL", default_value = DEFAULT_URL)]
    pub url: String,
    /// Bearer token for the server
    #[arg(long, env = "CONSHELF_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// json, csv, tsv, psv, txt …; by default from the file's name or its first bytes
    #[arg(long)]
    pub format: Option<String>,
    /// Whether the first record of a delimited file names the columns
    #[arg(long, value_enum, default_value = "yes")]
    pub header: HeaderChoice,
    /// Ingestion mapping of the table
    #[arg(long)]
    pub mapping: Option<String>,
    /// Keep the good records of a file with bad ones, and report those
    #[arg(long)]
    pub skip_bad: bool,
    /// Megabytes of a request
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub batch_mb: u32,
    /// Go on where an earlier run over the same file was interrupted
    #[arg(long)]
    pub resume: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HeaderChoice {
    Yes,
    No,
}

/// What happened to one file.
#[derive(Debug, Default)]
struct Totals {
    rows: u64,
    skipped: u64,
    duplicates: u64,
    bytes: u64,
}

pub fn run(args: &IngestArgs) -> ExitCode {
    let client = Client::new(&args.url, args.token.clone());
    let started = Instant::now();
    let mut totals = Totals::default();
    for file in &args.files {
        if let Err(message) = send_file(args, &client, file, &mut totals) {
            eprintln!("{} rows were stored before this; run again with --resume to go on", totals.rows);
            return complain(&format!("{}: {message}", file.display()));
        }
    }
    let seconds = started.elapsed().as_secs_f64().max(0.001);
    println!(
        "{} rows into {}.{} in {seconds:.1} s ({:.0} rows/s, {:.1} MB/s){}{}",
        totals.rows,
        args.db,
        args.table,
        totals.rows as f64 / seconds,
        totals.bytes as f64 / seconds / 1e6,
        if totals.skipped > 0 {
            format!(", {} bad records passed over", totals.skipped)
        } else {
            String::new()
        },
        if totals.duplicates > 0 {
            format!(", {} rows were there already", totals.duplicates)
        } else {
            String::new()
        },
    );
    ExitCode::SUCCESS
}

fn send_file(args: &IngestArgs, client: &Client, path: &Path, totals: &mut Totals) -> Result<(), String> {
    let is_input = path.as_os_str() == "-";
    let (reader, size): (Box<dyn Read>, Option<u64>) = if is_input {
        (Box::new(io::stdin()), None)
    } else {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let size = file.metadata().ok().filter(|data| data.is_file()).map(|data| data.len());
        (Box::new(file), size)
    };
    let (reader, inner_name, packed) = unpack(reader, path).map_err(|error| error.to_string())?;
    let format = match &args.format {
        Some(name) => Some(Format::from_name(name)?),
        None => inner_name.extension().and_then(|ext| Format::from_name(&ext.to_string_lossy()).ok()),
    };
    let has_header = args.header == HeaderChoice::Yes && args.mapping.is_none();
    let target = args.batch_mb as usize * 1_000_000;
    let mut chunks = Chunks::new(reader, format, has_header, target).map_err(|error| error.to_string())?;
    let state = if is_input { None } else { State::of(args, path) };
    let done = if args.resume { state.as_ref().map_or(0, State::load) } else { 0 };
    let bar = progress_bar(size.filter(|_| !packed), path);
    let started = Instant::now();
    let mut rows_of_file = 0u64;
    while let Some(chunk) = chunks.next_chunk().map_err(|error| error.to_string())? {
        let end = chunk.offset + chunk.length;
        if end > done {
            let sent = send_chunk(args, client, &chunk, has_header)?;
            rows_of_file += sent.rows;
            totals.rows += sent.rows;
            totals.skipped += sent.skipped;
            totals.duplicates += sent.duplicates;
            totals.bytes += chunk.length;
            if let Some(state) = &state {
                state.store(end);
            }
        }
        bar.set_position(end);
        let seconds = started.elapsed().as_secs_f64().max(0.001);
        bar.set_message(format!("{rows_of_file} rows, {:.0} rows/s", rows_of_file as f64 / seconds));
    }
    bar.finish_and_clear();
    if let Some(state) = &state {
        state.remove();
    }
    Ok(())
}

/// The plain bytes of a file, its name without the compression's suffix, and whether it was compressed.
fn unpack(reader: Box<dyn Read>, path: &Path) -> io::Result<(Box<dyn BufRead>, PathBuf, bool)> {
    let suffix = path.extension().map(|ext| ext.to_string_lossy().to_ascii_lowercase());
    let inner = path.with_extension("");
    let capacity = 1 << 20;
    Ok(match suffix.as_deref() {
        Some("gz") => {
            let plain = flate2::read::MultiGzDecoder::new(reader);
            (Box::new(BufReader::with_capacity(capacity, plain)), inner, true)
        }
        Some("zst" | "zstd") => {
            let plain = zstd::stream::read::Decoder::new(reader)?;
            (Box::new(BufReader::with_capacity(capacity, plain)), inner, true)
        }
        _ => (Box::new(BufReader::with_capacity(capacity, reader)), path.to_path_buf(), false),
    })
}

/// Sends one body, again while the server is busy or away.
fn send_chunk(args: &IngestArgs, client: &Client, chunk: &Chunk, has_header: bool) -> Result<Totals, String> {
    let key = format!("file-{:032x}-{}", xxh3_128(&chunk.body), chunk.offset);
    let path = format!("/ingest/{}/{}", encode(&args.db), encode(&args.table));
    let mut parameters: Vec<(&str, &str)> = Vec::new();
    if let Some(format) = &args.format {
        parameters.push(("format", format));
    }
    if let Some(mapping) = &args.mapping {
        parameters.push(("mapping", mapping));
    } else {
        parameters.push(("header", if has_header { "true" } else { "false" }));
    }
    if args.skip_bad {
        parameters.push(("onError", "skip"));
    }
    let headers = [("idempotency-key", key.as_str())];
    let mut wait = Duration::from_millis(250);
    let mut attempts = 0;
    loop {
        attempts += 1;
        let answer = client.post(&path, &parameters, &headers, &chunk.body).and_then(client::read);
        match answer {
            Ok(answer) if answer.is_success() => {
                let report: serde_json::Value = serde_json::from_str(&answer.body)
                    .map_err(|error| format!("the server's answer is not JSON: {error}"))?;
                let number = |name: &str| report.get(name).and_then(serde_json::Value::as_u64).unwrap_or(0);
                for error in report.get("errors").and_then(|errors| errors.as_array()).into_iter().flatten() {
                    eprintln!("body at byte {}: {error}", chunk.offset);
                }
                let (rows, skipped) = (number("rows"), number("skipped"));
                let duplicate = report.get("duplicate").and_then(serde_json::Value::as_bool).unwrap_or(false);
                return Ok(Totals {
                    rows: if duplicate { 0 } else { rows },
                    duplicates: if duplicate { rows } else { 0 },
                    skipped,
                    bytes: 0,
                });
            }
            Ok(answer) if attempts < 60 && matches!(answer.status, 429 | 502 | 503 | 504) => {
                std::thread::sleep(answer.retry_after.map_or(wait, Duration::from_secs));
            }
            Ok(answer) => {
                return Err(format!(
                    "the body that begins at byte {}: {}",
                    chunk.offset,
                    answer.error_message()
                ));
            }
            // A server that was never there is a mistake; one that went away may be restarting, and the key
            // makes sending again safe.
            Err(message) if attempts >= 20 || (attempts == 1 && chunk.offset == 0) => return Err(message),
            Err(_) => std::thread::sleep(wait),
        }
        wait = (wait * 2).min(Duration::from_secs(5));
    }
}

/// Escapes a name for a path segment.
fn encode(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn progress_bar(size: Option<u64>, path: &Path) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, template) = match size {
        Some(size) => (
            ProgressBar::new(size),
            "{prefix} {wide_bar} {bytes}/{total_bytes} {binary_bytes_per_sec} eta {eta} {msg}",
        ),
        None => (ProgressBar::new_spinner(), "{prefix} {spinner} {bytes} {binary_bytes_per_sec} {msg}"),
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style).with_prefix(path.display().to_string())
}

/// How far a file came, kept between runs.
struct State {
    path: PathBuf,
}

impl State {
    fn of(args: &IngestArgs, file: &Path) -> Option<State> {
        let state = std::env::var_os("XDG_STATE_HOME")
            .map(PathBuf::from)
            .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state")))?;
        let file = file.canonicalize().ok()?;
        let identity = format!("{}\n{}\n{}\n{}", args.url, args.db, args.table, file.display());
        let name = format!("ingest-{:032x}", xxh3_128(identity.as_bytes()));
        Some(State { path: state.join("conshelf").join(name) })
    }

    fn load(&self) -> u64 {
        std::fs::read_to_string(&self.path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    }

    fn store(&self, offset: u64) {
        // Without it a later run sends more than needed, and the keys see to it that nothing is doubled.
        if let Some(directory) = self.path.parent() {
            let _ = std::fs::create_dir_all(directory);
        }
        let _ = std::fs::write(&self.path, offset.to_string());
    }

    fn remove(&self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
