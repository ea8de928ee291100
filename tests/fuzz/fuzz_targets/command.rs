//! Any text as a management command over an empty store: refused or done, never a panic.
#![no_main]

use std::sync::LazyLock;

use conshelf::activity::Activity;
use conshelf::command::{CommandContext, execute};
use conshelf::engine::QueryContext;
use conshelf::engine::context::QueryLimits;
use conshelf_storage::{Store, StoreOptions};

static STORE: LazyLock<Store> = LazyLock::new(|| {
    let directory = std::env::temp_dir().join(format!("conshelf-fuzz-command-{}", std::process::id()));
    let options = StoreOptions { background: false, ..StoreOptions::default() };
    Store::open(directory, options).expect("a store")
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let limits = QueryLimits { timeout: std::time::Duration::from_secs(2), ..QueryLimits::default() };
    let query = QueryContext::new(limits, 638_396_640_000_000_000);
    let context = CommandContext {
        store: &STORE,
        activity: &Activity::default(),
        database: "",
        read_only: true,
        activity_id: Default::default(),
        user: "",
        query: &query,
        started_ticks: 0,
    };
    let _ = execute(&context, &format!(".{text}"));
});
