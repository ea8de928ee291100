//! Dashboards over HTTP: files stored, checked and changed, tiles run with parameters, embedded tiles.

use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, Int64Array, StringViewArray};
use conshelf::dashboard::token::{Claims, EmbedKey};
use conshelf::demo::Fleet;
use conshelf::machine::now_ticks;
use conshelf::server::{RunningServer, Settings};
use conshelf::storage::{AppendOptions, CatalogChange, ColumnType, Store, StoreOptions, TableSchema};
use serde_json::{Value, json};

struct Fixture {
    server: RunningServer,
    store: Store,
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
        let server = RunningServer::start(store.clone(), settings, "127.0.0.1:0").expect("a server");
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .new_agent();
        Fixture { server, store, directory, agent }
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
        let rows: String = (0..600)
            .map(|at| {
                let (host, level) = (at % 3, if at % 10 == 0 { "Error" } else { "Info" });
                let time = format!("2024-05-01T00:{:02}:{:02}Z", at / 60, at % 60);
                format!("{{\"Timestamp\":\"{time}\",\"Host\":\"h{host}\",\"Level\":\"{level}\",\"Message\":\"m{at} it's\",\"Number\":{at}}}\n")
            })
            .collect();
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
    let Fixture { server, store, directory, .. } = fixture;
    server.stop().expect("stopped");
    drop(store);
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
    assert_eq!(fixture.count(json!({"_text": "\n\t\u{1}\\ \u{2028} {}é😀'\"`"})), 0);
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

/// An address of an embedded dashboard, from what its maker asked for.
fn embed(fixture: &Fixture, wish: Value) -> String {
    let made = fixture.post(&format!("{PATH}/embed"), wish);
    assert_eq!(made.status, 200, "{}", made.text());
    made.json()["url"].as_str().expect("an address").to_owned()
}

#[test]
fn an_embedded_tile_shows_what_its_token_says() {
    let settings = Settings {
        telemetry: false,
        token: Some("secret".to_owned()),
        frame_ancestors: vec!["https://wiki.example".to_owned()],
        ..Settings::default()
    };
    let open = Fixture::new().filled();
    let Fixture { server, store, directory, .. } = open;
    server.stop().expect("stopped");
    drop(store);
    let fixture = Fixture::over(directory, settings);
    let wish = json!({"tile": "count", "expires": "1h", "parameters": {"_hosts": ["h1"]}, "theme": "dark"});
    // To make an address takes the server's token; to use it none.
    assert_eq!(fixture.post(&format!("{PATH}/embed"), wish.clone()).status, 401);
    let headers = [("authorization", "Bearer secret"), ("content-type", "application/json")];
    let made = fixture.request("POST", &format!("{PATH}/embed"), &headers, &wish.to_string());
    let url = made.json()["url"].as_str().expect("an address").to_owned();
    assert!(url.starts_with("/embed/1."));
    assert_eq!(fixture.get(PATH).status, 401);

    let page = fixture.get(&url);
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy");
    assert!(policy.contains("frame-ancestors 'self' https://wiki.example"), "{policy}");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    let shown = fixture.get(&format!("{url}/dashboard"));
    assert_eq!(shown.status, 200);
    let text = shown.text();
    for secret in ["Events", "distinct", "NetDefaultDB", "base_queries", "isempty"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    let shown = shown.json();
    assert_eq!(shown["dashboard"]["pages"][0]["tiles"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&shown["theme"], &shown["tile"], &shown["locked"]),
        (&json!("dark"), &json!("count"), &json!(["_hosts"]))
    );
    assert_eq!(shown["dashboard"]["pages"][0]["tiles"][0]["query"], "_from _to _hosts _level _text _least");

    let run = |parameters: Value| {
        fixture.post(&format!("{url}/tiles/count/run"), json!({ "parameters": parameters }))
    };
    assert_eq!(run(json!({})).rows()[0][0], 200);
    assert_eq!(run(json!({"_level": "Error"})).rows()[0][0], 20);
    assert_eq!(run(json!({"_hosts": ["h1"]})).rows()[0][0], 200);
    for given in [
        json!({"_hosts": ["h2"]}),
        json!({"_hosts": []}),
        json!({"_hosts": null}),
        json!({"_hosts": ["h1", "h2"]}),
    ] {
        assert_eq!(run(given.clone()).status, 403, "{given}");
    }
    assert_eq!(run(json!({"_least": "x"})).status, 400);
    let etag = run(json!({})).header("etag").to_owned();
    let again = fixture.request("POST", &format!("{url}/tiles/count/run"), &[("if-none-match", &etag)], "");
    assert_eq!(again.status, 304);
    assert_eq!(fixture.post(&format!("{url}/tiles/chart/run"), json!({})).status, 404);
    assert_eq!(fixture.post(&format!("{url}/parameters/_hosts/values"), json!({})).status, 403);
    assert_eq!(
        fixture.post(&format!("{url}/parameters/_level/values"), json!({})).json()["values"][0]["value"],
        "Info"
    );
    // A signed address opens nothing else.
    for path in [
        "/v1/dashboards",
        "/query?q=print%201",
        "/embed/",
        &format!("{url}/tiles"),
        &format!("{url}/..%2f..%2fquery"),
    ] {
        assert!(fixture.get(path).status >= 400, "{path}");
    }
}

#[test]
fn an_embedded_dashboard_has_pictures_and_hides_its_queries() {
    let fixture = Fixture::new().filled();
    let url = embed(
        &fixture,
        json!({"page": "One", "expires": "2030-01-01", "parameters": {"_level": "Error"}, "locked": []}),
    );
    let picture = fixture.get(&format!("{url}/tiles/chart/chart?width=400&height=300&theme=light"));
    assert_eq!((picture.status, picture.header("content-type")), (200, "image/svg+xml; charset=utf-8"));
    assert!(picture.text().starts_with("<svg"));
    let known = [("if-none-match", picture.header("etag"))];
    assert_eq!(
        fixture
            .request("GET", &format!("{url}/tiles/chart/chart?width=400&height=300&theme=light"), &known, "")
            .status,
        304
    );
    let png = fixture.get(&format!(
        "{url}/tiles/chart/chart?format=png&parameters=%7B%22_time%22%3A%7B%22last%22%3A%221h%22%7D%7D"
    ));
    assert!(png.status == 200 && png.body.starts_with(b"\x89PNG"));
    assert_eq!(fixture.get(&format!("{url}/tiles/chart/chart?parameters=1")).status, 400);
    assert_eq!(fixture.get(&format!("{url}/tiles/chart/chart?format=gif")).status, 400);
    // What is not locked is a default.
    let run = |parameters: Value| {
        fixture.post(&format!("{url}/tiles/count/run"), json!({ "parameters": parameters }))
    };
    assert_eq!(run(json!({})).rows()[0][0], 60);
    assert_eq!(run(json!({"_level": null})).rows()[0][0], 600);
    let hosts = fixture.post(&format!("{url}/parameters/_hosts/values"), json!({}));
    assert_eq!(hosts.json()["values"].as_array().map(Vec::len), Some(3));
    // Errors tell nothing of the query.
    for answer in [
        fixture.post(&format!("{url}/tiles/wrong/run"), json!({})),
        fixture.get(&format!("{url}/tiles/wrong/chart")),
        fixture.get(&format!("{url}/tiles/wrong/chart?errors=picture")),
    ] {
        let text = answer.text();
        assert!(!text.contains("Nothing") && !text.contains("recent") && !text.contains("Events"), "{text}");
    }
    let wrong = [
        json!({"tile": "none"}),
        json!({"page": "none"}),
        json!({"expires": "-1h"}),
        json!({"expires": "2020-01-01"}),
        json!({"expires": "soon"}),
        json!({"expires": "9999d"}),
        json!({"parameters": {"_least": "x"}}),
        json!({"parameters": {"_none": 1}}),
        json!({"locked": ["_none"]}),
        json!({"locked": "_hosts"}),
        json!({"theme": "pink"}),
        json!({"tiles": "count"}),
        json!({"parameters": {"_text": "x".repeat(20_000)}}),
    ];
    for wish in wrong {
        let status = fixture.post(&format!("{PATH}/embed"), wish.clone()).status;
        assert!(status == 400 || status == 404, "{wish}: {status}");
    }
}

#[test]
fn a_foreign_forged_or_expired_token_is_refused() {
    let fixture = Fixture::new().filled();
    let url = embed(&fixture, json!({"tile": "count", "expires": "1h"}));
    let token = url.strip_prefix("/embed/").expect("a token").to_owned();
    let other = Fixture::new().filled();
    let foreign = embed(&other, json!({"tile": "count", "expires": "1h"}));
    let key = EmbedKey::read(&fixture.directory.path().join("data")).expect("read").expect("a key");
    let claims = Claims {
        database: "NetDefaultDB".to_owned(),
        dashboard: "hosts".to_owned(),
        expires: 1_700_000_000,
        ..Claims::default()
    };
    let expired = format!("/embed/{}", key.sign(&claims));
    let gone = format!(
        "/embed/{}",
        key.sign(&Claims { dashboard: "none".to_owned(), expires: 9_999_999_999, ..claims.clone() })
    );
    let held = Claims { locked: vec!["_renamed".to_owned()], expires: 9_999_999_999, ..claims.clone() };
    let not_held = format!("/embed/{}", key.sign(&held));
    // Another tile, signed with nothing, with another key, with a part of the signature.
    let parts: Vec<&str> = token.split('.').collect();
    let wider = EmbedKey::of_bytes(&[0; 32]).sign(&Claims { expires: 9_999_999_999, ..claims });
    let wider: Vec<&str> = wider.split('.').collect();
    let forged = [
        format!("/embed/1.{}.{}", wider[1], parts[2]),
        format!("/embed/1.{}.{}", wider[1], wider[2]),
        format!("/embed/1.{}.", wider[1]),
        format!("/embed/1.{}", wider[1]),
        format!("/embed/2.{}.{}", parts[1], parts[2]),
        format!("/embed/1.{}.{}", parts[1], &parts[2][..20]),
        "/embed/x".to_owned(),
    ];
    for (address, status, reason) in std::iter::once((foreign.clone(), 403, "not signed by this server"))
        .chain(std::iter::once((expired, 403, "expired")))
        .chain(forged.into_iter().map(|address| (address, 403, "not signed by this server")))
        .chain([(gone, 404, "gone"), (not_held, 404, "gone")])
    {
        let page = fixture.get(&address);
        assert_eq!(page.status, status, "{address}");
        assert!(page.text().contains(reason), "{address}: {}", page.text());
        assert!(page.header("content-security-policy").contains("frame-ancestors 'self'"));
        for answer in [
            fixture.get(&format!("{address}/dashboard")),
            fixture.post(&format!("{address}/tiles/count/run"), json!({})),
            fixture.post(&format!("{address}/parameters/_hosts/values"), json!({})),
            fixture.get(&format!("{address}/tiles/count/chart")),
        ] {
            assert_eq!(answer.status, status, "{address}");
        }
    }
    assert_eq!(other.get(&foreign).status, 200);
    // A new key ends every address, also after the server has started anew.
    assert_eq!(fixture.get(&url).status, 200);
    let read_only = [("x-ms-readonly", "1")];
    assert_eq!(fixture.request("POST", "/query", &read_only, ".rotate embed key").status, 403);
    assert_eq!(fixture.request("POST", "/query", &[], ".rotate embed key").status, 200);
    assert_eq!(fixture.get(&url).status, 403);
    assert_eq!(fixture.get(&embed(&fixture, json!({"tile": "count"}))).status, 200);
}

/// Runs every tile and choice of a dashboard.
fn run_all(fixture: &Fixture, path: &str) {
    let stored = fixture.get(path).json();
    let checked =
        fixture.request("POST", "/v1/dashboards/check", &[], stored["text"].as_str().expect("a text"));
    assert_eq!(checked.json()["diagnostics"], json!([]), "{path}");
    let mut tiles = 0;
    for page in stored["dashboard"]["pages"].as_array().expect("pages") {
        for tile in page["tiles"].as_array().expect("tiles") {
            let id = tile["id"].as_str().expect("an id");
            let answer = fixture.post(&format!("{path}/tiles/{id}/run"), json!({}));
            assert_eq!(answer.status, 200, "{id}: {}", answer.text());
            assert!(answer.text().contains("\"HasErrors\":false"), "{id}: {}", answer.text());
            assert!(answer.visualization()["Visualization"].is_string(), "{id}");
            tiles += 1;
        }
    }
    assert!(tiles >= 12, "{path}");
    for parameter in stored["dashboard"]["parameters"].as_array().expect("parameters") {
        if parameter["kind"] == "choice" {
            let name = parameter["name"].as_str().expect("a name");
            let values = fixture.post(&format!("{path}/parameters/{name}/values"), json!({}));
            assert_eq!(values.status, 200, "{name}: {}", values.text());
        }
    }
}

#[test]
fn what_is_built_in_runs() {
    let fixture = Fixture::with(Settings::default());
    let listed = || -> Vec<String> {
        let list = fixture.get("/v1/dashboards").json();
        let all = list["dashboards"].as_array().expect("a list").clone();
        all.iter().map(|one| format!("{}/{} {}", one["database"], one["name"], one["source"])).collect()
    };
    assert_eq!(listed(), [r#"""/"server" "built-in""#]);
    let (mut metrics, mut logs) = (String::new(), String::new());
    let now = now_ticks() / 10_000_000;
    for second in now - 120..now {
        if second % 10 == 0 {
            Fleet::new(1).metrics(second, &mut metrics);
        }
        Fleet::new(1).logs(second, &mut logs);
    }
    for (table, rows) in [("Metrics", &metrics), ("Logs", &logs)] {
        assert_eq!(fixture.request("POST", &format!("/ingest/Demo/{table}"), &[], rows).status, 200);
    }
    assert_eq!(listed(), [r#"""/"fleet" "built-in""#, r#"""/"server" "built-in""#]);
    run_all(&fixture, "/v1/dashboards/-/fleet");
    run_all(&fixture, "/v1/dashboards/-/server");
    let hosts = fixture.post("/v1/dashboards/-/fleet/tiles/hosts/run", json!({}));
    assert_eq!(hosts.rows()[0][0], 24);
    let url = fixture.post("/v1/dashboards/-/fleet/embed", json!({"tile": "cpu"})).json()["url"].clone();
    let picture = fixture.get(&format!("{}/tiles/cpu/chart", url.as_str().expect("an address")));
    assert!(picture.status == 200 && picture.text().contains("checkout"), "{}", picture.text());
}

#[test]
fn a_refresh_computes_only_what_is_new() {
    let settings = Settings { telemetry: false, ..Settings::default() };
    let cache = settings.query.cache.clone().expect("a cache");
    let fixture = Fixture::with(settings);
    let schema = TableSchema::new([("Timestamp", ColumnType::DateTime), ("Host", ColumnType::String)]);
    let create = CatalogChange::CreateTable {
        database: "NetDefaultDB".to_owned(),
        name: "Beats".to_owned(),
        schema,
        folder: String::new(),
        docstring: String::new(),
        if_not_exists: false,
    };
    let snapshot = fixture.store.commit(create).expect("a table");
    let table = snapshot.table("NetDefaultDB", "Beats").expect("a table").id;
    // Three hours up to a minute ago, in extents of a quarter of an hour.
    const SECOND: i64 = 10_000_000;
    const ROWS: i64 = 2_000;
    let start = now_ticks() - (3 * 3600 + 60) * SECOND;
    for extent in 0..12 {
        let times: Int64Array =
            (0..ROWS).map(|row| Some(start + extent * 900 * SECOND + row * (900 * SECOND / ROWS))).collect();
        let hosts = StringViewArray::from_iter_values((0..ROWS).map(|row| format!("h{}", row % 5)));
        let columns: Vec<ArrayRef> = vec![Arc::new(times), Arc::new(hosts)];
        fixture.store.append(table, &columns, AppendOptions::default()).expect("appended");
        fixture.store.seal(None).expect("sealed");
    }
    let file = |query: &str| {
        json!({
            "version": 1, "title": "t",
            "parameters": [{"name": "_time", "kind": "time-range", "start": "_from", "end": "_to", "default": {"last": "2h"}}],
            "base_queries": [{"name": "recent", "query": "Beats | where Timestamp between (_from .. _to)"}],
            "pages": [{"title": "p", "tiles": [{"id": "a", "query": query}]}],
        })
        .to_string()
    };
    let query = "recent | summarize count() by bin(Timestamp, 1m), Host | summarize sum(count_), count()";
    let stored = fixture.put(PATH, &file(query));
    assert_eq!(stored.status, 201, "{}", stored.text());
    let run = || fixture.post(&format!("{PATH}/tiles/a/run"), json!({})).rows();
    let first = run();
    let before = cache.statistics();
    std::thread::sleep(Duration::from_millis(20));
    let second = run();
    let after = cache.statistics();
    // Seven extents lie in the window as a whole. The piece at its old end is computed anew, of which some rows have
    // fallen out, and so is what depends on the window itself.
    assert!(after.hits - before.hits >= 7, "{before:?} {after:?}");
    assert!(after.misses - before.misses < before.misses / 2, "{before:?} {after:?}");
    let uncached = format!("set query_results_cache_per_shard=false; {query}");
    assert_eq!(fixture.put(PATH, &file(&uncached)).status, 200);
    let plain = run();
    for (one, other) in [(&first, &second), (&second, &plain)] {
        let rows = |answer: &Value| answer[0][0].as_i64().expect("a number");
        assert!((rows(one) - rows(other)).abs() <= 20, "{one} {other}");
    }
}

#[test]
fn a_foreign_dashboard_is_imported() {
    let fixture = Fixture::new();
    let foreign = include_str!("../src/dashboard/import/tests/new.json");
    let answer = fixture.request("POST", "/v1/dashboards/import?database=Storms", &[], foreign);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let imported = answer.json();
    assert_eq!(
        (&imported["dashboard"]["title"], &imported["dashboard"]["database"]),
        (&json!("Storm operations"), &json!("Storms"))
    );
    assert!(
        imported["warnings"]
            .as_array()
            .is_some_and(|all| all.iter().all(|one| one["path"].is_string() && one["message"].is_string()))
    );
    assert_eq!(fixture.put(PATH, imported["text"].as_str().expect("a text")).status, 201);
    assert_eq!(fixture.request("POST", "/v1/dashboards/import", &[], "{").status, 400);
    assert_eq!(fixture.request("POST", "/v1/dashboards/import", &[], "{}").status, 400);
}

#[test]
fn the_command_line_works_with_files() {
    let fixture = Fixture::new().filled();
    let files = tempfile::tempdir().expect("a directory");
    let conshelf = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_conshelf"))
            .arg("dashboard")
            .args(arguments)
            .current_dir(files.path())
            .env(
                "CONSHELF_URL",
                if arguments.contains(&"--url") { String::new() } else { fixture.server.url() },
            )
            .output()
            .expect("it runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    };
    assert_eq!(conshelf(&["export", "hosts"]), (true, DASHBOARD.to_owned(), String::new()));
    assert!(
        conshelf(&["export", "hosts", "--format", "json"]).1.contains("\"title\":\"Hosts\"")
            || conshelf(&["export", "hosts", "--format", "json"]).1.contains("\"title\": \"Hosts\"")
    );
    assert!(!conshelf(&["export", "none"]).0);
    assert!(conshelf(&["export", "server", "--database", "-"]).1.contains("title: This server"));
    std::fs::write(files.path().join("hosts.yaml"), DASHBOARD).expect("written");
    let (is_well, told, _) = conshelf(&["check", "hosts.yaml"]);
    assert!(!is_well && told.starts_with("hosts.yaml:17:") && told.contains("Nothing"), "{told}");
    std::fs::write(files.path().join("wrong.yaml"), "version: 1\ntitel: a\npages: []\n").expect("written");
    let (is_well, told, _) = conshelf(&["check", "wrong.yaml"]);
    assert!(!is_well && told.starts_with("wrong.yaml:2:1: titel: there is no field"), "{told}");
    std::fs::write(files.path().join("old.json"), include_str!("../src/dashboard/import/tests/old.json"))
        .expect("written");
    let (is_well, text, warnings) = conshelf(&["import", "old.json", "--database", "Shop"]);
    assert!(
        is_well && text.contains("title: Web shop") && warnings.contains("$.tiles[0]"),
        "{text}{warnings}"
    );
    let (is_well, _, _) = conshelf(&["import", "old.json", "--output", "shop.json"]);
    assert!(
        is_well
            && std::fs::read_to_string(files.path().join("shop.json"))
                .is_ok_and(|text| text.starts_with('{'))
    );
    assert!(!conshelf(&["import", "hosts.yaml"]).0);
}
