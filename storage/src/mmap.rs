//! Read-only memory maps of finished files: the one place of the crate with `unsafe`.

#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::path::Path;

use memmap2::Mmap;

/// Less than this is mapped page by page, as it is touched.
const POPULATE_BYTES_MIN: usize = 128 << 10;

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

    /// Maps the pages of a range that is about to be read, all at once: far cheaper than a fault for each few of
    /// them. Does nothing where the system cannot.
    pub fn populate(&self, offset: usize, length: usize) {
        #[cfg(target_os = "linux")]
        if length >= POPULATE_BYTES_MIN && offset.checked_add(length).is_some_and(|end| end <= self.map.len())
        {
            let _ = self.map.advise_range(memmap2::Advice::PopulateRead, offset, length);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (offset, length, POPULATE_BYTES_MIN);
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.map
    }
}
