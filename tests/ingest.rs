//! Ingestion into a real store: what is made, what is refused, what is kept once.

use std::io::{self, Read};

use arrow_array::ArrayRef;
use conshelf::ingest::body::ContentEncoding;
use conshelf::ingest::column::ColumnBuilder;
use conshelf::ingest::{Failure, IngestError, IngestReport, IngestRequest, MappingChoice, OnError, run};
use conshelf_storage::{CatalogChange, ColumnType, ScanRequest, Store, StoreOptions, TableSchema};

fn store(directory: &tempfile::TempDir) -> Store {
    Store::open(directory.path(), StoreOptions::default()).expect("a store")
}

fn send(store: &Store, request: &IngestRequest, body: &[u8]) -> Result<IngestReport, IngestError> {
    run(store, request, &mut io::Cursor::new(body.to_vec()))
}

/// Every row of a table as texts, columns in the order of the schema: `name:type` and values.
fn table(store: &Store, name: &str) -> Vec<(String, Vec<String>)> {
    let snapshot = store.snapshot();
    let entry = snapshot.table("NetDefaultDB", name).expect("the table").clone();
    let data = snapshot.table_data(entry.id).expect("its data");
    let ids: Vec<u32> = entry.schema.columns.iter().map(|column| column.id).collect();
    let mut shown: Vec<(String, Vec<String>)> = entry
        .schema
        .columns
        .iter()
        .map(|column| (format!("{}:{}", column.name, column.ty.name()), Vec::new()))
        .collect();
    for morsel in data.scan(&ScanRequest::default()).expect("a scan").morsels {
        let arrays: Vec<ArrayRef> = morsel.read(&ids).expect("columns");
        for ((column, array), (_, values)) in entry.schema.columns.iter().zip(&arrays).zip(&mut shown) {
            let mut texts = ColumnBuilder::from_array(column.ty, array);
            texts.widen(ColumnType::String);
            values.extend(texts.texts().map(str::to_string));
        }
    }
    shown
}

fn expect_table(store: &Store, name: &str, expected: &[(&str, &[&str])]) {
    let got = table(store, name);
    let expected: Vec<(String, Vec<String>)> = expected
        .iter()
        .map(|(name, values)| (name.to_string(), values.iter().map(|value| value.to_string()).collect()))
        .collect();
    assert_eq!(got, expected);
}

#[test]
fn the_friendly_door_makes_what_is_missing_and_widens_without_loss() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = store(&directory);
    let request = IngestRequest::new("NetDefaultDB", "T");
    let report =
        send(&store, &request, b"{\"t\":\"2024-01-01T00:00:00Z\",\"n\":1,\"s\":\"x\"}\n").expect("stored");
    assert!(report.created.table);
    assert_eq!((report.rows, report.created.columns.len()), (1, 3));
    let report =
        send(&store, &request, b"{\"n\":0.5,\"extra\":{\"k\":[1]}}\n{\"s\":7,\"n\":2}").expect("stored");
    let names: Vec<(&str, &str, Option<&str>)> =
        report.created.columns.iter().map(|c| (c.name.as_str(), c.ty, c.was)).collect();
    assert_eq!(names, [("n", "real", Some("long")), ("extra", "dynamic", None)]);
    let report = send(&store, &request, b"{\"t\":\"soon\",\"n\":\"many\"}").expect("stored");
    let names: Vec<(&str, &str)> = report.created.columns.iter().map(|c| (c.name.as_str(), c.ty)).collect();
    assert_eq!(names, [("t", "dynamic"), ("n", "dynamic")]);
    expect_table(
        &store,
        "T",
        &[
            ("t:dynamic", &["2024-01-01T00:00:00.0000000Z", "", "", "soon"]),
            ("n:dynamic", &["1", "0.5", "2", "many"]),
            ("s:string", &["x", "", "7", ""]),
            ("extra:dynamic", &["", "{\"k\":[1]}", "", ""]),
        ],
    );
}

#[test]
fn a_bad_row_stops_all_of_the_request_or_is_passed_over() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = store(&directory);
    let body = b"{\"a\":1}\n{\"a\":oops}\n{\"a\":3}\n";
    let mut request = IngestRequest::new("NetDefaultDB", "T");
    let error = send(&store, &request, body).expect_err("a bad row");
    assert_eq!(
        (error.failure, error.line, error.field.as_deref()),
        (Failure::BadRequest, Some(2), Some("a"))
    );
    assert!(store.snapshot().table("NetDefaultDB", "T").is_none(), "nothing was made");
    request.on_error = OnError::Skip;
    let report = send(&store, &request, body).expect("the good rows");
    assert_eq!((report.rows, report.skipped, report.errors[0].line), (2, 1, 2));
    expect_table(&store, "T", &[("a:long", &["1", "3"])]);
}

#[test]
fn the_strict_door_needs_the_table_and_nulls_what_does_not_fit() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = store(&directory);
    let mut request = IngestRequest::new("NetDefaultDB", "T");
    request.create = false;
    let error = send(&store, &request, b"{\"a\":1}").expect_err("no table");
    assert_eq!(error.code, "BadRequest_TableNotExist");
    store
        .commit(CatalogChange::CreateTable {
            database: "NetDefaultDB".into(),
            name: "T".into(),
            schema: TableSchema::new([("a", ColumnType::Long), ("d", ColumnType::Dynamic)]),
            folder: String::new(),
            docstring: String::new(),
            if_not_exists: false,
        })
        .expect("created");
    let report =
        send(&store, &request, b"{\"a\":\"x\",\"z\":1}\n{\"a\":\"5\",\"d\":{\"k\":1}}").expect("stored");
    assert_eq!((report.rows, report.nulled_values), (2, 1));
    request.mapping = MappingChoice::Inline(serde_json::json!([
        {"column": "a", "Properties": {"Path": "$.deep.value"}},
        {"column": "d", "Properties": {"Path": "$"}}
    ]));
    send(&store, &request, b"{\"deep\":{\"value\":9}}").expect("stored");
    expect_table(
        &store,
        "T",
        &[("a:long", &["", "5", "9"]), ("d:dynamic", &["", "{\"k\":1}", "{\"deep\":{\"value\":9}}"])],
    );
    request.mapping = MappingChoice::Named("nowhere".into());
    let error = send(&store, &request, b"{}").expect_err("no mapping");
    assert_eq!(error.code, "BadRequest_InvalidMappingReference");
}

#[test]
fn the_same_key_stores_once_and_encodings_are_read() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = store(&directory);
    let mut request = IngestRequest::new("NetDefaultDB", "T");
    request.idempotency_key = Some("k1".into());
    let plain = b"a,b\n1,x\n2,y\n".to_vec();
    let mut gzip = Vec::new();
    flate2::read::GzEncoder::new(&plain[..], flate2::Compression::fast())
        .read_to_end(&mut gzip)
        .expect("gzip");
    for (encoding, body) in [
        (ContentEncoding::Identity, plain.clone()),
        (ContentEncoding::Zstd, zstd::encode_all(&plain[..], 1).expect("zstd")),
        (ContentEncoding::Gzip, gzip),
    ] {
        request.content_encoding = encoding;
        let report = send(&store, &request, &body).expect("stored");
        assert_eq!((report.rows, report.duplicate), (2, encoding != ContentEncoding::Identity));
    }
    expect_table(&store, "T", &[("a:long", &["1", "2"]), ("b:string", &["x", "y"])]);
    request.content_encoding = ContentEncoding::Gzip;
    let error = send(&store, &request, b"not gzip").expect_err("not gzip");
    assert_eq!(error.failure, Failure::BadRequest);
    let error = send(&store, &IngestRequest::new("NetDefaultDB", "T"), b" \n").expect_err("empty");
    assert_eq!(error.code, "Stream_NoDataToIngest");
}

/// A body that never lies in memory as a whole, and breaks at the end.
struct Endless {
    line: Vec<u8>,
    left: usize,
    at: usize,
}

impl Read for Endless {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::new(io::ErrorKind::ConnectionReset, "gone"));
        }
        let count = (self.line.len() - self.at).min(out.len());
        out[..count].copy_from_slice(&self.line[self.at..self.at + count]);
        self.at = (self.at + count) % self.line.len();
        self.left = self.left.saturating_sub(count);
        Ok(count)
    }
}

#[test]
fn a_stream_longer_than_all_or_nothing_says_how_far_it_came() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = store(&directory);
    let line = format!("{{\"m\":\"{}\"}}\n", "x".repeat(1000)).into_bytes();
    let rows = 100_000;
    let mut body = Endless { left: line.len() * rows, line, at: 0 };
    let mut request = IngestRequest::new("NetDefaultDB", "T");
    request.idempotency_key = Some("stream".into());
    let error = run(&store, &request, &mut body).expect_err("it breaks off");
    assert_eq!(error.failure, Failure::Disconnected);
    assert!(error.report.rows > 50_000 && error.report.rows <= rows as u64, "{}", error.report.rows);
    let stored = || -> u64 {
        let snapshot = store.snapshot();
        let id = snapshot.table("NetDefaultDB", "T").expect("the table").id;
        snapshot.table_data(id).expect("its data").rows()
    };
    assert_eq!(stored(), error.report.rows);
    let mut again = Endless { left: body.line.len() * rows, line: body.line, at: 0 };
    let repeated = run(&store, &request, &mut again).expect_err("it breaks off again");
    assert_eq!(stored(), repeated.report.rows, "what was stored is not stored twice");
}
