//! What clients of the protocol rely on: the shape of answers, options, parameters, codes of errors.

use serde_json::{Value, json};

use crate::fixture::{Answer, Fixture};

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
