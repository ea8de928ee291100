//! `conshelf serve`: opens the store, listens, waits for a signal.

use std::error::Error;
use std::io::{IsTerminal, Write};
use std::sync::Arc;

use conshelf_storage::Store;
use tokio::net::TcpListener;

use crate::config::ServeArguments;
use crate::engine::locations::Locations;
use crate::engine::warm_up::warm_up;
use crate::server::{self, Service};

/// Runs the server until SIGTERM or SIGINT.
pub fn serve(arguments: &ServeArguments) -> Result<(), Box<dyn Error>> {
    let filter = tracing_subscriber::EnvFilter::try_from_env("CONSHELF_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .try_init();
    let mut settings = arguments.settings();
    settings.locations = Arc::new(Locations::open(&arguments.geo_databases)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(&arguments.listen)
            .await
            .map_err(|error| format!("cannot listen on {}: {error}", arguments.listen))?;
        let address = listener.local_addr()?;
        let store = Store::open(&arguments.data_dir, arguments.store_options())?;
        let directory = std::fs::canonicalize(&arguments.data_dir).unwrap_or_else(|_| arguments.data_dir.clone());
        println!("data directory {}", directory.display());
        if !address.ip().is_loopback() && settings.token.is_none() {
            eprintln!(
                "warning: {address} can be reached from other machines and no --token is set: anyone can read and write"
            );
        }
        for problem in store.problems() {
            eprintln!("warning: damaged data: {problem}");
        }
        warm_up(&store);
        println!("listening on http://{address}");
        std::io::stdout().flush()?;
        server::serve(listener, Service::new(store, settings), stop_signal()).await?;
        Ok::<(), Box<dyn Error>>(())
    })?;
    // Threads that still run a query must not hold the process.
    runtime.shutdown_background();
    Ok(())
}

/// Ends with SIGINT or SIGTERM.
async fn stop_signal() {
    let interrupt = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
