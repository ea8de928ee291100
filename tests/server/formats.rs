//! Answers for people and pages: every format, pictures, editors, the reference, the page itself.

use serde_json::{Value, json};

use crate::fixture::Fixture;

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
