#![no_main]
//! Any text with the cursor at any place: every service for editors answers, and formatting twice is formatting once.

use conshelf_kql::catalog::TestCatalog;
use conshelf_kql::editor;

libfuzzer_sys::fuzz_target!(|data: (u16, &str)| {
    let (place, text) = data;
    let catalog = TestCatalog::default().with_table("T", "a: long, b: string, d: dynamic");
    let at = usize::from(place) % (text.len() + 2);
    editor::complete(text, at, &catalog);
    editor::hover(text, at, &catalog);
    editor::signature_help(text, at, &catalog);
    editor::references(text, at, &catalog);
    editor::classify(text, &catalog);
    let formatted = editor::format(text);
    assert_eq!(editor::format(&formatted), formatted);
});
