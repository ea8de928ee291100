//! A disk that is full, read-only or broken: writes are refused with the reason, reads go on, and everything
//! works again when the cause is gone.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;

use common::{NOW, append, batch, create, ids, quiet};
use conshelf_storage::disk::SimulatedDisk;
use conshelf_storage::{AppendOptions, CatalogChange, Durability, StorageError, Store, StoreOptions, check};

const ENOSPC: i32 = 28;
const EIO: i32 = 5;
const EROFS: i32 = 30;
const EMFILE: i32 = 24;

fn open(directory: &tempfile::TempDir) -> (Store, SimulatedDisk) {
    let disk = SimulatedDisk::new(directory.path().join("trash"), 7);
    (reopen(directory, &disk), disk)
}

fn reopen(directory: &tempfile::TempDir, disk: &SimulatedDisk) -> Store {
    let options = StoreOptions { disk: Arc::new(disk.clone()), ..quiet() };
    Store::open(directory.path().join("data"), options).unwrap()
}

#[test]
fn a_full_disk_refuses_appends_with_the_reason_and_recovers_by_itself() {
    let directory = tempfile::tempdir().unwrap();
    let (store, disk) = open(&directory);
    let table = create(&store, "t");
    append(&store, table, 0..10);
    for code in [ENOSPC, EIO, EROFS, EMFILE] {
        disk.fail(0, u64::MAX, code);
        let refused = store.append(table, &batch(900..910, |id| Some(NOW + id)), AppendOptions::default());
        let error = refused.unwrap_err();
        assert!(
            matches!(&error, StorageError::Io { source, .. } if source.raw_os_error() == Some(code)),
            "{error}"
        );
        assert!(store.status().degraded.is_some());
        assert!(matches!(store.seal(None), Err(StorageError::Io { .. })));
        let drop_table = CatalogChange::DropTable {
            database: "NetDefaultDB".to_owned(),
            name: "t".to_owned(),
            if_exists: false,
        };
        assert!(matches!(store.commit(drop_table), Err(StorageError::Io { .. })));
        assert_eq!(ids(&store, table), (0..10).collect::<Vec<_>>(), "reads go on");
        disk.heal();
        append(&store, table, 10..20);
        assert_eq!(store.status().degraded, None);
        assert!(store.status().last_write_error.is_some());
        assert_eq!(ids(&store, table), (0..20).collect::<Vec<_>>());
        store
            .commit(CatalogChange::ClearTable { database: "NetDefaultDB".to_owned(), table: "t".to_owned() })
            .unwrap();
        append(&store, table, 0..10);
    }
    let status = store.status();
    assert!(status.row_store_bytes < 10_000, "refused rows count no longer: {status:?}");
    drop(store);
    let store = reopen(&directory, &disk);
    assert_eq!(ids(&store, table), (0..10).collect::<Vec<_>>());
    assert_eq!(store.problems(), []);
    drop(store);
    assert_eq!(check(&directory.path().join("data")).unwrap().problems, []);
}

#[test]
fn rows_whose_sync_failed_do_not_come_back() {
    // Which operation of the append fails: its write, its sync, and what follows.
    for skip in 0..4 {
        let directory = tempfile::tempdir().unwrap();
        let (store, disk) = open(&directory);
        let table = create(&store, "t");
        append(&store, table, 0..10);
        // The sync fails, and so does the attempt to cut the file.
        disk.fail(skip, 2, EIO);
        let mut expected: Vec<i64> = (0..10).collect();
        for id in 10..14 {
            let columns = batch([id], |id| Some(NOW + id));
            match store.append(table, &columns, AppendOptions::default()) {
                Ok(_) => expected.push(id),
                Err(error) => assert!(matches!(error, StorageError::Io { .. }), "{error}"),
            }
        }
        assert!(expected.len() < 14, "something failed");
        disk.heal();
        append(&store, table, [20]);
        expected.push(20);
        assert_eq!(ids(&store, table), expected);
        drop(store);
        disk.lose_unsynced().unwrap();
        let store = reopen(&directory, &disk);
        assert_eq!(ids(&store, table), expected, "fault after {skip} operations");
        assert_eq!(store.problems(), []);
        store.seal(None).unwrap();
        drop(store);
        disk.lose_unsynced().unwrap();
        let store = reopen(&directory, &disk);
        assert_eq!(ids(&store, table), expected);
    }
}

#[test]
fn a_seal_that_fails_anywhere_changes_nothing_and_succeeds_later() {
    for skip in 0.. {
        let directory = tempfile::tempdir().unwrap();
        let (store, disk) = open(&directory);
        let table = create(&store, "t");
        append(&store, table, 0..100);
        let before = disk.operations();
        disk.fail(skip, 1, ENOSPC);
        let failed = store.seal(None).is_err();
        let operations = disk.operations() - before;
        disk.heal();
        assert_eq!(ids(&store, table), (0..100).collect::<Vec<_>>(), "operation {skip}");
        store.seal(None).unwrap();
        assert_eq!(store.snapshot().table_data(table).unwrap().sealed_rows(), 100);
        drop(store);
        disk.lose_unsynced().unwrap();
        let store = reopen(&directory, &disk);
        assert_eq!(ids(&store, table), (0..100).collect::<Vec<_>>(), "operation {skip}");
        if !failed && skip > operations {
            break;
        }
    }
}

#[test]
fn a_power_failure_at_any_operation_keeps_what_was_acknowledged() {
    for skip in 0..80 {
        let directory = tempfile::tempdir().unwrap();
        let (store, disk) = open(&directory);
        let table = create(&store, "t");
        disk.crash_after(skip);
        let mut acknowledged = Vec::new();
        for id in 0..12 {
            let columns = batch([id], |id| Some(NOW + id));
            if store.append(table, &columns, AppendOptions::default()).is_ok() {
                acknowledged.push(id);
            }
            if id % 3 == 2 {
                let _ = store.seal(None);
                let _ = store.merge_once();
            }
        }
        drop(store);
        disk.lose_unsynced().unwrap();
        let store = reopen(&directory, &disk);
        let mut there = ids(&store, table);
        assert!(there.len() <= acknowledged.len() + 1, "at most the unanswered request: {there:?}");
        there.truncate(acknowledged.len());
        assert_eq!(there, acknowledged, "power lost after {skip} operations");
        assert_eq!(store.problems(), []);
    }
}

#[test]
fn relaxed_rows_survive_a_power_failure_once_they_were_synced() {
    let directory = tempfile::tempdir().unwrap();
    let disk = SimulatedDisk::new(directory.path().join("trash"), 7);
    let options =
        || StoreOptions { disk: Arc::new(disk.clone()), durability: Durability::Relaxed, ..quiet() };
    let path = directory.path().join("data");
    let store = Store::open(&path, options()).unwrap();
    let table = create(&store, "t");
    append(&store, table, 0..10);
    for _ in 0..100 {
        if store.status().log_syncs > 0 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    append(&store, table, 10..20);
    disk.crash_after(0);
    drop(store);
    disk.lose_unsynced().unwrap();
    let store = Store::open(&path, options()).unwrap();
    let there = ids(&store, table);
    assert!(there.len() == 10 || there.len() == 20, "{there:?}");
    assert_eq!(there[..10], (0..10).collect::<Vec<_>>());
}
