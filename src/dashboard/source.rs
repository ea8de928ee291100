//! Where dashboards are: in the catalog of a database, in files of a directory, built in.
//!
//! Files are read each time they are asked for, so that a change on disk is seen at once. A file hides a stored
//! dashboard of the same database and name.

use std::path::{Path, PathBuf};

use conshelf_storage::{DEFAULT_DATABASE, Store};

use crate::dashboard::node::TEXT_BYTES_MAX;
use crate::dashboard::{Dashboard, FileFormat, Problem, read};

/// Files of a directory that are looked at.
const FILES_MAX: usize = 5_000;

/// What is built in: name and text.
pub const BUILT_IN: [(&str, &str); 2] =
    [("fleet", include_str!("built_in/fleet.yaml")), ("server", include_str!("built_in/server.yaml"))];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Database,
    File,
    BuiltIn,
}

impl Source {
    pub fn name(self) -> &'static str {
        match self {
            Source::Database => "database",
            Source::File => "file",
            Source::BuiltIn => "built-in",
        }
    }
}

/// A dashboard that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Empty: built in.
    pub database: String,
    pub name: String,
    pub source: Source,
    pub format: FileFormat,
    pub text: String,
    pub dashboard: Result<Dashboard, Vec<Problem>>,
}

impl Found {
    fn new(database: &str, name: &str, source: Source, format: FileFormat, text: String) -> Found {
        let dashboard = read(&text, format);
        Found { database: database.to_owned(), name: name.to_owned(), source, format, text, dashboard }
    }

    /// The database of what names none itself.
    pub fn default_database(&self) -> &str {
        let own = self.dashboard.as_ref().ok().and_then(|dashboard| dashboard.database.as_deref());
        own.unwrap_or(&self.database)
    }

    /// Distinguishes the text from others.
    pub fn etag(&self) -> String {
        etag(&self.text)
    }
}

/// Distinguishes a text from others: what stands in the header `ETag`.
pub fn etag(text: &str) -> String {
    format!("\"{:032x}\"", xxhash_rust::xxh3::xxh3_128(text.as_bytes()))
}

/// Where to look.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    pub store: &'a Store,
    pub directory: Option<&'a Path>,
}

/// A file as its path tells it.
struct File {
    path: PathBuf,
    /// The folder it is in; none: the file itself names its database.
    database: Option<String>,
    name: String,
    format: FileFormat,
}

impl Sources<'_> {
    /// All of them: databases by name, last what is built in, where its database exists.
    pub fn all(&self) -> Vec<Found> {
        let mut found: Vec<Found> =
            files(self.directory).into_iter().filter_map(|file| self.read_file(&file)).collect();
        for database in self.store.snapshot().databases() {
            for entry in database.dashboards.values() {
                let is_hidden =
                    found.iter().any(|file| file.database == database.name && file.name == entry.name);
                if !is_hidden {
                    let format = FileFormat::from_name(&entry.format).unwrap_or(FileFormat::Yaml);
                    let text = entry.text.clone();
                    found.push(Found::new(&database.name, &entry.name, Source::Database, format, text));
                }
            }
        }
        found.sort_by(|left, right| (&left.database, &left.name).cmp(&(&right.database, &right.name)));
        // Those whose events are not there have nothing to show.
        let snapshot = self.store.snapshot();
        let is_alive = |found: &Found| snapshot.database(found.default_database()).is_some();
        found.extend(BUILT_IN.iter().map(|(name, text)| built_in(name, text)).filter(is_alive));
        found
    }

    /// The one of that name; an empty database means those that are built in.
    pub fn find(&self, database: &str, name: &str) -> Option<Found> {
        if database.is_empty() {
            return BUILT_IN
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(name, text)| built_in(name, text));
        }
        let snapshot = self.store.snapshot();
        let known = snapshot.database(database);
        let database = known.map_or(database, |known| known.name.as_str());
        let file = files(self.directory)
            .iter()
            .filter(|file| file.name == name)
            .filter_map(|file| self.read_file(file))
            .find(|file| file.database == database);
        if file.is_some() {
            return file;
        }
        let entry = known?.dashboard(name)?;
        let format = FileFormat::from_name(&entry.format).unwrap_or(FileFormat::Yaml);
        Some(Found::new(database, name, Source::Database, format, entry.text.clone()))
    }

    fn read_file(&self, file: &File) -> Option<Found> {
        let size = std::fs::metadata(&file.path).ok()?.len();
        if size > TEXT_BYTES_MAX as u64 {
            return None;
        }
        let text = String::from_utf8_lossy(&std::fs::read(&file.path).ok()?).into_owned();
        let mut found = Found::new("", &file.name, Source::File, file.format, text);
        let own = found.dashboard.as_ref().ok().and_then(|dashboard| dashboard.database.clone());
        let database = file.database.clone().or(own).unwrap_or_else(|| DEFAULT_DATABASE.to_owned());
        // As it was created.
        let snapshot = self.store.snapshot();
        found.database = snapshot.database(&database).map_or(database.clone(), |known| known.name.clone());
        Some(found)
    }
}

fn built_in(name: &str, text: &str) -> Found {
    Found::new("", name, Source::BuiltIn, FileFormat::Yaml, text.to_owned())
}

/// `DIR/<name>.yaml` and `DIR/<database>/<name>.yaml`, in the order of their paths.
fn files(directory: Option<&Path>) -> Vec<File> {
    let mut files = Vec::new();
    let Some(directory) = directory else { return files };
    for path in entries(directory) {
        if path.is_dir() {
            let database = path.file_name().map(|name| name.to_string_lossy().into_owned());
            files.extend(entries(&path).into_iter().filter_map(|path| file_of(path, database.clone())));
        } else {
            files.extend(file_of(path, None));
        }
    }
    files.truncate(FILES_MAX);
    files
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).take(FILES_MAX).collect();
    paths.sort();
    paths
}

fn file_of(path: PathBuf, database: Option<String>) -> Option<File> {
    let name = path.file_stem()?.to_str()?.to_owned();
    let format = FileFormat::from_name(path.extension()?.to_str()?)?;
    if name.starts_with('.') || !path.is_file() {
        return None;
    }
    Some(File { path, database, name, format })
}
