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

/// One query in KQL and, for the peers, in SQL.
pub struct Query {
    pub name: &'static str,
    pub kql: &'static str,
    pub sql: &'static str,
}

const METRICS: &[Query] = &[
    Query {
        name: "count per minute",
        kql: "metrics | summarize count() by bin(Timestamp, 1m)",
        sql: "select date_trunc('minute', Timestamp) t, count(*) from metrics group by t",
    },
    Query {
        name: "max per minute, one host, 1 h",
        kql: "metrics | where hostname == 'host_7' and Timestamp between (datetime(2024-05-01T06:00:00) .. 1h) | summarize max(usage_user) by bin(Timestamp, 1m)",
        sql: "select date_trunc('minute', Timestamp) t, max(usage_user) from metrics where hostname = 'host_7' and Timestamp >= '2024-05-01 06:00:00' and Timestamp <= '2024-05-01 07:00:00' group by t",
    },
    Query {
        name: "avg of 5 per host and hour, 12 h",
        kql: "metrics | where Timestamp < datetime(2024-05-01T12:00:00) | summarize avg(usage_user), avg(usage_system), avg(usage_idle), avg(usage_nice), avg(usage_iowait) by hostname, bin(Timestamp, 1h)",
        sql: "select hostname, date_trunc('hour', Timestamp) t, avg(usage_user), avg(usage_system), avg(usage_idle), avg(usage_nice), avg(usage_iowait) from metrics where Timestamp < '2024-05-01 12:00:00' group by hostname, t",
    },
    Query {
        name: "rows over a threshold",
        kql: "metrics | where usage_user > 99.9 | summarize count(), max(usage_system)",
        sql: "select count(*), max(usage_system) from metrics where usage_user > 99.9",
    },
    Query {
        name: "last point of each host",
        kql: "metrics | summarize arg_max(Timestamp, *) by hostname",
        sql: "select hostname, max(Timestamp), arg_max(usage_user, Timestamp), arg_max(usage_system, Timestamp), arg_max(usage_idle, Timestamp) from metrics group by hostname",
    },
    Query {
        name: "min, max, avg over everything",
        kql: "metrics | summarize min(usage_user), max(usage_user), avg(usage_user)",
        sql: "select min(usage_user), max(usage_user), avg(usage_user) from metrics",
    },
];

const LOGS: &[Query] = &[
    Query {
        name: "count per minute",
        kql: "logs | summarize count() by bin(Timestamp, 1m)",
        sql: "select date_trunc('minute', Timestamp) t, count(*) from logs group by t",
    },
    Query {
        name: "count per minute and level",
        kql: "logs | summarize count() by bin(Timestamp, 1m), Level",
        sql: "select date_trunc('minute', Timestamp) t, Level, count(*) from logs group by t, Level",
    },
    Query {
        name: "errors by service, 1 h",
        kql: "logs | where Timestamp between (datetime(2024-05-01T06:00:00) .. 1h) and Level == 'Error' | summarize count() by Service",
        sql: "select Service, count(*) from logs where Timestamp >= '2024-05-01 06:00:00' and Timestamp <= '2024-05-01 07:00:00' and Level = 'Error' group by Service",
    },
    Query {
        name: "has, common term",
        kql: "logs | where Message has 'upstream' | count",
        sql: "select count(*) from logs where regexp_matches(Message, '(?i)\\bupstream\\b')",
    },
    Query {
        name: "contains",
        kql: "logs | where Message contains 'reset by peer' | count",
        sql: "select count(*) from logs where contains(lower(Message), 'reset by peer')",
    },
    Query {
        name: "equality on an id that is not there",
        kql: "logs | where TraceId == '0123456789abcdef0123456789abcdef' | count",
        sql: "select count(*) from logs where TraceId = '0123456789abcdef0123456789abcdef'",
    },
    Query {
        name: "top services",
        kql: "logs | summarize count() by Service | top 10 by count_",
        sql: "select Service, count(*) c from logs group by Service order by c desc limit 10",
    },
    Query {
        name: "percentiles per service and 5 min",
        kql: "logs | summarize percentiles(DurationMs, 50, 95, 99) by Service, bin(Timestamp, 5m)",
        sql: "select Service, time_bucket(interval '5 minutes', Timestamp) t, approx_quantile(DurationMs, [0.5, 0.95, 0.99]) from logs group by Service, t",
    },
    Query {
        name: "dcount per hour",
        kql: "logs | summarize dcount(ClientIp) by bin(Timestamp, 1h)",
        sql: "select date_trunc('hour', Timestamp) t, approx_count_distinct(ClientIp) from logs group by t",
    },
    Query {
        name: "group by a JSON property",
        kql: "logs | summarize count() by tostring(Properties.region)",
        sql: "select json_extract_string(Properties, '$.region') r, count(*) from logs group by r",
    },
    Query {
        name: "top 100 slowest, whole rows",
        kql: "logs | top 100 by DurationMs",
        sql: "select * from logs order by DurationMs desc limit 100",
    },
    Query {
        name: "last 100 events",
        kql: "logs | top 100 by Timestamp",
        sql: "select * from logs order by Timestamp desc limit 100",
    },
    Query {
        name: "latest per host",
        kql: "logs | summarize arg_max(Timestamp, *) by Host",
        sql: "select Host, max(Timestamp), arg_max(Message, Timestamp), arg_max(Level, Timestamp), arg_max(Path, Timestamp) from logs group by Host",
    },
];

const CLICKS: &[Query] = &[
    Query { name: "count", kql: "clicks | count", sql: "select count(*) from clicks" },
    Query {
        name: "top 10 by a high-cardinality string",
        kql: "clicks | summarize count() by URL | top 10 by count_",
        sql: "select URL, count(*) c from clicks group by URL order by c desc limit 10",
    },
    Query {
        name: "dcount of users",
        kql: "clicks | summarize dcount(UserID)",
        sql: "select approx_count_distinct(UserID) from clicks",
    },
    Query {
        name: "search phrases",
        kql: "clicks | where isnotempty(SearchPhrase) | summarize count() by SearchPhrase | top 10 by count_",
        sql: "select SearchPhrase, count(*) c from clicks where SearchPhrase <> '' group by SearchPhrase order by c desc limit 10",
    },
    Query {
        name: "group by two integers",
        kql: "clicks | summarize count(), avg(ResolutionWidth) by RegionID, OS | top 10 by count_",
        sql: "select RegionID, OS, count(*) c, avg(ResolutionWidth) from clicks group by RegionID, OS order by c desc limit 10",
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

pub fn run(workload: &str, rows: u64, peers: bool) -> Result<(), String> {
    let queries = match workload {
        "metrics" => METRICS,
        "logs" => LOGS,
        "clicks" => CLICKS,
        _ => return Err(String::from("not a workload: metrics, logs, clicks")),
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
    let ours: Vec<(f64, f64)> =
        queries.iter().map(|query| time(&server.client, query.kql)).collect::<Result<_, _>>()?;
    let theirs = if peers { Some(peer_times(workload, queries, &bodies, directory.path())?) } else { None };
    let (mut header, mut rule) =
        (String::from("| query | first ms | hot ms |"), String::from("|---|---:|---:|"));
    if theirs.is_some() {
        header.push_str(" DuckDB hot ms | ratio |");
        rule.push_str("---:|---:|");
    }
    println!("{header}\n{rule}");
    let mut product = 1.0;
    for (index, (query, (first, hot))) in queries.iter().zip(&ours).enumerate() {
        print!("| {} | {first:.1} | {hot:.1} |", query.name);
        if let Some(theirs) = &theirs {
            product *= hot / theirs[index];
            print!(" {:.1} | {:.2} |", theirs[index], hot / theirs[index]);
        }
        println!();
    }
    if theirs.is_some() {
        println!("\ngeometric mean of the ratios: {:.2}", product.powf(1.0 / queries.len() as f64));
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

/// Hot medians of the same queries in DuckDB on the same rows, two threads.
fn peer_times(
    workload: &str,
    queries: &[Query],
    bodies: &[Vec<u8>],
    directory: &Path,
) -> Result<Vec<f64>, String> {
    let file = directory.join("rows.ndjson");
    std::fs::write(&file, bodies.concat()).map_err(|error| error.to_string())?;
    let sql: Vec<&str> = queries.iter().map(|query| query.sql).collect();
    let list = directory.join("queries.json");
    std::fs::write(&list, serde_json::to_vec(&sql).map_err(|error| error.to_string())?)
        .map_err(|error| error.to_string())?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers.py");
    let output = Command::new("python3")
        .arg(script)
        .arg(workload)
        .arg(&file)
        .arg(&list)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| error.to_string())?;
    serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("the peers answered no list of times: {error}"))
}
