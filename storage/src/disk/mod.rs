//! The seam between the store and the file system: everything that has to be durable goes through `Disk`.
//!
//! `RealDisk` is the operating system. `SimulatedDisk` fails and crashes on command, for tests. Extents are
//! written by their own writer, which syncs the file itself; `wrote` tells the disk about them.

mod simulated;

use std::fmt::Debug;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

pub use simulated::SimulatedDisk;

/// What the store asks of a file system.
pub trait Disk: Send + Sync + Debug {
    /// Creates a file, or empties an existing one, for writing from its start.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Moves a file over another name, atomically.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Creates a directory and those above it; an existing one is fine.
    fn create_directory(&self, path: &Path) -> io::Result<()>;
    /// Makes creations, renames and removals in a directory durable.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
    /// Cuts a file and makes that durable.
    fn truncate(&self, path: &Path, length: u64) -> io::Result<()>;
    /// A file was written and synced by other means.
    fn wrote(&self, path: &Path) -> io::Result<()>;
}

/// A file that is written from front to back.
pub trait DiskFile: Send + Debug {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes the bytes written so far durable (`fdatasync`).
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts the file and goes on writing at its new end.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
}

/// The operating system's file system.
#[derive(Debug, Default)]
pub struct RealDisk;

#[derive(Debug)]
struct RealFile(File);

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
        Ok(Box::new(RealFile(file)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        std::fs::create_dir_all(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn truncate(&self, path: &Path, length: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(length)?;
        file.sync_all()
    }

    fn wrote(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }
}

impl DiskFile for RealFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        use std::io::{Seek, SeekFrom};
        self.0.set_len(length)?;
        self.0.seek(SeekFrom::Start(length)).map(|_| ())
    }
}
