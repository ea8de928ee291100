//! Random histories of appends, seals, merges, drops, failing disks, crashes and reopenings against a model that
//! knows which rows must be there: every acknowledged one, once; of a refused or unanswered request all or
//! nothing.
//!
//! Every history is a function of its seed; a failure prints it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::ArrayRef;
use common::{DAY, NOW, batch, create, ids_of, quiet};
use conshelf_storage::disk::SimulatedDisk;
use conshelf_storage::{
    AppendOptions, CatalogChange, PolicyTarget, ScanRequest, Snapshot, StorageError, Store, StoreOptions,
    TableId, check,
};

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

fn time_of(id: i64) -> Option<i64> {
    (id % 13 != 4).then_some(NOW - id * 7919 % 6 * DAY - id)
}

/// What a request that was not acknowledged may have done.
enum Doubt {
    Append(Vec<i64>),
    Clear(BTreeSet<i64>),
    Retention(i64),
}

struct History {
    random: Random,
    seed: u64,
    disk: SimulatedDisk,
    store: Option<Store>,
    table: TableId,
    next_id: i64,
    certain: BTreeSet<i64>,
    doubts: Vec<Doubt>,
    keys: HashMap<String, Vec<i64>>,
    /// Keyed requests whose fate is not known.
    open_keys: Vec<(String, Vec<i64>)>,
    held: Vec<(Arc<Snapshot>, BTreeSet<i64>)>,
}

impl History {
    fn options(&self) -> StoreOptions {
        StoreOptions {
            disk: Arc::new(self.disk.clone()),
            recoverability: Duration::ZERO,
            replaced_keep: Duration::ZERO,
            log_segment_bytes: if self.seed.is_multiple_of(2) { 2000 } else { 20_000 },
            ..quiet()
        }
    }

    fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    fn new_ids(&mut self, count: u64) -> Vec<i64> {
        let first = self.next_id;
        self.next_id += count as i64;
        (first..self.next_id).collect()
    }

    fn append(&mut self, key: Option<String>, ids: Vec<i64>, parts: usize) {
        let batches: Vec<Vec<ArrayRef>> =
            ids.chunks(ids.len().div_ceil(parts)).map(|part| batch(part.iter().copied(), time_of)).collect();
        let options = AppendOptions { key: key.as_deref(), ..AppendOptions::default() };
        match self.store().append_many(self.table, &batches, options) {
            Ok(appended) => {
                assert_eq!(appended.rows as usize, ids.len());
                let known = key.as_ref().is_some_and(|key| self.keys.contains_key(key));
                assert_eq!(appended.duplicate, known, "seed {}", self.seed);
                if let Some(key) = key {
                    self.keys.insert(key, ids.clone());
                }
                if !known {
                    self.certain.extend(ids);
                }
            }
            Err(StorageError::Io { .. }) => {
                if let Some(key) = key {
                    self.open_keys.push((key, ids.clone()));
                }
                self.doubts.push(Doubt::Append(ids));
            }
            Err(error) => panic!("seed {}: {error}", self.seed),
        }
    }

    fn step(&mut self) {
        match self.random.below(24) {
            0..=7 => {
                let count = 1 + self.random.below(30);
                let ids = self.new_ids(count);
                let parts = 1 + self.random.below(4) as usize;
                let key = (self.random.below(3) == 0).then(|| format!("key {}", ids[0]));
                self.append(key, ids, parts);
            }
            8 => {
                // The client was told, or not, and asks again.
                let known = self.keys.iter().min_by_key(|(_, ids)| ids[0]);
                if let Some((key, ids)) = known.map(|(key, ids)| (key.clone(), ids.clone())) {
                    self.append(Some(key), ids, 1);
                }
            }
            9..=12 => self.upkeep(|store| store.seal(None)),
            13..=15 => self.upkeep(|store| store.merge_once().map(|_| ())),
            16..=17 => self.upkeep(|store| store.collect_garbage().map(|_| ())),
            18 => {
                let cutoff = NOW - self.random.below(6) as i64 * DAY;
                self.retire(cutoff);
            }
            19 => {
                let clear =
                    CatalogChange::ClearTable { database: "NetDefaultDB".to_owned(), table: "t".to_owned() };
                if self.random.below(4) == 0 {
                    match self.store().commit(clear) {
                        Ok(_) => {
                            self.certain.clear();
                            self.keys.clear();
                        }
                        Err(StorageError::Io { .. }) => {
                            self.doubts.push(Doubt::Clear(self.certain.clone()));
                            // Whether the keys are forgotten hangs on it.
                            self.keys.clear();
                            self.open_keys.clear();
                        }
                        Err(error) => panic!("seed {}: {error}", self.seed),
                    }
                }
            }
            20..=21 => {
                self.held.truncate(2);
                self.held.push((self.store().snapshot(), self.certain.clone()));
            }
            _ => {
                for (snapshot, expected) in &self.held {
                    self.same(snapshot, expected);
                }
            }
        }
    }

    fn upkeep(&mut self, job: impl Fn(&Store) -> conshelf_storage::Result<()>) {
        match job(self.store()) {
            Ok(()) | Err(StorageError::Io { .. }) => {}
            Err(error) => panic!("seed {}: {error}", self.seed),
        }
    }

    fn retire(&mut self, cutoff: i64) {
        match self.store().apply_retention(cutoff + DAY) {
            Ok(_) => {
                let visible: BTreeSet<i64> = self.visible(&self.store().snapshot()).into_iter().collect();
                let gone = self.certain.difference(&visible);
                assert!(
                    gone.clone().all(|id| time_of(*id).is_none_or(|time| time < cutoff)),
                    "seed {}",
                    self.seed
                );
                self.certain = visible;
            }
            Err(StorageError::Io { .. }) => self.doubts.push(Doubt::Retention(cutoff)),
            Err(error) => panic!("seed {}: {error}", self.seed),
        }
    }

    fn visible(&self, snapshot: &Snapshot) -> Vec<i64> {
        ids_of(snapshot, self.table, &ScanRequest::default())
    }

    fn same(&self, snapshot: &Snapshot, expected: &BTreeSet<i64>) {
        let visible = self.visible(snapshot);
        let expected: Vec<i64> = expected.iter().copied().collect();
        assert_eq!(visible, expected, "seed {}", self.seed);
    }

    /// After a crash: what is in doubt becomes certain one way or the other, the rest must be as it was.
    fn settle(&mut self) {
        let visible = self.visible(&self.store().snapshot());
        let set: BTreeSet<i64> = visible.iter().copied().collect();
        assert_eq!(visible.len(), set.len(), "seed {}: a row is there twice", self.seed);
        let doubts = std::mem::take(&mut self.doubts);
        let may_have_gone = doubts.iter().any(|doubt| !matches!(doubt, Doubt::Append(_)));
        for doubt in doubts {
            match doubt {
                Doubt::Append(ids) => {
                    let there = ids.iter().filter(|id| set.contains(id)).count();
                    assert!(
                        there == 0 || there == ids.len() || may_have_gone,
                        "seed {}: half a request",
                        self.seed
                    );
                    self.certain.extend(ids.into_iter().filter(|id| set.contains(id)));
                }
                Doubt::Clear(before) => {
                    if before.intersection(&set).next().is_none() {
                        self.certain.retain(|id| !before.contains(id));
                    }
                }
                Doubt::Retention(cutoff) => {
                    self.certain
                        .retain(|id| set.contains(id) || time_of(*id).is_some_and(|time| time >= cutoff));
                }
            }
        }
        assert_eq!(visible, self.certain.iter().copied().collect::<Vec<_>>(), "seed {}", self.seed);
        for (key, ids) in std::mem::take(&mut self.open_keys) {
            // The client repeats what it got no answer to: stored once, whichever way it went.
            if ids.iter().all(|id| self.certain.contains(id)) {
                self.keys.insert(key.clone(), ids.clone());
            }
            self.append(Some(key), ids, 1);
        }
    }

    fn crash_and_reopen(&mut self) {
        for (snapshot, expected) in std::mem::take(&mut self.held) {
            self.same(&snapshot, &expected);
        }
        self.store = None;
        self.disk.lose_unsynced().unwrap();
        self.open();
        self.settle();
    }

    /// Opens the store; now and then the power fails in the middle of it.
    fn open(&mut self) {
        loop {
            if self.random.below(3) == 0 {
                self.disk.crash_after(self.random.below(12));
            }
            match Store::open(self.directory(), self.options()) {
                Ok(store) => {
                    self.store = Some(store);
                    break;
                }
                Err(error) => {
                    assert!(self.disk.crashed(), "seed {}: {error}", self.seed);
                    self.disk.lose_unsynced().unwrap();
                }
            }
        }
        // A crash that was set for the opening but did not happen in it.
        self.disk.crash_after(u64::MAX / 2);
        assert_eq!(self.store().problems(), [], "seed {}", self.seed);
    }

    fn directory(&self) -> std::path::PathBuf {
        DIRECTORY.with_borrow(|directory| directory.clone())
    }
}

thread_local! {
    static DIRECTORY: std::cell::RefCell<std::path::PathBuf> = const { std::cell::RefCell::new(std::path::PathBuf::new()) };
}

fn run(base: &Path, seed: u64) {
    let directory = base.join(seed.to_string());
    DIRECTORY.set(directory.clone());
    let disk = SimulatedDisk::new(base.join(format!("trash {seed}")), seed);
    let mut history = History {
        random: Random(seed.wrapping_mul(0x2545_F491_4F6C_DD1D) | 1),
        seed,
        disk,
        store: None,
        table: TableId::nil(),
        next_id: 0,
        certain: BTreeSet::new(),
        doubts: Vec::new(),
        keys: HashMap::new(),
        open_keys: Vec::new(),
        held: Vec::new(),
    };
    history.open();
    let store = history.store().clone();
    history.table = create(&store, "t");
    let policy = CatalogChange::SetPolicy {
        target: PolicyTarget::Database { database: "NetDefaultDB".to_owned() },
        kind: "retention".to_owned(),
        value: Some(serde_json::json!({"SoftDeletePeriod": "1.00:00:00"})),
    };
    store.commit(policy).unwrap();
    drop(store);
    for _ in 0..4 {
        for _ in 0..12 {
            history.step();
        }
        history.same(&history.store().snapshot(), &history.certain);
        // A disk that fails for a while: refused requests leave nothing behind, queries go on.
        let code = [28, 5, 24, 30][history.random.below(4) as usize];
        let (skip, count) = (history.random.below(12), 1 + history.random.below(12));
        history.disk.fail(skip, count, code);
        for _ in 0..8 {
            history.step();
            let before_retention = history.doubts.iter().all(|doubt| matches!(doubt, Doubt::Append(_)));
            if before_retention {
                history.same(&history.store().snapshot(), &history.certain);
            }
        }
        history.disk.heal();
        let ids = history.new_ids(3);
        history.append(None, ids.clone(), 1);
        assert!(history.certain.contains(&ids[0]), "seed {seed}: writes work again once the cause is gone");
        history.disk.crash_after(history.random.below(60));
        for _ in 0..25 {
            if history.disk.crashed() {
                break;
            }
            history.step();
        }
        history.crash_and_reopen();
    }
    history.held.clear();
    history.store = None;
    let report = check(&directory).unwrap();
    assert_eq!(report.problems, [], "seed {seed}");
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn random_histories() {
    let count = std::env::var("CONSHELF_HISTORIES").ok().and_then(|text| text.parse().ok()).unwrap_or(40);
    let first = std::env::var("CONSHELF_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let base = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for lane in 0..2 {
            let base = base.path();
            scope.spawn(move || {
                (first..first + count).filter(|seed| seed % 2 == lane).for_each(|seed| run(base, seed))
            });
        }
    });
}
