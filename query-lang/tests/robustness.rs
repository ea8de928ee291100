//! No text panics, overflows the stack or takes more than linear time, however broken.

use std::time::{Duration, Instant};

use conshelf_kql::ast::{ExprKind, StatementKind};
use conshelf_kql::parser::Parsed;
use conshelf_kql::{lex, parse};
use proptest::prelude::*;

const OPERATORS: &str = include_str!("operators.kql");

fn queries() -> Vec<&'static str> {
    OPERATORS.lines().filter(|line| !line.is_empty() && !line.starts_with("//")).collect()
}

fn too_deep(parsed: &Parsed) -> bool {
    parsed.diagnostics.iter().any(|found| found.code == "KS245")
}

#[test]
fn deep_nesting_is_refused_in_few_words() {
    for (open, inside, close) in [
        ("(", "1", ")"),
        ("f(", "1", ")"),
        ("x[", "1", "]"),
        ("(-", "1", ")"),
        ("a and (b or ", "c", ")"),
        ("a in (", "b", ")"),
        ("toscalar(print ", "1", ")"),
        ("T | join (", "U", ") on a"),
        ("T | where x in (T | where ", "y", ")"),
        ("T | partition by a (", "count", ")"),
        ("T | mv-apply a on (", "count", ")"),
        ("union (", "T", ")"),
        ("let f = () { ", "1", " }; f()"),
        ("dynamic([", "1", "])"),
        ("print dynamic({\"a\": [", "1", "]})"),
        ("print dynamic(", "1", ")"),
    ] {
        for levels in [90, 10_000] {
            let text = format!("{}{inside}{}", open.repeat(levels), close.repeat(levels));
            let parsed = parse(&text);
            assert!(parsed.diagnostics.len() < 1_000, "{open}: {}", parsed.diagnostics.len());
            assert!(levels < 1_000 || parsed.has_errors(), "{open}");
            // What was understood can be printed and dropped.
            assert!(parsed.query.to_string().len() <= text.len() * 4 + 100);
        }
        let unclosed = parse(&open.repeat(10_000));
        assert!(unclosed.has_errors(), "{open}");
    }
    assert!(too_deep(&parse(&"(".repeat(100_000))));
    assert!(!parse(&format!("print {}1{}", "(".repeat(90), ")".repeat(90))).has_errors());
}

#[test]
fn long_chains_stay_shallow_or_are_refused() {
    let terms = vec!["a == 1"; 20_000];
    for joined in [terms.join(" or "), terms.join(" and ")] {
        let parsed = parse(&format!("T | where {joined}"));
        assert!(!parsed.has_errors());
        let copy = parsed.clone();
        assert_eq!(parsed, copy);
    }
    for link in [" + ", " - ", " * "] {
        let terms = |count| format!("print {}", vec!["a"; count].join(link));
        assert!(!parse(&terms(900)).has_errors());
        assert!(too_deep(&parse(&terms(50_000))));
    }
    assert!(too_deep(&parse(&format!("print a{}", ".b".repeat(50_000)))));
    assert!(too_deep(&parse(&format!("print a{}", "[0]".repeat(50_000)))));
    let pipes = parse(&format!("T{}", " | where a".repeat(20_000)));
    let StatementKind::Expression(expression) = &pipes.query.statements[0].kind else {
        panic!("an expression")
    };
    let ExprKind::Pipeline(pipeline) = &expression.kind else { panic!("a pipeline") };
    assert_eq!(pipeline.operators.len(), 20_000);
}

#[test]
fn time_grows_with_the_text_only() {
    let texts: [fn(usize) -> String; 5] = [
        |size| format!("T | where {}", "x has 'a' and y in (1, 2, 3) or ".repeat(size)),
        |size| format!("print dynamic([{}])", "1, 'a', {\"b\": null}, ".repeat(size)),
        |size| "T | wher x | (((".repeat(size),
        |size| format!("datatable (a: long) [{}]", "1, 2, ".repeat(size)),
        |size| format!("T | where a in ({})", "b in (c, (d | e)), ".repeat(size)),
    ];
    let time = |text: &str| {
        (0..3)
            .map(|_| {
                let start = Instant::now();
                let _ = parse(text);
                start.elapsed()
            })
            .min()
            .unwrap_or_default()
    };
    for text in texts {
        let small = time(&text(1_000)).max(Duration::from_millis(2));
        let large = time(&text(8_000));
        assert!(large < small * 40, "{}: {small:?}, {large:?}", &text(1));
    }
}

/// Checks what holds of any text.
fn check(text: &str) -> Result<(), TestCaseError> {
    let parsed = parse(text);
    for found in &parsed.diagnostics {
        prop_assert!(
            found.span.start <= found.span.end && found.span.end as usize <= text.len(),
            "{:?}",
            found
        );
        prop_assert!(text.is_char_boundary(found.span.start as usize));
    }
    let rendered = conshelf_kql::diagnostic::render_all(&parsed.diagnostics, text);
    prop_assert_eq!(rendered.is_empty(), parsed.diagnostics.is_empty());
    let printed = parsed.query.to_string();
    if !parsed.has_errors() {
        let again = parse(&printed);
        prop_assert!(!again.has_errors(), "{}\n{}\n{:?}", text, printed, again.diagnostics);
        prop_assert_eq!(again.query.to_string(), printed);
    }
    Ok(())
}

proptest! {
    #[test]
    fn damaged_queries_are_understood_as_far_as_they_go(
        which in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
        edits in prop::collection::vec((0..5_u8, any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..4),
    ) {
        let queries = queries();
        let pieces = |text: &'static str| -> Vec<&'static str> {
            lex(text).into_iter().map(|token| token.text(text)).filter(|piece| !piece.is_empty()).collect()
        };
        let mut tokens = pieces(queries[which.index(queries.len())]);
        let strange = pieces(queries[other.index(queries.len())]);
        for (edit, at, from) in edits {
            if tokens.is_empty() {
                break;
            }
            let at = at.index(tokens.len());
            match edit {
                0 => { tokens.remove(at); }
                1 => tokens.insert(at, tokens[at]),
                2 => { let from = from.index(tokens.len()); tokens.swap(at, from); }
                3 => tokens[at] = strange[from.index(strange.len())],
                _ => tokens.truncate(at),
            }
        }
        check(&tokens.concat())?;
        check(&tokens.join(" "))?;
    }

    #[test]
    fn any_text_is_survived(text in "(\\PC|[ a-z'\"()|=.0-9\n\\@h`~#/{}\\[\\];,-]){0,120}") {
        check(&text)?;
    }
}
