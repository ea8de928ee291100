//! What queries keep for later ones outlives the server: the first run after a restart finds it, and whatever became
//! of the extents or the file in between never shows in an answer.

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use support::Server;

/// Merges are asked for by the test.
const FLAGS: &[&str] = &["--no-telemetry", "--seal-age", "1"];
const ROWS: i64 = 3_000;

const QUERIES: &[&str] = &[
    "T | summarize count(), sum(n), avg(r), dcount(s), percentile(n, 90) by s, bin(t, 1h)",
    "T | where s has 'red' and n > 100 | summarize max(n), min(t), hll(n) by d = tostring(d.kind), r > 3.0",
    "T | distinct s, day = startofday(t)",
    "T | where n % 7 == 3 | project t, n, s",
    "T | summarize arg_max(t, *) by s",
];

fn rows(from: i64) -> Vec<u8> {
    let mut body = String::new();
    for row in from..from + ROWS {
        let (day, hour, second) = (1 + row % 3, row / 200 % 24, row % 60);
        let s = ["red", "green", "dark red of more than twelve bytes", ""][(row % 4) as usize];
        body.push_str(&format!(
            "{{\"t\":\"2024-05-{day:02}T{hour:02}:00:{second:02}Z\",\"n\":{row},\"r\":{}.25,\"s\":\"{s}\",\"d\":{{\"kind\":\"k{}\"}}}}\n",
            row % 9,
            row % 5
        ));
    }
    body.into_bytes()
}

fn ingest(server: &Server, from: i64) {
    assert!(server.ingest("T", &[], &rows(from)).expect("sent").is_success());
}

fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// All rows are in extents.
fn sealed(server: &Server, rows: i64) {
    wait("the rows are sealed", || {
        server.rows(".show table T extents | summarize rows = sum(RowCount)")[0]["rows"] == rows
    });
}

/// Answers of all queries, their rows in one order.
fn answers(server: &Server, prefix: &str) -> Vec<Vec<String>> {
    let answer = |query: &&str| {
        let mut rows: Vec<String> =
            server.rows(&format!("{prefix}{query}")).iter().map(ToString::to_string).collect();
        rows.sort_unstable();
        rows
    };
    QUERIES.iter().map(answer).collect()
}

fn uncached(server: &Server) -> Vec<Vec<String>> {
    answers(server, "set query_results_cache_per_shard=false; ")
}

/// Units found and units asked for, as the plan says.
fn units(server: &Server, query: &str) -> (u64, u64) {
    let plan = server.client.post("/query", &[("explain", "true")], &[], query.as_bytes());
    let plan = conshelf::cli::client::read(plan.expect("the server answers")).expect("a plan").body;
    let note = plan.split("cache=").nth(1).unwrap_or_else(|| panic!("no unit was looked for:\n{plan}"));
    let mut numbers = note.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok());
    (numbers.next().expect("hits"), numbers.next().expect("units"))
}

/// Starts a server that has read the file, if there is one.
fn restarted(data: &Path) -> Server {
    let server = Server::start(data, FLAGS);
    if data.join("query.cache").exists() {
        let entries = || {
            let metrics = server.client.get("/metrics", &[]).expect("metrics").body;
            let line = metrics.lines().find(|line| line.starts_with("conshelf_query_cache_entries"));
            line.is_some_and(|line| !line.ends_with(" 0"))
        };
        wait("the cache is read", entries);
    }
    server
}

#[test]
fn the_first_run_after_a_restart_finds_what_the_last_server_kept() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    let server = Server::start(&data, FLAGS);
    ingest(&server, 0);
    sealed(&server, ROWS);
    let before = answers(&server, "");
    assert_eq!(before, uncached(&server));
    assert!(server.stop());
    assert!(data.join("query.cache").exists());

    let server = restarted(&data);
    for query in &QUERIES[..3] {
        let (hits, units) = units(&server, query);
        assert!(units > 0 && hits == units, "{query}: {hits} of {units}");
    }
    assert_eq!(answers(&server, ""), before);
    // More rows, in other extents, and a merge of all of them into new ones.
    ingest(&server, ROWS);
    sealed(&server, 2 * ROWS);
    let more = uncached(&server);
    assert_ne!(more, before);
    assert_eq!(answers(&server, ""), more);
    assert!(server.stop());

    // Extents go while nobody looks: what was kept of them is not taken over.
    let gone = {
        let options = conshelf_storage::StoreOptions { background: false, ..Default::default() };
        let store = conshelf_storage::Store::open(&data, options).expect("a store");
        while store.merge_once().expect("merged") {}
        let table = store.table("NetDefaultDB", "T").expect("a table").id;
        let extents = store.snapshot().table_data(table).expect("its rows").extents();
        let extent = extents.first().expect("an extent");
        let change = conshelf_storage::CatalogChange::DropExtents {
            database: String::from("NetDefaultDB"),
            table: String::from("T"),
            extents: vec![extent.id],
        };
        store.commit(change).expect("dropped");
        store.close().expect("closed");
        extent.rows
    };
    assert!(gone > 0);
    let server = Server::start(&data, FLAGS);
    let fewer = uncached(&server);
    assert_ne!(fewer, more);
    assert_eq!(answers(&server, ""), fewer);
    assert_eq!(answers(&server, ""), fewer);
    assert!(server.stop());

    // A damaged file.
    let file = data.join("query.cache");
    let mut bytes = std::fs::read(&file).expect("read");
    for at in (64..bytes.len() / 2).step_by(97) {
        bytes[at] ^= 0x20;
    }
    std::fs::write(&file, &bytes).expect("written");
    let server = restarted(&data);
    assert_eq!(answers(&server, ""), fewer);
    assert!(server.stop());
    std::fs::write(&file, b"CSHCACH\nnot one").expect("written");
    let server = Server::start(&data, FLAGS);
    assert_eq!(answers(&server, ""), fewer);
    assert!(server.stop());
    let report = conshelf_storage::check(&data).expect("the directory can be checked");
    assert_eq!(report.problems, []);
}
