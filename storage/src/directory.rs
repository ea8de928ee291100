//! The data directory: where each file lives, its format file and its lock.
//!
//! See FORMAT.md, section "Directory".

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64;

use crate::catalog::TableId;
use crate::disk::Disk;
use crate::error::{Result, StorageError};
use crate::limits::TICKS_PER_SECOND;
use crate::manifest::edit::ExtentRecord;

/// Version of the directory's layout and of every file in it.
pub const FORMAT_VERSION: u32 = 1;

const FORMAT_MAGIC: &[u8; 8] = b"CONSHELF";
const FORMAT_BYTES: usize = 48;

/// Paths inside a data directory.
#[derive(Clone, Debug)]
pub struct Layout {
    pub root: PathBuf,
}

impl Layout {
    pub fn new(root: impl Into<PathBuf>) -> Layout {
        Layout { root: root.into() }
    }

    pub fn format_file(&self) -> PathBuf {
        self.root.join("CONSHELF")
    }

    pub fn lock_file(&self) -> PathBuf {
        self.root.join("LOCK")
    }

    pub fn manifest(&self) -> PathBuf {
        self.root.join("manifest")
    }

    pub fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    /// Where damaged pieces of the log are kept for inspection.
    pub fn damaged_log(&self) -> PathBuf {
        self.root.join("log").join("damaged")
    }

    pub fn extents(&self) -> PathBuf {
        self.root.join("extents")
    }

    /// The file of an extent: its table, the day its partition begins, its id.
    pub fn extent(&self, table: TableId, record: &ExtentRecord) -> PathBuf {
        self.extents()
            .join(table.to_string())
            .join(partition_name(record.partition.0))
            .join(format!("{}.extent", record.id))
    }
}

/// Name of the directory of a partition: the time at which it begins, `yyyy-mm-dd`, with `Thhmmss` when that is
/// not a midnight.
pub fn partition_name(start_ticks: i64) -> String {
    let day_ticks = 86_400 * TICKS_PER_SECOND;
    let (days, rest) = (start_ticks.div_euclid(day_ticks), start_ticks.rem_euclid(day_ticks));
    let (year, month, day) = civil_date(days);
    let seconds = rest / TICKS_PER_SECOND;
    if seconds == 0 {
        format!("{year:04}-{month:02}-{day:02}")
    } else {
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}{minute:02}{second:02}")
    }
}

/// Year, month and day of a number of days since 0001-01-01 in the proleptic Gregorian calendar (after Howard
/// Hinnant's `civil_from_days`).
fn civil_date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 306;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// What the format file says.
#[derive(Debug, PartialEq, Eq)]
pub enum Format {
    /// No directory, or an empty one.
    Absent,
    /// Written by this version or an older one.
    Readable,
    /// The file is damaged or missing from a directory that has data.
    Damaged(String),
}

/// Reads the format file without touching anything. A newer version is refused, and so is a directory that
/// holds other things than ours.
pub fn read_format(layout: &Layout) -> Result<Format> {
    let path = layout.format_file();
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if layout.manifest().is_dir() {
                return Ok(Format::Damaged("the format file is missing".to_owned()));
            }
            return match std::fs::read_dir(&layout.root) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Format::Absent),
                Err(error) => Err(StorageError::io("read directory", &layout.root, error)),
                Ok(mut entries) => {
                    let foreign = entries.find_map(|entry| {
                        let name = entry.ok()?.file_name();
                        (name != "LOCK" && name != "lost+found" && name != "CONSHELF.tmp").then_some(name)
                    });
                    match foreign {
                        None => Ok(Format::Absent),
                        Some(name) => Err(StorageError::Invalid(format!(
                            "{} is not a data directory of conshelf and not empty (it has '{}'): \
                             name an empty or a new directory",
                            layout.root.display(),
                            name.to_string_lossy()
                        ))),
                    }
                }
            };
        }
        Err(error) => return Err(StorageError::io("read", path, error)),
    };
    if bytes.len() != FORMAT_BYTES || &bytes[..8] != FORMAT_MAGIC {
        return Ok(Format::Damaged("the format file is not one".to_owned()));
    }
    let stored = u64::from_le_bytes(bytes[40..48].try_into().unwrap_or_default());
    if xxh3_64(&bytes[..40]) != stored {
        return Ok(Format::Damaged("the checksum of the format file does not match".to_owned()));
    }
    let version = u32::from_le_bytes(bytes[8..12].try_into().unwrap_or_default());
    if version > FORMAT_VERSION {
        return Err(StorageError::NewerVersion { path, found: version, supported: FORMAT_VERSION });
    }
    Ok(Format::Readable)
}

/// Writes the format file.
pub fn write_format(layout: &Layout, disk: &dyn Disk, now_ticks: i64) -> Result<()> {
    let mut bytes = Vec::with_capacity(FORMAT_BYTES);
    bytes.extend_from_slice(FORMAT_MAGIC);
    bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes.extend_from_slice(&0u32.to_le_bytes());
    bytes.extend_from_slice(Uuid::new_v4().as_bytes());
    bytes.extend_from_slice(&now_ticks.to_le_bytes());
    bytes.extend_from_slice(&xxh3_64(&bytes).to_le_bytes());
    Ok(write_atomically(disk, &layout.format_file(), &bytes)?)
}

/// A replacement of a file that did not succeed.
#[derive(Debug)]
pub struct ReplaceFailure {
    pub error: StorageError,
    /// The new content may be there after a crash. Otherwise it certainly is not.
    pub doubtful: bool,
}

impl From<ReplaceFailure> for StorageError {
    fn from(failure: ReplaceFailure) -> StorageError {
        failure.error
    }
}

/// Writes a file so that it has either its old content or the new one, whatever happens.
pub fn write_atomically(
    disk: &dyn Disk,
    path: &Path,
    bytes: &[u8],
) -> std::result::Result<(), ReplaceFailure> {
    let temporary = path.with_extension(match path.extension() {
        Some(extension) => format!("{}.tmp", extension.to_string_lossy()),
        None => "tmp".to_owned(),
    });
    let write = || {
        let mut file = disk.create(&temporary)?;
        file.write_all(bytes)?;
        file.sync()
    };
    if let Err(error) = write() {
        // A full disk needs the room.
        let _ = disk.remove(&temporary);
        return Err(ReplaceFailure { error: StorageError::io("write", path, error), doubtful: false });
    }
    let parent = path.parent().unwrap_or(path);
    disk.rename(&temporary, path)
        .map_err(|error| StorageError::io("rename to", path, error))
        .and_then(|()| {
            disk.sync_directory(parent).map_err(|error| StorageError::io("sync directory", parent, error))
        })
        .map_err(|error| ReplaceFailure { error, doubtful: true })
}

/// The lock of a directory, held while this value lives. The kernel releases it with the process.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Takes the lock or says who has it.
    pub fn take(layout: &Layout) -> Result<DirectoryLock> {
        let path = layout.lock_file();
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| StorageError::io("open", &path, error))?;
        if let Err(error) = rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            if error != rustix::io::Errno::WOULDBLOCK {
                return Err(StorageError::io("lock", path, error.into()));
            }
            let mut owner = String::new();
            let _ = file.take(200).read_to_string(&mut owner);
            let owner = owner.trim().to_owned();
            return Err(StorageError::Locked {
                path: layout.root.clone(),
                owner: (!owner.is_empty()).then_some(owner),
            });
        }
        // The text is for people; a full disk must not keep a store from opening.
        let _ = file
            .set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| writeln!(file, "process {}", std::process::id()));
        Ok(DirectoryLock { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::RealDisk;

    #[test]
    fn partition_names() {
        let day = 86_400 * TICKS_PER_SECOND;
        for (ticks, name) in [
            (0, "0001-01-01"),
            (621_355_968_000_000_000, "1970-01-01"),
            (738_944 * day, "2024-02-29"),
            (738_945 * day - day / 2, "2024-02-29T120000"),
            (738_945 * day, "2024-03-01"),
            (3_652_058 * day, "9999-12-31"),
        ] {
            assert_eq!(partition_name(ticks), name);
        }
    }

    #[test]
    fn format_file_is_read_back_and_every_flipped_bit_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::new(directory.path());
        assert_eq!(read_format(&layout).unwrap(), Format::Absent);
        write_format(&layout, &RealDisk, 5).unwrap();
        assert_eq!(read_format(&layout).unwrap(), Format::Readable);
        let bytes = std::fs::read(layout.format_file()).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(layout.format_file(), &flipped).unwrap();
            assert!(matches!(read_format(&layout), Ok(Format::Damaged(_))), "bit {bit}");
        }
    }

    #[test]
    fn a_newer_version_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::new(directory.path());
        write_format(&layout, &RealDisk, 5).unwrap();
        let mut bytes = std::fs::read(layout.format_file()).unwrap();
        bytes[8] = 200;
        let checksum = xxh3_64(&bytes[..40]).to_le_bytes();
        bytes[40..].copy_from_slice(&checksum);
        std::fs::write(layout.format_file(), &bytes).unwrap();
        let error = read_format(&layout).unwrap_err();
        assert!(matches!(error, StorageError::NewerVersion { found: 200, .. }), "{error}");
    }

    #[test]
    fn a_foreign_directory_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("thesis.txt"), "x").unwrap();
        let error = read_format(&Layout::new(directory.path())).unwrap_err();
        assert!(error.to_string().contains("thesis.txt"), "{error}");
    }
}
