//! What queries keep for those that come after them: values by key within one budget of bytes.
//!
//! Keys name what can never change (an extent) and what was computed of it, so a value is right for as long as
//! it is kept. Least recently used values go first, but never those that the query at hand used itself: one
//! that needs more than there is room for keeps a part of it instead of pushing out its own beginning. Knows
//! nothing of what the values are.

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

#[derive(Default)]
struct Inner {
    entries: HashMap<CacheKey, Entry>,
    /// Keys by when they were last used.
    order: BTreeMap<u64, CacheKey>,
    bytes: u64,
    clock: u64,
    /// Version of the store at the last search for extents that are gone.
    swept: u64,
}

struct Entry {
    value: Arc<dyn Any + Send + Sync>,
    bytes: u64,
    used: u64,
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

    pub fn get<T: Any + Send + Sync>(&self, key: &CacheKey) -> Option<Arc<T>> {
        let mut inner = self.inner.lock();
        let used = inner.tick();
        let found = match inner.entries.get_mut(key) {
            Some(entry) => {
                let before = std::mem::replace(&mut entry.used, used);
                let value = entry.value.clone();
                inner.order.remove(&before);
                inner.order.insert(used, *key);
                value.downcast::<T>().ok()
            }
            None => None,
        };
        drop(inner);
        if found.is_some() { &self.hits } else { &self.misses }.fetch_add(1, Ordering::Relaxed);
        found
    }

    /// Keeps a value if there is room for it without dropping anything that was used since `spare`. `bytes` is
    /// what the value holds.
    pub fn put<T: Any + Send + Sync>(&self, key: CacheKey, value: Arc<T>, bytes: u64, spare: u64) -> bool {
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
        inner.entries.insert(key, Entry { value, bytes, used });
        inner.bytes += bytes;
        true
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
}
