//! Files as they are read and written: the contract with whoever writes them.

use proptest::prelude::*;

use super::*;

const FLEET: &str = r#"# What the hosts do.
version: 1
title: Fleet
description: What the hosts do.
database: NetDefaultDB
refresh: 30s
parameters:
  - {name: _time, label: Time range, kind: time-range, start: _startTime, end: _endTime, default: {last: 1h}}
  - {name: _hosts, label: Hosts, kind: choice, type: string, multiple: true, all: true, values: {query: "cpu | distinct hostname", value: hostname, label: hostname}, default: all}
  - {name: _text, label: Contains, kind: text, type: string, default: ""}
  - {name: _level, kind: choice, type: long, values: [1, {value: 2, label: two}], default: 2, pages: [Overview]}
base_queries: [{name: recent, query: "cpu | where Timestamp between (_startTime .. _endTime)"}]
pages:
  - title: Overview
    tiles:
      - id: load
        title: Load
        x: 0
        y: 0
        width: 12
        height: 6
        query: |
          recent
          | summarize avg(usage_user) by bin(Timestamp, 1m), hostname
          | render timechart
        visualization: {ymin: 0, ycolumns: [avg_usage_user], legend: hidden, shape: stacked}
        cross_filter: [{column: hostname, parameter: _hosts}, {drag: x, parameter: _time}]
      - {id: about, x: 12, y: 0, width: 12, height: 2, hide_title: true, markdown: "**hello**"}
"#;

#[test]
fn a_file_of_every_field_is_read_and_written() {
    let dashboard = read(FLEET, FileFormat::Yaml).expect("read");
    insta::assert_snapshot!(write(&dashboard, FileFormat::Yaml));
    for format in [FileFormat::Yaml, FileFormat::Json] {
        let written = write(&dashboard, format);
        assert_eq!(FileFormat::of_text(&written), format);
        assert_eq!(read(&written, format).as_ref(), Ok(&dashboard), "{written}");
    }
}

#[test]
fn every_mistake_is_told_at_its_place() {
    let change = |from: &str, to: &str| {
        assert!(FLEET.contains(from), "{from}");
        let problems = read(&FLEET.replacen(from, to, 1), FileFormat::Yaml).expect_err(to);
        let told: Vec<String> =
            problems.iter().map(|problem| format!("{} [{}]", problem, problem.path)).collect();
        told.join("\n")
    };
    let told: Vec<String> = [
        ("version: 1", "version: 2"),
        ("version: 1\n", ""),
        ("title: Fleet", "titel: Fleet"),
        ("refresh: 30s", "refresh: often"),
        ("refresh: 30s", "refresh: 100ms"),
        ("last: 1h", "last: -1h"),
        ("{last: 1h}", "{from: 2024-01-02, to: 2024-01-01}"),
        ("{last: 1h}", "1h"),
        ("kind: time-range", "kind: timerange"),
        ("name: _text", "name: _hosts"),
        ("name: _text", "name: 'a b'"),
        ("end: _endTime", "end: _startTime"),
        ("type: long", "type: dynamic"),
        ("default: 2,", "default: two,"),
        ("pages: [Overview]", "pages: [Other]"),
        ("{name: recent", "{nam: recent"),
        ("id: about", "id: load"),
        ("id: about", "id: 'a/b'"),
        ("x: 12", "x: 13"),
        ("width: 12\n", "width: wide\n"),
        ("markdown: \"**hello**\"", "markdown: a, query: b"),
        ("markdown: \"**hello**\"", "description: a"),
        ("ymin: 0", "ymin: low"),
        ("legend: hidden", "legend: gone"),
        ("parameter: _hosts", "parameter: _host"),
        ("parameter: _hosts", "parameter: _time"),
        ("drag: x", "drag: y"),
        ("  - title: Overview", "  - [1]\n  - title: Overview"),
        ("x: 0\n", "x: 0\n        x: 1\n"),
    ]
    .iter()
    .map(|(from, to)| format!("{from:?} as {to:?}\n{}\n", change(from, to)))
    .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn what_is_no_dashboard_is_refused() {
    for text in ["", "a", "[]", "{}", "1", "version: 1", "version: 1\ntitle: x", "pages: 1", "\u{0}"] {
        for format in [FileFormat::Yaml, FileFormat::Json] {
            let problems = read(text, format).expect_err(text);
            assert!(!problems.is_empty() && problems[0].place.line >= 1, "{text}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn whatever_is_read_comes_back_as_it_was(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0usize..12, piece()), 1..4),
        is_json in any::<bool>(),
    ) {
        let mut text: Vec<char> = if is_json {
            let dashboard = read(FLEET, FileFormat::Yaml).expect("read");
            write(&dashboard, FileFormat::Json).chars().collect()
        } else {
            FLEET.chars().collect()
        };
        for (at, length, piece) in edits {
            let at = at.index(text.len());
            let end = (at + length).min(text.len());
            text.splice(at..end, piece.chars());
        }
        fuzz_file(text.into_iter().collect::<String>().as_bytes());
    }
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~\n]{0,6}",
        "[:#{}\\[\\],&*|>'\"\n -]{0,3}",
        Just("1e3".to_owned()),
        Just("[]".to_owned()),
        Just("[\" a\", 'b']".to_owned()),
        Just("\u{85}é\t".to_owned()),
        Just("null".to_owned()),
    ]
}
