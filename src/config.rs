//! What the command line and the environment say about a server, and its settings.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use conshelf_storage::{Durability, StoreOptions};

use crate::cli::check::CheckArgs;
use crate::cli::dashboard::DashboardArgs;
use crate::cli::demo::DemoArgs;
use crate::cli::docs::DocsArgs;
use crate::cli::ingest::IngestArgs;
use crate::cli::inspect::InspectArgs;
use crate::cli::lsp::LspArgs;
use crate::cli::query::QueryArgs;
use crate::engine::cache::{BUDGET_BYTES, QueryCache};
use crate::engine::context::QuerySettings;
use crate::ingest::external::ExternalAccess;
use crate::server::Settings;

/// What came into the query cache since its file was written is lost when the server is killed.
const QUERY_CACHE_SAVED_EVERY: Duration = Duration::from_secs(30);

/// A KQL time-series database: one binary that ingests events over HTTP and answers the Kusto Query Language.
#[derive(Debug, Parser)]
#[command(
    name = "conshelf",
    version,
    args_conflicts_with_subcommands = true,
    after_help = "Without a subcommand the server starts, as with 'conshelf serve'.\n\n\
        Try it:\n  conshelf serve &\n  \
        curl localhost:8080/ingest/demo/Logs -d '{\"time\":\"2024-01-01T00:00:00Z\",\"message\":\"hello\"}'\n  \
        curl 'localhost:8080/query?db=demo' -d 'Logs | where message has \"hello\"'"
)]
pub struct CommandLine {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub serve: ServeArguments,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server
    Serve(ServeArguments),
    Query(QueryArgs),
    Ingest(IngestArgs),
    Check(CheckArgs),
    Inspect(InspectArgs),
    Dashboard(DashboardArgs),
    Demo(DemoArgs),
    Docs(DocsArgs),
    Lsp(LspArgs),
    /// Print the version
    Version,
    /// Print a completion script for a shell
    #[command(after_help = "Example: conshelf completions bash > /etc/bash_completion.d/conshelf")]
    Completions {
        shell: Shell,
    },
}

/// When a write is acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DurabilityArgument {
    /// After its rows are on disk (fsync)
    #[default]
    Durable,
    /// After its rows are handed to the operating system; synced every 100 ms
    Relaxed,
}

/// Flags of `conshelf serve`.
#[derive(Clone, Debug, Args)]
pub struct ServeArguments {
    /// Directory that holds all data; created when missing
    #[arg(long, env = "CONSHELF_DATA_DIR", default_value = "./conshelf-data", value_name = "DIR")]
    pub data_dir: PathBuf,

    /// Address to listen on; port 0 picks a free one
    #[arg(long, env = "CONSHELF_LISTEN", default_value = "127.0.0.1:8080", value_name = "HOST:PORT")]
    pub listen: String,

    /// When a write is acknowledged: 'durable' after fsync, 'relaxed' before (a power failure can lose 100 ms)
    #[arg(long, env = "CONSHELF_DURABILITY", value_enum, default_value_t)]
    pub durability: DurabilityArgument,

    /// Memory that one query may use, e.g. 512MiB or 4GiB
    #[arg(long, env = "CONSHELF_QUERY_MEMORY", value_parser = parse_bytes, value_name = "BYTES")]
    pub query_memory: Option<u64>,

    /// Memory for what queries keep for later ones (summaries of extents, cached results); 0 keeps nothing
    #[arg(long, env = "CONSHELF_QUERY_CACHE_MEMORY", value_parser = parse_bytes, value_name = "BYTES")]
    pub query_cache_memory: Option<u64>,

    /// Memory for rows that are not in an extent yet; past it ingestion answers 429
    #[arg(long, env = "CONSHELF_ROW_STORE_MEMORY", value_parser = parse_bytes, value_name = "BYTES")]
    pub row_store_memory: Option<u64>,

    /// Rows of a table after which they go from the log into an extent
    #[arg(long, env = "CONSHELF_SEAL_ROWS", value_name = "ROWS", hide_short_help = true)]
    pub seal_rows: Option<u64>,

    /// Seconds after which rows go from the log into an extent, however few
    #[arg(long, env = "CONSHELF_SEAL_AGE", value_name = "SECONDS", hide_short_help = true)]
    pub seal_age: Option<u64>,

    /// Queries that run at the same time; more wait in line
    #[arg(long, env = "CONSHELF_QUERIES_AT_ONCE", value_name = "N")]
    pub queries_at_once: Option<usize>,

    /// Time limit of a query that sets none, in seconds
    #[arg(long, env = "CONSHELF_QUERY_TIMEOUT", value_name = "SECONDS", default_value_t = 240)]
    pub query_timeout: u64,

    /// Largest body of a streaming ingestion (Kusto route), e.g. 64MiB
    #[arg(long, env = "CONSHELF_STREAMING_INGEST_LIMIT", value_parser = parse_bytes, value_name = "BYTES")]
    pub streaming_ingest_limit: Option<u64>,

    /// Directory of dashboards as files: DIR/DATABASE/NAME.yaml, or DIR/NAME.yaml with 'database:' inside
    #[arg(long, env = "CONSHELF_DASHBOARDS", value_name = "DIR")]
    pub dashboards: Option<PathBuf>,

    /// Origin of pages that may show embedded dashboards in a frame; may be given several times, '*' for any
    #[arg(long, env = "CONSHELF_FRAME_ANCESTORS", value_delimiter = ',', value_name = "ORIGIN")]
    pub frame_ancestors: Vec<String>,

    /// Origin that browsers may call from; may be given several times, '*' for any
    #[arg(long = "cors-origin", env = "CONSHELF_CORS_ORIGINS", value_delimiter = ',', value_name = "ORIGIN")]
    pub cors_origins: Vec<String>,

    /// Token that requests must carry as 'Authorization: Bearer TOKEN'
    #[arg(long, env = "CONSHELF_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub token: Option<String>,

    /// MaxMind database (GeoLite2-City or kin) for geo_info_from_ip_address(); may be given several times, the
    /// first that knows an address answers
    #[arg(long = "geo-database", env = "CONSHELF_GEO_DATABASES", value_delimiter = ',', value_name = "FILE")]
    pub geo_databases: Vec<PathBuf>,

    /// Directory whose files queries may read with 'externaldata'; without it they read none
    #[arg(long, env = "CONSHELF_EXTERNAL_DATA_DIR", value_name = "DIR")]
    pub external_data_dir: Option<PathBuf>,

    /// Let queries read http and https addresses with 'externaldata'
    #[arg(long, env = "CONSHELF_EXTERNAL_DATA_HTTP")]
    pub external_data_http: bool,

    /// Do not keep the server's own events in the database 'Conshelf'
    #[arg(long, env = "CONSHELF_NO_TELEMETRY")]
    pub no_telemetry: bool,
}

/// Bytes with a unit: `1048576`, `512MiB`, `4G`, `1.5GB`. Decimal and binary units both count in 1024.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let number: f64 = number.parse().map_err(|_| format!("'{text}' is not a size; write e.g. 512MiB"))?;
    let shift = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        other => return Err(format!("'{other}' is not a unit of size; use KiB, MiB, GiB or TiB")),
    };
    Ok((number * (1u64 << shift) as f64) as u64)
}

impl ServeArguments {
    pub fn settings(&self) -> Settings {
        let default = Settings::default();
        Settings {
            query: Arc::new(QuerySettings {
                external_data: ExternalAccess {
                    directory: self.external_data_dir.clone(),
                    http: self.external_data_http,
                },
                cache: QueryCache::of(self.query_cache_memory.unwrap_or(BUDGET_BYTES)),
                ..QuerySettings::default()
            }),
            query_timeout: Duration::from_secs(self.query_timeout.max(1)),
            query_memory_bytes: self.query_memory.unwrap_or(default.query_memory_bytes),
            queries_at_once: self.queries_at_once.unwrap_or(default.queries_at_once),
            streaming_ingest_bytes: self.streaming_ingest_limit.unwrap_or(default.streaming_ingest_bytes),
            dashboards: self.dashboards.clone(),
            frame_ancestors: self.frame_ancestors.clone(),
            cors_origins: self.cors_origins.clone(),
            token: self.token.clone().filter(|token| !token.is_empty()),
            telemetry: !self.no_telemetry,
            query_cache_saved_every: Some(QUERY_CACHE_SAVED_EVERY),
            ..default
        }
    }

    pub fn store_options(&self) -> StoreOptions {
        let default = StoreOptions::default();
        StoreOptions {
            durability: match self.durability {
                DurabilityArgument::Durable => Durability::Durable,
                DurabilityArgument::Relaxed => Durability::Relaxed,
            },
            row_store_limit_bytes: self.row_store_memory.unwrap_or(default.row_store_limit_bytes),
            seal_rows: self.seal_rows.unwrap_or(default.seal_rows),
            seal_age: self.seal_age.map_or(default.seal_age, Duration::from_secs),
            ..default
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn no_subcommand_is_serve() {
        let line = CommandLine::try_parse_from(["conshelf", "--listen", "127.0.0.1:0"]).expect("parsed");
        assert!(line.command.is_none());
        assert_eq!(line.serve.listen, "127.0.0.1:0");
        let line = CommandLine::try_parse_from(["conshelf", "serve", "--data-dir", "x"]).expect("parsed");
        assert!(
            matches!(line.command, Some(Command::Serve(serve)) if serve.data_dir == std::path::Path::new("x"))
        );
    }

    #[test]
    fn sizes() {
        assert_eq!(parse_bytes("1048576"), Ok(1 << 20));
        assert_eq!(parse_bytes("1.5 KiB"), Ok(1536));
        assert_eq!(parse_bytes("4g"), Ok(4 << 30));
        assert!(parse_bytes("much").is_err());
        assert!(parse_bytes("4 parsecs").is_err());
    }
}
