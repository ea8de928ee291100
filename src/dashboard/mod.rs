//! Dashboards: tiles of queries with parameters, as one readable file each.
//!
//! ```text
//! text ─ yaml | json ─▶ nodes with places ─ read ─▶ Dashboard ─ values, query ─▶ a text with typed parameters
//! ```
//!
//! `FORMAT.md` tells the file. Knows no HTTP and runs no query.

pub mod check;
pub mod import;
pub mod json;
pub mod model;
pub mod node;
pub mod query;
pub mod read;
pub mod source;
pub mod token;
pub mod values;
pub mod yaml;

pub use model::Dashboard;
pub use node::Problem;

/// In which of the two notations a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    Yaml,
    Json,
}

impl FileFormat {
    pub fn name(self) -> &'static str {
        match self {
            FileFormat::Yaml => "yaml",
            FileFormat::Json => "json",
        }
    }

    pub fn from_name(name: &str) -> Option<FileFormat> {
        match name {
            "yaml" | "yml" => Some(FileFormat::Yaml),
            "json" => Some(FileFormat::Json),
            _ => None,
        }
    }

    /// By how the text begins.
    pub fn of_text(text: &str) -> FileFormat {
        match text.trim_start_matches('\u{feff}').trim_start().starts_with('{') {
            true => FileFormat::Json,
            false => FileFormat::Yaml,
        }
    }
}

/// Reads a file. The problems are in the order of the file; there is at least one if there is no dashboard.
pub fn read(text: &str, format: FileFormat) -> Result<Dashboard, Vec<Problem>> {
    let node = match format {
        FileFormat::Yaml => yaml::read(text),
        FileFormat::Json => json::read(text),
    };
    read::dashboard(&node.map_err(|problem| vec![problem])?)
}

/// Writes a dashboard as a file.
pub fn write(dashboard: &Dashboard, format: FileFormat) -> String {
    let value = dashboard.to_json();
    match format {
        FileFormat::Yaml => yaml::write(&value),
        FileFormat::Json => format!("{value:#}\n"),
    }
}

/// Reads any bytes as a file; for fuzzing. What is read must come back as it was.
pub fn fuzz_file(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for format in [FileFormat::Yaml, FileFormat::Json] {
        match read(text, format) {
            Ok(dashboard) => {
                for format in [FileFormat::Yaml, FileFormat::Json] {
                    let written = write(&dashboard, format);
                    if written.len() < node::TEXT_BYTES_MAX {
                        assert_eq!(read(&written, format).as_ref(), Ok(&dashboard), "{written}");
                    }
                }
            }
            Err(problems) => {
                let first = problems.first().expect("a reason");
                assert!(text.is_char_boundary(first.place.offset_in(text)));
            }
        }
    }
}

#[cfg(test)]
mod tests;
