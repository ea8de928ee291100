//! Queries over a data directory that no other process holds.
//!
//! The same service as `conshelf serve`, on a free loopback port with a token of its own, for the time of
//! the command: answers, commands and errors are those of a server.

use std::path::Path;

use conshelf_storage::{Store, StoreOptions};

use crate::cli::client::Client;
use crate::server::{RunningServer, Settings};

/// A served data directory.
pub struct LocalStore {
    server: RunningServer,
    token: String,
}

impl LocalStore {
    /// Opens the directory; it must be a data directory already.
    pub fn open(directory: &Path) -> Result<LocalStore, String> {
        if !directory.join("CONSHELF").is_file() {
            return Err(format!("{} is not a Conshelf data directory", directory.display()));
        }
        let options = StoreOptions { background: false, ..StoreOptions::default() };
        let store = Store::open(directory, options).map_err(|error| error.to_string())?;
        for problem in store.problems() {
            eprintln!("warning: damaged data: {problem}");
        }
        let token = uuid::Uuid::new_v4().to_string();
        let settings = Settings { token: Some(token.clone()), telemetry: false, ..Settings::default() };
        let server =
            RunningServer::start(store, settings, "127.0.0.1:0").map_err(|error| error.to_string())?;
        Ok(LocalStore { server, token })
    }

    /// A client of it.
    pub fn client(&self) -> Client {
        Client::new(&self.server.url(), Some(self.token.clone()))
    }
}
