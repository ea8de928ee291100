//! What queries keep for those that come after them: values by key within one budget of bytes.
//!
//! Keys name what can never change (an extent) and what was computed of it, so a value is right for as long as
//! it is kept. Least recently used values go first, but never those that the query at hand used itself: one
//! that needs more than there is room for keeps a part of it instead of pushing out its own beginning. Values
//! may have a stored form, which lies on a shelf until it is asked for. Knows nothing of what the values are, nor
//! what a shelf is made of.

use std::any::Any;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hashbrown::HashMap;
use parking_lot::Mutex;
use uuid::Uuid;
use xxhash_rust::xxh3::Xxh3;

/// Bytes that a server keeps if nothing else is said.
pub const BUDGET_BYTES: u64 = 64 << 20;

/// Bytes that a value costs beside its own: key, entry, place in the order.
const OVERHEAD_BYTES: u64 = 160;

/// A value may take this part of the budget.
const LARGEST_PART: u64 = 4;

/// By the clock of a new cache: what is put back from a shelf was used before.
const FIRST_MOMENT: u64 = 1 << 40;

/// A value that is kept.
pub trait Keep: Any + Send + Sync {
    /// Names the stored form of values of this type, also to later processes; 0: they have none.
    fn form() -> u8
    where
        Self: Sized,
    {
        0
    }

    /// Appends the stored form; `false`: this value has none.
    fn encode(&self, _out: &mut Vec<u8>) -> bool {
        false
    }

    /// The value of which these bytes are the stored form; `None`: they are damaged.
    fn decode(_bytes: &[u8]) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }
}

/// Where the stored form of a value lies on its shelf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub offset: u64,
    pub length: u32,
    pub checksum: u64,
}

/// Stored forms of values.
pub trait Shelf: Send + Sync {
    /// `None`: they cannot be read, or are damaged.
    fn read(&self, place: Place) -> Option<Vec<u8>>;
}

/// What a query does with what earlier ones kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheUse {
    #[default]
    Use,
    /// Compute all anew and keep it.
    Refresh,
    Off,
}

/// What a value is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CacheKey {
    /// The extent it was computed of; nil: of none in particular.
    pub extent: Uuid,
    /// Of everything else that decides the value.
    pub fingerprint: u128,
}

/// Numbers for people who look at a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStatistics {
    pub budget_bytes: u64,
    pub bytes: u64,
    pub entries: u64,
    pub hits: u64,
    pub misses: u64,
}

/// See the module.
pub struct QueryCache {
    budget_bytes: u64,
    inner: Mutex<Inner>,
    hits: AtomicU64,
    misses: AtomicU64,
}

struct Inner {
    entries: HashMap<CacheKey, Entry>,
    /// Keys by when they were last used.
    order: BTreeMap<u64, CacheKey>,
    bytes: u64,
    clock: u64,
    /// When the least recently used of the values from a shelf was.
    first: u64,
    /// Version of the store at the last search for extents that are gone.
    swept: u64,
    /// Bytes of values that came since `contents` was asked for, of those that have a stored form.
    fresh: u64,
}

impl Default for Inner {
    fn default() -> Inner {
        Inner {
            entries: HashMap::default(),
            order: BTreeMap::default(),
            bytes: 0,
            clock: FIRST_MOMENT,
            first: FIRST_MOMENT,
            swept: 0,
            fresh: 0,
        }
    }
}

struct Entry {
    value: Value,
    form: u8,
    bytes: u64,
    used: u64,
}

#[derive(Clone)]
enum Value {
    Here(Arc<dyn Keep>),
    Stored(Arc<dyn Shelf>, Place),
}

impl Value {
    fn is_at(&self, shelf: &Arc<dyn Shelf>, place: Place) -> bool {
        matches!(self, Value::Stored(other, at) if Arc::ptr_eq(other, shelf) && *at == place)
    }
}

/// A value that lies on a shelf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    pub key: CacheKey,
    pub form: u8,
    /// What the value takes in memory.
    pub bytes: u64,
    pub place: Place,
}

/// A value to be stored.
pub struct Content {
    pub key: CacheKey,
    pub form: u8,
    pub bytes: u64,
    value: Value,
}

impl Content {
    /// Puts the stored form in place of what `out` holds; `false`: there is none.
    pub fn encode(&self, out: &mut Vec<u8>) -> bool {
        out.clear();
        match &self.value {
            Value::Here(value) => value.encode(out),
            Value::Stored(shelf, place) => match shelf.read(*place) {
                Some(bytes) => {
                    *out = bytes;
                    true
                }
                None => false,
            },
        }
    }
}

impl Inner {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    fn remove(&mut self, key: &CacheKey) {
        if let Some(entry) = self.entries.remove(key) {
            self.order.remove(&entry.used);
            self.bytes -= entry.bytes;
        }
    }
}

impl fmt::Debug for QueryCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "QueryCache({:?})", self.statistics())
    }
}

impl QueryCache {
    /// A cache of so many bytes; `None` for none.
    pub fn of(budget_bytes: u64) -> Option<Arc<QueryCache>> {
        (budget_bytes > 0).then(|| {
            Arc::new(QueryCache {
                budget_bytes,
                inner: Mutex::default(),
                hits: AtomicU64::new(0),
                misses: AtomicU64::new(0),
            })
        })
    }

    /// The largest value that is kept.
    pub fn largest_bytes(&self) -> u64 {
        self.budget_bytes / LARGEST_PART
    }

    /// The moment from which on a query spares what it uses (see `put`).
    pub fn now(&self) -> u64 {
        self.inner.lock().tick()
    }

    pub fn get<T: Keep>(&self, key: &CacheKey) -> Option<Arc<T>> {
        let mut inner = self.inner.lock();
        let used = inner.tick();
        let found = match inner.entries.get_mut(key) {
            Some(entry) => {
                let before = std::mem::replace(&mut entry.used, used);
                let found = (entry.value.clone(), entry.form);
                inner.order.remove(&before);
                inner.order.insert(used, *key);
                Some(found)
            }
            None => None,
        };
        drop(inner);
        let found = match found {
            Some((Value::Here(value), _)) => {
                let value: Arc<dyn Any + Send + Sync> = value;
                value.downcast::<T>().ok()
            }
            Some((Value::Stored(shelf, place), form)) if form == T::form() => self.fetch(key, &shelf, place),
            _ => None,
        };
        if found.is_some() { &self.hits } else { &self.misses }.fetch_add(1, Ordering::Relaxed);
        found
    }

    /// Takes a value from its shelf into memory.
    fn fetch<T: Keep>(&self, key: &CacheKey, shelf: &Arc<dyn Shelf>, place: Place) -> Option<Arc<T>> {
        let value = shelf.read(place).and_then(|bytes| T::decode(&bytes)).map(Arc::new);
        let mut inner = self.inner.lock();
        if let Some(entry) = inner.entries.get_mut(key).filter(|entry| entry.value.is_at(shelf, place)) {
            match &value {
                Some(value) => entry.value = Value::Here(value.clone()),
                None => inner.remove(key),
            }
        }
        value
    }

    /// Keeps a value if there is room for it without dropping anything that was used since `spare`. `bytes` is
    /// what the value holds.
    pub fn put<T: Keep>(&self, key: CacheKey, value: Arc<T>, bytes: u64, spare: u64) -> bool {
        if bytes > self.largest_bytes() {
            return false;
        }
        let bytes = bytes + OVERHEAD_BYTES;
        // Dropped after the lock is.
        let mut dropped = Vec::new();
        let mut inner = self.inner.lock();
        inner.remove(&key);
        while inner.bytes + bytes > self.budget_bytes {
            match inner.order.first_key_value() {
                Some((used, victim)) if *used < spare => {
                    let victim = *victim;
                    if let Some(entry) = inner.entries.get(&victim) {
                        dropped.push(entry.value.clone());
                    }
                    inner.remove(&victim);
                }
                _ => return false,
            }
        }
        let used = inner.tick();
        inner.order.insert(used, key);
        let form = T::form();
        inner.entries.insert(key, Entry { value: Value::Here(value), form, bytes, used });
        inner.bytes += bytes;
        inner.fresh += if form == 0 { 0 } else { bytes };
        true
    }

    /// Bytes of values that came since `contents` was asked for, of those that have a stored form.
    pub fn fresh_bytes(&self) -> u64 {
        self.inner.lock().fresh
    }

    /// The values that have a stored form, the most recently used last.
    pub fn contents(&self) -> Vec<Content> {
        let mut inner = self.inner.lock();
        inner.fresh = 0;
        let entries = inner.order.values().filter_map(|key| Some((key, inner.entries.get(key)?)));
        entries
            .filter(|(_, entry)| entry.form != 0)
            .map(|(key, entry)| Content {
                key: *key,
                form: entry.form,
                bytes: entry.bytes,
                value: entry.value.clone(),
            })
            .collect()
    }

    /// Adds what lies on a shelf, the most recently used last, as far as there is room.
    pub fn restore(&self, entries: &[StoredEntry], shelf: &Arc<dyn Shelf>) {
        let mut inner = self.inner.lock();
        for entry in entries.iter().rev() {
            let bytes = entry.bytes.max(OVERHEAD_BYTES);
            if inner.entries.contains_key(&entry.key) {
                continue;
            }
            if inner.first == 0 || bytes > self.budget_bytes.saturating_sub(inner.bytes) {
                return;
            }
            inner.first -= 1;
            let used = inner.first;
            inner.order.insert(used, entry.key);
            let value = Value::Stored(shelf.clone(), entry.place);
            inner.entries.insert(entry.key, Entry { value, form: entry.form, bytes, used });
            inner.bytes += bytes;
        }
    }

    /// Says that `contents` lie on a new shelf: what was on an older one is read from there.
    pub fn moved(&self, entries: &[StoredEntry], shelf: &Arc<dyn Shelf>) {
        let mut inner = self.inner.lock();
        for moved in entries {
            if let Some(entry) = inner.entries.get_mut(&moved.key)
                && entry.form == moved.form
                && matches!(entry.value, Value::Stored(..))
            {
                entry.value = Value::Stored(shelf.clone(), moved.place);
            }
        }
    }

    /// Forgets what was computed of extents that are not `alive` (asked for only if the version of the store
    /// is newer than any before).
    pub fn sweep(&self, version: u64, alive: impl FnOnce() -> HashSet<Uuid>) {
        {
            let mut inner = self.inner.lock();
            if version <= inner.swept || inner.entries.is_empty() {
                return;
            }
            inner.swept = version;
        }
        let alive = alive();
        let mut inner = self.inner.lock();
        let gone: Vec<CacheKey> = inner
            .entries
            .keys()
            .filter(|key| !key.extent.is_nil() && !alive.contains(&key.extent))
            .copied()
            .collect();
        gone.iter().for_each(|key| inner.remove(key));
    }

    /// Forgets everything.
    pub fn clear(&self) {
        let mut inner = self.inner.lock();
        inner.entries.clear();
        inner.order.clear();
        inner.bytes = 0;
        inner.fresh += 1;
    }

    pub fn statistics(&self) -> CacheStatistics {
        let inner = self.inner.lock();
        CacheStatistics {
            budget_bytes: self.budget_bytes,
            bytes: inner.bytes,
            entries: inner.entries.len() as u64,
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
        }
    }
}

/// Hashes whatever can be shown: `Debug` tells apart all values of plans, which JSON does not (NaN, infinity).
#[derive(Clone, Default)]
pub struct Fingerprint(Xxh3);

impl Fingerprint {
    pub fn add(&mut self, part: &dyn fmt::Debug) -> &mut Fingerprint {
        // Writing to a hash cannot fail. A zero byte ends each part.
        let _ = fmt::Write::write_fmt(self, format_args!("{part:?}\0"));
        self
    }

    /// Adds a part whose length is always the same.
    pub fn add_bytes(&mut self, part: &[u8]) -> &mut Fingerprint {
        self.0.update(part);
        self
    }

    pub fn finish(&self) -> u128 {
        self.0.digest128()
    }
}

impl fmt::Write for Fingerprint {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Keep for u128 {
        fn form() -> u8 {
            7
        }

        fn encode(&self, out: &mut Vec<u8>) -> bool {
            out.extend_from_slice(&self.to_le_bytes());
            true
        }

        fn decode(bytes: &[u8]) -> Option<u128> {
            Some(u128::from_le_bytes(bytes.try_into().ok()?))
        }
    }

    impl Keep for String {}

    /// Holds the offset of each place, but for one.
    struct Offsets {
        damaged: u64,
    }

    impl Shelf for Offsets {
        fn read(&self, place: Place) -> Option<Vec<u8>> {
            (place.offset != self.damaged).then(|| u128::from(place.offset).to_le_bytes().to_vec())
        }
    }

    fn stored(number: u64) -> StoredEntry {
        let place = Place { offset: number, length: 16, checksum: 0 };
        StoredEntry { key: key(number.into()), form: 7, bytes: 1_000 + OVERHEAD_BYTES, place }
    }

    fn key(number: u128) -> CacheKey {
        CacheKey { extent: Uuid::from_u128(number), fingerprint: number }
    }

    fn put(cache: &QueryCache, number: u128, spare: u64) -> bool {
        cache.put(key(number), Arc::new(number), 1_000, spare)
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let cache = QueryCache::of(10 * (1_000 + OVERHEAD_BYTES)).expect("cache");
        for number in 0..10 {
            assert!(put(&cache, number, u64::MAX));
        }
        assert_eq!(cache.get::<u128>(&key(0)).as_deref(), Some(&0));
        assert!(put(&cache, 10, u64::MAX));
        assert_eq!(cache.get::<u128>(&key(1)), None);
        assert_eq!(cache.get::<u128>(&key(0)).as_deref(), Some(&0));
        assert_eq!(cache.get::<String>(&key(0)), None);
        let statistics = cache.statistics();
        assert_eq!((statistics.entries, statistics.bytes), (10, statistics.budget_bytes));
    }

    #[test]
    fn a_query_does_not_push_out_what_it_used_itself() {
        let cache = QueryCache::of(10 * (1_000 + OVERHEAD_BYTES)).expect("cache");
        for number in 0..4 {
            put(&cache, number, u64::MAX);
        }
        let started = cache.now();
        let kept: Vec<bool> = (100..120).map(|number| put(&cache, number, started)).collect();
        assert_eq!(kept.iter().filter(|kept| **kept).count(), 10);
        assert!(cache.get::<u128>(&key(100)).is_some());
        assert!(!cache.put(key(0), Arc::new(0u128), cache.largest_bytes() + 1, u64::MAX));
    }

    #[test]
    fn what_is_of_dropped_extents_is_forgotten() {
        let cache = QueryCache::of(BUDGET_BYTES).expect("cache");
        for number in 0..4 {
            put(&cache, number, u64::MAX);
        }
        cache.sweep(7, || HashSet::from([Uuid::from_u128(2)]));
        // The nil extent stands for none in particular.
        assert_eq!(cache.statistics().entries, 2);
        cache.sweep(7, || panic!("nothing changed"));
        cache.clear();
        assert_eq!(cache.statistics().bytes, 0);
    }

    #[test]
    fn fingerprints_tell_values_apart() {
        let of = |parts: &[&dyn fmt::Debug]| {
            let mut fingerprint = Fingerprint::default();
            parts.iter().for_each(|part| {
                fingerprint.add(*part);
            });
            fingerprint.finish()
        };
        assert_ne!(of(&[&"a", &"b"]), of(&[&"ab", &""]));
        assert_ne!(of(&[&f64::NAN]), of(&[&f64::INFINITY]));
        assert_ne!(of(&[&0.0]), of(&[&-0.0]));
        assert_eq!(of(&[&1, &"x"]), of(&[&1, &"x"]));
    }

    #[test]
    fn what_lies_on_a_shelf_is_fetched_once_and_goes_first() {
        let cache = QueryCache::of(10 * (1_000 + OVERHEAD_BYTES)).expect("cache");
        assert!(put(&cache, 100, u64::MAX));
        assert_eq!(cache.fresh_bytes(), 1_000 + OVERHEAD_BYTES);
        let shelf: Arc<dyn Shelf> = Arc::new(Offsets { damaged: 15 });
        let entries: Vec<StoredEntry> = (0..20).map(stored).collect();
        cache.restore(&entries, &shelf);
        assert_eq!(cache.statistics().entries, 10, "the most recently used, as far as there is room");
        assert_eq!(cache.get::<u128>(&key(10)), None);
        assert_eq!(cache.get::<String>(&key(11)), None, "of another form");
        assert_eq!(cache.get::<u128>(&key(11)).as_deref(), Some(&11));
        assert_eq!(cache.get::<u128>(&key(15)), None);
        assert_eq!(cache.statistics().entries, 9, "what is damaged is forgotten");
        let contents: Vec<u128> = cache.contents().iter().map(|content| content.key.fingerprint).collect();
        assert_eq!(contents, [12, 13, 14, 16, 17, 18, 19, 100, 11]);
        assert_eq!(cache.fresh_bytes(), 0);
        let other: Arc<dyn Shelf> = Arc::new(Offsets { damaged: 16 });
        cache.moved(&entries, &other);
        assert_eq!(cache.get::<u128>(&key(16)), None, "read from where it lies now");
        assert_eq!(cache.get::<u128>(&key(11)).as_deref(), Some(&11), "in memory already");
        for number in 200..203 {
            assert!(put(&cache, number, u64::MAX));
        }
        assert_eq!(cache.get::<u128>(&key(12)), None);
        assert_eq!(cache.get::<u128>(&key(100)).as_deref(), Some(&100));
    }
}
