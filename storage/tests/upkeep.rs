//! Seal, merge, retention and deletion: rows stay what they were, readers are not disturbed, files go in time.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use arrow_array::ArrayRef;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use common::{DAY, NOW, append, batch, create, ids, ids_of, quiet};
use conshelf_storage::{
    AppendOptions, CatalogChange, ColumnType, Comparison, INGESTION_TIME_COLUMN, Literal, PolicyTarget,
    Predicate, ScanOrder, ScanRequest, Store, StoreOptions, TableId,
};

fn extent_files(directory: &Path) -> usize {
    let mut count = 0;
    for table in std::fs::read_dir(directory.join("extents")).unwrap().flatten() {
        for partition in std::fs::read_dir(table.path()).unwrap().flatten() {
            count += std::fs::read_dir(partition.path()).unwrap().count();
        }
    }
    count
}

fn log_files(directory: &Path) -> usize {
    std::fs::read_dir(directory.join("log")).unwrap().count()
}

fn between(least: i64, greatest: i64) -> Predicate {
    let compare = |operator, value| Predicate::Compare {
        column: 0,
        ty: ColumnType::DateTime,
        operator,
        value: Literal::Integer(value),
    };
    Predicate::And(vec![
        compare(Comparison::GreaterOrEqual, least),
        compare(Comparison::LessOrEqual, greatest),
    ])
}

/// Ids 0..n, one every hour backwards from now, every eleventh without a time.
fn hourly(id: i64) -> Option<i64> {
    (id % 11 != 5).then_some(NOW - id * DAY / 24)
}

#[test]
fn sealed_rows_are_the_same_rows_by_partition_and_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), quiet()).unwrap();
    let table = create(&store, "t");
    for start in (0..240).step_by(24) {
        store.append(table, &batch(start..start + 24, hourly), AppendOptions::default()).unwrap();
    }
    store.seal(None).unwrap();
    let expected: Vec<i64> = (0..240).collect();
    assert_eq!(ids(&store, table), expected);
    let data = store.snapshot().table_data(table).unwrap();
    assert_eq!((data.row_store_rows(), data.sealed_rows()), (0, 240));
    assert_eq!(data.extents().len(), 11, "ten days and a part");
    assert_eq!(log_files(directory.path()), 0);
    let scan = data.scan(&ScanRequest::default()).unwrap();
    for morsel in &scan.morsels {
        let columns = morsel.read(&[0, INGESTION_TIME_COLUMN]).unwrap();
        let times: Vec<Option<i64>> = columns[0].as_primitive::<Int64Type>().iter().collect();
        assert!(times.is_sorted(), "nulls first, then ascending");
        assert!(columns[1].as_primitive::<Int64Type>().values().iter().all(|time| *time == NOW));
        assert_eq!(morsel.statistics(1).unwrap().rows as usize, morsel.rows());
    }
    let mut bounds: Vec<(i64, i64)> = scan.morsels.iter().filter_map(|morsel| morsel.time_bounds()).collect();
    bounds.sort();
    let descending =
        data.scan(&ScanRequest { order: ScanOrder::TimeDescending, ..Default::default() }).unwrap();
    let greatest: Vec<i64> =
        descending.morsels.iter().map(|morsel| morsel.time_bounds().unwrap().1).collect();
    assert!(greatest.is_sorted_by(|left, right| left >= right));
    drop(store);
    let store = Store::open(directory.path(), quiet()).unwrap();
    assert_eq!(ids(&store, table), expected);
    assert!(store.problems().is_empty());
}

#[test]
fn pruning_by_time_leaves_out_extents_but_no_row() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), quiet()).unwrap();
    let table = create(&store, "t");
    store.append(table, &batch(0..240, hourly), AppendOptions::default()).unwrap();
    store.seal(None).unwrap();
    append(&store, table, 1000..1010);
    for (least, greatest) in
        [(NOW - 3 * DAY, NOW - 2 * DAY), (NOW, NOW + DAY), (0, NOW - 9 * DAY), (NOW + DAY, NOW + 2 * DAY)]
    {
        let request = ScanRequest { predicate: between(least, greatest), ..ScanRequest::default() };
        let scan = store.snapshot().table_data(table).unwrap().scan(&request).unwrap();
        assert!(scan.totals.extents_scanned < 4, "{:?}", scan.totals);
        assert_eq!(scan.totals.rows_total, 250);
        let got = ids_of(&store.snapshot(), table, &request);
        let time = |id: i64| if id < 1000 { hourly(id) } else { Some(NOW + id * 10_000_000) };
        for id in (0..240).chain(1000..1010) {
            if time(id).is_some_and(|time| (least..=greatest).contains(&time)) {
                assert!(got.contains(&id), "{id}");
            }
        }
    }
}

#[test]
fn merged_extents_hold_the_same_rows_and_the_old_files_go_when_nobody_reads_them() {
    let directory = tempfile::tempdir().unwrap();
    let options = StoreOptions { replaced_keep: Duration::ZERO, ..quiet() };
    let store = Store::open(directory.path(), options).unwrap();
    let table = create(&store, "t");
    for n in 0..40 {
        // Overlapping in time, so that rows have to be interleaved.
        store
            .append(
                table,
                &batch((0..50).map(|k| k * 40 + n), |id| Some(NOW - NOW % DAY + id)),
                AppendOptions::default(),
            )
            .unwrap();
        store.seal(Some(table)).unwrap();
    }
    let before = store.snapshot();
    assert_eq!(before.table_data(table).unwrap().extents().len(), 40);
    while store.merge_once().unwrap() {}
    let expected: Vec<i64> = (0..2000).collect();
    assert_eq!(store.snapshot().table_data(table).unwrap().extents().len(), 1);
    assert_eq!(ids(&store, table), expected);
    let scan = store.snapshot().table_data(table).unwrap().scan(&ScanRequest::default()).unwrap();
    let order = scan.morsels[0].read(&[1]).unwrap();
    assert!(order[0].as_primitive::<Int64Type>().values().is_sorted(), "rows are in order of time");
    assert_eq!(store.collect_garbage().unwrap(), 0, "a snapshot reads the old extents");
    assert_eq!(ids_of(&before, table, &ScanRequest::default()), expected);
    assert_eq!(extent_files(directory.path()), 41);
    drop(before);
    assert_eq!(store.collect_garbage().unwrap(), 40);
    assert_eq!(extent_files(directory.path()), 1);
    drop((scan, store));
    let store = Store::open(directory.path(), quiet()).unwrap();
    assert_eq!(ids(&store, table), expected);
    assert!(store.problems().is_empty());
}

#[test]
fn merging_many_seals_writes_each_row_few_times() {
    let directory = tempfile::tempdir().unwrap();
    let options = StoreOptions { replaced_keep: Duration::ZERO, ..quiet() };
    let store = Store::open(directory.path(), options).unwrap();
    let table = create(&store, "t");
    let mut written = 0;
    for n in 0..300 {
        store
            .append(
                table,
                &batch(n * 10..n * 10 + 10, |id| Some(NOW - NOW % DAY + id)),
                AppendOptions::default(),
            )
            .unwrap();
        store.seal(Some(table)).unwrap();
        while let Some(before) = Some(store.snapshot().table_data(table).unwrap().extents())
            && store.merge_once().unwrap()
        {
            let after = store.snapshot().table_data(table).unwrap().extents();
            let new = after.iter().find(|extent| before.iter().all(|old| old.id != extent.id)).unwrap();
            written += new.rows;
        }
    }
    assert_eq!(ids(&store, table).len(), 3000);
    assert!(written <= 3 * 3000, "{written} rows written for 3000");
    assert!(store.snapshot().table_data(table).unwrap().extents().len() < 40);
}

#[test]
fn a_changed_schema_applies_to_old_extents_and_to_merged_ones() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), quiet()).unwrap();
    let table = create(&store, "t");
    for n in 0..16 {
        append(&store, table, n * 10..n * 10 + 10);
        store.seal(None).unwrap();
    }
    store
        .commit(CatalogChange::MergeColumns {
            database: "NetDefaultDB".to_owned(),
            table: "t".to_owned(),
            columns: vec![("extra".to_owned(), ColumnType::Guid), ("more".to_owned(), ColumnType::String)],
        })
        .unwrap();
    let empty = |store: &Store| {
        let scan = store.snapshot().table_data(table).unwrap().scan(&ScanRequest::default()).unwrap();
        for morsel in scan.morsels {
            let columns = morsel.read(&[3, 4]).unwrap();
            assert_eq!(columns[0].null_count(), morsel.rows());
            assert_eq!(columns[1].logical_null_count(), 0);
        }
    };
    empty(&store);
    assert!(store.merge_once().unwrap());
    empty(&store);
    assert_eq!(ids(&store, table), (0..160).collect::<Vec<_>>());
}

fn set_retention(store: &Store, period: &str) {
    store
        .commit(CatalogChange::SetPolicy {
            target: PolicyTarget::Table { database: "NetDefaultDB".to_owned(), table: "t".to_owned() },
            kind: "Retention".to_owned(),
            value: Some(serde_json::json!({"SoftDeletePeriod": period, "Recoverability": "Enabled"})),
        })
        .unwrap();
}

#[test]
fn retention_drops_whole_partitions_but_not_under_a_reader() {
    let directory = tempfile::tempdir().unwrap();
    let now = Arc::new(AtomicI64::new(NOW));
    let clock = now.clone();
    let options = StoreOptions {
        recoverability: Duration::from_secs(60),
        clock: Arc::new(move || clock.load(Ordering::Relaxed)),
        ..quiet()
    };
    let store = Store::open(directory.path(), options).unwrap();
    let table = create(&store, "t");
    let time = |id: i64| Some(NOW - id * DAY);
    store.append(table, &batch(0..10, time), AppendOptions::default()).unwrap();
    store.seal(None).unwrap();
    assert_eq!(store.apply_retention(NOW).unwrap(), 0, "no policy");
    set_retention(&store, "3.12:00:00");
    let reader = store.snapshot();
    assert_eq!(store.apply_retention(NOW).unwrap(), 6);
    assert_eq!(ids(&store, table), [0, 1, 2, 3]);
    now.fetch_add(120 * 10_000_000, Ordering::Relaxed);
    assert_eq!(store.collect_garbage().unwrap(), 0);
    assert_eq!(ids_of(&reader, table, &ScanRequest::default()), (0..10).collect::<Vec<_>>());
    drop(reader);
    assert_eq!(store.collect_garbage().unwrap(), 6);
    assert_eq!(extent_files(directory.path()), 4);
}

#[test]
fn dropped_extents_stay_for_the_recoverability_period_also_across_a_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let later = |seconds: i64| StoreOptions {
        recoverability: Duration::from_secs(60),
        clock: Arc::new(move || NOW + seconds * 10_000_000),
        ..quiet()
    };
    let store = Store::open(directory.path(), later(0)).unwrap();
    let table = create(&store, "t");
    append(&store, table, 0..10);
    store.seal(None).unwrap();
    store
        .commit(CatalogChange::DropTable {
            database: "NetDefaultDB".to_owned(),
            name: "t".to_owned(),
            if_exists: false,
        })
        .unwrap();
    drop(store);
    let store = Store::open(directory.path(), later(30)).unwrap();
    assert_eq!((store.collect_garbage().unwrap(), extent_files(directory.path())), (0, 1));
    drop(store);
    let store = Store::open(directory.path(), later(61)).unwrap();
    assert_eq!((store.collect_garbage().unwrap(), extent_files(directory.path())), (1, 0));
}

#[test]
fn files_that_no_manifest_names_are_removed_at_open() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), quiet()).unwrap();
    let table = create(&store, "t");
    append(&store, table, 0..10);
    store.seal(None).unwrap();
    drop(store);
    let partition = directory.path().join("extents").join(table.to_string()).join("2000-01-01");
    std::fs::create_dir_all(&partition).unwrap();
    std::fs::write(partition.join("x.extent"), "half an extent").unwrap();
    std::fs::write(partition.join("y.extent.tmp"), "half an extent").unwrap();
    std::fs::write(directory.path().join("manifest").join("0000000000000009.delta.tmp"), "half").unwrap();
    let store = Store::open(directory.path(), quiet()).unwrap();
    assert_eq!(extent_files(directory.path()), 1);
    assert!(!directory.path().join("manifest").join("0000000000000009.delta.tmp").exists());
    assert_eq!(ids(&store, table), (0..10).collect::<Vec<_>>());
}

#[test]
fn the_background_seals_merges_and_frees_by_itself() {
    let directory = tempfile::tempdir().unwrap();
    let options = StoreOptions {
        background: true,
        seal_rows: 500,
        seal_age: Duration::from_millis(200),
        replaced_keep: Duration::ZERO,
        ..StoreOptions::default()
    };
    let store = Store::open(directory.path(), options).unwrap();
    let table = create(&store, "t");
    let reading = |store: &Store, table: TableId, least: i64| {
        let got = ids(store, table);
        assert!(
            got.len() as i64 >= least && got.windows(2).all(|pair| pair[0] + 1 == pair[1]),
            "{}",
            got.len()
        );
    };
    let mut next = 0;
    let started = std::time::Instant::now();
    while started.elapsed() < Duration::from_secs(3) {
        append(&store, table, next..next + 100);
        next += 100;
        reading(&store, table, next);
        std::thread::sleep(Duration::from_millis(20));
    }
    for _ in 0..100 {
        let status = store.status();
        if status.row_store_bytes == 0 && status.log_bytes == 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let status = store.status();
    assert_eq!((status.row_store_bytes, status.log_bytes), (0, 0), "{status:?}");
    reading(&store, table, next);
    assert!(store.status().last_write_error.is_none());
    let clear = CatalogChange::ClearTable { database: "NetDefaultDB".to_owned(), table: "t".to_owned() };
    store.commit(clear).unwrap();
    assert!(ids(&store, table).is_empty());
}

#[test]
fn dictionaries_and_flat_strings_seal_together() {
    use arrow_array::types::UInt32Type;
    use arrow_array::{DictionaryArray, PrimitiveArray, StringViewArray};
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), quiet()).unwrap();
    let table = create(&store, "t");
    append(&store, table, 0..3);
    let mut columns = batch([3, 4, 3], |id| Some(NOW + id));
    let values: ArrayRef = Arc::new(StringViewArray::from_iter_values([3, 4].map(common::text_of)));
    let keys = PrimitiveArray::<UInt32Type>::from_iter_values([0u32, 1, 0]);
    columns[2] = Arc::new(DictionaryArray::try_new(keys, values).unwrap());
    store.append(table, &columns, AppendOptions::default()).unwrap();
    assert_eq!(ids(&store, table), [0, 1, 2, 3, 3, 4]);
    store.seal(None).unwrap();
    assert_eq!(ids(&store, table), [0, 1, 2, 3, 3, 4]);
}

#[test]
fn cleared_rows_stay_gone_whatever_seals_and_merges_meanwhile() {
    let directory = tempfile::tempdir().unwrap();
    let options = || StoreOptions {
        background: true,
        seal_rows: 1,
        seal_age: Duration::ZERO,
        replaced_keep: Duration::ZERO,
        recoverability: Duration::ZERO,
        ..StoreOptions::default()
    };
    let store = Store::open(directory.path(), options()).unwrap();
    let table = create(&store, "t");
    let clear = || CatalogChange::ClearTable { database: "NetDefaultDB".to_owned(), table: "t".to_owned() };
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        // More seals than the background makes by itself.
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                store.seal(None).unwrap();
                store.merge_once().unwrap();
                store.collect_garbage().unwrap();
            }
        });
        for round in 0..60 {
            for step in 0..4 {
                append(&store, table, [round * 10 + step]);
            }
            let expected: Vec<i64> = (round * 10..round * 10 + 4).collect();
            assert_eq!(ids(&store, table), expected);
            if round < 59 {
                store.commit(clear()).unwrap();
                assert_eq!(ids(&store, table), Vec::<i64>::new(), "round {round}");
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    drop(store);
    let store = Store::open(directory.path(), options()).unwrap();
    assert_eq!(ids(&store, table), [590, 591, 592, 593]);
    assert_eq!(store.problems(), []);
}
