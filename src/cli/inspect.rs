//! `conshelf inspect`: where the bytes of extent files go.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use conshelf_storage::{Extent, extent};

use crate::cli::complain;

/// Tells of extent files (or all below a directory) how many bytes each column takes, for values and for
/// indexes, and in which encodings. Also of a directory that a server holds.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  conshelf inspect ./conshelf-data/extents/0b1c…/2024-01-01/5f3a….extent
  conshelf inspect ./conshelf-data/extents")]
pub struct InspectArgs {
    /// Extent files, or directories of them
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
}

pub fn run(args: &InspectArgs) -> ExitCode {
    let mut files = Vec::new();
    for path in &args.paths {
        if let Err(error) = collect(path, &mut files) {
            return complain(&format!("{}: {error}", path.display()));
        }
    }
    if files.is_empty() {
        return complain("there are no extent files");
    }
    let mut code = ExitCode::SUCCESS;
    for file in files {
        match Extent::open(&file) {
            Ok(extent) => print!("{}\n{}", file.display(), extent::describe(&extent)),
            Err(error) => code = complain(&error.to_string()),
        }
    }
    code
}

/// The file itself, or every `.extent` file below a directory.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !std::fs::metadata(path)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let mut entries = std::fs::read_dir(path)?.collect::<std::io::Result<Vec<_>>>()?;
    entries.sort_by_key(std::fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        if entry.file_type()?.is_dir() || path.extension().is_some_and(|extension| extension == "extent") {
            collect(&path, files)?;
        }
    }
    Ok(())
}
