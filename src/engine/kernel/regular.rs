//! Regular expressions: compiled once per pattern and thread, bounded in size (reference: RE2 syntax).

use std::cell::RefCell;

use hashbrown::HashMap;
use regex::{Regex, RegexBuilder};

use crate::engine::error::{EngineError, Result};

/// Bytes a compiled pattern may take.
const SIZE_LIMIT: usize = 10 << 20;

/// Patterns a thread remembers.
const CACHED: usize = 256;

thread_local! {
    static CACHE: RefCell<HashMap<String, Regex, foldhash::fast::RandomState>> = RefCell::default();
}

/// The compiled pattern.
pub fn compile(pattern: &str) -> Result<Regex> {
    if let Some(known) = CACHE.with_borrow(|cache| cache.get(pattern).cloned()) {
        return Ok(known);
    }
    let regex = RegexBuilder::new(pattern).size_limit(SIZE_LIMIT).build().map_err(|error| {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
        EngineError::Evaluation(format!("the regular expression '{pattern}' is not valid: {reason}"))
    })?;
    CACHE.with_borrow_mut(|cache| {
        if cache.len() >= CACHED {
            cache.clear();
        }
        cache.insert(pattern.to_owned(), regex.clone());
    });
    Ok(regex)
}
