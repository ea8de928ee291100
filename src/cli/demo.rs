//! `conshelf demo`: keeps the made-up fleet's events flowing into a server.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use conshelf_storage::ticks::{TICKS_PER_SECOND, UNIX_EPOCH_TICKS};

use crate::cli::client::{self, Client, DEFAULT_URL};
use crate::cli::complain;
use crate::demo::{DATABASE, Fleet, LOGS_TABLE, METRICS_INTERVAL_SECONDS, METRICS_TABLE};

/// Seconds of events in one request while the past is being filled.
const PAST_SECONDS_PER_REQUEST: i64 = 120;

/// Sends the metrics and logs of a made-up fleet to a server, first of the last hour, then live, until
/// interrupted. Database `Demo`, tables `Metrics` and `Logs`.
#[derive(Args, Debug)]
#[command(after_help = "Then try:
  conshelf query --db Demo 'Logs | where Timestamp > ago(15m) | summarize count() by bin(Timestamp, 1m), Level'
  conshelf query --db Demo 'Metrics | summarize arg_max(Timestamp, *) by Host'")]
pub struct DemoArgs {
    /// Server to send to
    #[arg(long, env = "CONSHELF_URL", default_value = DEFAULT_URL)]
    pub url: String,
    /// Bearer token for the server
    #[arg(long, env = "CONSHELF_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Minutes of the past to begin with
    #[arg(long, default_value_t = 60)]
    pub past_minutes: u32,
    /// Stop after the past instead of going on live
    #[arg(long)]
    pub once: bool,
    /// The same seed makes the same events for the same time
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Seconds since 0001-01-01T00:00:00Z.
fn now_seconds() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH_TICKS / TICKS_PER_SECOND + i64::try_from(since.as_secs()).unwrap_or(0)
}

pub fn run(args: &DemoArgs) -> ExitCode {
    let client = Client::new(&args.url, args.token.clone());
    let fleet = Fleet::new(args.seed);
    let mut next = now_seconds() - i64::from(args.past_minutes) * 60;
    let mut rows = 0u64;
    println!("sending events of a made-up fleet to {} (database {DATABASE}); Ctrl-C stops", client.url());
    loop {
        let now = now_seconds();
        if next >= now {
            if args.once {
                break;
            }
            std::thread::sleep(Duration::from_millis(200));
            continue;
        }
        let end = now.min(next + PAST_SECONDS_PER_REQUEST);
        match send(&client, &fleet, next, end) {
            Ok(sent) => rows += sent,
            Err(message) => return complain(&message),
        }
        if end < now || next + 1 < end {
            println!("{rows} events, up to {} s ago", now - end);
        }
        next = end;
    }
    println!("{rows} events sent");
    ExitCode::SUCCESS
}

/// Sends the events of the seconds `from..to`; yields how many.
fn send(client: &Client, fleet: &Fleet, from: i64, to: i64) -> Result<u64, String> {
    let (mut metrics, mut logs) = (String::new(), String::new());
    for second in from..to {
        if second % METRICS_INTERVAL_SECONDS == 0 {
            fleet.metrics(second, &mut metrics);
        }
        fleet.logs(second, &mut logs);
    }
    let mut rows = 0;
    for (table, body) in [(METRICS_TABLE, metrics), (LOGS_TABLE, logs)] {
        if body.is_empty() {
            continue;
        }
        let path = format!("/ingest/{DATABASE}/{table}");
        let answer = client::read(client.post(&path, &[("format", "json")], &[], body.as_bytes())?)?;
        if !answer.is_success() {
            return Err(answer.error_message());
        }
        rows += body.lines().count() as u64;
    }
    Ok(rows)
}
