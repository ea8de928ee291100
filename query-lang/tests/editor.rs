//! Editor services over typical places of queries, and over every place of the corpora (with
//! `CONSHELF_CONFORMANCE_DIR`).

mod support;

use conshelf_kql::catalog::TestCatalog;
use conshelf_kql::editor::{self, CompletionKind, complete};
use conshelf_kql::{Type, parse};

fn catalog() -> TestCatalog {
    TestCatalog::default()
        .with_table("T", "a: long, b: string, x y: datetime, d: dynamic")
        .with_table("U", "k: long, v: real, a: long")
        .with_function("stored", "(n: long)", "{ T | where a > n }")
}

/// Labels of the items at `^`, with the text that an item would replace.
fn labels(marked: &str) -> (Vec<String>, String) {
    let at = marked.find('^').expect("a cursor");
    let text = marked.replacen('^', "", 1);
    let found = complete(&text, at, &catalog());
    (found.items.iter().map(|item| item.label.clone()).collect(), text[found.start..found.end].to_owned())
}

#[test]
fn what_may_stand_is_proposed_and_what_may_not_is_not() {
    let cases: &[(&str, &[&str], &[&str])] = &[
        (
            "^",
            &["T", "U", "let", "print", "range", "union", "set", "stored", "datatable"],
            &["where", "a", "abs"],
        ),
        ("T | ^", &["where", "summarize", "join", "mv-expand", "union"], &["print", "range", "a", "by"]),
        ("T | project-^", &["project", "project-away", "where"], &["a"]),
        (
            "T | make-graph a --> b with_node_id=n | graph-match (x)-[e]->(y) where ^",
            &["x", "e", "node_id"],
            &["n"],
        ),
        ("T | make-graph a --> b with_node_id=n | graph-match (x)-[e]->(y) where x.^", &["n"], &["a", "b"]),
        ("T | make-graph a --> b with_node_id=n | graph-match (x)-[e]->(y) project e.^", &["a", "d"], &["n"]),
        ("let g = T | make-graph a --> b; ^", &["g", "T"], &["a"]),
        ("T | where ^", &["a", "b", "x y", "d", "strlen", "now", "ago"], &["count", "T", "sum", "print"]),
        ("T | where a ^", &["==", "between", "in"], &["has", "contains", "a"]),
        ("T | where b ^", &["has", "contains", "==", "in~"], &["strlen"]),
        ("T | where b has^", &["has", "hasprefix"], &["strlen"]),
        ("T | where b == 'x' ^", &["and", "or"], &["strlen"]),
        ("T | extend z = a + 1 | project ^", &["z", "a"], &["k"]),
        ("T | summarize ^", &["count", "dcount", "by", "a", "strlen", "hint.strategy"], &["desc"]),
        ("T | summarize n = sum(^", &["a", "strlen"], &["count", "by"]),
        ("T | summarize count() ^", &["by"], &["a"]),
        ("T | summarize count() by ^", &["a", "bin"], &["dcount", "avg"]),
        ("T | summarize n = count() by b | where ^", &["n", "b"], &["a"]),
        ("T | join ^", &["U", "T", "kind", "hint.strategy"], &["strlen", "a"]),
        ("T | join kind=^", &["inner", "leftouter", "anti"], &["U"]),
        ("T | join kind=inner (^", &["U", "T"], &["a"]),
        ("T | join kind=inner (U | where ^", &["k", "v"], &["b"]),
        ("T | join kind=inner (U) ^", &["on"], &["a"]),
        ("T | join kind=inner (U) on ^", &["a", "$left", "$right"], &["b", "k"]),
        ("T | join kind=inner (U) on $left.^", &["a", "b"], &["k", "$left"]),
        ("T | join kind=inner (U) on $left.a == $right.^", &["k", "v"], &["b"]),
        ("T | join kind=inner (U) on a | where ^", &["k", "b"], &[]),
        ("T | lookup kind=^", &["inner", "leftouter"], &["anti"]),
        ("T | sort ^", &["by"], &["a"]),
        ("T | sort by ^", &["a", "strlen"], &["asc"]),
        ("T | sort by a ^", &["asc", "desc", "nulls"], &["b"]),
        ("T | sort by a asc nulls ^", &["first", "last"], &["asc"]),
        ("T | top 3 ^", &["by"], &[]),
        ("T | render ^", &["timechart", "piechart"], &["a"]),
        ("T | render timechart with (^", &["kind", "title", "legend"], &["a"]),
        ("T | render timechart with (legend=^", &["hidden", "visible"], &[]),
        ("T | render timechart with (title='x', kind=^", &["stacked"], &["inner"]),
        ("let x = ^", &["T", "abs", "print", "materialize"], &["where"]),
        ("let x = 1; let f = (n: long) { n }; T | where a > ^", &["x", "f", "a"], &[]),
        ("let V = T | project a; ^", &["V", "T"], &[]),
        ("let V = T | project q = a; V | where ^", &["q"], &["b"]),
        ("let f = (n: long) { T | where ^", &["n", "a"], &["k"]),
        ("let f = (X: (q: long)) { X | where ^ }; f(T)", &["q"], &["a"]),
        ("let f = (X: (q: long)) { ^ }; f(T)", &["X", "T", "let"], &[]),
        ("T | evaluate ^", &["bag_unpack", "pivot", "narrow"], &["abs"]),
        ("T | mv-expand ^", &["d", "kind"], &[]),
        ("T | mv-expand d to typeof(^", &["long", "string"], &["a"]),
        ("T | mv-apply e = d to typeof(long) on (where ^", &["e", "a"], &[]),
        ("T | mv-apply e = d to typeof(long) on (^", &["where", "top"], &["print"]),
        ("T | extend m = datetime_diff(^", &["'month'", "'day'"], &["a"]),
        ("T | extend m = datetime_diff('mo^", &["'month'"], &["a"]),
        ("T | where [^", &["a"], &[]),
        ("T | where ['x^", &["x y"], &["strlen"]),
        ("T | project-away ^", &["a", "x y"], &["strlen"]),
        ("T | project-rename z = ^", &["a"], &[]),
        ("T | project-reorder a ^", &["asc", "desc"], &[]),
        ("T | distinct ^", &["a", "b"], &[]),
        ("range x from 1 to ^", &["now", "abs"], &["a"]),
        ("range x ^", &["from"], &[]),
        ("range x from 1 ^", &["to"], &[]),
        ("set ^", &["notruncation", "query_now"], &["a"]),
        ("union ^", &["T", "U", "withsource", "kind"], &["abs"]),
        ("union isfuzzy=^", &["true", "false"], &["T"]),
        ("datatable(x:^", &["long", "string"], &["T"]),
        ("database('TestDb').^", &["T", "U", "stored"], &["abs"]),
        ("database(^", &[], &[]),
        ("T | where a in (^", &["a", "T"], &[]),
        ("T | where a in (U | project ^", &["k"], &["b"]),
        ("T | invoke ^", &["stored"], &["abs"]),
        ("T | make-series ^", &["count", "sum"], &[]),
        ("T | make-series count() on ['x y'] ^", &["from", "to", "step", "in"], &[]),
        ("T | make-series count() default=0 on ^", &["x y", "a"], &[]),
        ("T | parse b with * 'x' y: ^", &["long"], &[]),
        ("T | partition ^", &["by", "hint.strategy"], &[]),
        ("T | partition by b (^", &["top", "where"], &[]),
        ("T | partition by b (where ^", &["a"], &[]),
        ("T | where nosuch > 1 | project ^", &["a"], &[]),
        ("T | where ( | project ^", &["a"], &[]),
        ("T | extend z = | project ^", &["a"], &[]),
        ("print ^", &["now", "strlen"], &["a"]),
        ("T | take ^", &[], &["a"]),
        ("T | top-nested 1 of ^", &["a"], &[]),
        ("T | top-nested 1 of a by ^", &["count", "sum"], &[]),
        ("// a ^", &[], &["T"]),
        ("print 'a ^'", &[], &["T"]),
        ("declare ^", &["query_parameters"], &[]),
        ("T | summarize hint.^", &["hint.shufflekey"], &[]),
        ("T | where b !^", &[], &[]),
        ("search in (^", &["T"], &["abs"]),
        ("find in (T) where ^", &["abs"], &[]),
        ("T | scan with (step s: ^", &["a"], &[]),
        ("T | fork (where ^", &["a"], &[]),
        ("T | as X | where a in (X | project ^", &["b"], &[]),
    ];
    let mut wrong = Vec::new();
    for (marked, wanted, unwanted) in cases {
        let (found, _) = labels(marked);
        let missing: Vec<_> =
            wanted.iter().filter(|label| !found.iter().any(|other| other == *label)).collect();
        let extra: Vec<_> =
            unwanted.iter().filter(|label| found.iter().any(|other| other == *label)).collect();
        if !missing.is_empty() || !extra.is_empty() {
            let start: Vec<&str> = found.iter().take(12).map(String::as_str).collect();
            wrong.push(format!(
                "{marked}\n  missing {missing:?}, extra {extra:?}; {} found: {start:?}",
                found.len()
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {} wrong\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn the_word_at_the_cursor_is_replaced() {
    for (marked, word) in [
        ("T | proj^ect a", "project"),
        ("T | project-aw^", "project-aw"),
        ("T | where ab^", "ab"),
        ("T | where ['x ^y'] > 1", "['x y']"),
        ("T | where b !ha^", "!ha"),
        ("T | join hint.str^", "hint.str"),
        ("T | where a-b^", "b"),
        ("T | extend m = datetime_diff('mo^'", "'mo'"),
        ("^", ""),
        ("T | where a == 1^", ""),
    ] {
        assert_eq!(labels(marked).1, word, "{marked}");
    }
}

#[test]
fn names_are_quoted_and_calls_take_the_cursor() {
    let item = |marked: &str, label: &str| {
        let at = marked.find('^').expect("a cursor");
        let text = marked.replacen('^', "", 1);
        let found = complete(&text, at, &catalog());
        found.items.into_iter().find(|item| item.label == label).expect("the item")
    };
    assert_eq!(item("T | where ^", "x y").insert, "['x y']");
    assert_eq!(item("T | where ['^", "a").insert, "['a']");
    let call = item("T | where ^", "strlen");
    assert_eq!((call.insert.as_str(), call.caret), ("strlen()", Some(7)));
    assert!(call.detail.starts_with("strlen(") && call.documentation.contains("```kusto"));
    assert_eq!(item("T | where strl^(b)", "strlen").insert, "strlen");
    assert_eq!(item("T | join ^", "kind").insert, "kind=");
    assert_eq!(item("T | where ^", "a").detail, "long");
    assert_eq!(item("T | where ^", "a").kind, CompletionKind::Column);
}

fn help(marked: &str) -> Option<String> {
    let at = marked.find('^').expect("a cursor");
    editor::hover(&marked.replacen('^', "", 1), at, &catalog()).map(|found| found.markdown)
}

#[test]
fn hover_says_what_a_word_is() {
    for (marked, part) in [
        ("T | wh^ere a > 1", "Keeps the rows"),
        ("T | where ^a > 1", "a: long"),
        ("^T | where a > 1", "['x y']: datetime"),
        ("T | where strl^en(b) > 1", "strlen("),
        ("T | summarize dco^unt(a)", "Aggregate"),
        ("let n = 1^0; let m = n; T | where a > ^", ""),
        ("let n = 10; T | where a > n^", "n: long"),
        ("let f = (p: string) { strlen(p) }; print f^('x')", "f(p: string)"),
        ("T | project-away ^b", "b: string"),
        ("T | join kin^d=inner (U) on a", "innerunique"),
        ("T | join (U) on ^a", "a: long"),
        ("T | where b ha^s 'x'", "term"),
        ("T | evaluate piv^ot(b)", "pivot("),
        ("print ag^o(1h)", "ago("),
        ("T | where ['x^ y'] > now()", "x y: datetime"),
        ("print x = lo^ng(1)", ""),
        ("print co^unt = 1", ""),
    ] {
        let found = help(marked).unwrap_or_default();
        assert!(found.contains(part), "{marked}: {found}");
    }
    assert_eq!(help("T // comm^ent"), None);
    assert_eq!(help("print 'te^xt'"), None);
}

#[test]
fn signatures_follow_the_cursor() {
    for (marked, label, parameter) in [
        ("print substring(^", "substring(", 0),
        ("print substring('abc', ^", "substring(", 1),
        ("print substring('abc', strlen(^", "strlen(", 0),
        ("print substring('abc', strlen('x'), ^", "substring(", 2),
        ("print strcat('a', 'b', 'c', ^", "strcat(", 0),
        ("let f = (a: long, b: string) { a }; print f(b=^", "f(a: long, b: string)", 1),
        ("T | summarize dcountif(a, ^", "dcountif(", 1),
        ("T | evaluate bag_unpack(^", "bag_unpack(", 0),
        ("print ago(^", "ago(", 0),
        ("stored(^", "stored(n: long)", 0),
    ] {
        let at = marked.find('^').expect("a cursor");
        let found = editor::signature_help(&marked.replacen('^', "", 1), at, &catalog()).expect(marked);
        let active = &found.signatures[found.active_signature];
        assert!(active.label.starts_with(label), "{marked}: {}", active.label);
        if !label.starts_with("strcat") {
            assert_eq!(found.active_parameter, parameter, "{marked}");
        }
        for (start, end) in &active.parameters {
            assert!(
                active.label.get(*start..*end).is_some_and(|text| !text.contains(", ")),
                "{}",
                active.label
            );
        }
    }
    for marked in ["print 1^", "T | where (a > ^", "print 'f(^'"] {
        let at = marked.find('^').expect("a cursor");
        assert_eq!(editor::signature_help(&marked.replacen('^', "", 1), at, &catalog()), None, "{marked}");
    }
}

#[test]
fn tokens_are_classified() {
    let text = "let n = 10; // ten\nT | where a > n and b has 'x' | summarize total = sum(a), dcount(b) by bin(['x y'], 1h) | join kind=inner (U) on a";
    let found: Vec<(&str, &str)> = editor::classify(text, &catalog())
        .iter()
        .map(|token| (token.span.text(text), token.kind.as_str()))
        .collect();
    for expected in [
        ("let", "keyword"),
        ("n", "variable"),
        ("10", "number"),
        ("// ten", "comment"),
        ("T", "table"),
        ("where", "queryOperator"),
        ("a", "column"),
        (">", "operator"),
        ("has", "operator"),
        ("'x'", "string"),
        ("summarize", "queryOperator"),
        ("sum", "aggregate"),
        ("by", "keyword"),
        ("bin", "function"),
        ("'x y'", "column"),
        ("1h", "literal"),
        ("kind", "parameter"),
        ("U", "table"),
    ] {
        assert!(found.contains(&expected), "{expected:?} in {found:?}");
    }
}

#[test]
fn declarations_definitions_and_references() {
    let text = "let n = 1; let f = (n: long) { let m = n; m + n }; T | where a > n | extend y = f(n)";
    let declared = editor::declarations(&parse(text).query);
    let names: Vec<(&str, &str)> =
        declared.iter().map(|found| (found.name.as_str(), found.kind.as_str())).collect();
    assert_eq!(names, [("n", "let"), ("f", "function"), ("n", "parameter"), ("m", "let")]);
    let defined = |at: usize| editor::definition(text, at, &catalog()).map(|found| found.span.start as usize);
    let last = text.rfind('n').expect("a use");
    assert_eq!(defined(last), text.find('n'));
    assert_eq!(defined(text.find("m + n").expect("a body") + 4), text.find("n: long"));
    assert_eq!(defined(text.find("a >").expect("a column")), None);
    let places: Vec<u32> = editor::references(text, last, &catalog()).iter().map(|span| span.start).collect();
    assert_eq!(places.len(), 3, "{places:?}");
}

#[test]
fn slips_are_corrected() {
    for (text, corrected) in [
        ("T | wher a > 1", "T | where a > 1"),
        ("T | project-awy a", "T | project-away a"),
        ("T | where strlenn(b) > 1", "T | where strlen(b) > 1"),
        ("print Latency = 1 | where Latancy > 1", "print Latency = 1 | where Latency > 1"),
        ("T | Where a > 1", "T | where a > 1"),
        ("T | summarize dcuont(a)", "T | summarize dcount(a)"),
    ] {
        let (diagnostics, _) = conshelf_kql::bind::check(text, &catalog());
        let fixes: Vec<_> = diagnostics.iter().flat_map(|found| editor::corrections(text, found)).collect();
        let results: Vec<String> = fixes
            .iter()
            .map(|fix| {
                format!(
                    "{}{}{}",
                    &text[..fix.span.start as usize],
                    fix.replacement,
                    &text[fix.span.end as usize..]
                )
            })
            .collect();
        assert!(results.iter().any(|result| result == corrected), "{text}: {results:?} {diagnostics:?}");
    }
}

#[test]
fn no_place_of_any_query_panics() {
    let catalog = catalog();
    // Every place of some queries, some places of every query.
    for (number, query) in support::corpora().iter().enumerate() {
        if query.len() > 3_000 {
            continue;
        }
        let step = if number % 40 == 0 { query.len() / 30 + 1 } else { query.len() + 1 };
        for at in (number % step..=query.len()).step_by(step) {
            complete(query, at, &catalog);
            editor::hover(query, at, &catalog);
            editor::signature_help(query, at, &catalog);
            editor::definition(query, at, &catalog);
        }
        editor::classify(query, &catalog);
    }
}

#[test]
fn every_token_but_white_space_has_a_class() {
    for query in support::corpora() {
        let covered: u32 = editor::classify(&query, &catalog()).iter().map(|token| token.span.len()).sum();
        let solid: u32 = conshelf_kql::lex(&query)
            .iter()
            .filter(|token| token.kind != conshelf_kql::token::TokenKind::Whitespace)
            .map(|token| token.span.len())
            .sum();
        assert_eq!(covered, solid, "{query}");
    }
}

#[test]
fn types_have_one_name() {
    assert!(Type::ALL.iter().all(|ty| Type::from_name(ty.name()) == Some(*ty)));
}
