//! `conshelf lsp`: a language server for editors, over standard input and output.
//!
//! ```text
//! editor ⇄ stdin/stdout ⇄ session (documents) → conshelf_kql::editor
//!                              ↑ catalog, asked of a server now and then
//! ```

mod catalog;
mod session;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use clap::Args;
use lsp_server::Connection;

use crate::cli::client::{Client, DEFAULT_URL};
use crate::cli::complain;
use crate::cli::local::LocalStore;
use catalog::RemoteCatalog;

/// How often the schema is asked for.
const REFRESH: Duration = Duration::from_secs(30);
/// Deeply nested queries need it.
const STACK_BYTES: usize = 256 << 20;

/// Answers an editor over standard input and output (Language Server Protocol): completion, help, formatting,
/// colours, diagnostics. Tables and columns are those of a server or of a data directory.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  conshelf lsp                                            # the server on this machine
  conshelf lsp --url https://logs.example --database Web
  conshelf lsp --data-dir ./conshelf-data                 # no server needed")]
pub struct LspArgs {
    /// Server whose tables and functions are proposed
    #[arg(long, env = "CONSHELF_URL", default_value = DEFAULT_URL)]
    pub url: String,
    /// Bearer token for the server
    #[arg(long, env = "CONSHELF_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Take the schema from a data directory that no server holds
    #[arg(long, value_name = "DIR", conflicts_with = "url")]
    pub data_dir: Option<PathBuf>,
    /// Database
    #[arg(long, visible_alias = "db", default_value = "NetDefaultDB")]
    pub database: String,
    /// Editors pass it; standard input and output are used anyway
    #[arg(long, hide = true)]
    pub stdio: bool,
}

pub fn run(args: &LspArgs) -> ExitCode {
    let schema = Arc::new(RwLock::new(RemoteCatalog::empty(&args.database)));
    if let Err(message) = load(args, &schema) {
        return complain(&message);
    }
    let (connection, threads) = Connection::stdio();
    let session = std::thread::Builder::new()
        .name("session".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || session::run(&connection, &schema));
    let outcome = match session {
        Ok(thread) => {
            thread.join().unwrap_or_else(|_| Err("the session panicked; please report it".to_owned()))
        }
        Err(error) => Err(format!("cannot start a thread: {error}")),
    };
    match outcome {
        Ok(()) => match threads.join() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => complain(&error.to_string()),
        },
        Err(message) => complain(&message),
    }
}

/// Loads the schema: of a directory at once, of a server in the background, again and again.
fn load(args: &LspArgs, schema: &Arc<RwLock<RemoteCatalog>>) -> Result<(), String> {
    let store = |found: RemoteCatalog, schema: &RwLock<RemoteCatalog>| {
        if let Ok(mut schema) = schema.write() {
            *schema = found;
        }
    };
    if let Some(directory) = &args.data_dir {
        let local = LocalStore::open(directory)?;
        store(RemoteCatalog::fetch(&local.client(), &args.database)?, schema);
        return Ok(());
    }
    let client = Client::new(&args.url, args.token.clone());
    let database = args.database.clone();
    let schema = schema.clone();
    let first = {
        let (client, database, schema) = (client.clone(), database.clone(), schema.clone());
        move || match RemoteCatalog::fetch(&client, &database) {
            Ok(found) => store(found, &schema),
            Err(message) => eprintln!("conshelf lsp: {message}"),
        }
    };
    first();
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(REFRESH);
            if let Ok(found) = RemoteCatalog::fetch(&client, &database) {
                store(found, &schema);
            }
        }
    });
    Ok(())
}
