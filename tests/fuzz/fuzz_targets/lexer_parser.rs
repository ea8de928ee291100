//! Any text as a query: lexing covers every byte, parsing ends and prints.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let tokens = conshelf_kql::lex(text);
    let covered: usize = tokens.iter().map(|token| (token.span.end - token.span.start) as usize).sum();
    assert_eq!(covered, text.len());
    let parsed = conshelf_kql::parse(text);
    for diagnostic in &parsed.diagnostics {
        assert!(diagnostic.span.end as usize <= text.len());
    }
});
