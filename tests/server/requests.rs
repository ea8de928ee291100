//! What a request may bring and may not: rows, bodies, origins, tokens.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use conshelf::server::Settings;
use serde_json::json;

use crate::fixture::Fixture;

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
