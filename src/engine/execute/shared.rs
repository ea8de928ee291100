//! Results that are computed once per query however often they are used (`materialize`, `as`).

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::engine::error::Result;
use crate::engine::execute::materialised::Materialised;

type Slot = Arc<Mutex<Option<Arc<Materialised>>>>;

/// By the id that the plan gives.
#[derive(Default)]
pub struct SharedResults {
    slots: Mutex<HashMap<u32, Slot>>,
}

impl SharedResults {
    /// The rows of an id; computed by the first who asks, others wait.
    pub fn get(
        &self,
        id: u32,
        compute: impl FnOnce() -> Result<Arc<Materialised>>,
    ) -> Result<Arc<Materialised>> {
        let slot = self.slots.lock().entry(id).or_default().clone();
        let mut slot = slot.lock();
        if let Some(rows) = &*slot {
            return Ok(rows.clone());
        }
        let rows = compute()?;
        *slot = Some(rows.clone());
        Ok(rows)
    }
}
