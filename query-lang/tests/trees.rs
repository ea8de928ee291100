//! The syntax tree of one query per operator, statement and literal form.

mod tree;

#[test]
fn one_tree_per_query() {
    let mut out = String::new();
    for line in
        include_str!("operators.kql").lines().filter(|line| !line.is_empty() && !line.starts_with("//"))
    {
        let parsed = conshelf_kql::parse(line);
        out.push_str(&format!("=== {line}\n"));
        for statement in &parsed.query.statements {
            out.push_str(&tree::shape(statement));
            out.push('\n');
        }
        out.push('\n');
    }
    insta::assert_snapshot!(out);
}

#[test]
fn operators_bind_as_tight_as_in_kusto() {
    let tree = |text: &str| tree::shape(&conshelf_kql::parse(text).query.statements[0]);
    for (loose, tight) in [
        ("a or b and c", "a or (b and c)"),
        ("a and b == c", "a and (b == c)"),
        ("a == b < c", "a == (b < c)"),
        ("a < b + c", "a < (b + c)"),
        ("a + b * c", "a + (b * c)"),
        ("a * b has c", "a * (b has c)"),
        ("a has -b", "a has (-b)"),
        ("-a.b", "-(a.b)"),
        ("a - b - c", "(a - b) - c"),
        ("a / b * c", "(a / b) * c"),
        ("a + b in (c)", "(a + b) in (c)"),
        ("a + 1 between (b .. c)", "(a + 1) between (b .. c)"),
        ("a or b or c", "a or (b or c)"),
    ] {
        let with = tree(&format!("print {tight}")).replace("Parenthesized(", "");
        let without = tree(&format!("print {loose}"));
        assert_eq!(with.replace(')', ""), without.replace(')', ""), "{loose}");
    }
}

#[test]
fn the_least_long_is_a_literal() {
    let parsed = conshelf_kql::parse("print -9223372036854775808");
    assert_eq!(tree::shape(&parsed.query.statements[0]), "Pipeline\n  | Print([Long(-9223372036854775808)])");
}

#[test]
fn some_operators_do_not_chain() {
    for text in
        ["a == b == c", "a < b < c", "a has b has c", "a in (b) in (c)", "- - a", "a between (b .. c) == d"]
    {
        assert!(conshelf_kql::parse(&format!("print {text}")).has_errors(), "{text}");
    }
}
