//! `conshelf check`: every checksum of a data directory, or the health of a server.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::cli::client::Client;
use crate::cli::complain;

/// Verifies a data directory that no server holds: every file, every checksum. Exits with 1 if anything is
/// damaged.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  conshelf check ./conshelf-data
  conshelf check --url http://127.0.0.1:8080      # what a running server knows of its own health")]
pub struct CheckArgs {
    /// The data directory
    #[arg(required_unless_present = "url")]
    pub directory: Option<PathBuf>,
    /// Ask a running server instead
    #[arg(long, conflicts_with = "directory")]
    pub url: Option<String>,
}

pub fn run(args: &CheckArgs) -> ExitCode {
    if let Some(url) = &args.url {
        return match Client::new(url, None).get("/health", &[]) {
            Ok(answer) => {
                println!("{}", answer.body.trim_end());
                if answer.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
            }
            Err(message) => complain(&message),
        };
    }
    let Some(directory) = &args.directory else { return complain("name a data directory or --url") };
    match conshelf_storage::check(directory) {
        Ok(report) => {
            for problem in &report.problems {
                println!("{problem}");
            }
            println!(
                "{} files, {} bytes checked: {}",
                report.files_checked,
                report.bytes_checked,
                match report.problems.len() {
                    0 => String::from("no damage found"),
                    1 => String::from("1 problem"),
                    count => format!("{count} problems"),
                }
            );
            if report.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => complain(&error.to_string()),
    }
}
