//! Formatting keeps the meaning and the comments of every query, and changes nothing the second time.

mod support;

use conshelf_kql::editor::format;
use conshelf_kql::token::TokenKind;
use conshelf_kql::{lex, parse};

#[test]
fn layout() {
    let texts = [
        "T|where a>1 and b=='x'|summarize count() by bin(t,1h),b|order by b asc",
        "let x=1;let f=(a:long,b:string='z'){a+1};\n\n\nT|extend y=f(x)|take 5",
        "let f = (X:(a:long)) { let y = 1; X | where a > y | project a, y }; f(T) | count",
        "T|join kind=inner hint.strategy=shuffle(U|where k>1|project k,v|summarize sum(v) by k)on $left.a==$right.k",
        "// first\nT // the table\n// about where\n| where a > 1 // why\n| project a, // one\n b\n// end",
        "T | project aaaaaaaaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb, cccccccccccccccccccccccccc, dddddddddddddd = 1",
        "T | summarize aaaaaaaaaaaaaaaaaaa = count(), bbbbbbbbbbbbbbbbbbbbbbbbbbb = sum(x), ccccccccccccccc = avg(z) by k, bin(t, 1d)",
        "T | where aaaaaaaaaaaaaaaaaaaaaaa == 1 and bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb == 2 and (ccccccccccccccccccccc == 3 or d == 4)",
        "datatable(a:long, b:string)[1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 2,'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 3, 'ccccccccccccccccc']",
        "print a=-1, b=dynamic({\"a\":[1,2]}), c=x[0].y['z'], d = 2*-3, e = a-1",
        "T | where a in (U | where b > 1 | project a) and c between (1..5) | render timechart with (title='x', kind = stacked)",
        "T | mv-apply a to typeof(long) on (where a > 1 | top 2 by a | project a, something_rather_long)",
        "union (T | where a > 1 | project a, bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb), (U | project a, ccccccccccccccccccccccccccc) | count",
        "T | scan declare (s:long=0) with (step one: true => s = one.s + 1; step two: a > 1;)",
        "set notruncation; #x\nT",
        "T | project-away a*, *b | make-graph a --> b with N on id | graph-match (x)-[e*1..3]->(y) where x.a > 1 project x.a",
    ];
    let formatted: Vec<String> = texts.iter().map(|text| format(text)).collect();
    insta::assert_snapshot!(formatted.join("────\n"));
}

fn comments(text: &str) -> Vec<String> {
    let tokens = lex(text).into_iter().filter(|token| token.kind == TokenKind::Comment);
    tokens.map(|token| token.span.text(text).trim_end().to_owned()).collect()
}

/// Checks a text; true if it was formatted, not just left alone.
fn check(text: &str) -> bool {
    let once = format(text);
    assert_eq!(format(&once), once, "twice is not once:\n{text}");
    let (before, after) = (parse(text), parse(&once));
    if before.has_errors() {
        assert_eq!(once, text);
        return true;
    }
    assert_eq!(before.query.to_string(), after.query.to_string(), "{text}");
    assert_eq!(comments(text), comments(&once), "{text}");
    let lines = |text: &str| text.split_whitespace().collect::<String>();
    assert_eq!(lines(text), lines(&once), "only white space changes");
    once != text || text.trim_end() == text.trim_end_matches('\n')
}

fn queries() -> Vec<String> {
    let mut found: Vec<String> = include_str!("operators.kql").lines().map(str::to_owned).collect();
    found.extend(support::corpora());
    found
}

#[test]
fn every_query_keeps_its_meaning_and_its_comments() {
    let queries = queries();
    let mut left_alone = Vec::new();
    for query in &queries {
        check(query);
        let broken =
            parse(query).has_errors() || query.trim().is_empty() || query.trim_start().starts_with('.');
        // A formatted text ends with a line break.
        if !broken && !format(query).ends_with('\n') {
            left_alone.push(query.clone());
        }
    }
    let share = left_alone.len() as f64 / queries.len() as f64;
    assert!(
        share < 0.005,
        "{} of {} were left alone:\n{}",
        left_alone.len(),
        queries.len(),
        left_alone.join("\n\n")
    );
}
