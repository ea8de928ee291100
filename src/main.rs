//! The binary: reads the command line and runs what it says.

mod allocator;
mod program;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use conshelf::cli;
use conshelf::config::{Command, CommandLine, ServeArguments};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    allocator::configure();
    let line = CommandLine::parse();
    match line.command {
        None => serve(&line.serve),
        Some(Command::Serve(arguments)) => serve(&arguments),
        Some(Command::Query(arguments)) => cli::query::run(&arguments),
        Some(Command::Ingest(arguments)) => cli::ingest::run(&arguments),
        Some(Command::Check(arguments)) => cli::check::run(&arguments),
        Some(Command::Inspect(arguments)) => cli::inspect::run(&arguments),
        Some(Command::Dashboard(arguments)) => cli::dashboard::run(&arguments),
        Some(Command::Demo(arguments)) => cli::demo::run(&arguments),
        Some(Command::Docs(arguments)) => cli::docs::run(&arguments),
        Some(Command::Lsp(arguments)) => cli::lsp::run(&arguments),
        Some(Command::Version) => {
            println!("conshelf {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        Some(Command::Completions { shell }) => {
            clap_complete::generate(shell, &mut CommandLine::command(), "conshelf", &mut std::io::stdout());
            ExitCode::SUCCESS
        }
    }
}

fn serve(arguments: &ServeArguments) -> ExitCode {
    program::map_code();
    match conshelf::serve::serve(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => cli::complain(&error.to_string()),
    }
}
