//! The manifest on disk: a file per version, written once and renamed into place, so that there is never a half
//! written one. Every file holds its contents twice: one damaged copy costs nothing.
//!
//! See FORMAT.md, section "Manifest".

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::directory::{FORMAT_VERSION, ReplaceFailure, write_atomically};
use crate::disk::Disk;
use crate::error::{Result, StorageError};
use crate::limits::{MANIFEST_CHECKPOINT_EVERY, MANIFEST_CHECKPOINTS_KEPT};
use crate::manifest::edit::Edit;
use crate::manifest::state::State;
use crate::store::Problem;

const MAGIC: &[u8; 8] = b"CSHMAN\r\n";
const HEADER_BYTES: usize = 64;
/// Largest contents that a header may announce.
const CONTENTS_BYTES_MAX: u64 = 4 << 30;

/// Whether a file holds a difference or everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum FileKind {
    Delta = 1,
    Full = 2,
}

/// Contents of a manifest file.
#[derive(Debug, Serialize, Deserialize)]
struct Contents {
    version: u64,
    written_ticks: i64,
    edits: Vec<Edit>,
}

/// The manifest files of a directory.
#[derive(Debug)]
pub struct ManifestFiles {
    directory: PathBuf,
    disk: Arc<dyn Disk>,
    full_versions: Vec<u64>,
}

/// A manifest as read.
#[derive(Debug)]
pub struct LoadedManifest {
    pub state: State,
    pub problems: Vec<Problem>,
}

fn file_path(directory: &Path, version: u64, kind: FileKind) -> PathBuf {
    let extension = match kind {
        FileKind::Delta => "delta",
        FileKind::Full => "full",
    };
    directory.join(format!("{version:016x}.{extension}"))
}

/// Every manifest file of a directory with its version and kind.
pub fn list(directory: &Path) -> Result<BTreeMap<(u64, FileKind), PathBuf>> {
    let mut files = BTreeMap::new();
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(files),
        Err(error) => return Err(StorageError::io("read directory", directory, error)),
    };
    for entry in entries {
        let path = entry.map_err(|error| StorageError::io("read directory", directory, error))?.path();
        let kind = match path.extension().and_then(|extension| extension.to_str()) {
            Some("delta") => FileKind::Delta,
            Some("full") => FileKind::Full,
            _ => continue,
        };
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if stem.len() == 16
            && let Ok(version) = u64::from_str_radix(stem, 16)
        {
            files.insert((version, kind), path);
        }
    }
    Ok(files)
}

/// Reads the newest state. Damage that a second copy or an older full manifest makes good is reported; other
/// damage is an error, because a guess about what exists could lose rows or bring dropped ones back.
pub fn load(directory: &Path) -> Result<LoadedManifest> {
    let files = list(directory)?;
    let mut problems = Vec::new();
    let fulls: Vec<(u64, &PathBuf)> = files
        .iter()
        .rev()
        .filter(|((_, kind), _)| *kind == FileKind::Full)
        .map(|((version, _), path)| (*version, path))
        .collect();
    let mut base = None;
    let mut first_error = None;
    for (version, path) in fulls {
        match read_file(path, version, FileKind::Full, &mut problems) {
            Ok(edits) => {
                base = Some((version, path, edits));
                break;
            }
            Err(error @ StorageError::NewerVersion { .. }) => return Err(error),
            Err(error) => {
                problems.push(Problem {
                    file: path.clone(),
                    offset: None,
                    table: None,
                    time_range: None,
                    detail: format!("this version is read from older ones instead: {error}"),
                });
                first_error.get_or_insert(error);
            }
        }
    }
    let Some((base_version, base_path, edits)) = base else {
        return Err(first_error.unwrap_or_else(|| StorageError::Corrupt {
            path: directory.to_owned(),
            offset: 0,
            detail: "there is no full manifest".to_owned(),
        }));
    };
    let mut state = State { version: base_version, ..State::default() };
    apply(&mut state, base_path, &edits)?;
    let newest = files.keys().map(|(version, _)| *version).max().unwrap_or(base_version);
    for version in base_version + 1..=newest {
        let Some(path) = files.get(&(version, FileKind::Delta)) else {
            return Err(StorageError::Corrupt {
                path: file_path(directory, version, FileKind::Delta),
                offset: 0,
                detail: format!("manifest version {version} is missing, but version {newest} exists"),
            });
        };
        let edits = read_file(path, version, FileKind::Delta, &mut problems)?;
        state.version = version;
        apply(&mut state, path, &edits)?;
    }
    Ok(LoadedManifest { state, problems })
}

fn apply(state: &mut State, path: &Path, edits: &[Edit]) -> Result<()> {
    for edit in edits {
        state.apply(edit).map_err(|detail| StorageError::Corrupt {
            path: path.to_owned(),
            offset: 0,
            detail,
        })?;
    }
    Ok(())
}

/// Reads one file; a copy that is damaged while the other is not goes to `problems`.
pub fn read_file(
    path: &Path,
    version: u64,
    kind: FileKind,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Edit>> {
    let bytes = std::fs::read(path).map_err(|error| StorageError::io("read", path, error))?;
    // The second copy begins where the first one says, or else where it does in a file of the right length.
    let half = copy_length(&bytes).filter(|length| *length <= bytes.len()).unwrap_or(bytes.len() / 2);
    let first = read_copy(path, &bytes[..half]);
    let second = read_copy(path, &bytes[half..]);
    if let Err(error @ StorageError::NewerVersion { .. }) = second {
        return Err(error);
    }
    let contents = match (first, second) {
        (Err(error @ StorageError::NewerVersion { .. }), _) => return Err(error),
        (Ok(first), Ok(_)) => first,
        (Ok(good), Err(detail)) => {
            problems.push(damaged_copy(path, half, &detail));
            good
        }
        (Err(detail), Ok(good)) => {
            problems.push(damaged_copy(path, 0, &detail));
            good
        }
        (Err(error), Err(_)) => return Err(error),
    };
    if contents.1 != kind || contents.0.version != version {
        return Err(StorageError::Corrupt {
            path: path.to_owned(),
            offset: 0,
            detail: format!("the file holds version {} instead", contents.0.version),
        });
    }
    Ok(contents.0.edits)
}

fn damaged_copy(path: &Path, offset: usize, error: &StorageError) -> Problem {
    Problem {
        file: path.to_owned(),
        offset: Some(offset as u64),
        table: None,
        time_range: None,
        detail: format!("one of two copies is damaged, the other is used: {error}"),
    }
}

/// Length of the copy at the start of a file, if its header is whole.
fn copy_length(bytes: &[u8]) -> Option<usize> {
    let header = bytes.first_chunk::<HEADER_BYTES>()?;
    let stored = u64::from_le_bytes(*header[32..].first_chunk()?);
    let checksum = u64::from_le_bytes(*header[56..].first_chunk()?);
    let whole = &header[..8] == MAGIC && xxh3_64(&header[..56]) == checksum && stored <= CONTENTS_BYTES_MAX;
    whole.then(|| HEADER_BYTES + stored as usize)
}

fn read_copy(path: &Path, bytes: &[u8]) -> Result<(Contents, FileKind)> {
    let corrupt = |detail: String| StorageError::Corrupt { path: path.to_owned(), offset: 0, detail };
    let header = bytes
        .first_chunk::<HEADER_BYTES>()
        .ok_or_else(|| corrupt("the file is shorter than its header".to_owned()))?;
    let u64_at = |at: usize| {
        let mut value = [0u8; 8];
        value.copy_from_slice(&header[at..at + 8]);
        u64::from_le_bytes(value)
    };
    if &header[..8] != MAGIC || xxh3_64(&header[..56]) != u64_at(56) {
        return Err(corrupt("the header of the manifest is damaged".to_owned()));
    }
    let format = u64_at(8) as u32;
    if format > FORMAT_VERSION {
        return Err(StorageError::NewerVersion {
            path: path.to_owned(),
            found: format,
            supported: FORMAT_VERSION,
        });
    }
    let kind = match u64_at(8) >> 32 {
        1 => FileKind::Delta,
        2 => FileKind::Full,
        other => return Err(corrupt(format!("unknown kind {other}"))),
    };
    let (raw_length, checksum) = (u64_at(24), u64_at(40));
    let stored = &bytes[HEADER_BYTES..];
    if stored.len() as u64 != u64_at(32) || raw_length > CONTENTS_BYTES_MAX || xxh3_64(stored) != checksum {
        return Err(corrupt("the checksum of the manifest does not match".to_owned()));
    }
    let raw =
        zstd::bulk::decompress(stored, raw_length as usize).map_err(|error| corrupt(error.to_string()))?;
    let contents: Contents = serde_json::from_slice(&raw).map_err(|error| corrupt(error.to_string()))?;
    if contents.version != u64_at(16) {
        return Err(corrupt("header and contents name different versions".to_owned()));
    }
    Ok((contents, kind))
}

fn encode_file(version: u64, kind: FileKind, edits: Vec<Edit>, now_ticks: i64) -> Result<Vec<u8>> {
    let contents = Contents { version, written_ticks: now_ticks, edits };
    let invalid = |detail: String| StorageError::Invalid(format!("cannot encode the manifest: {detail}"));
    let raw = serde_json::to_vec(&contents).map_err(|error| invalid(error.to_string()))?;
    let stored = zstd::bulk::compress(&raw, 1).map_err(|error| invalid(error.to_string()))?;
    let mut copy = Vec::with_capacity(HEADER_BYTES + stored.len());
    copy.extend_from_slice(MAGIC);
    copy.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    copy.extend_from_slice(&(kind as u32).to_le_bytes());
    copy.extend_from_slice(&version.to_le_bytes());
    copy.extend_from_slice(&(raw.len() as u64).to_le_bytes());
    copy.extend_from_slice(&(stored.len() as u64).to_le_bytes());
    copy.extend_from_slice(&xxh3_64(&stored).to_le_bytes());
    copy.extend_from_slice(&0u64.to_le_bytes());
    let checksum = xxh3_64(&copy);
    copy.extend_from_slice(&checksum.to_le_bytes());
    copy.extend_from_slice(&stored);
    let mut bytes = copy.clone();
    bytes.extend_from_slice(&copy);
    Ok(bytes)
}

impl ManifestFiles {
    /// The files of a directory that was just loaded, or of a new one.
    pub fn open(directory: PathBuf, disk: Arc<dyn Disk>) -> Result<ManifestFiles> {
        let full_versions = list(&directory)?
            .keys()
            .filter(|(_, kind)| *kind == FileKind::Full)
            .map(|(version, _)| *version)
            .collect();
        Ok(ManifestFiles { directory, disk, full_versions })
    }

    /// Makes a version durable. After a doubtful failure it may or may not exist after a crash; the next version
    /// written takes its place.
    pub fn write_delta(
        &mut self,
        version: u64,
        edits: Vec<Edit>,
        now_ticks: i64,
    ) -> std::result::Result<(), ReplaceFailure> {
        let bytes = encode_file(version, FileKind::Delta, edits, now_ticks)
            .map_err(|error| ReplaceFailure { error, doubtful: false })?;
        write_atomically(self.disk.as_ref(), &file_path(&self.directory, version, FileKind::Delta), &bytes)
    }

    /// Whether enough versions were written since the last full one.
    pub fn wants_full(&self, version: u64) -> bool {
        version >= self.full_versions.last().copied().unwrap_or(0) + MANIFEST_CHECKPOINT_EVERY
    }

    /// Writes the full manifest of a version (which is durable already, or the first) and deletes versions that
    /// are older than the kept ones.
    pub fn write_full(&mut self, state: &State, now_ticks: i64) -> Result<()> {
        let bytes = encode_file(state.version, FileKind::Full, state.to_edits(), now_ticks)?;
        let path = file_path(&self.directory, state.version, FileKind::Full);
        write_atomically(self.disk.as_ref(), &path, &bytes)?;
        self.full_versions.push(state.version);
        if self.full_versions.len() <= MANIFEST_CHECKPOINTS_KEPT {
            return Ok(());
        }
        let keep_from = self.full_versions[self.full_versions.len() - MANIFEST_CHECKPOINTS_KEPT];
        for ((version, kind), path) in list(&self.directory)? {
            if version < keep_from || (version == keep_from && kind == FileKind::Delta) {
                self.disk.remove(&path).map_err(|error| StorageError::io("remove", path, error))?;
            }
        }
        self.full_versions.retain(|version| *version >= keep_from);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{CatalogChange, CreateMode, DashboardEntry, FunctionEntry};
    use crate::disk::RealDisk;
    use crate::manifest::plan::{PlanContext, plan};
    use crate::types::{ColumnType, TableSchema};

    fn change(state: &mut State, change: CatalogChange) -> Vec<Edit> {
        let edits = plan(state, &change, PlanContext { now_ticks: 1, sequence: 0 }).unwrap();
        state.version += 1;
        edits.iter().for_each(|edit| state.apply(edit).unwrap());
        edits
    }

    fn create_table(name: &str) -> CatalogChange {
        CatalogChange::CreateTable {
            database: "db".to_owned(),
            name: name.to_owned(),
            schema: TableSchema::new([("time", ColumnType::DateTime), ("text", ColumnType::String)]),
            folder: String::new(),
            docstring: String::new(),
            if_not_exists: false,
        }
    }

    fn write(directory: &Path, tables: u64) -> State {
        let mut files = ManifestFiles::open(directory.to_owned(), Arc::new(RealDisk)).unwrap();
        let mut state = State::default();
        change(&mut state, CatalogChange::CreateDatabase { name: "Db".to_owned(), if_not_exists: false });
        files.write_full(&state, 1).unwrap();
        for number in 0..tables {
            let edits = change(&mut state, create_table(&format!("t{number}")));
            files.write_delta(state.version, edits, 1).unwrap();
            if files.wants_full(state.version) {
                files.write_full(&state, 1).unwrap();
            }
        }
        state
    }

    fn same(left: &State, right: &State) {
        assert_eq!(left.version, right.version);
        assert_eq!(left.to_edits(), right.to_edits());
    }

    #[test]
    fn what_is_written_is_loaded_and_old_versions_go() {
        let directory = tempfile::tempdir().unwrap();
        let state = write(directory.path(), 300);
        let loaded = load(directory.path()).unwrap();
        same(&loaded.state, &state);
        assert!(loaded.problems.is_empty());
        assert!(list(directory.path()).unwrap().len() < 200);
    }

    #[test]
    fn a_flipped_bit_is_reported_and_made_good() {
        let directory = tempfile::tempdir().unwrap();
        let state = write(directory.path(), 3);
        for path in list(directory.path()).unwrap().values() {
            let bytes = std::fs::read(path).unwrap();
            for bit in (0..bytes.len() * 8).step_by(41) {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                std::fs::write(path, &flipped).unwrap();
                let loaded = load(directory.path()).unwrap();
                same(&loaded.state, &state);
                assert_eq!(loaded.problems.len(), 1, "bit {bit} of {}", path.display());
            }
            std::fs::write(path, &bytes).unwrap();
        }
    }

    #[test]
    fn a_file_that_lost_or_gained_its_end_is_read_from_its_first_copy() {
        let directory = tempfile::tempdir().unwrap();
        let state = write(directory.path(), 3);
        for path in list(directory.path()).unwrap().values() {
            let bytes = std::fs::read(path).unwrap();
            let mut longer = bytes.clone();
            longer.extend_from_slice(b"something");
            for changed in [&bytes[..bytes.len() - 1], &bytes[..bytes.len() / 2], &longer] {
                std::fs::write(path, changed).unwrap();
                let loaded = load(directory.path()).unwrap();
                same(&loaded.state, &state);
                assert_eq!(loaded.problems.len(), 1);
            }
            std::fs::write(path, &bytes).unwrap();
        }
    }

    #[test]
    fn a_destroyed_full_manifest_is_rebuilt_from_older_ones() {
        let directory = tempfile::tempdir().unwrap();
        let state = write(directory.path(), 100);
        let files = list(directory.path()).unwrap();
        let (_, newest) = files.iter().rfind(|((_, kind), _)| *kind == FileKind::Full).unwrap();
        std::fs::write(newest, b"nothing").unwrap();
        let loaded = load(directory.path()).unwrap();
        same(&loaded.state, &state);
        assert_eq!(loaded.problems.len(), 1);
    }

    #[test]
    fn a_missing_version_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        write(directory.path(), 5);
        std::fs::remove_file(file_path(directory.path(), 4, FileKind::Delta)).unwrap();
        let error = load(directory.path()).unwrap_err().to_string();
        assert!(error.contains("version 4 is missing"), "{error}");
    }

    #[test]
    fn a_dashboard_is_changed_only_by_whoever_knows_it() {
        let mut state = State::default();
        change(&mut state, CatalogChange::CreateDatabase { name: "Db".to_owned(), if_not_exists: false });
        let put = |text: &str, expected: Option<&str>| CatalogChange::CreateDashboard {
            database: "db".to_owned(),
            dashboard: DashboardEntry {
                name: "d".to_owned(),
                format: "yaml".to_owned(),
                text: text.to_owned(),
                updated_ticks: 1,
            },
            mode: CreateMode::CreateOrAlter,
            expected_text: expected.map(str::to_owned),
        };
        let drop = |expected: Option<&str>| CatalogChange::DropDashboard {
            database: "db".to_owned(),
            name: "d".to_owned(),
            if_exists: false,
            expected_text: expected.map(str::to_owned),
        };
        let context = PlanContext { now_ticks: 1, sequence: 0 };
        let refusal =
            |state: &State, change: &CatalogChange| plan(state, change, context).unwrap_err().to_string();
        assert_eq!(refusal(&state, &drop(None)), "dashboard 'd' was not found");
        assert_eq!(refusal(&state, &put("b", Some("a"))), "dashboard 'd' has changed meanwhile");
        change(&mut state, put("a", None));
        change(&mut state, put("b", Some("a")));
        assert_eq!(refusal(&state, &put("c", Some("a"))), "dashboard 'd' has changed meanwhile");
        assert_eq!(refusal(&state, &drop(Some("a"))), "dashboard 'd' has changed meanwhile");
        assert_eq!(state.database("db").unwrap().dashboard("d").unwrap().text, "b");
        change(&mut state, drop(Some("b")));
        assert!(state.database("db").unwrap().dashboards.is_empty());
    }

    #[test]
    fn catalog_rules() {
        let mut state = State::default();
        change(&mut state, CatalogChange::CreateDatabase { name: "Db".to_owned(), if_not_exists: false });
        change(&mut state, create_table("a"));
        change(&mut state, create_table("b"));
        let ids = |state: &State| {
            let database = state.database("DB").unwrap();
            ["a", "b"].map(|name| database.table(name).map(|table| table.id))
        };
        let [a, b] = ids(&state);
        let swap = vec![("a".to_owned(), "b".to_owned()), ("b".to_owned(), "a".to_owned())];
        change(&mut state, CatalogChange::RenameTables { database: "db".to_owned(), renames: swap });
        assert_eq!(ids(&state), [b, a]);
        let context = PlanContext { now_ticks: 1, sequence: 0 };
        let refused = [
            create_table("a"),
            CatalogChange::DropDatabase { name: "other".to_owned(), if_exists: false },
            CatalogChange::DropTable { database: "db".to_owned(), name: "A".to_owned(), if_exists: false },
            CatalogChange::MergeColumns {
                database: "db".to_owned(),
                table: "a".to_owned(),
                columns: vec![("text".to_owned(), ColumnType::Long)],
            },
            CatalogChange::CreateFunction {
                database: "db".to_owned(),
                function: FunctionEntry {
                    name: "f".to_owned(),
                    parameters: "()".to_owned(),
                    body: "{1}".to_owned(),
                    folder: String::new(),
                    docstring: String::new(),
                },
                mode: CreateMode::Alter,
            },
        ];
        let messages: Vec<String> =
            refused.iter().map(|change| plan(&state, change, context).unwrap_err().to_string()).collect();
        insta::assert_debug_snapshot!(messages, @r#"
        [
            "table 'a' already exists",
            "database 'other' was not found",
            "table 'A' was not found",
            "column 'text' of table 'a' is string, not long",
            "function 'f' was not found",
        ]
        "#);
        change(
            &mut state,
            CatalogChange::MergeColumns {
                database: "db".to_owned(),
                table: "a".to_owned(),
                columns: vec![("text".to_owned(), ColumnType::String), ("n".to_owned(), ColumnType::Long)],
            },
        );
        let table = state.database("db").unwrap().table("a").unwrap();
        assert_eq!((table.schema_version, table.schema.columns[2].id), (2, 2));
        change(
            &mut state,
            CatalogChange::RenameDatabase { name: "db".to_owned(), new_name: "New".to_owned() },
        );
        assert_eq!(state.database("new").unwrap().table("a").unwrap().database, "New");
    }
}
