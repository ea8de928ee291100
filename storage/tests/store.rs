//! What users of the store rely on: rows survive, keys are once, bounds hold, catalogs change atomically.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, Int64Array};
use common::{NOW, append, batch, create, ids, quiet, text_of};
use conshelf_storage::{
    AppendOptions, CatalogChange, ColumnType, Durability, ScanRequest, StorageError, Store, StoreOptions,
};

#[test]
fn a_second_process_is_kept_out_until_the_first_is_done() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), quiet()).unwrap();
    let error = Store::open(directory.path(), quiet()).unwrap_err();
    let expected = format!("process {}", std::process::id());
    assert!(
        matches!(&error, StorageError::Locked { owner: Some(owner), .. } if *owner == expected),
        "{error}"
    );
    store.close().unwrap();
    let again = Store::open(directory.path(), quiet()).unwrap();
    drop(again);
    drop(Store::open(directory.path(), quiet()).unwrap());
}

#[test]
fn rows_and_catalog_survive_a_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), quiet()).unwrap();
    let table = create(&store, "t");
    append(&store, table, 0..1000);
    for id in 1000..1100 {
        append(&store, table, [id]);
    }
    assert_eq!(ids(&store, table), (0..1100).collect::<Vec<_>>());
    drop(store);
    let store = Store::open(directory.path(), quiet()).unwrap();
    assert_eq!(ids(&store, table), (0..1100).collect::<Vec<_>>());
    assert!(store.problems().is_empty());
    let snapshot = store.snapshot();
    assert_eq!(snapshot.table("NETDEFAULTDB", "t").unwrap().id, table);
    assert!(snapshot.table("NetDefaultDB", "T").is_none());
}

#[test]
fn small_batches_become_few_morsels() {
    let directory = tempfile::tempdir().unwrap();
    let store =
        Store::open(directory.path(), StoreOptions { durability: Durability::Relaxed, ..quiet() }).unwrap();
    let table = create(&store, "t");
    for id in 0..1000 {
        append(&store, table, [id]);
    }
    let scan = store.snapshot().table_data(table).unwrap().scan(&ScanRequest::default()).unwrap();
    assert!(scan.morsels.len() < 64, "{} morsels", scan.morsels.len());
    assert_eq!(ids(&store, table), (0..1000).collect::<Vec<_>>());
}

#[test]
fn the_same_key_is_stored_once_even_after_a_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let keyed = || AppendOptions { key: Some("batch-1"), ..AppendOptions::default() };
    let columns = batch(0..10, |id| Some(NOW + id));
    let store = Store::open(directory.path(), quiet()).unwrap();
    let table = create(&store, "t");
    let other = create(&store, "other");
    let first = store.append(table, &columns, keyed()).unwrap();
    assert!(!first.duplicate);
    let second = store.append(table, &columns, keyed()).unwrap();
    assert_eq!((second.duplicate, second.rows, second.sequence), (true, 10, first.sequence));
    assert!(!store.append(other, &columns, keyed()).unwrap().duplicate);
    drop(store);
    let store = Store::open(directory.path(), quiet()).unwrap();
    assert!(store.append(table, &columns, keyed()).unwrap().duplicate);
    store.seal(None).unwrap();
    drop(store);
    let store = Store::open(directory.path(), quiet()).unwrap();
    let third = store.append(table, &columns, keyed()).unwrap();
    assert_eq!((third.duplicate, third.rows), (true, 10));
    assert_eq!(ids(&store, table), (0..10).collect::<Vec<_>>());
}

#[test]
fn many_callers_with_one_key_store_one_batch() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), quiet()).unwrap();
    let table = create(&store, "t");
    let stored: usize = std::thread::scope(|scope| {
        let append = || {
            let options = AppendOptions { key: Some("k"), ..AppendOptions::default() };
            let appended = store.append(table, &batch(0..5, |id| Some(NOW + id)), options).unwrap();
            usize::from(!appended.duplicate)
        };
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(append)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(stored, 1);
    assert_eq!(ids(&store, table), [0, 1, 2, 3, 4]);
}

#[test]
fn the_row_store_refuses_past_its_bound_and_has_room_again_after_a_seal() {
    let directory = tempfile::tempdir().unwrap();
    let options = StoreOptions { row_store_limit_bytes: 100_000, ..quiet() };
    let store = Store::open(directory.path(), options).unwrap();
    let table = create(&store, "t");
    let mut stored = 0;
    let error = loop {
        match store.append(table, &batch(stored..stored + 100, |id| Some(NOW + id)), AppendOptions::default())
        {
            Ok(_) => stored += 100,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StorageError::Busy { limit_bytes: 100_000, .. }), "{error}");
    assert!(stored > 300, "{stored}");
    assert!(store.status().row_store_bytes <= 100_000);
    assert_eq!(ids(&store, table).len() as i64, stored);
    store.seal(None).unwrap();
    assert_eq!(store.status().row_store_bytes, 0);
    append(&store, table, stored..stored + 100);
    assert_eq!(ids(&store, table), (0..stored + 100).collect::<Vec<_>>());
}

#[test]
fn an_append_waits_a_moment_for_room() {
    let directory = tempfile::tempdir().unwrap();
    let options =
        StoreOptions { row_store_limit_bytes: 100_000, busy_wait: Duration::from_secs(60), ..quiet() };
    let store = Store::open(directory.path(), options).unwrap();
    let table = create(&store, "t");
    append(&store, table, 0..1000);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| append(&store, table, 1000..1400));
        std::thread::sleep(Duration::from_millis(50));
        assert!(!waiting.is_finished());
        store.seal(None).unwrap();
        waiting.join().unwrap();
    });
    assert_eq!(ids(&store, table), (0..1400).collect::<Vec<_>>());
}

#[test]
fn several_batches_are_visible_together() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), quiet()).unwrap();
    let table = create(&store, "t");
    let batches: Vec<Vec<ArrayRef>> =
        (0..5).map(|n| batch(n * 10..n * 10 + 10, |id| Some(NOW + id))).collect();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            loop {
                let count = ids(&store, table).len();
                assert!(count == 0 || count == 50, "{count}");
                if count == 50 {
                    break;
                }
            }
        });
        let appended = store.append_many(table, &batches, AppendOptions::default()).unwrap();
        assert_eq!(appended.rows, 50);
        reader.join().unwrap();
    });
    drop(store);
    let store = Store::open(directory.path(), quiet()).unwrap();
    assert_eq!(ids(&store, table), (0..50).collect::<Vec<_>>());
}

#[test]
fn concurrent_appends_share_syncs() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), quiet()).unwrap();
    let table = create(&store, "t");
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let store = &store;
            scope.spawn(move || (0..20).for_each(|n| append(store, table, [thread * 20 + n])));
        }
    });
    assert_eq!(ids(&store, table), (0..320).collect::<Vec<_>>());
    let syncs = store.status().log_syncs;
    assert!(syncs < 300, "{syncs} syncs for 320 appends");
}

#[test]
fn a_snapshot_does_not_change() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), quiet()).unwrap();
    let table = create(&store, "t");
    append(&store, table, 0..10);
    let before = store.snapshot();
    append(&store, table, 10..20);
    store
        .commit(CatalogChange::ClearTable { database: "NetDefaultDB".to_owned(), table: "t".to_owned() })
        .unwrap();
    append(&store, table, 20..30);
    assert_eq!(common::ids_of(&before, table, &ScanRequest::default()), (0..10).collect::<Vec<_>>());
    assert_eq!(ids(&store, table), (20..30).collect::<Vec<_>>());
    store
        .commit(CatalogChange::DropTable {
            database: "NetDefaultDB".to_owned(),
            name: "t".to_owned(),
            if_exists: false,
        })
        .unwrap();
    assert_eq!(common::ids_of(&before, table, &ScanRequest::default()), (0..10).collect::<Vec<_>>());
    let columns = batch(0..1, Some);
    let error = store.append(table, &columns, AppendOptions::default()).unwrap_err();
    assert!(matches!(error, StorageError::NotFound { kind: "table", .. }));
    drop(store);
    let store = Store::open(directory.path(), quiet()).unwrap();
    assert!(store.snapshot().table_by_id(table).is_none());
    assert_eq!(store.status().row_store_bytes, 0);
}

#[test]
fn a_batch_for_an_older_schema_still_fits() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), quiet()).unwrap();
    let table = create(&store, "t");
    let old = store.snapshot().table_by_id(table).unwrap().schema.clone();
    let mut columns: Vec<conshelf_storage::AlteredColumn> =
        old.columns.iter().cloned().map(Into::into).collect();
    columns.reverse();
    columns[0].name = "message".to_owned();
    columns.push(conshelf_storage::AlteredColumn {
        id: None,
        name: "extra".to_owned(),
        ty: ColumnType::Real,
        docstring: String::new(),
    });
    let alter = CatalogChange::AlterTable {
        database: "NetDefaultDB".to_owned(),
        table: "t".to_owned(),
        columns: Some(columns),
        folder: None,
        docstring: None,
        expected_schema_version: Some(1),
    };
    store.commit(alter.clone()).unwrap();
    assert!(matches!(store.commit(alter), Err(StorageError::Invalid(_))));
    let options = AppendOptions { schema: Some(old), ..AppendOptions::default() };
    store.append(table, &batch(0..3, |id| Some(NOW + id)), options).unwrap();
    assert_eq!(ids(&store, table), [0, 1, 2]);
    let extra = store.snapshot().table_data(table).unwrap().scan(&ScanRequest::default()).unwrap().morsels[0]
        .read(&[3])
        .unwrap();
    assert_eq!((extra[0].len(), extra[0].null_count()), (3, 3));
}

#[test]
fn arrays_that_do_not_fit_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), quiet()).unwrap();
    let table = create(&store, "t");
    let good = batch(0..3, |id| Some(NOW + id));
    let long: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3, 4]));
    for columns in [
        vec![],
        vec![good[2].clone()],
        vec![good[0].clone(), long],
        vec![good[0].clone(), good[1].clone(), good[2].clone(), good[0].clone()],
    ] {
        let error = store.append(table, &columns, AppendOptions::default()).unwrap_err();
        assert!(matches!(error, StorageError::Invalid(_)), "{error}");
    }
    assert!(ids(&store, table).is_empty());
    store.append(table, &good[..2], AppendOptions::default()).unwrap();
    let scan = store.snapshot().table_data(table).unwrap().scan(&ScanRequest::default()).unwrap();
    let text = scan.morsels[0].read(&[2]).unwrap();
    assert_eq!((text[0].len(), text[0].null_count()), (3, 0));
    assert!(text_of(0).starts_with("row"));
}

#[test]
fn relaxed_appends_survive_a_close() {
    let directory = tempfile::tempdir().unwrap();
    let options = || StoreOptions { durability: Durability::Relaxed, ..quiet() };
    let store = Store::open(directory.path(), options()).unwrap();
    let table = create(&store, "t");
    append(&store, table, 0..10);
    std::thread::sleep(Duration::from_millis(150));
    append(&store, table, 10..20);
    store.close().unwrap();
    let error = store.append(table, &batch(0..1, Some), AppendOptions::default()).unwrap_err();
    assert!(matches!(error, StorageError::Closed));
    let store = Store::open(directory.path(), options()).unwrap();
    assert_eq!(ids(&store, table), (0..20).collect::<Vec<_>>());
}

#[test]
fn a_directory_of_a_newer_version_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    drop(Store::open(directory.path(), quiet()).unwrap());
    std::fs::remove_file(directory.path().join("LOCK")).unwrap();
    let path = directory.path().join("CONSHELF");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[8] = 9;
    let checksum = xxhash_rust::xxh3::xxh3_64(&bytes[..40]).to_le_bytes();
    bytes[40..].copy_from_slice(&checksum);
    std::fs::write(&path, bytes).unwrap();
    let message = Store::open(directory.path(), quiet()).unwrap_err().to_string();
    assert!(
        message.ends_with("has format version 9; this binary reads up to 1: use a newer conshelf"),
        "{message}"
    );
    assert!(!directory.path().join("LOCK").exists());
}
