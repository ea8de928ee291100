//! What a query did, operator by operator: rows, batches, bytes and time.
//!
//! Counters are shared by all workers; times of several workers add up.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

/// Counters of one operator.
#[derive(Debug, Default)]
pub struct OperatorProfile {
    pub name: String,
    pub depth: usize,
    pub rows: AtomicU64,
    pub batches: AtomicU64,
    pub nanoseconds: AtomicU64,
    pub bytes: AtomicU64,
    /// What is to be said beside the numbers (pruned extents and the like).
    pub note: Mutex<String>,
}

impl OperatorProfile {
    pub fn add_output(&self, rows: usize) {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
        self.batches.fetch_add(1, Ordering::Relaxed);
    }

    pub fn add_time(&self, time: Duration) {
        self.nanoseconds.fetch_add(time.as_nanos() as u64, Ordering::Relaxed);
    }

    pub fn add_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub fn set_note(&self, note: String) {
        *self.note.lock() = note;
    }
}

/// All operators of a query, in the order in which the plan prints.
#[derive(Debug, Default)]
pub struct Profile {
    operators: Mutex<Vec<Arc<OperatorProfile>>>,
}

impl Profile {
    pub fn operator(&self, name: String, depth: usize) -> Arc<OperatorProfile> {
        let operator = Arc::new(OperatorProfile { name, depth, ..OperatorProfile::default() });
        self.operators.lock().push(operator.clone());
        operator
    }

    pub fn operators(&self) -> Vec<Arc<OperatorProfile>> {
        self.operators.lock().clone()
    }

    /// One line per operator, indented as the plan.
    pub fn print(&self) -> String {
        let mut text = String::new();
        for operator in self.operators.lock().iter() {
            let time = operator.nanoseconds.load(Ordering::Relaxed) as f64 / 1e6;
            let _ = write!(
                text,
                "{:indent$}{}  rows={} time={time:.3}ms",
                "",
                operator.name,
                operator.rows.load(Ordering::Relaxed),
                indent = operator.depth * 2
            );
            let bytes = operator.bytes.load(Ordering::Relaxed);
            if bytes > 0 {
                let _ = write!(text, " bytes={bytes}");
            }
            let note = operator.note.lock();
            if !note.is_empty() {
                let _ = write!(text, " {note}");
            }
            text.push('\n');
        }
        text
    }
}
