//! The interactive shell of `conshelf query`: line editing, history, queries over several lines.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Config, Editor};

use crate::cli::complain;
use crate::cli::query::Target;

const HELP: &str = "\
A query ends with a blank line or with a semicolon at the end of a line; one that begins with '.' is a
management command and ends with its line.
  #db NAME       use another database        #format NAME   table, json, ndjson, csv, tsv
  #explain       plan of the next query      #help  #quit   (or Ctrl-D)
Try:  .show tables      print now()      T | take 10";

/// Reads and runs queries until the end of input.
pub fn run(target: &Target, database: &str, format: &str) -> ExitCode {
    let config = Config::builder().auto_add_history(false).max_history_size(10_000);
    let editor = config.and_then(|config| Editor::<(), FileHistory>::with_config(config.build()));
    let mut editor = match editor {
        Ok(editor) => editor,
        Err(error) => return complain(&format!("the terminal cannot be used: {error}")),
    };
    let history = history_file();
    if let Some(history) = &history {
        // A missing history is an empty one.
        let _ = editor.load_history(history);
    }
    println!("conshelf {}: #help for help, #quit to leave", env!("CARGO_PKG_VERSION"));
    let mut session = Session { database: database.to_string(), format: format.to_string(), explain: false };
    let mut text = String::new();
    loop {
        let prompt =
            if text.is_empty() { format!("{}> ", session.database) } else { String::from("   ...> ") };
        match editor.readline(&prompt) {
            Ok(line) => {
                if text.is_empty() && line.trim_start().starts_with('#') {
                    if !session.directive(line.trim()) {
                        break;
                    }
                    continue;
                }
                if !is_complete(&mut text, &line) {
                    continue;
                }
                let query = std::mem::take(&mut text);
                if query.trim().is_empty() {
                    continue;
                }
                // History that cannot be kept is no reason to stop.
                let _ = editor.add_history_entry(query.trim_end());
                if let Some(history) = &history {
                    let _ = editor.append_history(history);
                }
                session.run(target, &query);
            }
            Err(ReadlineError::Interrupted) => text.clear(),
            Err(ReadlineError::Eof) => break,
            Err(error) => return complain(&format!("the terminal cannot be read: {error}")),
        }
    }
    ExitCode::SUCCESS
}

struct Session {
    database: String,
    format: String,
    explain: bool,
}

impl Session {
    /// Obeys a `#` line; `false`: leave.
    fn directive(&mut self, line: &str) -> bool {
        let (name, value) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        match (name, value.trim()) {
            ("#quit" | "#exit", _) => return false,
            ("#db" | "#database", name) if !name.is_empty() => self.database = name.to_string(),
            ("#format", name) if !name.is_empty() => self.format = name.to_string(),
            ("#explain", _) => {
                self.explain = true;
                println!("the next query shows its plan");
            }
            _ => println!("{HELP}"),
        }
        true
    }

    fn run(&mut self, target: &Target, text: &str) {
        let started = Instant::now();
        let explain = std::mem::take(&mut self.explain);
        let mut out = io::stdout().lock();
        match target.run(&self.database, text, &self.format, explain, &mut out) {
            Ok(()) => {
                let _ = writeln!(out, "({:.3} s)", started.elapsed().as_secs_f64());
            }
            Err(message) => {
                let _ = writeln!(out, "{message}");
            }
        }
    }
}

/// Adds a line; `true`: the text is whole.
fn is_complete(text: &mut String, line: &str) -> bool {
    let first = text.is_empty();
    if line.trim().is_empty() {
        return true;
    }
    text.push_str(line);
    text.push('\n');
    line.trim_end().ends_with(';') || (first && line.trim_start().starts_with('.'))
}

fn history_file() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state")))?;
    let directory = state.join("conshelf");
    std::fs::create_dir_all(&directory).ok()?;
    Some(directory.join("history"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_ends_with_a_blank_line_a_semicolon_or_is_a_command() {
        let mut text = String::new();
        assert!(!is_complete(&mut text, "T"));
        assert!(!is_complete(&mut text, "| take 1"));
        assert!(is_complete(&mut text, ""));
        assert_eq!(text, "T\n| take 1\n");
        let mut text = String::new();
        assert!(is_complete(&mut text, "T | take 1;"));
        let mut text = String::new();
        assert!(is_complete(&mut text, ".show tables"));
    }
}
