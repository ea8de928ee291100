//! Read-only memory maps of finished files: the one place of the crate with `unsafe`.

#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::path::Path;

use memmap2::Mmap;

/// The bytes of a file, mapped read-only.
///
/// For files that are complete and never written again (extents). A file of no bytes maps to no bytes.
#[derive(Debug)]
pub struct MappedFile {
    map: Mmap,
}

impl MappedFile {
    /// Maps the whole file.
    pub fn open(path: &Path) -> io::Result<MappedFile> {
        let file = File::open(path)?;
        // SAFETY: mapping is unsound where the file changes while it is mapped. Conshelf writes an extent
        // under a temporary name, renames it when it is complete, and never opens it for writing again;
        // removing a file leaves its pages mapped. The directory lock keeps other conshelf processes out.
        // Another program that truncates the file makes reads fault (SIGBUS) and one that writes into it
        // changes bytes under the checksums; both lie outside what a process can defend a map against.
        let map = unsafe { Mmap::map(&file)? };
        Ok(MappedFile { map })
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.map
    }
}
