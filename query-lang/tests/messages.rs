//! What the parser says of broken texts. `broken.kql` holds the texts, with empty lines between them.

use conshelf_kql::diagnostic::render_all;

#[test]
fn broken_queries() {
    let mut out = String::new();
    for text in include_str!("broken.kql").split("\n\n") {
        let parsed = conshelf_kql::parse(text.trim_end());
        let rendered = render_all(&parsed.diagnostics, text.trim_end());
        assert!(parsed.has_errors(), "{text}");
        out.push_str(&format!("=== {}\n{rendered}\n", text.trim_end()));
    }
    insta::assert_snapshot!(out);
}
