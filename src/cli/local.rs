//! Queries over a data directory that no server holds.

use std::io::Write;
use std::path::Path;

use conshelf_storage::{Store, StoreOptions};

/// An opened data directory.
pub struct LocalStore {
    store: Store,
}

impl LocalStore {
    /// Opens the directory; it must be one already.
    pub fn open(directory: &Path) -> Result<LocalStore, String> {
        if !directory.is_dir() {
            return Err(format!("{} is not a directory", directory.display()));
        }
        let options = StoreOptions { background: false, ..StoreOptions::default() };
        let store = Store::open(directory, options).map_err(|error| error.to_string())?;
        Ok(LocalStore { store })
    }

    /// Runs a query and writes its answer.
    pub fn run(
        &self,
        _database: &str,
        _text: &str,
        _format: &str,
        _explain: bool,
        _out: &mut dyn Write,
    ) -> Result<(), String> {
        Err(format!("{}: no engine yet", self.store.directory().display()))
    }
}
