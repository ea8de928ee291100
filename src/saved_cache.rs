//! The query cache over a restart: a file in the data directory, read when somebody asks for a value in it.
//!
//! ```text
//! header | value … | index | trailer
//! header   64 bytes: "CSHCACH\n", u32 version, u32 0, u128 build, zeros, u64 XXH3(bytes 0 to 56, 0)
//! index    64 bytes a value, the least recently used first: 16 bytes id of the extent (zeros: of none in particular),
//!          u128 fingerprint, u64 bytes in memory, u64 offset, u64 XXH3(value, offset), u32 length, u8 form, 3 zeros
//! trailer  48 bytes: u64 offset of the index, u64 its length, u64 XXH3(index, its offset), u64 length of the file,
//!          u64 XXH3(bytes 0 to 32, length of the file), "\nCSHCACH"
//! ```
//!
//! Numbers are little-endian, XXH3 (*bytes*, *seed*) is XXH3-64. Forms of values: `engine::stored`. What a
//! fingerprint and a state mean, only the build knows that wrote them: `build` is a hash of the running program, this
//! version, and of the databases it answers from beside the store. A file of another build is removed, one that is
//! damaged ignored, a damaged value forgotten; each is only computed again. Values are of extents, which never
//! change; those of extents that are gone are not taken over. Nothing is lost with the file, so that whatever
//! goes wrong with writing it is said in the server's log and matters to nobody.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use conshelf_storage::Store;
use uuid::Uuid;
use xxhash_rust::xxh3::{Xxh3, xxh3_64_with_seed};

use crate::engine::cache::{CacheKey, Place, QueryCache, Shelf, StoredEntry};

/// Of the file and of every form of value in it.
pub const VERSION: u32 = 1;

/// Name of the file.
pub const FILE_NAME: &str = "query.cache";

const MAGIC: &[u8; 8] = b"CSHCACH\n";
const MAGIC_AT_END: &[u8; 8] = b"\nCSHCACH";
const HEADER_BYTES: usize = 64;
const ENTRY_BYTES: usize = 64;
const TRAILER_BYTES: usize = 48;

/// The file is written no more often than comes to so many bytes a second on average.
const BYTES_PER_SECOND: u64 = 256 << 10;

/// Keeps a cache on disk while it lives; writes what is new when it is dropped.
#[derive(Debug)]
pub struct CacheKeeper {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl CacheKeeper {
    /// Reads the index of what an earlier server left, so that the first query finds it, and from then on writes
    /// what is new at most `every` so often. `also` is a hash of what answers depend on beside the program and the
    /// store.
    pub fn start(
        store: Store,
        cache: Arc<QueryCache>,
        also: u64,
        every: Duration,
    ) -> io::Result<CacheKeeper> {
        let (stop, stopped) = channel();
        let path = store.directory().join(FILE_NAME);
        let build = program()
            .map(|program| hash(&[&program.to_le_bytes(), &VERSION.to_le_bytes(), &also.to_le_bytes()]));
        if let Some(build) = build {
            load(&path, &cache, build, &store.snapshot().extent_ids().collect());
        }
        let body = move || match build {
            Some(build) => keep(&path, &cache, build, every, &stopped),
            None => tracing::warn!("the program cannot be read: the query cache is not kept over a restart"),
        };
        let thread = std::thread::Builder::new().name(String::from("conshelf-cache")).spawn(body)?;
        Ok(CacheKeeper { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for CacheKeeper {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that keeps the query cache panicked");
        }
    }
}

fn keep(path: &Path, cache: &Arc<QueryCache>, build: u128, every: Duration, stopped: &Receiver<()>) {
    // Queries come first.
    let _ = rustix::process::nice(15);
    let mut free_at = Instant::now();
    loop {
        let is_last = !matches!(stopped.recv_timeout(every), Err(RecvTimeoutError::Timeout));
        if cache.fresh_bytes() > 0 && (is_last || Instant::now() >= free_at) {
            match save(path, cache, build) {
                Ok(bytes) => free_at = Instant::now() + Duration::from_secs(bytes / BYTES_PER_SECOND),
                Err(error) => {
                    tracing::warn!(%error, "the query cache was not written to {}", path.display());
                    free_at = Instant::now() + every * 10;
                }
            }
        }
        if is_last {
            return;
        }
    }
}

fn hash(parts: &[&[u8]]) -> u128 {
    let mut hash = Xxh3::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.digest128()
}

/// Of the bytes of the running program: another build may name other things alike, and dates of files are made up.
fn program() -> Option<u128> {
    static PROGRAM: OnceLock<Option<u128>> = OnceLock::new();
    *PROGRAM.get_or_init(|| {
        // The file that runs, also where another has its name by now.
        let file = File::open("/proc/self/exe").or_else(|_| File::open(std::env::current_exe()?));
        let mut file = file.ok()?;
        let mut hash = Xxh3::new();
        let mut buffer = vec![0; 256 << 10];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return Some(hash.digest128()),
                Ok(length) => hash.update(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
    })
}

/// A file whose values are read one by one.
struct SavedFile {
    file: File,
    path: PathBuf,
    is_reported: AtomicBool,
}

impl SavedFile {
    fn shelf(file: File, path: &Path) -> Arc<dyn Shelf> {
        Arc::new(SavedFile { file, path: path.to_owned(), is_reported: AtomicBool::new(false) })
    }
}

impl Shelf for SavedFile {
    fn read(&self, place: Place) -> Option<Vec<u8>> {
        let mut bytes = vec![0; place.length as usize];
        let read = self.file.read_exact_at(&mut bytes, place.offset);
        if read.is_ok() && xxh3_64_with_seed(&bytes, place.offset) == place.checksum {
            return Some(bytes);
        }
        if !self.is_reported.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                offset = place.offset,
                "damage in {}: what it held is computed again",
                self.path.display()
            );
        }
        None
    }
}

/// Why a file is of no use.
#[derive(Debug, PartialEq, Eq)]
enum Refused {
    /// Another program wrote it.
    Build,
    Damaged(&'static str),
}

/// Lets the cache know of the values in a file whose extents are `alive`.
fn load(path: &Path, cache: &QueryCache, build: u128, alive: &HashSet<Uuid>) {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => {
            tracing::warn!(%error, "the query cache in {} cannot be read", path.display());
            return;
        }
    };
    match index(&file, build) {
        Ok(Ok(mut entries)) => {
            entries.retain(|entry| entry.key.extent.is_nil() || alive.contains(&entry.key.extent));
            tracing::info!(values = entries.len(), "found a query cache in {}", path.display());
            cache.restore(&entries, &SavedFile::shelf(file, path));
        }
        Ok(Err(Refused::Build)) => {
            tracing::info!("the query cache in {} is of another build: dropped", path.display());
            let _ = std::fs::remove_file(path);
        }
        Ok(Err(Refused::Damaged(reason))) => {
            tracing::warn!("the query cache in {} is damaged and not used: {reason}", path.display());
        }
        Err(error) => tracing::warn!(%error, "the query cache in {} cannot be read", path.display()),
    }
}

fn index(file: &File, build: u128) -> io::Result<Result<Vec<StoredEntry>, Refused>> {
    let length = file.metadata()?.len();
    if length < (HEADER_BYTES + TRAILER_BYTES) as u64 {
        return Ok(Err(Refused::Damaged("it is too short")));
    }
    let mut header = [0; HEADER_BYTES];
    file.read_exact_at(&mut header, 0)?;
    let mut trailer = [0; TRAILER_BYTES];
    file.read_exact_at(&mut trailer, length - TRAILER_BYTES as u64)?;
    let (offset, bytes, checksum) = match read_ends(&header, &trailer, length, build) {
        Ok(place) => place,
        Err(refused) => return Ok(Err(refused)),
    };
    let mut index = vec![0; bytes as usize];
    file.read_exact_at(&mut index, offset)?;
    Ok(read_index(&index, offset, checksum))
}

fn number(bytes: &[u8], at: usize) -> u64 {
    let bytes = bytes.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, u64::from_le_bytes)
}

fn wide(bytes: &[u8], at: usize) -> u128 {
    u128::from(number(bytes, at)) | u128::from(number(bytes, at + 8)) << 64
}

/// Offset, length and checksum of the index.
fn read_ends(
    header: &[u8; HEADER_BYTES],
    trailer: &[u8; TRAILER_BYTES],
    length: u64,
    build: u128,
) -> Result<(u64, u64, u64), Refused> {
    if &header[..8] != MAGIC || xxh3_64_with_seed(&header[..56], 0) != number(header, 56) {
        return Err(Refused::Damaged("its header is not one"));
    }
    if number(header, 8) != u64::from(VERSION) || wide(header, 16) != build {
        return Err(Refused::Build);
    }
    if &trailer[40..] != MAGIC_AT_END
        || xxh3_64_with_seed(&trailer[..32], length) != number(trailer, 32)
        || number(trailer, 24) != length
    {
        return Err(Refused::Damaged("its end is missing"));
    }
    let (offset, bytes) = (number(trailer, 0), number(trailer, 8));
    let fits = offset.checked_add(bytes).and_then(|end| end.checked_add(TRAILER_BYTES as u64));
    if fits != Some(length) || offset < HEADER_BYTES as u64 || bytes % ENTRY_BYTES as u64 != 0 {
        return Err(Refused::Damaged("its index lies outside"));
    }
    Ok((offset, bytes, number(trailer, 16)))
}

fn read_index(index: &[u8], offset: u64, checksum: u64) -> Result<Vec<StoredEntry>, Refused> {
    if xxh3_64_with_seed(index, offset) != checksum {
        return Err(Refused::Damaged("its index does not match its checksum"));
    }
    let entries = index.chunks_exact(ENTRY_BYTES).map(|bytes| {
        let mut extent = [0; 16];
        extent.copy_from_slice(&bytes[..16]);
        let entry = StoredEntry {
            key: CacheKey { extent: Uuid::from_bytes(extent), fingerprint: wide(bytes, 16) },
            bytes: number(bytes, 32),
            place: Place {
                offset: number(bytes, 40),
                checksum: number(bytes, 48),
                length: number(bytes, 56) as u32,
            },
            form: bytes[60],
        };
        let end = entry.place.offset.checked_add(u64::from(entry.place.length));
        end.is_some_and(|end| end <= offset).then_some(entry)
    });
    entries.collect::<Option<_>>().ok_or(Refused::Damaged("a value lies outside"))
}

fn write_entry(out: &mut Vec<u8>, entry: &StoredEntry) {
    out.extend_from_slice(entry.key.extent.as_bytes());
    out.extend_from_slice(&entry.key.fingerprint.to_le_bytes());
    for number in [entry.bytes, entry.place.offset, entry.place.checksum] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend_from_slice(&entry.place.length.to_le_bytes());
    out.extend_from_slice(&[entry.form, 0, 0, 0]);
}

/// Writes a new file in place of the old one; yields its bytes.
fn save(path: &Path, cache: &QueryCache, build: u128) -> io::Result<u64> {
    let temporary = path.with_extension("cache.tmp");
    let written = write(&temporary, cache, build).and_then(|(file, entries, length)| {
        std::fs::rename(&temporary, path)?;
        Ok((file, entries, length))
    });
    let (file, entries, length) = match written {
        Ok(written) => written,
        Err(error) => {
            // A full disk needs the room.
            let _ = std::fs::remove_file(&temporary);
            return Err(error);
        }
    };
    // Also so that the room of the old file becomes free.
    cache.moved(&entries, &SavedFile::shelf(file, path));
    if let Some(parent) = path.parent() {
        File::open(parent)?.sync_all()?;
    }
    Ok(length)
}

fn write(path: &Path, cache: &QueryCache, build: u128) -> io::Result<(File, Vec<StoredEntry>, u64)> {
    let file = File::options().read(true).write(true).create(true).truncate(true).open(path)?;
    let mut out = BufWriter::with_capacity(256 << 10, file);
    let mut header = Vec::with_capacity(HEADER_BYTES);
    header.extend_from_slice(MAGIC);
    header.extend_from_slice(&u64::from(VERSION).to_le_bytes());
    header.extend_from_slice(&build.to_le_bytes());
    header.resize(56, 0);
    header.extend_from_slice(&xxh3_64_with_seed(&header, 0).to_le_bytes());
    out.write_all(&header)?;
    let mut offset = HEADER_BYTES as u64;
    let mut entries = Vec::new();
    let mut value = Vec::new();
    for content in cache.contents() {
        if !content.encode(&mut value) {
            continue;
        }
        let Ok(length) = u32::try_from(value.len()) else { continue };
        out.write_all(&value)?;
        let place = Place { offset, length, checksum: xxh3_64_with_seed(&value, offset) };
        entries.push(StoredEntry { key: content.key, form: content.form, bytes: content.bytes, place });
        offset += u64::from(length);
    }
    let mut index = Vec::with_capacity(entries.len() * ENTRY_BYTES);
    entries.iter().for_each(|entry| write_entry(&mut index, entry));
    out.write_all(&index)?;
    let length = offset + (index.len() + TRAILER_BYTES) as u64;
    let mut trailer = Vec::with_capacity(TRAILER_BYTES);
    for number in [offset, index.len() as u64, xxh3_64_with_seed(&index, offset), length] {
        trailer.extend_from_slice(&number.to_le_bytes());
    }
    trailer.extend_from_slice(&xxh3_64_with_seed(&trailer, length).to_le_bytes());
    trailer.extend_from_slice(MAGIC_AT_END);
    out.write_all(&trailer)?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_data()?;
    Ok((file, entries, length))
}

/// Reads any bytes as the parts of a file and as a value, and what is one again; for fuzzing. Must neither panic
/// nor hang.
pub fn fuzz_saved_cache(data: &[u8]) {
    crate::engine::stored::fuzz_values(data);
    // Only damage that the checksums do not show can do harm.
    let offset = data.len() as u64;
    if let Ok(entries) = read_index(data, offset, xxh3_64_with_seed(data, offset)) {
        for entry in entries {
            let mut bytes = Vec::new();
            write_entry(&mut bytes, &entry);
            assert_eq!(read_index(&bytes, offset, xxh3_64_with_seed(&bytes, offset)), Ok(vec![entry]));
        }
    }
    if let Some((mut trailer, rest)) =
        data.split_first_chunk::<TRAILER_BYTES>().map(|(head, rest)| (*head, rest))
        && let Some((header, _)) = rest.split_first_chunk::<HEADER_BYTES>()
    {
        let mut header = *header;
        header[..8].copy_from_slice(MAGIC);
        let checksum = xxh3_64_with_seed(&header[..56], 0);
        header[56..].copy_from_slice(&checksum.to_le_bytes());
        let length = number(&trailer, 24);
        let checksum = xxh3_64_with_seed(&trailer[..32], length);
        trailer[32..40].copy_from_slice(&checksum.to_le_bytes());
        trailer[40..].copy_from_slice(MAGIC_AT_END);
        if let Ok((offset, bytes, _)) = read_ends(&header, &trailer, length, wide(&header, 16)) {
            assert!(offset + bytes < length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::cache::{BUDGET_BYTES, Keep};

    #[derive(Debug, PartialEq)]
    struct Text(String);

    impl Keep for Text {
        fn form() -> u8 {
            9
        }

        fn encode(&self, out: &mut Vec<u8>) -> bool {
            out.extend_from_slice(self.0.as_bytes());
            !self.0.is_empty()
        }

        fn decode(bytes: &[u8]) -> Option<Text> {
            Some(Text(String::from_utf8(bytes.to_vec()).ok()?))
        }
    }

    const BUILD: u128 = 12;

    fn key(number: u128) -> CacheKey {
        CacheKey { extent: Uuid::from_u128(number % 3), fingerprint: number }
    }

    fn text(number: u128) -> String {
        format!("value {number}").repeat(number as usize + 1)
    }

    fn filled() -> Arc<QueryCache> {
        let cache = QueryCache::of(BUDGET_BYTES).expect("cache");
        for number in 0..20 {
            assert!(cache.put(key(number), Arc::new(Text(text(number))), 100, u64::MAX));
        }
        assert!(cache.put(key(20), Arc::new(Text(String::new())), 100, u64::MAX));
        cache
    }

    fn loaded(path: &Path, build: u128, alive: &[u128]) -> Arc<QueryCache> {
        let cache = QueryCache::of(BUDGET_BYTES).expect("cache");
        load(path, &cache, build, &alive.iter().map(|id| Uuid::from_u128(*id)).collect());
        cache
    }

    /// The numbers of the values that a cache has; none may be wrong.
    fn known(cache: &QueryCache) -> Vec<u128> {
        let known = (0..21).filter(|number| {
            let found = cache.get::<Text>(&key(*number));
            assert!(found.as_ref().is_none_or(|found| found.0 == text(*number)), "{number}: {found:?}");
            found.is_some()
        });
        known.collect()
    }

    #[test]
    fn what_was_written_is_found_if_its_extent_is_there() {
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join(FILE_NAME);
        assert_eq!(known(&loaded(&path, BUILD, &[1, 2])), [], "no file");
        let cache = filled();
        save(&path, &cache, BUILD).expect("saved");
        assert_eq!(cache.fresh_bytes(), 0);
        let all: Vec<u128> = (0..20).collect();
        let again = loaded(&path, BUILD, &[1, 2]);
        // Some are in memory when the file is written anew, others are copied; the old file is gone.
        assert!(again.get::<Text>(&key(3)).is_some());
        assert!(again.put(key(20), Arc::new(Text(text(20))), 100, u64::MAX));
        save(&path, &again, BUILD).expect("saved");
        assert_eq!(known(&again).len(), 21);
        assert_eq!(known(&loaded(&path, BUILD, &[1, 2])), [all.clone(), vec![20]].concat());
        let some: Vec<u128> = (0..21).filter(|number| number % 3 != 2).collect();
        assert_eq!(known(&loaded(&path, BUILD, &[1])), some);
        assert_eq!(known(&loaded(&path, BUILD + 1, &[1, 2])), []);
        assert!(!path.exists(), "what another build wrote is dropped");
    }

    #[test]
    fn damage_costs_what_it_hit() {
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join(FILE_NAME);
        save(&path, &filled(), BUILD).expect("saved");
        let bytes = std::fs::read(&path).expect("read");
        let values = bytes.len() - TRAILER_BYTES - 20 * ENTRY_BYTES;
        for at in (0..bytes.len()).step_by(7) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            std::fs::write(&path, &damaged).expect("written");
            let found = known(&loaded(&path, BUILD, &[1, 2])).len();
            assert_eq!(found, if (HEADER_BYTES..values).contains(&at) { 19 } else { 0 }, "byte {at}");
        }
        for length in (0..bytes.len()).step_by(13) {
            std::fs::write(&path, &bytes[..length]).expect("written");
            assert_eq!(known(&loaded(&path, BUILD, &[1, 2])), []);
        }
        // A file that shrinks while it is used.
        std::fs::write(&path, &bytes).expect("written");
        let cache = loaded(&path, BUILD, &[1, 2]);
        std::fs::write(&path, b"").expect("written");
        assert_eq!(known(&cache), []);
    }

    #[test]
    fn a_directory_that_cannot_be_written_harms_nobody() {
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join("absent").join(FILE_NAME);
        let cache = filled();
        assert!(save(&path, &cache, BUILD).is_err());
        assert_eq!(cache.get::<Text>(&key(19)).map(|found| found.0.clone()), Some(text(19)));
    }
}
