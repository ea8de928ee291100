//! `conshelf dashboard`: dashboards as files — taken over from elsewhere, checked, taken out of a server.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::cli::client::{self, Client};
use crate::cli::complain;
use crate::dashboard::{self, FileFormat, import};

/// Works with files of dashboards.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  conshelf dashboard import exported.json --database Demo > fleet.yaml
  conshelf dashboard check fleet.yaml --url http://127.0.0.1:8080
  conshelf dashboard export fleet --database Demo > fleet.yaml")]
pub struct DashboardArgs {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Subcommand, Debug)]
pub enum Action {
    /// Turn a dashboard of Azure Data Explorer or Fabric (JSON) into a file of ours; tells what has no counterpart
    Import {
        /// The file; '-' for standard input
        file: PathBuf,
        /// Database its queries look in here
        #[arg(long, default_value = "", value_name = "NAME")]
        database: String,
        /// File to write to instead of standard output; the notation follows its name
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Check a file, and with --url also its queries. Exits with 1 if anything is wrong
    Check {
        /// The file; '-' for standard input
        file: PathBuf,
        /// Server that knows the tables
        #[arg(long, env = "CONSHELF_URL")]
        url: Option<String>,
        /// Bearer token for the server
        #[arg(long, env = "CONSHELF_TOKEN", hide_env_values = true)]
        token: Option<String>,
        /// Database of queries that name none
        #[arg(long, default_value = "", value_name = "NAME")]
        database: String,
    },
    /// Print a dashboard of a server
    Export {
        /// Its name
        name: String,
        /// Its database; '-' for what is built in
        #[arg(long, default_value = conshelf_storage::DEFAULT_DATABASE, value_name = "NAME")]
        database: String,
        /// 'yaml' or 'json'; as it is stored if left out
        #[arg(long, value_parser = ["yaml", "json"])]
        format: Option<String>,
        /// Server to ask
        #[arg(long, env = "CONSHELF_URL", default_value = client::DEFAULT_URL)]
        url: String,
        /// Bearer token for the server
        #[arg(long, env = "CONSHELF_TOKEN", hide_env_values = true)]
        token: Option<String>,
    },
}

pub fn run(args: &DashboardArgs) -> ExitCode {
    let done = match &args.action {
        Action::Import { file, database, output } => import_file(file, database, output.as_deref()),
        Action::Check { file, url, token, database } => check(file, url.as_deref(), token.clone(), database),
        Action::Export { name, database, format, url, token } => {
            export(&Client::new(url, token.clone()), database, name, format.as_deref())
        }
    };
    done.unwrap_or_else(|message| complain(&message))
}

fn read_file(file: &Path) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", file.display());
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(failed)?;
        return Ok(text);
    }
    std::fs::read_to_string(file).map_err(failed)
}

fn format_of(file: &Path) -> Option<FileFormat> {
    file.extension().and_then(|extension| extension.to_str()).and_then(FileFormat::from_name)
}

fn print(text: &str) -> Result<(), String> {
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string())
}

fn import_file(file: &Path, database: &str, output: Option<&Path>) -> Result<ExitCode, String> {
    let imported = import::import(&read_file(file)?, database)?;
    for warning in &imported.warnings {
        eprintln!("{}: {}", warning.path, warning.message);
    }
    let format = output.and_then(format_of).unwrap_or(FileFormat::Yaml);
    let text = dashboard::write(&imported.dashboard, format);
    match output {
        Some(output) => {
            std::fs::write(output, text).map_err(|error| format!("{}: {error}", output.display()))?;
        }
        None => print(&text)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn check(file: &Path, url: Option<&str>, token: Option<String>, database: &str) -> Result<ExitCode, String> {
    let text = read_file(file)?;
    let format = format_of(file).unwrap_or_else(|| FileFormat::of_text(&text));
    let mut remarks: Vec<String> = Vec::new();
    let told = |line: &Value, column: &Value, path: &str, message: &str| {
        let path = if path.is_empty() { String::new() } else { format!("{path}: ") };
        format!("{}:{line}:{column}: {path}{message}", file.display())
    };
    match url {
        None => {
            for problem in dashboard::read(&text, format).err().unwrap_or_default() {
                let place = problem.place;
                remarks.push(told(&place.line.into(), &place.column.into(), &problem.path, &problem.message));
            }
        }
        Some(url) => {
            let content_type = format!("application/{}", format.name());
            let headers = [("content-type", content_type.as_str())];
            let client = Client::new(url, token);
            let response =
                client.post("/v1/dashboards/check", &[("database", database)], &headers, text.as_bytes())?;
            let answer = client::read(response)?;
            if !answer.is_success() {
                return Err(answer.error_message());
            }
            let body: Value = serde_json::from_str(&answer.body).map_err(|error| error.to_string())?;
            for found in body["diagnostics"].as_array().into_iter().flatten() {
                let text = |name: &str| found[name].as_str().unwrap_or("");
                remarks.push(told(&found["line"], &found["column"], text("path"), text("message")));
            }
        }
    }
    for remark in &remarks {
        println!("{remark}");
    }
    Ok(if remarks.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A text as a part of a path.
fn encoded(part: &str) -> String {
    let mut out = String::new();
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn export(client: &Client, database: &str, name: &str, format: Option<&str>) -> Result<ExitCode, String> {
    let path = format!("/v1/dashboards/{}/{}", encoded(database), encoded(name));
    let format = match format {
        Some(format) => format.to_owned(),
        None => {
            let answer = client.get(&path, &[])?;
            if !answer.is_success() {
                return Err(answer.error_message());
            }
            let body: Value = serde_json::from_str(&answer.body).map_err(|error| error.to_string())?;
            print(body["text"].as_str().unwrap_or(""))?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    let answer = client.get(&path, &[("format", &format)])?;
    if !answer.is_success() {
        return Err(answer.error_message());
    }
    print(&answer.body)?;
    Ok(ExitCode::SUCCESS)
}
