//! `conshelf query`: one query and its answer, or an interactive shell.

use std::io::{self, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use clap::Args;

use crate::cli::client::{self, Client, DEFAULT_URL};
use crate::cli::local::LocalStore;
use crate::cli::{complain, shell};

/// Runs a query and prints its answer. Without a query on a terminal: an interactive shell.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  conshelf query 'Logs | where Level == \"Error\" | summarize count() by bin(Timestamp, 1h)'
  conshelf query --format chart 'Logs | summarize count() by bin(Timestamp, 1h) | render timechart'
  conshelf query --format csv 'Logs | take 10' > logs.csv
  conshelf query -f hunt.kql --db Security
  conshelf query --data-dir ./conshelf-data 'Logs | count'     # no server needed
  conshelf query                                               # interactive shell")]
pub struct QueryArgs {
    /// The query or management command; `-` reads standard input
    pub query: Option<String>,
    /// Read the query from a file
    #[arg(short, long, value_name = "FILE", conflicts_with = "query")]
    pub file: Option<PathBuf>,
    /// Server to ask
    #[arg(long, env = "CONSHELF_URL", default_value = DEFAULT_URL)]
    pub url: String,
    /// Bearer token for the server
    #[arg(long, env = "CONSHELF_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Ask a data directory that no server holds, instead of a server
    #[arg(long, value_name = "DIR", conflicts_with = "url")]
    pub data_dir: Option<PathBuf>,
    /// Database
    #[arg(long, default_value = "NetDefaultDB")]
    pub db: String,
    /// Form of the answer: table, chart, json, ndjson, csv, tsv, arrow, parquet, kusto-v1, kusto-v2. Without it: on a terminal
    /// the chart of a query that ends in `render`, else the table
    #[arg(long)]
    pub format: Option<String>,
    /// Show the plan with rows, bytes and time of each operator instead of the rows
    #[arg(long)]
    pub explain: bool,
}

/// Whom the queries go to.
pub struct Target {
    client: Client,
    /// The directory behind the client, where it is not a server's.
    _local: Option<LocalStore>,
}

impl Target {
    /// Runs a text and writes the answer to `out`; `Err` is the message for the user.
    pub fn run(
        &self,
        database: &str,
        text: &str,
        format: &str,
        explain: bool,
        out: &mut dyn Write,
    ) -> Result<(), String> {
        let (columns, lines) = if format == "chart" { terminal_size() } else { Default::default() };
        let mut parameters = vec![("db", database)];
        let path = match (format, explain) {
            ("chart", false) => {
                let coloured = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
                parameters.extend([
                    ("format", "text"),
                    ("width", columns.as_str()),
                    ("height", lines.as_str()),
                    ("colours", if coloured { "true" } else { "false" }),
                ]);
                "/chart"
            }
            ("chart", true) => "/query",
            _ => {
                parameters.push(("format", format));
                "/query"
            }
        };
        if explain {
            parameters.push(("explain", "true"));
        }
        let headers = [("content-type", "text/plain; charset=utf-8"), ("accept", "text/plain, */*")];
        let response = self.client.post(path, &parameters, &headers, text.as_bytes())?;
        if !response.status().is_success() {
            return Err(client::read(response)?.error_message());
        }
        let mut body = response.into_body().into_with_config().limit(u64::MAX).reader();
        io::copy(&mut body, out).map_err(|error| format!("the answer broke off: {error}"))?;
        Ok(())
    }
}

/// Columns and lines of the terminal as it tells, or what one usually has.
fn terminal_size() -> (String, String) {
    let size = |text: &str| text.trim().parse::<u16>().ok().filter(|size| *size > 0);
    let told = |name: &str| std::env::var(name).ok().and_then(|text| size(&text));
    let asked = || {
        let answer = Command::new("stty").arg("size").stderr(Stdio::null()).output().ok()?;
        let text = String::from_utf8(answer.stdout).ok()?;
        let (lines, columns) = text.split_once(' ')?;
        Some((size(columns)?, size(lines)?))
    };
    let (columns, lines) = match (told("COLUMNS"), told("LINES")) {
        (Some(columns), lines) => (columns, lines.unwrap_or(25)),
        _ if io::stdin().is_terminal() => asked().unwrap_or((100, 25)),
        _ => (100, 25),
    };
    // A line is left for the prompt; a chart is no better for being as high as a large screen.
    (columns.to_string(), lines.saturating_sub(1).min(40).to_string())
}

/// Whether the text ends in a `render` that draws something.
fn renders(text: &str) -> bool {
    let Some((_, rest)) = text.rsplit_once('|') else { return false };
    let mut words =
        rest.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
    words.next() == Some("render") && words.next().is_some_and(|kind| kind != "table")
}

pub fn run(args: &QueryArgs) -> ExitCode {
    let target = match &args.data_dir {
        Some(directory) => match LocalStore::open(directory) {
            Ok(store) => Target { client: store.client(), _local: Some(store) },
            Err(message) => return complain(&message),
        },
        None => Target { client: Client::new(&args.url, args.token.clone()), _local: None },
    };
    let text = match (&args.query, &args.file) {
        (Some(query), _) if query != "-" => query.clone(),
        (None, Some(file)) => match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => return complain(&format!("{}: {error}", file.display())),
        },
        (None, None) if io::stdin().is_terminal() => {
            return shell::run(&target, &args.db, args.format.as_deref().unwrap_or("table"));
        }
        _ => {
            let mut text = String::new();
            match io::stdin().read_to_string(&mut text) {
                Ok(_) => text,
                Err(error) => return complain(&format!("standard input: {error}")),
            }
        }
    };
    let mut out = io::stdout().lock();
    let format = match args.format.as_deref() {
        Some(format) => format,
        None if io::stdout().is_terminal() && renders(&text) => "chart",
        None => "table",
    };
    match target
        .run(&args.db, &text, format, args.explain, &mut out)
        .and_then(|()| out.flush().map_err(|error| error.to_string()))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => complain(&message),
    }
}
