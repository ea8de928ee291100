//! Deleting the files of extents that left their table: after the last snapshot that reads them, and after the
//! time in which the drop could be undone.

use std::io;

use uuid::Uuid;

use crate::error::{Result, StorageError};
use crate::maintain::seal::ticks;
use crate::manifest::edit::{DroppedExtent, Edit};
use crate::shared::Shared;

/// Deletes what nobody needs any more and says how many extents that were.
pub(crate) fn collect_garbage(shared: &Shared) -> Result<usize> {
    shared.check_open()?;
    let state = shared.current.read().state.clone();
    let now = shared.now();
    let keep = |dropped: &DroppedExtent| {
        let period =
            if dropped.merged { shared.options.replaced_keep } else { shared.options.recoverability };
        dropped.dropped_ticks.saturating_add(ticks(period)) > now
    };
    let mut gone: Vec<Uuid> = Vec::new();
    for dropped in state.dropped.values().filter(|dropped| !keep(dropped)) {
        let id = dropped.extent.id;
        let read = shared.graveyard.lock().get(&id).is_some_and(|holders| holders.strong_count() > 0);
        if read {
            continue;
        }
        shared.pool.forget(id);
        let path = shared.layout.extent(dropped.table, &dropped.extent);
        match shared.disk.remove(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(StorageError::io("remove", path, error)),
        }
        gone.push(id);
    }
    if gone.is_empty() {
        return Ok(0);
    }
    shared.commit_edits(|_, _| Ok(vec![Edit::Forget { extents: gone.clone() }]))?;
    let mut graveyard = shared.graveyard.lock();
    for id in &gone {
        graveyard.remove(id);
    }
    Ok(gone.len())
}
