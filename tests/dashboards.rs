//! Dashboards over HTTP: files stored, checked and changed, tiles run with parameters, embedded tiles.

use std::time::Duration;

use conshelf::server::{RunningServer, Settings};
use conshelf::storage::{Store, StoreOptions};
use serde_json::{Value, json};

struct Fixture {
    server: RunningServer,
    directory: tempfile::TempDir,
    agent: ureq::Agent,
}

struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// Rows of the first result of a v2 answer.
    fn rows(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        let frames = self.json();
        let frames = frames.as_array().expect("frames");
        let primary = frames.iter().find(|frame| frame["TableKind"] == "PrimaryResult").expect("a result");
        primary["Rows"].clone()
    }

    /// The `Visualization` property of a v2 answer.
    fn visualization(&self) -> Value {
        let frames = self.json();
        let text = frames[1]["Rows"][0][2].as_str().expect("a property").to_owned();
        serde_json::from_str(&text).expect("JSON")
    }
}

const DASHBOARD: &str = r#"# kept as it is
version: 1
title: Hosts
parameters:
  - {name: _time, kind: time-range, start: _from, end: _to, default: {from: 2024-05-01T00:00:00Z, to: 2024-05-01T00:10:00Z}}
  - {name: _hosts, kind: choice, multiple: true, all: true, values: {query: "recent | distinct Host | sort by Host asc", value: Host}}
  - {name: _level, kind: choice, values: [Info, {value: Error, label: Trouble}], all: true}
  - {name: _text, kind: text}
  - {name: _least, kind: text, type: long, default: 0}
base_queries: [{name: recent, query: "Events | where Timestamp between (_from .. _to)"}]
pages:
  - title: One
    tiles:
      - {id: count, x: 0, y: 0, width: 12, height: 4, query: "recent | where isempty(_hosts) or Host in (_hosts) | where isempty(_level) or Level == _level | where Message contains _text and Number >= _least | count"}
      - {id: chart, x: 12, y: 0, width: 12, height: 4, query: "recent | summarize n = count() by bin(Timestamp, 1m) | render timechart with (title='a')", visualization: {kind: columnchart, ytitle: events, shape: stacked}}
      - {id: about, x: 0, y: 4, width: 24, height: 2, markdown: "**hello**"}
      - {id: wrong, x: 0, y: 6, width: 12, height: 4, query: "recent | where Nothing > 1"}
      - {id: steady, x: 0, y: 10, width: 12, height: 4, query: "Events | summarize max(Number)"}
"#;

impl Fixture {
    fn new() -> Fixture {
        Fixture::with(Settings { telemetry: false, ..Settings::default() })
    }

    fn with(settings: Settings) -> Fixture {
        let directory = tempfile::tempdir().expect("a directory");
        Fixture::over(directory, settings)
    }

    fn over(directory: tempfile::TempDir, settings: Settings) -> Fixture {
        let options = StoreOptions { background: false, ..StoreOptions::default() };
        let store = Store::open(directory.path().join("data"), options).expect("a store");
        let server = RunningServer::start(store, settings, "127.0.0.1:0").expect("a server");
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .new_agent();
        Fixture { server, directory, agent }
    }

    fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request =
            ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.server.url()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.as_bytes().to_vec()).expect("a request");
        let mut response = self.agent.run(request).expect("an answer");
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let body = response.body_mut().with_config().limit(u64::MAX).read_to_vec().expect("a body");
        Answer { status: response.status().as_u16(), headers, body }
    }

    fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], "")
    }

    fn post(&self, path: &str, body: Value) -> Answer {
        self.request("POST", path, &[("content-type", "application/json")], &body.to_string())
    }

    fn put(&self, path: &str, text: &str) -> Answer {
        self.request("PUT", path, &[("content-type", "application/yaml")], text)
    }

    /// Ten minutes of events of three hosts, one a second, and the dashboard of them.
    fn filled(self) -> Fixture {
        let start = 1_714_521_600;
        let rows: String = (0..600)
            .map(|at| {
                let (host, level) = (at % 3, if at % 10 == 0 { "Error" } else { "Info" });
                let time = format!("2024-05-01T00:{:02}:{:02}Z", at / 60, at % 60);
                format!("{{\"Timestamp\":\"{time}\",\"Host\":\"h{host}\",\"Level\":\"{level}\",\"Message\":\"m{at} it's\",\"Number\":{at}}}\n")
            })
            .collect();
        let _ = start;
        let stored = self.request("POST", "/ingest/NetDefaultDB/Events", &[], &rows);
        assert_eq!(stored.status, 200, "{}", stored.text());
        let stored = self.put(PATH, DASHBOARD);
        assert_eq!(stored.status, 201, "{}", stored.text());
        self
    }

    fn count(&self, parameters: Value) -> Value {
        let answer = self.post(&format!("{PATH}/tiles/count/run"), json!({ "parameters": parameters }));
        answer.rows()[0][0].clone()
    }
}

const PATH: &str = "/v1/dashboards/NetDefaultDB/hosts";

#[test]
fn a_dashboard_is_stored_as_it_was_written() {
    let fixture = Fixture::new();
    let created = fixture.put(PATH, DASHBOARD);
    assert_eq!(created.status, 201, "{}", created.text());
    let answer = fixture.get(PATH);
    assert_eq!(answer.status, 200);
    let told = answer.json();
    assert_eq!(told["text"], DASHBOARD);
    assert_eq!(
        (&told["format"], &told["source"], &told["writable"]),
        (&json!("yaml"), &json!("database"), &json!(true))
    );
    assert_eq!(told["dashboard"]["pages"][0]["tiles"][0]["id"], "count");
    assert_eq!(told["etag"], answer.header("etag"));
    assert_eq!(fixture.request("GET", PATH, &[("if-none-match", answer.header("etag"))], "").status, 304);
    assert_eq!(fixture.get(&format!("{PATH}?format=yaml")).text(), DASHBOARD);
    let json = fixture.get(&format!("{PATH}?format=json"));
    assert_eq!(json.json()["title"], "Hosts");
    let list = fixture.get("/v1/dashboards").json();
    let listed = &list["dashboards"][0];
    assert_eq!(
        (&listed["database"], &listed["name"], &listed["title"]),
        (&json!("NetDefaultDB"), &json!("hosts"), &json!("Hosts"))
    );

    // Only who knows what is there changes it.
    let etag = answer.header("etag").to_owned();
    let changed = DASHBOARD.replace("title: Hosts", "title: Machines");
    let with = |etag: &str, text: &str| fixture.request("PUT", PATH, &[("if-match", etag)], text).status;
    assert_eq!(with("\"other\"", &changed), 412);
    assert_eq!(with(&etag, &changed), 200);
    assert_eq!(with(&etag, DASHBOARD), 412);
    assert_eq!(fixture.request("PUT", PATH, &[("if-none-match", "*")], DASHBOARD).status, 412);
    assert_eq!(fixture.request("DELETE", PATH, &[("if-match", &etag)], "").status, 412);
    assert_eq!(fixture.request("PUT", PATH, &[("x-ms-readonly", "1")], DASHBOARD).status, 403);
    assert_eq!(fixture.request("DELETE", PATH, &[], "").status, 204);
    assert_eq!(fixture.get(PATH).status, 404);
    assert_eq!(fixture.request("DELETE", PATH, &[], "").status, 404);
    assert_eq!(fixture.put("/v1/dashboards/Nowhere/a", DASHBOARD).status, 404);
    assert_eq!(fixture.put("/v1/dashboards/-/fleet", DASHBOARD).status, 403);
}

#[test]
fn it_outlives_the_server_and_is_seen_by_commands() {
    let fixture = Fixture::new();
    let command = format!(".create-or-alter dashboard hosts <|\n{DASHBOARD}");
    let made = fixture.request("POST", "/query?format=json", &[], &command);
    assert_eq!(made.status, 200, "{}", made.text());
    let wrong = fixture.request(
        "POST",
        "/query?format=json",
        &[],
        ".create dashboard w <|\nversion: 1\ntitel: a\npages: []",
    );
    assert_eq!(wrong.status, 400);
    assert_eq!((&wrong.json()["error"]["line"], &wrong.json()["error"]["column"]), (&json!(3), &json!(1)));
    let Fixture { server, directory, .. } = fixture;
    server.stop().expect("stopped");
    let fixture = Fixture::over(directory, Settings { telemetry: false, ..Settings::default() });
    assert_eq!(fixture.get(PATH).json()["text"], DASHBOARD);
    let shown = fixture.request("POST", "/query?format=json", &[], ".show dashboards | project Name, Title");
    assert_eq!(shown.json(), json!([{"Name": "hosts", "Title": "Hosts"}]));
    let shown = fixture.request("POST", "/query?format=json", &[], ".show dashboard hosts | project Text");
    assert_eq!(shown.json()[0]["Text"], DASHBOARD);
    assert_eq!(fixture.request("POST", "/query?format=json", &[], ".drop dashboard hosts").status, 200);
    assert_eq!(fixture.request("POST", "/query?format=json", &[], ".drop dashboard hosts").status, 400);
    assert_eq!(fixture.get(PATH).status, 404);
}

#[test]
fn a_wrong_file_is_refused_with_its_place() {
    let fixture = Fixture::new();
    let text = DASHBOARD.replace("markdown: \"**hello**\"", "markdwn: x");
    let refused = fixture.put(PATH, &text);
    assert_eq!(refused.status, 400);
    let error = refused.json()["error"].clone();
    assert_eq!((&error["line"], &error["column"]), (&json!(16), &json!(55)), "{error}");
    assert!(
        error["message"].as_str().is_some_and(|text| text.contains("did you mean 'markdown'")),
        "{error}"
    );
    let refused = fixture.request(
        "PUT",
        PATH,
        &[("content-type", "application/json")],
        "{\"version\": 1,\n \"title\": }",
    );
    assert_eq!(refused.status, 400);
    assert_eq!(
        (&refused.json()["error"]["line"], &refused.json()["error"]["column"]),
        (&json!(2), &json!(11))
    );
    assert_eq!(fixture.get(PATH).status, 404);
}

#[test]
fn a_check_tells_mistakes_of_queries_where_they_are() {
    let fixture = Fixture::new().filled();
    let check = |text: &str| {
        fixture.request("POST", "/v1/dashboards/check?database=NetDefaultDB", &[], text).json()["diagnostics"]
            .clone()
    };
    let found = check(DASHBOARD);
    assert_eq!(found.as_array().map(Vec::len), Some(1), "{found}");
    assert_eq!(found[0]["path"], "pages[0].tiles[3].query");
    let line = DASHBOARD.lines().position(|line| line.contains("id: wrong")).expect("a line");
    let column = DASHBOARD.lines().nth(line).and_then(|line| line.find("Nothing")).expect("a column");
    assert_eq!((&found[0]["line"], &found[0]["column"]), (&json!(line + 1), &json!(column + 1)), "{found}");
    let block = DASHBOARD.replace(
        "\"recent | where Nothing > 1\"}",
        "a}\n      - id: block\n        query: |\n          recent\n          | where Nothing > 1\n",
    );
    let found = check(&block);
    let found = found
        .as_array()
        .expect("a list")
        .iter()
        .find(|found| found["path"] == "pages[0].tiles[4].query")
        .expect("found");
    let line = block.lines().position(|line| line.trim() == "| where Nothing > 1").expect("a line");
    assert_eq!((&found["line"], &found["column"]), (&json!(line + 1), &json!(19)), "{found}");
    let base = check(&DASHBOARD.replace("Events | where", "Evnts | where"));
    assert!(
        base.as_array().is_some_and(|all| all.iter().any(|found| found["path"] == "base_queries[0].query")),
        "{base}"
    );
    let column = check(&DASHBOARD.replace("value: Host}", "value: Hst}"));
    assert!(
        column
            .as_array()
            .is_some_and(|all| all.iter().any(|found| found["path"] == "parameters[1].values.value")),
        "{column}"
    );
    assert_eq!(check("version: 2")[0]["line"], 1);
}

#[test]
fn tiles_run_with_typed_parameters() {
    let fixture = Fixture::new().filled();
    assert_eq!(fixture.count(json!({})), 600);
    assert_eq!(fixture.count(json!({"_hosts": ["h1"]})), 200);
    assert_eq!(fixture.count(json!({"_hosts": ["h1", "h2"]})), 400);
    assert_eq!(fixture.count(json!({"_hosts": []})), 600);
    assert_eq!(fixture.count(json!({"_hosts": null, "_level": null})), 600);
    assert_eq!(fixture.count(json!({"_level": "Error"})), 60);
    assert_eq!(fixture.count(json!({"_text": "it's"})), 600);
    assert_eq!(fixture.count(json!({"_text": "m59"})), 11);
    assert_eq!(fixture.count(json!({"_text": "\") or true //"})), 0);
    assert_eq!(fixture.count(json!({"_least": 590})), 10);
    assert_eq!(fixture.count(json!({"_least": "590"})), 10);
    assert_eq!(
        fixture.count(json!({"_time": {"from": "2024-05-01T00:00:00Z", "to": "2024-05-01T00:00:59Z"}})),
        60
    );
    assert_eq!(fixture.count(json!({"_time": {"last": "1h"}})), 0);
    for wrong in [
        json!({"_least": "1) | take 1 //"}),
        json!({"_other": 1}),
        json!({"_time": "1h"}),
        json!({"_level": ["a", "b"]}),
    ] {
        let answer = fixture.post(&format!("{PATH}/tiles/count/run"), json!({ "parameters": wrong }));
        assert_eq!(answer.status, 400, "{wrong}");
    }
    let chart = fixture.post(&format!("{PATH}/tiles/chart/run"), json!({})).visualization();
    assert_eq!(
        (&chart["Visualization"], &chart["Title"], &chart["YTitle"], &chart["Kind"]),
        (&json!("columnchart"), &json!("a"), &json!("events"), &json!("stacked"))
    );
    // Errors are told in the tile's own text.
    let wrong = fixture.post(&format!("{PATH}/tiles/wrong/run"), json!({}));
    assert_eq!(wrong.status, 400);
    let error = wrong.json()["error"].clone();
    assert_eq!((&error["line"], &error["column"]), (&json!(1), &json!(16)), "{error}");
    assert!(error["excerpt"].as_str().is_some_and(|text| !text.contains("declare")), "{error}");
    assert_eq!(fixture.post(&format!("{PATH}/tiles/about/run"), json!({})).status, 400);
    assert_eq!(fixture.post(&format!("{PATH}/tiles/none/run"), json!({})).status, 404);
}

#[test]
fn choices_come_from_their_query() {
    let fixture = Fixture::new().filled();
    let values = |name: &str, parameters: Value| {
        fixture.post(&format!("{PATH}/parameters/{name}/values"), json!({ "parameters": parameters }))
    };
    let hosts = values("_hosts", json!({})).json();
    assert_eq!(
        hosts["values"],
        json!([{"value": "h0", "label": "h0"}, {"value": "h1", "label": "h1"}, {"value": "h2", "label": "h2"}])
    );
    let narrow = json!({"_time": {"from": "2024-05-01", "to": "2024-05-01"}});
    assert_eq!(values("_hosts", narrow).json()["values"], json!([{"value": "h0", "label": "h0"}]));
    assert_eq!(
        values("_level", json!({})).json()["values"][1],
        json!({"value": "Error", "label": "Trouble"})
    );
    assert_eq!(values("_text", json!({})).status, 400);
    assert_eq!(values("none", json!({})).status, 404);
    fixture.put(PATH, &DASHBOARD.replace("value: Host}", "value: Hst}"));
    let wrong = values("_hosts", json!({}));
    assert!(wrong.status == 400 && wrong.text().contains("no column 'Hst'"), "{}", wrong.text());
}

#[test]
fn an_unchanged_result_is_not_sent_again() {
    let fixture = Fixture::new().filled();
    let run = |tile: &str, etag: &str, parameters: Value| {
        let headers = [("content-type", "application/json"), ("if-none-match", etag)];
        let body = json!({ "parameters": parameters }).to_string();
        fixture.request("POST", &format!("{PATH}/tiles/{tile}/run"), &headers, &body)
    };
    let moving = json!({"_time": {"last": "1d"}});
    for (tile, parameters) in [("steady", json!({})), ("count", json!({})), ("count", moving)] {
        let first = run(tile, "\"x\"", parameters.clone());
        assert_eq!(first.status, 200, "{}", first.text());
        let etag = first.header("etag").to_owned();
        assert!(!etag.is_empty());
        assert_eq!(run(tile, &etag, parameters.clone()).status, 304, "{tile}");
        assert_eq!(run(tile, &format!("W/{etag}"), parameters).status, 304, "{tile}");
    }
    let etag = run("count", "", json!({})).header("etag").to_owned();
    assert_eq!(run("count", &etag, json!({"_least": 1})).status, 200);
    // Rows that change nothing for the tile give the same answer.
    fixture.request("POST", "/ingest/NetDefaultDB/Other", &[], "{\"a\":1}");
    let again = run("count", &etag, json!({}));
    assert_eq!(again.status, 304);
    let late = "{\"Timestamp\":\"2024-05-01T00:00:01Z\",\"Host\":\"h0\",\"Level\":\"Info\",\"Message\":\"x\",\"Number\":1}";
    fixture.request("POST", "/ingest/NetDefaultDB/Events", &[], late);
    let changed = run("count", &etag, json!({}));
    assert_eq!(changed.rows()[0][0], 601);
    assert_eq!(run("count", again.header("etag"), json!({})).status, 200);
}

#[test]
fn files_of_a_directory_are_dashboards() {
    let files = tempfile::tempdir().expect("a directory");
    let folder = files.path().join("NetDefaultDB");
    std::fs::create_dir(&folder).expect("a folder");
    std::fs::write(folder.join("hosts.yaml"), DASHBOARD).expect("written");
    std::fs::write(
        files.path().join("free.json"),
        "{\"version\":1,\"title\":\"Free\",\"database\":\"Demo\",\"pages\":[]}",
    )
    .expect("written");
    std::fs::write(files.path().join("broken.yml"), "version: 1\ntitel: x\n").expect("written");
    let settings =
        Settings { telemetry: false, dashboards: Some(files.path().to_owned()), ..Settings::default() };
    let fixture = Fixture::with(settings);
    let list = fixture.get("/v1/dashboards").json();
    let listed: Vec<String> = list["dashboards"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|one| one["source"] == "file")
        .map(|one| format!("{}/{} {} {}", one["database"], one["name"], one["title"], one["writable"]))
        .collect();
    assert_eq!(
        listed,
        [
            r#""Demo"/"free" "Free" false"#,
            r#""NetDefaultDB"/"broken" "broken" false"#,
            r#""NetDefaultDB"/"hosts" "Hosts" false"#
        ]
    );
    assert_eq!(fixture.get("/v1/dashboards/Demo/free").json()["format"], "json");
    let broken = fixture.get("/v1/dashboards/NetDefaultDB/broken").json();
    assert_eq!((&broken["dashboard"], &broken["problems"][0]["line"]), (&Value::Null, &json!(2)));
    assert_eq!(fixture.put(PATH, DASHBOARD).status, 403);
    assert_eq!(fixture.request("DELETE", PATH, &[], "").status, 403);
    // A change on disk is seen at once.
    std::fs::write(folder.join("hosts.yaml"), DASHBOARD.replace("Hosts", "Others")).expect("written");
    assert_eq!(fixture.get(PATH).json()["dashboard"]["title"], "Others");
    std::fs::remove_file(folder.join("hosts.yaml")).expect("removed");
    assert_eq!(fixture.get(PATH).status, 404);
    for path in ["..%2fx", "..", "%2e%2e%2fbroken"] {
        assert!(fixture.get(&format!("/v1/dashboards/NetDefaultDB/{path}")).status >= 400);
    }
}
