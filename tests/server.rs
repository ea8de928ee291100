//! The HTTP server in this process, asked by a real client: what SDKs and people rely on, and what no request
//! may do to it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use conshelf::server::{RunningServer, Settings};
use conshelf::storage::{Store, StoreOptions};
use serde_json::{Value, json};

struct Fixture {
    server: RunningServer,
    _directory: tempfile::TempDir,
    agent: ureq::Agent,
}

struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .new_agent()
}

impl Fixture {
    fn new() -> Fixture {
        Fixture::with(Settings { telemetry: false, ..Settings::default() })
    }

    fn with(settings: Settings) -> Fixture {
        let directory = tempfile::tempdir().expect("a directory");
        let options = StoreOptions { background: false, ..StoreOptions::default() };
        let store = Store::open(directory.path(), options).expect("a store");
        let server = RunningServer::start(store, settings, "127.0.0.1:0").expect("a server");
        Fixture { server, _directory: directory, agent: agent() }
    }

    fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request =
            ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.server.url()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.to_vec()).expect("a request");
        let mut response = self.agent.run(request).expect("an answer");
        Answer {
            status: response.status().as_u16(),
            headers: response
                .headers()
                .iter()
                .map(|(name, value)| {
                    (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
                })
                .collect(),
            body: response.body_mut().read_to_string().expect("a body"),
        }
    }

    fn post(&self, path: &str, body: &str) -> Answer {
        self.request("POST", path, &[], body.as_bytes())
    }

    fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], b"")
    }

    fn v2(&self, text: &str, options: Value) -> Answer {
        let body = json!({"db": "NetDefaultDB", "csl": text, "properties": {"Options": options}});
        self.post("/v2/rest/query", &body.to_string())
    }

    fn v1(&self, text: &str) -> Answer {
        self.post("/v1/rest/query", &json!({"db": "NetDefaultDB", "csl": text}).to_string())
    }

    /// Rows of the first table of a v1 answer.
    fn rows(&self, text: &str) -> Value {
        let answer = self.v1(text);
        assert_eq!(answer.status, 200, "{text}: {}", answer.body);
        answer.json()["Tables"][0]["Rows"].clone()
    }
}

/// The text with what differs from run to run replaced.
fn stable(text: &str) -> String {
    let rules = [
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "GUID"),
        (r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{7})?Z", "TIME"),
        (r#"\\"ExecutionTime\\":[0-9.e+-]+"#, r#"\"ExecutionTime\":0.0"#),
        (r#"\\"(user|total cpu)\\":\\"[0-9:.]+\\""#, r#"\"$1\":\"00:00:00\""#),
        (r#"\\"peak_per_node\\":\d+"#, r#"\"peak_per_node\":0"#),
        (r#"\\"(hitbytes|table_size)\\":\d+"#, r#"\"$1\":0"#),
        (r#""processId":\d+"#, r#""processId":1"#),
    ];
    let mut text = text.to_owned();
    for (pattern, replacement) in rules {
        text = regex::Regex::new(pattern).expect("a pattern").replace_all(&text, replacement).into_owned();
    }
    text
}

const ALL_TYPES: &str = r#"print b = true, i = int(-1), l = 9223372036854775807, r = 2.0, nan = real(nan), inf = real(+inf),
    c = decimal(12.5), t = datetime(1999-01-01T00:00:00.0000001Z), d = timespan(-2.00:00:02.0020020), s = "a\"b\né",
    g = guid(74be27de-1e4e-49d9-b579-fe0b331d3642), o = dynamic({"a": [1, 2.5, "x", null]}), n = long(null), e = """#;

#[test]
fn a_v2_answer_is_what_the_protocol_says() {
    let fixture = Fixture::new();
    let answer = fixture.v2(ALL_TYPES, json!({}));
    assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
    insta::assert_snapshot!(stable(&answer.body));
    let go = json!({
        "results_v2_newlines_between_frames": true,
        "results_v2_fragment_primary_tables": true,
        "results_error_reporting_placement": "end_of_table",
    });
    insta::assert_snapshot!(stable(&fixture.v2("print a = 1; print b = 'x'", go).body));
}

#[test]
fn a_v1_answer_is_what_the_protocol_says() {
    let fixture = Fixture::new();
    insta::assert_snapshot!(stable(&fixture.v1(ALL_TYPES).body));
    let command = fixture.post("/v1/rest/mgmt", r#"{"csl":".show table T schema as json"}"#);
    assert_eq!(command.status, 400);
    insta::assert_snapshot!(stable(&command.body));
}

#[test]
fn options_change_the_answer() {
    let fixture = Fixture::new();
    let frames = |answer: &Answer| answer.json().as_array().cloned().unwrap_or_default();
    let ten = "range x from 1 to 10 step 1";

    let answer = fixture.v2(ten, json!({"truncationmaxrecords": "5"}));
    assert_eq!(answer.status, 200);
    let rows = frames(&answer)[2]["Rows"].as_array().cloned().expect("rows");
    assert_eq!(rows.len(), 6);
    let message = rows[5]["OneApiErrors"][0]["error"]["@message"].as_str().expect("a message").to_owned();
    assert!(message.contains("80DA0003") && message.contains("E_QUERY_RESULT_SET_TOO_LARGE"), "{message}");
    let completion = frames(&answer).pop().expect("a completion");
    assert_eq!(completion["HasErrors"], true);
    assert_eq!(completion["OneApiErrors"][0]["error"]["code"], "LimitsExceeded");

    let answer = fixture.v2(ten, json!({"truncationmaxrecords": 5, "deferpartialqueryfailures": true}));
    let last = frames(&answer).pop().expect("a completion");
    assert_eq!(last, json!({"FrameType": "DataSetCompletion", "HasErrors": false, "Cancelled": false}));
    assert!(answer.body.contains("internal record count limit 5 (E_QUERY_RESULT_SET_TOO_LARGE"));

    let answer = fixture.v2(ten, json!({"truncationmaxrecords": 5, "notruncation": true}));
    assert_eq!(frames(&answer)[2]["Rows"].as_array().map(Vec::len), Some(10));
    let answer = fixture.v2(&format!("set query_take_max_records=3; {ten}"), json!({}));
    assert_eq!(frames(&answer)[2]["Rows"], json!([[1], [2], [3]]));
    let answer = fixture.v2(&format!("set truncationmaxrecords=5; set notruncation; {ten}"), json!({}));
    assert_eq!(frames(&answer)[2]["Rows"].as_array().map(Vec::len), Some(10));
    let answer = fixture.v2(ten, json!({"query_results_apply_getschema": true}));
    assert_eq!(frames(&answer)[2]["Rows"], json!([["x", 0, "System.Int64", "long"]]));
    let answer = fixture.v2(ten, json!({"validate_permissions": "true"}));
    assert_eq!(frames(&answer)[2]["Rows"], json!([["OK"]]));
    let answer = fixture.v2("print now()", json!({"query_now": "2020-01-02"}));
    assert_eq!(frames(&answer)[2]["Rows"], json!([["2020-01-02T00:00:00Z"]]));
    let answer =
        fixture.v2("set query_now = datetime(2020-01-03); print now()", json!({"query_now": "2020-01-02"}));
    assert_eq!(frames(&answer)[2]["Rows"], json!([["2020-01-03T00:00:00Z"]]));
    assert_eq!(
        fixture.v1(".set Times <| range t from datetime(2024-01-01) to datetime(2024-01-10) step 1d").status,
        200
    );
    let scope = json!({
        "query_datetimescope_column": "t",
        "query_datetimescope_from": "2024-01-03",
        "query_datetimescope_to": "datetime(2024-01-05)",
    });
    let text = "Times | summarize count() | extend inner = toscalar(Times | count)";
    assert_eq!(frames(&fixture.v2(text, scope))[2]["Rows"], json!([[3, 3]]));
    assert_eq!(frames(&fixture.v2(text, json!({})))[2]["Rows"], json!([[10, 10]]));
    let answer = fixture.v2(ten, json!({"results_progressive_enabled": true}));
    assert_eq!(frames(&answer)[0]["IsProgressive"], true);
    assert!(frames(&answer).iter().any(|frame| frame["FrameType"] == "TableProgress"));
    assert_eq!(fixture.v2("select 1", json!({"query_language": "sql"})).status, 400);
    for timeout in ["00:04:00", "1 day, 0:00:00", "4m", "soon", ""] {
        assert_eq!(
            fixture.v2("print 1", json!({"servertimeout": timeout, "unknown_option": [1]})).status,
            200
        );
    }
}

#[test]
fn parameters_reach_the_query() {
    let fixture = Fixture::new();
    let body = json!({
        "db": "netdefaultdb",
        "csl": "declare query_parameters(n:long, s:string, t:datetime, d:timespan = 1h); print n + 1, s, t, d",
        "properties": json!({"Parameters": {"n": 41, "s": "O'Brien \"x\"", "t": "2024-01-01", "unused": 1}}).to_string(),
    });
    let answer = fixture.post("/v1/rest/query", &body.to_string());
    assert_eq!(
        answer.json()["Tables"][0]["Rows"],
        json!([[42, "O'Brien \"x\"", "2024-01-01T00:00:00Z", "01:00:00"]]),
        "{}",
        answer.body
    );
    let missing = fixture.v2("declare query_parameters(n:long); print n", json!({}));
    assert_eq!(missing.status, 400);
    let friendly = fixture.post("/query?format=csv&p.n=5", "declare query_parameters(n:long); print x = n");
    assert_eq!(friendly.body, "x\r\n5\r\n");
}

#[test]
fn friendly_queries_answer_in_every_format() {
    let fixture = Fixture::new();
    let text = "range x from 1 to 2 step 1 | extend s = strcat('a', x)";
    let cases = [
        ("json", "application/json", "[{\"x\":1,\"s\":\"a1\"},\n{\"x\":2,\"s\":\"a2\"}]\n"),
        ("ndjson", "application/x-ndjson", "{\"x\":1,\"s\":\"a1\"}\n{\"x\":2,\"s\":\"a2\"}\n"),
        ("csv", "text/csv", "x,s\r\n1,a1\r\n2,a2\r\n"),
        ("tsv", "text/tab-separated-values", "x\ts\n1\ta1\n2\ta2\n"),
        ("table", "text/plain", "x  s\n-  --\n1  a1\n2  a2\n(2 rows)\n"),
    ];
    for (format, media_type, body) in cases {
        let answer = fixture.post(&format!("/query?format={format}"), text);
        assert_eq!(answer.body, body, "{format}");
        assert!(answer.header("content-type").starts_with(media_type), "{format}");
        let answer = fixture.request("POST", "/query", &[("accept", media_type)], text.as_bytes());
        assert_eq!(answer.body, body, "{format}");
    }
    assert!(
        fixture.post("/query?format=kusto-v2", text).body.starts_with("[{\"FrameType\":\"DataSetHeader\"")
    );
    assert!(fixture.post("/query?format=kusto-v1", text).body.starts_with("{\"Tables\":["));
    assert_eq!(fixture.get("/query?q=print%20x%3D1&format=csv").body, "x\r\n1\r\n");
    assert_eq!(fixture.post("/query?format=xml", text).status, 400);
    let error = fixture.post("/query", "print x = 1\n| where y > 2");
    assert_eq!(error.status, 400);
    assert!(error.body.contains("line 2, column 9") && error.body.contains("^"), "{}", error.body);
    let error = fixture.post("/query?format=json", "print x = 1\n| where y > 2").json();
    assert_eq!((&error["error"]["line"], &error["error"]["column"]), (&json!(2), &json!(9)));
    assert!(error["error"]["excerpt"].as_str().is_some_and(|text| text.contains('^')));
    assert_eq!(fixture.post("/query", "").status, 400);
    let arrow = fixture.agent.post(format!("{}/query?format=arrow", fixture.server.url())).send(text);
    let bytes = arrow.expect("an answer").body_mut().read_to_vec().expect("a body");
    let reader = arrow_ipc::reader::StreamReader::try_new(bytes.as_slice(), None).expect("an arrow stream");
    let rows: usize = reader.map(|batch| batch.expect("a batch").num_rows()).sum();
    assert_eq!(rows, 2);
}

#[test]
fn charts_are_drawn_kept_and_refused() {
    let fixture = Fixture::new();
    let text = "datatable(t:datetime, n:long)[datetime(2026-01-01), 1, datetime(2026-01-02), 5] | render timechart with (title='A <b>')";
    let path = "/chart?theme=auto&width=300&height=200";
    let answer = fixture.post(path, text);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.header("content-type").starts_with("image/svg+xml"));
    assert!(answer.body.starts_with("<svg ") && answer.body.contains("A &lt;b&gt;"), "{}", answer.body);
    assert!(answer.body.contains("width=\"300\""));
    let etag = answer.header("etag").to_owned();
    let again = [("if-none-match", etag.as_str())];
    assert_eq!(fixture.request("POST", path, &again, text.as_bytes()).status, 304);
    assert_eq!(fixture.request("POST", "/chart?theme=dark", &again, text.as_bytes()).status, 200);
    let error = fixture.post("/chart", "print x = 1\n| where y > 2");
    assert_eq!(error.status, 400);
    assert!(error.body.contains("line 2, column 9"), "{}", error.body);
    let picture = fixture.post("/chart?errors=picture", "print x = 1\n| where y > 2");
    assert_eq!(picture.status, 200);
    assert!(picture.body.starts_with("<svg ") && picture.body.contains("line 2"), "{}", picture.body);
    for wrong in
        ["/chart", "/chart?q=.show%20tables", "/chart?format=gif&q=print%201", "/chart?width=x&q=print%201"]
    {
        assert_eq!(fixture.get(wrong).status, 400, "{wrong}");
    }
    let terminal = fixture.post("/chart?format=text&width=60&height=12", text);
    assert!(terminal.body.contains("(UTC)") || terminal.body.contains("Jan 2"), "{}", terminal.body);
    let choice = fixture.post(
        "/v1/kql/chart",
        r#"{"columns":[{"name":"s","type":"string"},{"name":"n","type":"long"}],"visualization":{"Visualization":"piechart"}}"#,
    );
    assert_eq!(choice.json()["x"], "s", "{}", choice.body);
}

#[test]
fn a_check_says_what_is_wrong_and_what_comes_out() {
    let fixture = Fixture::new();
    let check = |text: &str| fixture.post("/v1/kql/check", &json!({"csl": text}).to_string()).json();
    let good = check("print x = 1, s = 'a'");
    assert_eq!(good["diagnostics"], json!([]));
    assert_eq!(good["columns"], json!([{"name": "x", "type": "long"}, {"name": "s", "type": "string"}]));
    let wrong = check("print 'é' | where ");
    assert_eq!(wrong["diagnostics"][0]["kind"], "syntax");
    let unknown = check("print x = 1 | where y > 2");
    let found = &unknown["diagnostics"][0];
    assert_eq!(
        (&found["kind"], &found["start"], &found["length"]),
        (&json!("semantic"), &json!(20), &json!(1))
    );
    assert_eq!(found["severity"], "Error");
    assert_eq!(fixture.post("/v1/kql/check", "{").status, 400);
    let slip = check("print 'é' | wher 1 > 0");
    let fix = &slip["diagnostics"][0]["fixes"][0];
    assert_eq!(
        (&fix["replacement"], &fix["start"], &fix["length"]),
        (&json!("where"), &json!(12), &json!(4))
    );
}

#[test]
fn editors_are_answered() {
    let fixture = Fixture::new();
    let created = fixture
        .post("/v1/rest/mgmt", &json!({"csl": ".create table Logs (Level:string, Size:long)"}).to_string());
    assert_eq!(created.status, 200);
    let ask = |what: &str, text: &str, position: usize| {
        let body = json!({"csl": text, "position": position}).to_string();
        let answer = fixture.post(&format!("/v1/kql/{what}"), &body);
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    };
    let found = ask("complete", "print '😀'; Logs | where Le", 27);
    let items = found["items"].as_array().expect("items");
    let column = items.iter().find(|item| item["label"] == "Level").expect("the column");
    assert_eq!((&column["kind"], &column["detail"]), (&json!("column"), &json!("string")));
    assert_eq!((&found["start"], &found["length"]), (&json!(25), &json!(2)));
    assert!(
        ask("complete", "", 0)["items"].as_array().expect("items").iter().any(|item| item["label"] == "Logs")
    );
    let tables = ask("hover", "Logs | count", 2);
    assert!(tables["markdown"].as_str().expect("text").contains("Level: string"), "{tables}");
    assert_eq!(ask("hover", "print 1", 6), Value::Null);
    let help = ask("signature", "print substring('a', ", 21);
    assert_eq!((&help["activeSignature"], &help["activeParameter"]), (&json!(0), &json!(1)));
    assert_eq!(ask("signature", "print 1", 7), Value::Null);
    let formatted = ask("format", "Logs|where Size>1|count", 0);
    assert_eq!(formatted["text"], "Logs\n| where Size > 1\n| count\n");
    let tokens = ask("tokens", "Logs | where Size > 1", 0);
    let kind = |at: usize| {
        let index = tokens["tokens"][at][2].as_u64().expect("a kind") as usize;
        tokens["kinds"][index].as_str().expect("a name").to_owned()
    };
    assert_eq!([kind(0), kind(2), kind(3)], ["table", "queryOperator", "column"]);
    // A place by line and character, and by query string.
    let body = json!({"csl": "Logs\n| where ", "line": 1, "character": 8}).to_string();
    assert!(fixture.post("/v1/kql/complete", &body).body.contains("\"Size\""));
    assert!(fixture.get("/v1/kql/hover?csl=Logs&position=1").body.contains("Size: long"));
    // What is no question.
    for body in ["{", "[]", "{}", "{\"csl\":1}", "{\"csl\":\"T\",\"position\":-1}"] {
        assert_eq!(fixture.post("/v1/kql/complete", body).status, 400, "{body}");
    }
    assert_eq!(ask("complete", "T | where ", 1_000_000)["start"], 10);
}

#[test]
fn the_reference_is_served() {
    let fixture = Fixture::new();
    let index = fixture.get("/docs/kql");
    assert!(index.body.contains("/docs/kql/functions#strlen"), "{}", index.body.len());
    let page = fixture.get("/docs/kql/operators");
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.body.contains("id=\"summarize\""));
    assert!(fixture.get("/docs/kql/aggregates.md").body.contains("## dcount"));
    assert_eq!(fixture.get("/docs/kql/nothing").status, 404);
}

#[test]
fn commands_are_answered_where_clients_send_them() {
    let fixture = Fixture::new();
    let management = |text: &str| fixture.post("/v1/rest/mgmt", &json!({"csl": text}).to_string());
    assert_eq!(management(".show cluster").status, 200);
    assert_eq!(management("// c\n\n.create table T (a:int, b:string);").status, 200);
    assert_eq!(management(".set-or-append T <| print a = int(7), b = 'x'").status, 200);
    assert_eq!(fixture.rows(".show tables | where TableName has 'T' | project TableName"), json!([["T"]]));
    assert_eq!(fixture.rows("T"), json!([[7, "x"]]));
    assert_eq!(fixture.rows(".set-or-replace U <| T | extend c = tolong(a) + 1")[0][5], 1);
    assert_eq!(fixture.rows("U | getschema | project ColumnName, ColumnType")[2], json!(["c", "long"]));
    assert_eq!(fixture.rows(".create function f(n:long) { T | where a >= n }")[0][0], "f");
    assert_eq!(fixture.rows("f(3)"), json!([[7, "x"]]));
    let wrong = fixture.v1(".show tables | where Nothing == 1");
    assert_eq!(wrong.status, 400);
    let inner = &wrong.json()["error"]["innererror"];
    assert_eq!((&inner["@line"], &inner["@posInLine"]), (&json!(1), &json!(21)), "{inner}");
    assert_eq!(management(".create function g() { T | wher }").status, 400);
    // Each route takes its kind of text.
    let refused = fixture.v2(".show tables", json!({}));
    assert_eq!(refused.status, 400);
    let plain = management("print 1");
    assert_eq!((plain.status, &plain.json()["error"]["code"]), (400, &json!("BadRequest_SyntaxError")));
    let missing = management(".drop table Nothing");
    assert_eq!(missing.json()["error"]["code"], "BadRequest_EntityNotFound");
    let elsewhere = fixture.post("/v1/rest/mgmt", r#"{"db":"Nowhere","csl":".show version"}"#);
    assert_eq!(elsewhere.status, 200, "a command that needs no database does not miss it");
    // What must not write does not.
    let body = json!({"csl": ".drop table T", "properties": {"Options": {"request_readonly": true}}});
    assert_eq!(fixture.post("/v1/rest/mgmt", &body.to_string()).status, 403);
    assert_eq!(fixture.get("/query?q=.drop%20table%20T").status, 403);
    let answer =
        fixture.request("POST", "/v1/rest/mgmt", &[("x-ms-readonly", "")], br#"{"csl":".drop table T"}"#);
    assert_eq!(answer.status, 403);
    assert!(fixture.post("/query", ".show tables").body.contains("NetDefaultDB"));
}

#[test]
fn rows_come_in_through_both_doors() {
    let fixture = Fixture::new();
    let answer =
        fixture.post("/ingest/demo/Logs", "{\"t\":\"2024-01-01\",\"n\":1}\n{\"t\":\"2024-01-02\",\"n\":2}\n");
    assert_eq!(answer.json()["rows"], 2, "{}", answer.body);
    let keyed = |body: &str| {
        fixture.request("POST", "/ingest/demo/Logs", &[("idempotency-key", "k1")], body.as_bytes()).json()
    };
    assert_eq!(keyed("{\"n\":3}")["duplicate"], false);
    assert_eq!(keyed("{\"n\":3}")["duplicate"], true);
    let bad = fixture.post("/ingest/demo/Logs", "{\"n\":4}\n{\"n\":}\n");
    assert_eq!((bad.status, &bad.json()["error"]["line"]), (400, &json!(2)));
    let skipped = fixture.post("/ingest/demo/Logs?onError=skip", "{\"n\":4}\n{\"n\":}\n{\"n\":5}\n").json();
    assert_eq!((&skipped["rows"], &skipped["skipped"]), (&json!(2), &json!(1)));
    assert_eq!(fixture.post("/query?db=demo&format=csv", "Logs | count").body, "Count\r\n5\r\n");
    for (path, status) in [
        ("/ingest/demo/Logs?format=parquet", 400),
        ("/ingest/demo/Logs?onError=what", 400),
        ("/ingest/demo/Logs?header=what", 400),
        ("/ingest/demo/Logs?mapping=nothing", 400),
        ("/ingest/demo", 404),
    ] {
        assert_eq!(fixture.post(path, "{\"n\":1}").status, status, "{path}");
    }

    assert_eq!(fixture.v1(".create table S (a:int, b:string)").status, 200);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(b"1,x\n2\n3,y,extra\nbad,z\n").expect("written");
    let body = gzip.finish().expect("compressed");
    let path = "/v1/rest/ingest/NetDefaultDB/S?streamFormat=Csv";
    let answer = fixture.request("POST", path, &[("content-encoding", "gzip")], &body);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["Tables"][0]["Rows"][0][0], 4);
    assert_eq!(fixture.rows("S | summarize count(), sum(a)"), json!([[4, 6]]));
    let refused = [
        ("/v1/rest/ingest/NetDefaultDB/Nothing?streamFormat=csv", "1", "BadRequest_TableNotExist"),
        ("/v1/rest/ingest/NetDefaultDB/S?streamFormat=xml", "1", "BadRequest_InvalidOrEmptyFormat"),
        ("/v1/rest/ingest/NetDefaultDB/S?streamFormat=csv", "", "Stream_NoDataToIngest"),
        (
            "/v1/rest/ingest/NetDefaultDB/S?streamFormat=json&mappingName=m",
            "{}",
            "BadRequest_InvalidMappingReference",
        ),
        ("/v1/rest/ingest/NetDefaultDB/S?streamFormat=csv&sourceKind=uri", "{}", "BadRequest_NotSupported"),
    ];
    for (path, body, code) in refused {
        let answer = fixture.post(path, body);
        assert_eq!(answer.status, 400, "{path}");
        let error = &answer.json()["error"];
        assert_eq!((&error["code"], &error["@permanent"]), (&json!(code), &json!(true)), "{path}");
    }
    let wrong = fixture.request("POST", path, &[("content-encoding", "gzip")], b"not gzip");
    assert_eq!(wrong.status, 400);
}

#[test]
fn bodies_over_the_limit_are_refused() {
    let settings = Settings {
        telemetry: false,
        streaming_ingest_bytes: 1 << 20,
        body_bytes: 1 << 20,
        ..Settings::default()
    };
    let fixture = Fixture::with(settings);
    fixture.v1(".create table S (a:int)");
    let long = "1\n".repeat(2 << 20);
    let answer = fixture.post("/v1/rest/ingest/NetDefaultDB/S?streamFormat=csv", &long);
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (413, &json!("PayloadTooLarge")));
    let answer = fixture.post("/v2/rest/query", &long);
    assert_eq!(answer.status, 413);
    assert_eq!(fixture.rows("S | count"), json!([[0]]), "a refused body stores nothing");
    // A small body that unpacks to a large one is no way around it.
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&vec![b' '; 8 << 20]).expect("written");
    let body = gzip.finish().expect("compressed");
    assert_eq!(fixture.request("POST", "/v2/rest/query", &[("content-encoding", "gzip")], &body).status, 413);
}

#[test]
fn malformed_requests_are_refused_and_harm_nobody() {
    let fixture = Fixture::new();
    let deep_json = "[".repeat(200_000);
    let deep_query =
        json!({"csl": format!("print {}1{}", "(".repeat(50_000), ")".repeat(50_000))}).to_string();
    let long_query = json!({"csl": format!("print {}", vec!["1"; 20_000].join("+"))}).to_string();
    let nul = json!({"csl": "print \u{0}"}).to_string();
    let bodies: [&[u8]; 18] = [
        b"",
        b"null",
        b"{",
        b"[]",
        b"\xff\xfe\x00",
        b"{}",
        b"{\"csl\":null}",
        b"{\"csl\":{}}",
        b"{\"csl\":\"\"}",
        b"{\"csl\":\"print 1\",\"db\":5}",
        b"{\"csl\":\"print 1\",\"properties\":5}",
        b"{\"csl\":\"print 1\",\"properties\":\"{\"}",
        b"{\"csl\":\"let x = 1;\"}",
        b"{\"csl\":\".\"}",
        nul.as_bytes(),
        deep_json.as_bytes(),
        deep_query.as_bytes(),
        b"{\"csl\":\"\\ud800\"}",
    ];
    for path in ["/v1/rest/query", "/v2/rest/query", "/v1/rest/mgmt"] {
        for body in bodies {
            let answer = fixture.request("POST", path, &[], body);
            let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
            assert_eq!(answer.status, 400, "{path} {shown}: {}", answer.body);
            let error = answer.json();
            assert!(error["error"]["code"].is_string() && error["error"]["@message"].is_string(), "{shown}");
        }
        let answer = fixture.request("POST", path, &[], long_query.as_bytes());
        assert!(answer.status < 500, "{path}: {}", answer.body);
    }
    for path in ["/v2/rest/query", "/v2/rest/query?csl=%ff", "/query", "/query?q=", "/v1/rest/query?db=x"] {
        assert_eq!(fixture.get(path).status, 400, "{path}");
    }
    for path in ["/nothing", "/v1/rest", "/v2/rest/mgmt", "/v1/rest/ingest/x", "/%ff", "/..%2f"] {
        let answer = fixture.get(path);
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.json()["error"]["code"].is_string());
    }
    assert_eq!(fixture.get("/v1/rest/mgmt").status, 405);
    assert_eq!(fixture.request("DELETE", "/query", &[], b"").status, 405);
    let encoded = fixture.request("POST", "/v2/rest/query", &[("content-encoding", "br")], b"x");
    assert_eq!(encoded.status, 400);
    // Bytes that are no HTTP at all, and requests that stop in the middle.
    for start in
        ["\0\0\0\0", "GET\r\n\r\n", "POST /v2/rest/query HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{"]
    {
        let mut stream = TcpStream::connect(fixture.server.address()).expect("connected");
        stream.write_all(start.as_bytes()).expect("sent");
        stream.set_read_timeout(Some(Duration::from_millis(200))).expect("set");
        let _ = stream.read(&mut [0; 1024]);
    }
    assert_eq!(fixture.rows("print 1"), json!([[1]]), "the server still answers");
}

#[test]
fn errors_have_the_codes_of_the_protocol() {
    let fixture = Fixture::new();
    let cases = [
        ("Nothing | take 1", 400, "General_BadRequest", "SEM0100", "SemanticException"),
        ("print |", 400, "General_BadRequest", "", "SyntaxException"),
        ("print nothing(1)", 400, "General_BadRequest", "", "SemanticException"),
    ];
    for (text, status, code, inner_code, exception) in cases {
        let answer = fixture.v2(text, json!({}));
        let error = &answer.json()["error"];
        assert_eq!((answer.status, &error["code"]), (status, &json!(code)), "{text}");
        let inner = &error["innererror"];
        if !inner_code.is_empty() {
            assert_eq!(inner["code"], inner_code, "{text}");
        }
        assert_eq!(inner["@type"], format!("Kusto.Data.Exceptions.{exception}"), "{text}");
        assert!(inner["@line"].is_number() && inner["@posInLine"].is_number() && inner["@token"].is_string());
        assert!(error["@permanent"] == true && error["@context"]["processId"].is_number());
    }
    let nowhere = fixture.post("/v2/rest/query", r#"{"db":"Nowhere","csl":"print 1"}"#);
    assert_eq!(nowhere.status, 400);
    assert!(nowhere.body.contains("'Nowhere'"), "{}", nowhere.body);
}

#[test]
fn ids_come_back() {
    let fixture = Fixture::new();
    for body in [r#"{"csl":"print 1"}"#, r#"{"csl":"nothing |"}"#, "{"] {
        let headers = [("x-ms-client-request-id", "KPC.execute;abc")];
        let answer = fixture.request("POST", "/v2/rest/query", &headers, body.as_bytes());
        assert_eq!(answer.header("x-ms-client-request-id"), "KPC.execute;abc");
        assert_eq!(answer.header("x-ms-activity-id").len(), 36);
        assert!(answer.body.contains("KPC.execute;abc"));
    }
    assert!(fixture.get("/health").header("x-ms-client-request-id").starts_with("unspecified;"));
}

#[test]
fn answers_are_compressed_only_when_that_is_offered() {
    let fixture = Fixture::new();
    let body = br#"{"csl":"range x from 1 to 20000 step 1"}"#;
    let plain = fixture.request("POST", "/v2/rest/query", &[("accept-encoding", "identity")], body);
    assert_eq!(plain.header("content-encoding"), "");
    for encoding in ["gzip", "deflate", "zstd"] {
        let answer = fixture.agent.post(format!("{}/v2/rest/query", fixture.server.url()));
        let mut answer = answer.header("accept-encoding", encoding).send(&body[..]).expect("an answer");
        let header =
            answer.headers().get("content-encoding").and_then(|value| value.to_str().ok()).unwrap_or("");
        assert_eq!(header, encoding);
        let bytes = answer.body_mut().read_to_vec().expect("a body");
        let mut text = String::new();
        match encoding {
            "gzip" => flate2::read::GzDecoder::new(bytes.as_slice()).read_to_string(&mut text),
            "deflate" => flate2::read::ZlibDecoder::new(bytes.as_slice()).read_to_string(&mut text),
            _ => zstd::stream::read::Decoder::new(bytes.as_slice())
                .and_then(|mut d| d.read_to_string(&mut text)),
        }
        .expect("decompressed");
        assert!(bytes.len() < plain.body.len() / 2);
        assert_eq!(stable(&text), stable(&plain.body), "{encoding}");
    }
}

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

#[test]
fn browsers_get_the_page_and_only_what_is_new() {
    let fixture = Fixture::new();
    for path in ["/", "/plain"] {
        let page = fixture.request("GET", path, &[("accept", "text/html")], b"");
        assert!(page.body.starts_with("<!doctype html>"), "{path}");
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        let policy = page.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        let known = [("accept", "text/html"), ("if-none-match", page.header("etag"))];
        assert_eq!(fixture.request("GET", path, &known, b"").status, 304, "{path}");
    }
    let home = fixture.request("GET", "/", &[("accept", "text/html")], b"");
    // Only where the page was built.
    if let Some(found) = home.body.split("src=\"/web/").nth(1) {
        let name = found.split('"').next().unwrap_or_default();
        let script = fixture.get(&format!("/web/{name}"));
        assert_eq!(script.status, 200);
        assert_eq!(script.header("content-type"), "text/javascript; charset=utf-8");
        assert!(script.header("cache-control").contains("immutable"));
    }
    assert_eq!(fixture.get("/web/nothing.js").status, 404);
}

#[test]
fn browsers_may_call_from_configured_origins() {
    let settings = Settings {
        telemetry: false,
        cors_origins: vec!["https://dataexplorer.azure.com".to_owned()],
        ..Settings::default()
    };
    let fixture = Fixture::with(settings);
    let preflight = |origin: &str| {
        fixture.request(
            "OPTIONS",
            "/v2/rest/query",
            &[
                ("origin", origin),
                ("access-control-request-method", "POST"),
                ("access-control-request-headers", "authorization,x-ms-app"),
                ("access-control-request-private-network", "true"),
            ],
            b"",
        )
    };
    let answer = preflight("https://dataexplorer.azure.com");
    assert_eq!(answer.header("access-control-allow-origin"), "https://dataexplorer.azure.com");
    assert_eq!(answer.header("access-control-allow-headers"), "authorization,x-ms-app");
    assert_eq!(answer.header("access-control-allow-private-network"), "true");
    assert_eq!(preflight("https://elsewhere.example").header("access-control-allow-origin"), "");
}

#[test]
fn a_token_is_asked_for_when_there_is_one() {
    let fixture =
        Fixture::with(Settings { telemetry: false, token: Some("secret".to_owned()), ..Settings::default() });
    let body = br#"{"csl":"print 1"}"#;
    let refused = fixture.request("POST", "/v2/rest/query", &[], body);
    assert_eq!((refused.status, refused.header("www-authenticate")), (401, "Bearer"));
    let wrong = fixture.request("POST", "/v2/rest/query", &[("authorization", "Bearer secre")], body);
    assert_eq!(wrong.status, 401);
    let right = fixture.request("POST", "/v2/rest/query", &[("authorization", "Bearer secret")], body);
    assert_eq!(right.status, 200);
    for open in ["/health", "/v1/rest/auth/metadata", "/"] {
        assert_eq!(fixture.get(open).status, 200);
    }
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

#[test]
fn an_earlier_answer_will_do_where_a_query_says_so() {
    let fixture = Fixture::new();
    let ingest = || {
        let answer = fixture.post("/ingest/NetDefaultDB/Kept", "{\"n\": 1}\n{\"n\": 2}\n");
        assert_eq!(answer.status, 200, "{}", answer.body);
    };
    ingest();
    let text =
        "set query_results_cache_max_age = time(5m); Kept | summarize rows = count() by n | order by n asc";
    // Rows of the result, and what is told of the run they are of.
    let ask = |text: &str, options: Value| {
        let answer = fixture.v2(text, options).json();
        let frames = answer.as_array().expect("frames").clone();
        let of =
            |kind: &str| frames.iter().find(|frame| frame["TableKind"] == kind).expect("a table").clone();
        let properties = of("QueryProperties")["Rows"].as_array().expect("rows").clone();
        let origin = properties.iter().find(|row| row[1] == "ServerCache").map(|row| row[2].to_string());
        (of("PrimaryResult")["Rows"].clone(), origin)
    };
    let once = json!([[1, 1], [2, 1]]);
    let twice = json!([[1, 2], [2, 2]]);
    assert_eq!(ask(text, json!({})), (once.clone(), None));
    ingest();
    let (rows, origin) = ask(text, json!({}));
    assert_eq!(rows, once);
    let origin = origin.expect("it is told");
    assert!(origin.contains("OriginalClientRequestId") && origin.contains("OriginalStartedOn"), "{origin}");
    // Another text, other properties, a smaller age: other queries.
    assert_eq!(ask(&format!("{text} "), json!({})), (twice.clone(), None));
    assert_eq!(ask(text, json!({"query_now": "2020-01-01"})), (twice.clone(), None));
    assert_eq!(
        ask("Kept | summarize rows = count() by n | order by n asc", json!({})),
        (twice.clone(), None)
    );
    // Who asks with which tool makes no difference.
    assert_eq!(ask(text, json!({"request_app_name": "x"})).0, once);
    assert_eq!(ask(text, json!({"query_results_cache_force_refresh": true})), (twice.clone(), None));
    assert_eq!(ask(text, json!({})).0, twice);
    let by_property = json!({"query_results_cache_max_age": "00:05:00"});
    let bare = "Kept | count";
    assert_eq!(ask(bare, by_property.clone()), (json!([[4]]), None));
    assert!(ask(bare, by_property).1.is_some());
    for never in [
        "print current_principal()",
        "print x = 1 | evaluate narrow()",
        "set query_results_cache_max_age = time(0s); print 1",
    ] {
        let never = if never.contains("set ") {
            never.to_owned()
        } else {
            format!("set query_results_cache_max_age = 5m; {never}")
        };
        ask(&never, json!({}));
        assert_eq!(ask(&never, json!({})).1, None, "{never}");
    }
    let metrics = fixture.get("/metrics").body;
    assert!(metrics.contains("conshelf_query_cache_entries"), "{metrics}");
}
