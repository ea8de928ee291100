//! Starts a server, fills it, asks it, prints what it took.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use conshelf::cli::client::{self, Client};

use crate::generate;

/// Bytes of one ingestion request.
const BODY_BYTES: usize = 1_000_000;
/// Runs of each query after the first.
const HOT_RUNS: usize = 7;

pub struct Query {
    pub name: &'static str,
    pub kql: &'static str,
}

const METRICS: &[Query] = &[
    Query { name: "count per minute", kql: "cpu | summarize count() by bin(Timestamp, 1m)" },
    Query {
        name: "max per minute, one host, 1 h",
        kql: "cpu | where hostname == 'host_7' and Timestamp between (datetime(2024-05-01T06:00:00) .. 1h) | summarize max(usage_user) by bin(Timestamp, 1m)",
    },
    Query {
        name: "avg of 5 per host and hour, 12 h",
        kql: "cpu | where Timestamp < datetime(2024-05-01T12:00:00) | summarize avg(usage_user), avg(usage_system), avg(usage_idle), avg(usage_nice), avg(usage_iowait) by hostname, bin(Timestamp, 1h)",
    },
    Query {
        name: "rows over a threshold",
        kql: "cpu | where usage_user > 99.9 | summarize count(), max(usage_system)",
    },
    Query { name: "last point of each host", kql: "cpu | summarize arg_max(Timestamp, *) by hostname" },
    Query {
        name: "min, max, avg over everything",
        kql: "cpu | summarize min(usage_user), max(usage_user), avg(usage_user)",
    },
];

const LOGS: &[Query] = &[
    Query { name: "count per minute", kql: "logs | summarize count() by bin(Timestamp, 1m)" },
    Query {
        name: "count per minute and level",
        kql: "logs | summarize count() by bin(Timestamp, 1m), Level",
    },
    Query {
        name: "errors by service, 1 h",
        kql: "logs | where Timestamp between (datetime(2024-05-01T06:00:00) .. 1h) and Level == 'Error' | summarize count() by Service",
    },
    Query { name: "has, common term", kql: "logs | where Message has 'upstream' | count" },
    Query { name: "contains", kql: "logs | where Message contains 'reset by peer' | count" },
    Query {
        name: "equality on an id that is not there",
        kql: "logs | where TraceId == '0123456789abcdef0123456789abcdef' | count",
    },
    Query { name: "top services", kql: "logs | summarize count() by Service | top 10 by count_" },
    Query {
        name: "percentiles per service and 5 min",
        kql: "logs | summarize percentiles(DurationMs, 50, 95, 99) by Service, bin(Timestamp, 5m)",
    },
    Query { name: "dcount per hour", kql: "logs | summarize dcount(ClientIp) by bin(Timestamp, 1h)" },
    Query {
        name: "group by a JSON property",
        kql: "logs | summarize count() by tostring(Properties.region)",
    },
    Query { name: "top 100 slowest, whole rows", kql: "logs | top 100 by DurationMs" },
    Query { name: "last 100 events", kql: "logs | top 100 by Timestamp" },
    Query { name: "latest per host", kql: "logs | summarize arg_max(Timestamp, *) by Host" },
];

const CLICKS: &[Query] = &[
    Query { name: "count", kql: "hits | count" },
    Query {
        name: "top 10 by a high-cardinality string",
        kql: "hits | summarize count() by URL | top 10 by count_",
    },
    Query { name: "dcount of users", kql: "hits | summarize dcount(UserID)" },
    Query {
        name: "search phrases",
        kql: "hits | where isnotempty(SearchPhrase) | summarize count() by SearchPhrase | top 10 by count_",
    },
    Query {
        name: "group by two integers",
        kql: "hits | summarize count(), avg(ResolutionWidth) by RegionID, OS | top 10 by count_",
    },
];

/// A server process over a directory of its own.
struct Server {
    process: Child,
    client: Client,
}

impl Server {
    fn start(directory: &Path) -> Result<Server, String> {
        let mut process = Command::new(env!("CARGO_BIN_EXE_conshelf"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(directory)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| error.to_string())?;
        let out = process.stdout.take().ok_or("the server has no output")?;
        for line in BufReader::new(out).lines() {
            let line = line.map_err(|error| error.to_string())?;
            if let Some(url) = line.strip_prefix("listening on ") {
                return Ok(Server { process, client: Client::new(url, None) });
            }
        }
        Err(String::from("the server did not start"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn run(workload: &str, rows: u64) -> Result<(), String> {
    let queries = match workload {
        "cpu" => METRICS,
        "logs" => LOGS,
        "hits" => CLICKS,
        _ => return Err(String::from("not a workload: cpu, logs, hits")),
    };
    let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
    let data = directory.path().join("data");
    let server = Server::start(&data)?;
    let bodies = bodies(workload, rows)?;
    let bytes: usize = bodies.iter().map(Vec::len).sum();

    let started = Instant::now();
    send(&server.client, workload, &bodies)?;
    let seconds = started.elapsed().as_secs_f64();
    println!("\n### {workload}: {rows} rows, {:.0} bytes of NDJSON a row\n", bytes as f64 / rows as f64);
    println!(
        "ingestion, durable, two connections, bodies of {} kB: {:.0} rows/s ({:.0} MB/s)",
        BODY_BYTES / 1000,
        rows as f64 / seconds,
        bytes as f64 / seconds / 1e6
    );
    let disk = settle(&server.client, &data);
    println!("on disk after sealing and merging: {:.1} bytes a row\n", disk as f64 / rows as f64);

    let stored = ask(&server.client, &format!("{workload} | count"))?.1;
    if !stored.contains(&rows.to_string()) {
        return Err(format!("{rows} rows were sent, but count answers {stored}"));
    }
    drop(server);
    let server = Server::start(&data)?;
    println!("| query | first ms | hot ms |\n|---|---:|---:|");
    for query in queries {
        let (first, hot) = time(&server.client, query.kql)?;
        println!("| {} | {first:.1} | {hot:.1} |", query.name);
    }
    Ok(())
}

fn bodies(workload: &str, rows: u64) -> Result<Vec<Vec<u8>>, String> {
    let mut source = generate::workload(workload, rows, 1).ok_or("not a workload")?;
    let mut bodies = Vec::new();
    let mut body = String::with_capacity(BODY_BYTES + 4096);
    for _ in 0..rows {
        source.row(&mut body);
        if body.len() >= BODY_BYTES {
            bodies.push(std::mem::replace(&mut body, String::with_capacity(BODY_BYTES + 4096)).into_bytes());
        }
    }
    if !body.is_empty() {
        bodies.push(body.into_bytes());
    }
    Ok(bodies)
}

/// Sends all bodies over two connections.
fn send(client: &Client, table: &str, bodies: &[Vec<u8>]) -> Result<(), String> {
    let path = format!("/ingest/NetDefaultDB/{table}");
    let post = |body: &Vec<u8>| loop {
        let answer = client::read(client.post(&path, &[("format", "json")], &[], body)?)?;
        match answer.status {
            200 => return Ok(()),
            429 => std::thread::sleep(Duration::from_millis(100)),
            _ => return Err(answer.error_message()),
        }
    };
    let Some((first, rest)) = bodies.split_first() else { return Ok(()) };
    post(first)?;
    let next = Mutex::new(rest.iter());
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let body = match next.lock() {
                            Ok(mut bodies) => bodies.next(),
                            Err(_) => None,
                        };
                        match body {
                            Some(body) => post(body)?,
                            None => return Ok(()),
                        }
                    }
                })
            })
            .collect();
        senders.into_iter().try_for_each(|sender| match sender.join() {
            Ok(outcome) => outcome,
            Err(_) => Err(String::from("a sender failed")),
        })
    })
}

/// Waits until the directory no longer changes; yields the bytes of its extents.
fn settle(client: &Client, data: &Path) -> u64 {
    // Sealing comes with age otherwise; a server without the command seals by itself in a while.
    let _ = ask(client, ".seal tables");
    let mut before = 0;
    for _ in 0..120 {
        let now = size(&data.join("extents"));
        if now == before && now > 0 {
            return now;
        }
        before = now;
        std::thread::sleep(Duration::from_secs(3));
    }
    before
}

fn size(path: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(path) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(data) if data.is_dir() => size(&entry.path()),
            Ok(data) => data.len(),
            Err(_) => 0,
        })
        .sum()
}

fn ask(client: &Client, kql: &str) -> Result<(f64, String), String> {
    let started = Instant::now();
    let answer = client::read(client.post("/query", &[("format", "json")], &[], kql.as_bytes())?)?;
    let elapsed = started.elapsed().as_secs_f64() * 1000.0;
    if answer.is_success() {
        Ok((elapsed, answer.body))
    } else {
        Err(format!("{kql}: {}", answer.error_message()))
    }
}

/// Milliseconds of the first run and the median of the following ones.
fn time(client: &Client, kql: &str) -> Result<(f64, f64), String> {
    let first = ask(client, kql)?.0;
    let mut hot: Vec<f64> =
        (0..HOT_RUNS).map(|_| ask(client, kql).map(|run| run.0)).collect::<Result<_, _>>()?;
    hot.sort_by(f64::total_cmp);
    Ok((first, hot[hot.len() / 2]))
}
