//! Operators that hold much must charge what they hold: the bytes that the process allocates while a query
//! runs, counted by its allocator, against the peak that the query was charged.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicI64, Ordering};

use conshelf::engine::context::QueryLimits;
use conshelf::engine::{Engine, QueryContext, QueryRequest};
use conshelf::storage::{DEFAULT_DATABASE, Store, StoreOptions};

/// Counts live bytes and their peak; the system allocates.
struct Counting;

static LIVE: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);

fn count(bytes: i64) {
    let live = LIVE.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(live, Ordering::Relaxed);
}

// SAFETY: every call is handed to the system's allocator with the arguments it came with; counting touches
// nothing but two atomic numbers.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: the caller's promise about `layout` is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: the caller's promise about `layout` is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        // SAFETY: `pointer` came from `alloc` above, that is from the system, with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as i64 - layout.size() as i64);
        // SAFETY: `pointer` came from `alloc` above, that is from the system, with this layout.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a query may hold beside what it is charged for: batches under way, plans, growth of vectors.
const SLACK_BYTES: i64 = 12 << 20;

#[test]
fn queries_are_charged_what_they_hold() {
    let directory = tempfile::tempdir().expect("directory");
    let options = StoreOptions { background: false, ..StoreOptions::default() };
    let store = Store::open(directory.path(), options).expect("store");
    let engine = Engine::new(store).with_workers(1);
    let rows = "range x from 1 to 400000 step 1";
    let mut wrong = Vec::new();
    for query in [
        "summarize count() by x",
        "summarize count(), sum(x), avg(x) by k = x % 200000, l = x % 3",
        "summarize count() by s = strcat('a text of some length ', x)",
        "summarize dcount(x) by k = x % 300",
        "summarize count_distinct(x)",
        "summarize percentiles(x, 50, 99) by k = x % 20",
        "summarize make_list(x)",
        "summarize make_set(x, 1000000) by k = x % 2",
        "summarize make_list(strcat('a text of some length ', x)) by k = x % 1000",
        "summarize arg_max(x, *) by k = x % 100000",
        "extend s = strcat('a text of some length ', x) | sort by s asc | summarize count()",
        "sort by x desc | extend n = row_number() | summarize max(n)",
        "distinct x",
        "join kind=inner (range x from 1 to 400000 step 1 | extend y = x * 2) on x | summarize count()",
        "join kind=fullouter (range x from 1 to 400000 step 1 | extend y = strcat('text ', x)) on x | summarize count()",
        "top 100000 by x desc | summarize count()",
        "as T | union T | summarize count()",
        "make-series count() on x from 0 to 400000 step 1 by k = x % 3",
        "extend l = pack_array(x, x) | mv-expand l | summarize count() by tostring(l)",
        "serialize n = row_number() | summarize max(n)",
        "partition hint.strategy=native by k (summarize count() by x)",
    ] {
        let text = match query.starts_with("partition") {
            true => format!("{rows} | extend k = x % 4 | {query}"),
            false => format!("{rows} | {query}"),
        };
        let limits = QueryLimits { result_rows: None, result_bytes: None, ..QueryLimits::default() };
        let context = QueryContext::new(limits, 638_000_000_000_000_000);
        let request = QueryRequest {
            text,
            database: DEFAULT_DATABASE.to_owned(),
            parameters: Vec::new(),
            context: context.clone(),
        };
        let before = LIVE.load(Ordering::Relaxed);
        PEAK.store(before, Ordering::Relaxed);
        let outcome = engine
            .prepare(&request)
            .and_then(|prepared| engine.run(&prepared, &mut |_, _| Ok(std::ops::ControlFlow::Continue(()))));
        outcome.unwrap_or_else(|error| panic!("{query}: {error:?}"));
        let held = PEAK.load(Ordering::Relaxed) - before;
        let charged = context.memory_peak_bytes() as i64;
        println!("{:>6} kB held {:>6} kB charged  {query}", held >> 10, charged >> 10);
        let least = (held - SLACK_BYTES) * 2 / 3;
        let most = held * 2 + SLACK_BYTES;
        if charged < least || charged > most {
            wrong.push(format!("{query}: held {held}, charged {charged}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
