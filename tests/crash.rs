//! A server under continuous ingestion is killed at random, again and again: everything acknowledged is
//! there once, nothing is there by half, and what was in flight can be sent again.

mod support;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use conshelf::cli::client::{self, Client};
use conshelf::demo::Random;
use support::Server;

/// Times the server is killed.
const KILLS: usize = 50;
const WRITERS: u64 = 3;
/// Seals and merges happen all the time, so that kills meet them too.
const FLAGS: &[&str] = &["--seal-rows", "400", "--seal-age", "1", "--no-telemetry"];

/// Rows of a batch: a number that depends on the batch, so that half of one would show.
fn rows_of(batch: u64) -> u64 {
    1 + batch * 7 % 40
}

fn body(writer: u64, batch: u64) -> Vec<u8> {
    let mut body = String::new();
    for row in 0..rows_of(batch) {
        // Three days, so that a batch goes to several partitions.
        let day = 1 + (batch + row) % 3;
        body.push_str(&format!(
            "{{\"t\":\"2024-05-{day:02}T00:00:{:02}Z\",\"writer\":{writer},\"batch\":{batch},\"row\":{row},\"text\":\"row {row} of {batch}\"}}\n",
            row % 60
        ));
    }
    body.into_bytes()
}

fn send(client: &Client, writer: u64, batch: u64) -> bool {
    let key = format!("{writer}-{batch}");
    let sent = client
        .post(
            "/ingest/NetDefaultDB/T",
            &[("format", "json")],
            &[("idempotency-key", &key)],
            &body(writer, batch),
        )
        .and_then(client::read);
    matches!(sent, Ok(answer) if answer.is_success())
}

#[test]
fn everything_acknowledged_is_there_once_after_every_kill() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    let mut random = Random::new(20_240_501);
    // Per writer: batches 0..acknowledged were acknowledged; the next one may have been in flight.
    let mut acknowledged = vec![0u64; WRITERS as usize];
    for kill in 0..KILLS {
        let server = Server::start(&data, FLAGS);
        verify(&server, &acknowledged, kill);
        let stop = AtomicBool::new(false);
        let lifetime = Duration::from_millis(20 + random.below(250) as u64);
        let url = server.url.clone();
        let mut server = Some(server);
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    let (stop, url) = (&stop, &url);
                    let first = acknowledged[writer as usize];
                    scope.spawn(move || {
                        let client = Client::new(url, None);
                        let mut batch = first;
                        while !stop.load(Ordering::Relaxed) && send(&client, writer, batch) {
                            batch += 1;
                        }
                        batch
                    })
                })
                .collect();
            let started = Instant::now();
            std::thread::sleep(lifetime.saturating_sub(started.elapsed()));
            if let Some(server) = server.take() {
                server.kill();
            }
            stop.store(true, Ordering::Relaxed);
            for (writer, handle) in writers.into_iter().enumerate() {
                acknowledged[writer] = handle.join().expect("a writer ends");
            }
        });
    }
    let total: u64 = acknowledged.iter().sum();
    assert!(total > KILLS as u64, "the writers got through: {acknowledged:?}");

    // What was in flight is sent again under its key, then all is exactly there.
    let server = Server::start(&data, FLAGS);
    verify(&server, &acknowledged, KILLS);
    for writer in 0..WRITERS {
        assert!(send(&server.client, writer, acknowledged[writer as usize]));
        acknowledged[writer as usize] += 1;
    }
    let found = found(&server);
    for writer in 0..WRITERS {
        for batch in 0..acknowledged[writer as usize] {
            assert_eq!(found.get(&(writer, batch)), Some(&rows_of(batch)), "writer {writer}, batch {batch}");
        }
    }
    assert!(server.stop(), "the server ends well when asked to");
    let report = conshelf_storage::check(&data).expect("the directory can be checked");
    assert_eq!(report.problems, []);
}

/// Rows per writer and batch.
fn found(server: &Server) -> BTreeMap<(u64, u64), u64> {
    let tables = server.rows(".show tables | where TableName == 'T' | count");
    if tables[0]["Count"] == 0 {
        return BTreeMap::new();
    }
    let number = |row: &serde_json::Value, name: &str| row[name].as_u64().expect("a number");
    server
        .rows("T | summarize rows = count(), distinct_rows = dcount(row, 4) by writer, batch")
        .iter()
        .map(|row| {
            assert_eq!(row["rows"], row["distinct_rows"], "no row is there twice: {row}");
            ((number(row, "writer"), number(row, "batch")), number(row, "rows"))
        })
        .collect()
}

fn verify(server: &Server, acknowledged: &[u64], kill: usize) {
    let found = found(server);
    for (writer, count) in acknowledged.iter().enumerate() {
        for batch in 0..*count {
            let rows = found.get(&(writer as u64, batch)).copied();
            assert_eq!(rows, Some(rows_of(batch)), "after kill {kill}: writer {writer}, batch {batch}");
        }
    }
    for ((writer, batch), rows) in &found {
        assert_eq!(*rows, rows_of(*batch), "after kill {kill}: half a batch of writer {writer}: {batch}");
        assert!(*batch <= acknowledged[*writer as usize], "after kill {kill}: nobody sent {writer}, {batch}");
    }
}
