//! `conshelf docs`: the language reference of this very version.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::cli::complain;
use crate::reference::{self, Chapter};

/// Prints the language reference as Markdown, or writes it into a directory, a file a chapter.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  conshelf docs | less
  conshelf docs --output docs/kql      # README.md, operators.md, functions.md, …")]
pub struct DocsArgs {
    /// Directory for the pages; created when missing
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

pub fn run(args: &DocsArgs) -> ExitCode {
    let Some(directory) = &args.output else {
        use std::io::Write;
        let mut out = std::io::stdout().lock();
        for chapter in Chapter::ALL {
            // A pager that closes early is no failure.
            if writeln!(out, "{}", reference::markdown(chapter)).is_err() {
                break;
            }
        }
        return ExitCode::SUCCESS;
    };
    let pages = Chapter::ALL
        .iter()
        .map(|chapter| (format!("{}.md", chapter.name()), reference::markdown(*chapter)))
        .chain(std::iter::once(("README.md".to_owned(), reference::markdown_index())));
    if let Err(error) = std::fs::create_dir_all(directory) {
        return complain(&format!("{}: {error}", directory.display()));
    }
    for (name, text) in pages {
        let path = directory.join(name);
        if let Err(error) = std::fs::write(&path, text) {
            return complain(&format!("{}: {error}", path.display()));
        }
        println!("{}", path.display());
    }
    ExitCode::SUCCESS
}
