//! A disk for tests: counts its operations, fails chosen ones, and can lose everything that was not synced.
//!
//! It works on real files and remembers how to undo what a power failure would undo: unsynced bytes at the end
//! of files, and directory changes since the directory was last synced.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::{Disk, DiskFile, RealDisk};

/// See the module. Cloning shares the disk.
#[derive(Clone, Debug)]
pub struct SimulatedDisk {
    simulation: Arc<Mutex<Simulation>>,
}

#[derive(Debug)]
struct Simulation {
    operations: u64,
    /// Operations with numbers in this range fail with this error code of the operating system.
    failing: Option<(std::ops::Range<u64>, i32)>,
    /// From this operation on nothing reaches the disk.
    crash_at: Option<u64>,
    random: u64,
    trash: PathBuf,
    trashed: u64,
    /// Bytes of a file that are durable, for files with others.
    durable: HashMap<PathBuf, u64>,
    /// Directory changes that are not durable, oldest first.
    pending: Vec<Pending>,
}

#[derive(Debug)]
enum Pending {
    Created(PathBuf),
    Renamed { from: PathBuf, to: PathBuf, replaced: Option<PathBuf> },
    Removed { path: PathBuf, kept: PathBuf },
}

impl Pending {
    fn directory(&self) -> Option<&Path> {
        match self {
            Pending::Created(path) | Pending::Removed { path, .. } => path.parent(),
            Pending::Renamed { to, .. } => to.parent(),
        }
    }
}

enum Verdict {
    Proceed,
    Crashed,
    Failed(i32),
}

impl Simulation {
    fn step(&mut self) -> Verdict {
        let operation = self.operations;
        self.operations += 1;
        if self.crash_at.is_some_and(|at| operation >= at) {
            return Verdict::Crashed;
        }
        match &self.failing {
            Some((range, code)) if range.contains(&operation) => Verdict::Failed(*code),
            _ => Verdict::Proceed,
        }
    }

    fn allow(&mut self) -> io::Result<()> {
        match self.step() {
            Verdict::Proceed => Ok(()),
            Verdict::Crashed => Err(io::Error::other("the simulated machine is off")),
            Verdict::Failed(code) => Err(io::Error::from_raw_os_error(code)),
        }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        if bound == 0 { 0 } else { self.random % bound }
    }

    fn put_aside(&mut self, path: &Path) -> io::Result<Option<PathBuf>> {
        if !path.exists() {
            return Ok(None);
        }
        std::fs::create_dir_all(&self.trash)?;
        self.trashed += 1;
        let kept = self.trash.join(self.trashed.to_string());
        std::fs::rename(path, &kept)?;
        Ok(Some(kept))
    }
}

impl SimulatedDisk {
    /// A disk that keeps what it may have to bring back in `trash`, outside the data directory but on the same
    /// file system.
    pub fn new(trash: impl Into<PathBuf>, seed: u64) -> SimulatedDisk {
        let simulation = Simulation {
            operations: 0,
            failing: None,
            crash_at: None,
            random: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            trash: trash.into(),
            trashed: 0,
            durable: HashMap::new(),
            pending: Vec::new(),
        };
        SimulatedDisk { simulation: Arc::new(Mutex::new(simulation)) }
    }

    /// Operations so far.
    pub fn operations(&self) -> u64 {
        self.simulation.lock().operations
    }

    /// Lets `count` operations fail, after `skip` more that succeed, with an error code such as 28 (ENOSPC).
    pub fn fail(&self, skip: u64, count: u64, code: i32) {
        let mut simulation = self.simulation.lock();
        let first = simulation.operations + skip;
        simulation.failing = Some((first..first.saturating_add(count), code));
    }

    /// Ends a failure set by `fail`.
    pub fn heal(&self) {
        self.simulation.lock().failing = None;
    }

    /// Switches the machine off after `skip` more operations.
    pub fn crash_after(&self, skip: u64) {
        let mut simulation = self.simulation.lock();
        simulation.crash_at = Some(simulation.operations + skip);
    }

    /// Whether the machine is off.
    pub fn crashed(&self) -> bool {
        let simulation = self.simulation.lock();
        simulation.crash_at.is_some_and(|at| simulation.operations > at)
    }

    /// Undoes what was not durable, a random part of it at least, as a power failure does. The disk is as good
    /// as new afterwards. The store that used it must be gone.
    pub fn lose_unsynced(&self) -> io::Result<()> {
        let mut simulation = self.simulation.lock();
        let pending = std::mem::take(&mut simulation.pending);
        let survive = simulation.below(pending.len() as u64 + 1) as usize;
        for change in pending.into_iter().skip(survive).rev() {
            match change {
                Pending::Created(path) => {
                    simulation.durable.remove(&path);
                    let _ = std::fs::remove_file(&path);
                }
                Pending::Renamed { from, to, replaced } => {
                    std::fs::rename(&to, &from)?;
                    if let Some(length) = simulation.durable.remove(&to) {
                        simulation.durable.insert(from, length);
                    }
                    if let Some(replaced) = replaced {
                        std::fs::rename(replaced, &to)?;
                    }
                }
                Pending::Removed { path, kept } => std::fs::rename(kept, path)?,
            }
        }
        for (path, durable) in std::mem::take(&mut simulation.durable) {
            let Ok(metadata) = std::fs::metadata(&path) else { continue };
            let kept = durable + simulation.below(metadata.len().saturating_sub(durable) + 1);
            RealDisk.truncate(&path, kept)?;
        }
        simulation.crash_at = None;
        simulation.failing = None;
        Ok(())
    }
}

impl Disk for SimulatedDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut simulation = self.simulation.lock();
        simulation.allow()?;
        let existed = path.exists();
        let inner = RealDisk.create(path)?;
        if !existed {
            simulation.pending.push(Pending::Created(path.to_owned()));
        }
        simulation.durable.insert(path.to_owned(), 0);
        Ok(Box::new(SimulatedFile { disk: self.clone(), path: path.to_owned(), inner, length: 0 }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut simulation = self.simulation.lock();
        simulation.allow()?;
        let replaced = simulation.put_aside(to)?;
        std::fs::rename(from, to)?;
        if let Some(length) = simulation.durable.remove(from) {
            simulation.durable.insert(to.to_owned(), length);
        } else {
            simulation.durable.remove(to);
        }
        simulation.pending.push(Pending::Renamed { from: from.to_owned(), to: to.to_owned(), replaced });
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut simulation = self.simulation.lock();
        simulation.allow()?;
        match simulation.put_aside(path)? {
            Some(kept) => {
                simulation.durable.remove(path);
                simulation.pending.push(Pending::Removed { path: path.to_owned(), kept });
                Ok(())
            }
            None => Err(io::Error::from(io::ErrorKind::NotFound)),
        }
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        self.simulation.lock().allow()?;
        RealDisk.create_directory(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        let mut simulation = self.simulation.lock();
        simulation.allow()?;
        simulation.pending.retain(|change| change.directory() != Some(path));
        Ok(())
    }

    fn truncate(&self, path: &Path, length: u64) -> io::Result<()> {
        let mut simulation = self.simulation.lock();
        simulation.allow()?;
        simulation.durable.remove(path);
        RealDisk.truncate(path, length)
    }

    fn wrote(&self, path: &Path) -> io::Result<()> {
        let mut simulation = self.simulation.lock();
        simulation.allow()?;
        simulation.pending.push(Pending::Created(path.to_owned()));
        Ok(())
    }
}

#[derive(Debug)]
struct SimulatedFile {
    disk: SimulatedDisk,
    path: PathBuf,
    inner: Box<dyn DiskFile>,
    length: u64,
}

impl DiskFile for SimulatedFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut simulation = self.disk.simulation.lock();
        if let Err(error) = simulation.allow() {
            // A failing write may have written a part; after the crash even less is known.
            let part = simulation.below(bytes.len() as u64) as usize;
            if simulation.crash_at.is_none_or(|at| simulation.operations <= at + 1) {
                self.inner.write_all(&bytes[..part])?;
                self.length += part as u64;
            }
            return Err(error);
        }
        self.inner.write_all(bytes)?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut simulation = self.disk.simulation.lock();
        simulation.allow()?;
        simulation.durable.insert(self.path.clone(), self.length);
        Ok(())
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        let mut simulation = self.disk.simulation.lock();
        simulation.allow()?;
        if let Some(durable) = simulation.durable.get_mut(&self.path) {
            *durable = (*durable).min(length);
        }
        self.length = length;
        self.inner.truncate(length)
    }
}
