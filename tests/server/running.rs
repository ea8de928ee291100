//! Many and long requests: time limits, cancelling, hanging up, idle clients, streams, the server's own events, its end.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use conshelf::server::{RunningServer, Settings};
use conshelf::storage::{Store, StoreOptions};
use serde_json::json;

use crate::fixture::{Fixture, agent};

#[test]
fn the_server_tells_how_it_is() {
    let fixture = Fixture::new();
    assert_eq!(fixture.get("/health").json()["status"], "healthy");
    assert_eq!(fixture.get("/ready").json()["ready"], true);
    assert_eq!(fixture.get("/v1/rest/ping").status, 200);
    let metadata = fixture.get("/v1/rest/auth/metadata").json();
    assert!(metadata.as_object().is_some_and(|object| object.contains_key("AzureAD")));
    fixture.post("/ingest/demo/Logs", "{\"n\":1}");
    let metrics = fixture.get("/metrics").body;
    for line in [
        "conshelf_http_requests_total{route=\"/health\",status=\"200\"} 1",
        "conshelf_rows_ingested_total 1",
        "conshelf_table_rows{database=\"demo\",table=\"Logs\"} 1",
    ] {
        assert!(metrics.lines().any(|known| known == line), "{line} is not in\n{metrics}");
    }
    assert_eq!(fixture.get("/").json()["name"], "conshelf");
}

/// Takes far longer than any test may.
const ENDLESS: &str = "range x from 1 to 4000000000 step 1 | where x % 3 == 7 | count";

#[test]
fn a_query_past_its_time_is_stopped() {
    let fixture = Fixture::new();
    let started = Instant::now();
    let answer = fixture.v2(ENDLESS, json!({"servertimeout": "00:00:01"}));
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (504, &json!("Timeout")), "{}", answer.body);
    assert!(started.elapsed() < Duration::from_secs(20));
}

fn wait_for_state(fixture: &Fixture, text: &str, state: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    let ask = format!(".show queries | where Text == \"{text}\" | project State");
    loop {
        let rows = fixture.rows(&ask);
        if rows[0][0] == state {
            return;
        }
        assert!(Instant::now() < deadline, "{text} should be {state}: {rows}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_client_that_hangs_up_stops_its_query() {
    let fixture = Fixture::new();
    let mut stream = TcpStream::connect(fixture.server.address()).expect("connected");
    let request =
        format!("POST /query HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{ENDLESS}", ENDLESS.len());
    stream.write_all(request.as_bytes()).expect("sent");
    wait_for_state(&fixture, ENDLESS, "InProgress");
    drop(stream);
    wait_for_state(&fixture, ENDLESS, "Cancelled");
}

#[test]
fn a_running_query_can_be_cancelled() {
    let fixture = Fixture::new();
    std::thread::scope(|scope| {
        let endless = scope.spawn(|| {
            let body = json!({"csl": ENDLESS}).to_string();
            fixture.request("POST", "/v2/rest/query", &[("x-ms-client-request-id", "it;1")], body.as_bytes())
        });
        wait_for_state(&fixture, ENDLESS, "InProgress");
        assert_eq!(fixture.rows(".cancel query 'it;1'")[0][0], true);
        let answer = endless.join().expect("answered");
        assert!(answer.body.to_lowercase().contains("cancel"), "{}", answer.body);
    });
    assert_eq!(fixture.rows(".cancel query 'it;1'")[0][0], false);
}

#[test]
fn too_many_queries_are_told_to_come_back() {
    let settings =
        Settings { telemetry: false, queries_at_once: 1, queries_waiting: 0, ..Settings::default() };
    let fixture = Fixture::with(settings);
    let mut stream = TcpStream::connect(fixture.server.address()).expect("connected");
    let request =
        format!("POST /query HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{ENDLESS}", ENDLESS.len());
    stream.write_all(request.as_bytes()).expect("sent");
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let answer = fixture.v2("print 1", json!({}));
        if answer.status == 429 {
            assert_eq!(answer.header("retry-after"), "1");
            assert_eq!(answer.json()["error"]["@permanent"], false);
            break;
        }
        assert!(Instant::now() < deadline, "the first query should hold the only place");
    }
}

#[test]
fn many_idle_clients_are_no_burden() {
    let fixture = Fixture::new();
    let idle: Vec<TcpStream> =
        (0..200).filter_map(|_| TcpStream::connect(fixture.server.address()).ok()).collect();
    assert_eq!(idle.len(), 200);
    let started = Instant::now();
    assert_eq!(fixture.rows("print 1"), json!([[1]]));
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_long_answer_is_streamed_and_complete() {
    let fixture = Fixture::new();
    let answer = fixture.v2("range x from 1 to 300000 step 1 | extend s = strcat('row ', x)", json!({}));
    let frames = answer.json();
    let rows = frames[2]["Rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 300_000);
    assert_eq!(rows[299_999], json!([300_000, "row 300000"]));
    let text = "range x from 1 to 600000 step 1";
    let truncated = fixture.v2(text, json!({}));
    let frames = truncated.json();
    assert_eq!(frames[2]["Rows"].as_array().map(Vec::len), Some(500_001));
    assert_eq!(
        frames.as_array().and_then(|frames| frames.last()).map(|last| &last["HasErrors"]),
        Some(&json!(true))
    );
    let csv = fixture.post("/query?format=csv&notruncation=true", text);
    assert_eq!(csv.body.lines().count(), 600_001);
}

#[test]
fn the_servers_own_events_are_kept() {
    let directory = tempfile::tempdir().expect("a directory");
    let options = || StoreOptions { background: false, ..StoreOptions::default() };
    let store = Store::open(directory.path(), options()).expect("a store");
    let server = RunningServer::start(store, Settings::default(), "127.0.0.1:0").expect("a server");
    let url = server.url();
    let asked = agent().post(format!("{url}/query")).send("print answer = 42").expect("an answer");
    assert_eq!(asked.status(), 200);
    let stored = agent().post(format!("{url}/ingest/demo/T")).send("{\"a\":1}").expect("an answer");
    assert_eq!(stored.status(), 200);
    server.stop().expect("stopped");
    let store = Store::open(directory.path(), options()).expect("a store");
    let server = RunningServer::start(store, Settings::default(), "127.0.0.1:0").expect("a server");
    let ask = |text: &str| {
        let mut answer = agent()
            .post(format!("{}/query?db=Conshelf&format=csv", server.url()))
            .send(text)
            .expect("an answer");
        answer.body_mut().read_to_string().expect("a body")
    };
    assert_eq!(
        ask("Queries | where Text has 'answer' | project State, ResultRows"),
        "State,ResultRows\r\nCompleted,1\r\n"
    );
    assert_eq!(ask("Requests | where Path == '/query' | project Status"), "Status\r\n200\r\n");
    assert_eq!(ask("Ingestions | project Table, Rows, Succeeded"), "Table,Rows,Succeeded\r\nT,1,true\r\n");
    assert!(ask(".show database Conshelf policy retention | project Policy").contains("14.00:00:00"));
}

#[test]
fn stopping_lets_running_requests_finish() {
    let fixture = Fixture::new();
    let url = fixture.server.url();
    let answer = std::thread::spawn(move || {
        let text = "range x from 1 to 3000000 step 1 | summarize count()";
        agent()
            .post(format!("{url}/query?format=csv"))
            .send(text)
            .map(|mut answer| answer.body_mut().read_to_string())
    });
    std::thread::sleep(Duration::from_millis(150));
    fixture.server.stop().expect("stopped");
    let body = answer.join().expect("joined").expect("an answer").expect("a body");
    assert_eq!(body, "count_\r\n3000000\r\n");
}
