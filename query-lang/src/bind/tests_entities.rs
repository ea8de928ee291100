//! Where tables are and what of them may be seen: databases, clusters, groups, patterns, `restrict access`.

use crate::catalog::TestCatalog;

fn catalog() -> TestCatalog {
    TestCatalog::default()
        .with_table("T", "a: long, b: string")
        .with_table("T2", "a: long, c: real")
        .with_function("F", "()", "{ T2 | count }")
}

/// The first message of a text; empty if it has none.
fn said(text: &str) -> String {
    let (diagnostics, _) = super::check(text, &catalog());
    diagnostics.first().map(|found| found.message.clone()).unwrap_or_default()
}

#[test]
fn texts_that_are_right() {
    for text in [
        "restrict access to (T); T | take 1",
        "restrict access to (database().*); T | union T2",
        "restrict access to (database('TestDb').T*); union T*",
        "restrict access to (database().F); F",
        "let v = view () { T | project a }; restrict access to (v); v | count",
        "let v = () { T | project a }; let w = 1; restrict access to (*); v | take w",
        "let f = (x: long) { x + 1 }; restrict access to (T); T | extend f(a)",
        "restrict access to (T); let v = () { T }; v",
        "alias database X = database('TestDb'); database('X').T",
        "alias database X = cluster('localhost').database('TestDb'); union database('X').T, database('X').T2",
        "cluster('.').database('TestDb').T",
        "table('T', 'hotcache') | union table('T2', 'all')",
        "let g = entity_group [database('TestDb'), cluster('.').database('TestDb')]; \
         macro-expand kind=inner g as X (let n = 1; X.T | extend d = X.$current_database, n | join (X.T2) on a)",
        "macro-expand isfuzzy=true entity_group [database('TestDb'), database('Nope')] as X (X.T)",
        "macro-expand entity_group [database('TestDb')] as X (macro-expand entity_group [T, T2] as Y (Y | union X.T))",
        "declare pattern p = (k: string)[l: string] { ('x').['y'] = { T | where b == k }; }; p('x').y",
        "declare query_parameters(x: long = 1); print x",
        "// nothing",
        "let x = 1;",
    ] {
        assert_eq!(said(text), "", "{text}");
    }
}

#[test]
fn what_is_out_of_reach_is_refused() {
    for (text, expected) in [
        ("restrict access to (T); T2", "'T2' cannot be seen"),
        ("restrict access to (T); union T*, T2", "'T2' cannot be seen"),
        ("restrict access to (T); table('T2')", "'T2' cannot be seen"),
        ("restrict access to (T); F", "'F' cannot be seen"),
        ("restrict access to (T); database('TestDb').T2", "'T2' cannot be seen"),
        ("let v = () { T }; restrict access to (v); T", "'T' cannot be seen"),
        ("let v = () { T | take 1 }; restrict access to (T2); v", "'v' cannot be seen"),
        ("let v = () { T }; restrict access to (T2); v", "'T' cannot be seen"),
        ("let v = () { T }; let w = () { v }; restrict access to (T2); w()", "'T' cannot be seen"),
        ("let v = T; restrict access to (T2); v", "'v' cannot be seen"),
        ("restrict access to (T, T2); restrict access to (T2); T", "'T' cannot be seen"),
        ("restrict access to (Nope); T", "'Nope'"),
        ("restrict access to (database('Nope').*); T", "'Nope'"),
        ("cluster('help').database('Samples').T | take 1", "'help' cannot be reached"),
        ("macro-expand nope as X (X.T)", "no entity group 'nope'"),
        ("macro-expand entity_group [database('TestDb')] as X (X.Nope)", "'Nope'"),
        ("macro-expand entity_group [1] as X (X)", "A cluster, database or table is expected"),
        ("table('T', 'cold')", "no scope of data"),
        ("alias database X = database('Nope'); database('X').T", "'Nope'"),
    ] {
        let found = said(text);
        assert!(found.contains(expected), "{text}: {found}");
    }
}

#[test]
fn missing_patterns_are_told_together() {
    let text = "declare pattern p; union p('a').['b'], p(\"a\").[\"b\"], p('a').c";
    assert_eq!(
        said(text),
        "One or more pattern references were not declared. Detected pattern references: \
         [\"p('a').['b']\",\"p('a').['c']\"]"
    );
}
