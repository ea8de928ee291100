//! Damaged files: found by the checker, named, contained; the rest is served.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::{Path, PathBuf};

use common::{DAY, NOW, append, batch, create, ids, quiet};
use conshelf_storage::{AppendOptions, ScanRequest, StorageError, Store, TableId, check};

/// A directory with every kind of file: two extents, a log segment with ten records, a manifest.
fn filled(directory: &Path) -> TableId {
    let store = Store::open(directory, quiet()).unwrap();
    let table = create(&store, "t");
    append(&store, table, 0..100);
    store.append(table, &batch(100..120, |id| Some(NOW - 5 * DAY + id)), AppendOptions::default()).unwrap();
    store.seal(None).unwrap();
    for n in 0..10 {
        append(&store, table, 120 + n * 10..130 + n * 10);
    }
    table
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap().flatten() {
            if entry.path().is_dir() { open.push(entry.path()) } else { files.push(entry.path()) }
        }
    }
    files.retain(|path| path.file_name().is_some_and(|name| name != "LOCK"));
    files.sort();
    files
}

fn find(directory: &Path, extension: &str) -> PathBuf {
    files(directory).into_iter().find(|path| path.extension().is_some_and(|e| e == extension)).unwrap()
}

#[test]
fn a_whole_directory_checks_clean() {
    let directory = tempfile::tempdir().unwrap();
    filled(directory.path());
    let report = check(directory.path()).unwrap();
    assert_eq!(report.problems, []);
    assert_eq!(report.files_checked as usize, files(directory.path()).len());
    let store = Store::open(directory.path(), quiet()).unwrap();
    assert!(matches!(check(directory.path()), Err(StorageError::Locked { .. })));
    drop(store);
    assert!(matches!(check(&directory.path().join("none")), Err(StorageError::NotFound { .. })));
}

#[test]
fn every_flipped_bit_in_every_file_is_found() {
    let directory = tempfile::tempdir().unwrap();
    filled(directory.path());
    let mut kinds = std::collections::BTreeSet::new();
    for path in files(directory.path()) {
        kinds.insert(path.extension().map(|extension| extension.to_owned()));
        let bytes = std::fs::read(&path).unwrap();
        // Every byte once, with a bit that depends on it, would take minutes; steps hit every section.
        for position in (0..bytes.len()).step_by((bytes.len() / 60).max(1)).chain([bytes.len() - 1]) {
            let mut flipped = bytes.clone();
            flipped[position] ^= 1 << (position % 8);
            std::fs::write(&path, &flipped).unwrap();
            let report = check(directory.path()).unwrap();
            assert!(!report.problems.is_empty(), "byte {position} of {}", path.display());
            assert!(report.problems.iter().all(|problem| problem.file == path), "{:?}", report.problems);
        }
        std::fs::write(&path, &bytes).unwrap();
    }
    assert_eq!(kinds.len(), 5, "format file, full and delta manifest, log, extent: {kinds:?}");
    assert_eq!(check(directory.path()).unwrap().problems, []);
}

#[test]
fn a_torn_log_tail_is_cut_and_costs_nothing_that_was_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let table = filled(directory.path());
    let log = find(directory.path(), "log");
    let bytes = std::fs::read(&log).unwrap();
    for cut in [1, 50, 100, 200] {
        std::fs::write(&log, &bytes[..bytes.len() - cut]).unwrap();
        assert_eq!(check(directory.path()).unwrap().problems, [], "cut by {cut}");
        let store = Store::open(directory.path(), quiet()).unwrap();
        assert_eq!(store.problems(), []);
        let got = ids(&store, table);
        assert!((200..220).contains(&got.len()), "{}", got.len());
        assert!(got.windows(2).all(|pair| pair[0] + 1 == pair[1]));
        drop(store);
        assert_eq!(check(directory.path()).unwrap().problems, []);
    }
}

#[test]
fn damage_inside_the_log_costs_one_batch_and_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let table = filled(directory.path());
    let log = find(directory.path(), "log");
    let bytes = std::fs::read(&log).unwrap();
    for position in [60, 140, bytes.len() / 2, bytes.len() - 4] {
        let mut flipped = bytes.clone();
        flipped[position] ^= 4;
        std::fs::write(&log, &flipped).unwrap();
        let store = Store::open(directory.path(), quiet()).unwrap();
        let problems = store.problems();
        assert_eq!(problems.len(), 1, "byte {position}: {problems:?}");
        assert_eq!(problems[0].file, log);
        assert_eq!(ids(&store, table).len(), 210, "byte {position}");
        append(&store, table, [1000]);
        drop(store);
        let store = Store::open(directory.path(), quiet()).unwrap();
        assert_eq!(ids(&store, table).len(), 211, "byte {position}");
        drop(store);
        // Back to the one damaged segment.
        for path in files(directory.path()) {
            if path.extension().is_some_and(|extension| extension == "log") {
                std::fs::remove_file(path).unwrap();
            }
        }
        std::fs::write(&log, &bytes).unwrap();
    }
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    std::fs::write(&log, &flipped).unwrap();
    let store = Store::open(directory.path(), quiet()).unwrap();
    let problem = store.problems()[0].to_string();
    assert!(
        problem.contains("at offset") && problem.contains("NetDefaultDB.t") && problem.contains("time"),
        "{problem}"
    );
    store.seal(None).unwrap();
    assert!(!log.exists());
    let kept = directory.path().join("log").join("damaged").join(log.file_name().unwrap());
    assert_eq!(std::fs::read(kept).unwrap(), flipped, "the damaged segment is kept as it was");
    assert_eq!(ids(&store, table).len(), 210);
}

#[test]
fn a_damaged_extent_is_quarantined_and_the_rest_is_served() {
    let directory = tempfile::tempdir().unwrap();
    let table = filled(directory.path());
    let extents: Vec<PathBuf> = files(directory.path())
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "extent"))
        .collect();
    assert_eq!(extents.len(), 2);
    // The earlier day, with 20 rows: its footer.
    let bytes = std::fs::read(&extents[0]).unwrap();
    std::fs::write(&extents[0], &bytes[..bytes.len() - 10]).unwrap();
    let store = Store::open(directory.path(), quiet()).unwrap();
    assert_eq!(store.problems().len(), 1);
    assert_eq!(ids(&store, table).len(), 200);
    let scan = store.snapshot().table_data(table).unwrap().scan(&ScanRequest::default()).unwrap();
    assert_eq!(scan.totals.damaged.len(), 1);
    append(&store, table, [1000]);
    drop(store);
    std::fs::write(&extents[0], &bytes).unwrap();
    let store = Store::open(directory.path(), quiet()).unwrap();
    assert_eq!(ids(&store, table).len(), 221, "it is back when the file is");
    drop(store);
    // A chunk: reading it names the place.
    let mut flipped = bytes.clone();
    flipped[40] ^= 1;
    std::fs::write(&extents[0], &flipped).unwrap();
    let store = Store::open(directory.path(), quiet()).unwrap();
    let scan = store.snapshot().table_data(table).unwrap().scan(&ScanRequest::default()).unwrap();
    let errors: Vec<StorageError> =
        scan.morsels.iter().filter_map(|morsel| morsel.read(&[0, 1, 2]).err()).collect();
    assert_eq!(errors.len(), 1);
    assert!(matches!(&errors[0], StorageError::Corrupt { path, .. } if *path == extents[0]));
    assert_eq!(store.problems().len(), 1);
}

#[test]
fn a_missing_manifest_is_not_taken_for_an_empty_directory() {
    let directory = tempfile::tempdir().unwrap();
    filled(directory.path());
    std::fs::remove_dir_all(directory.path().join("manifest")).unwrap();
    let before = files(directory.path());
    let error = Store::open(directory.path(), quiet()).unwrap_err();
    assert!(matches!(error, StorageError::Corrupt { .. }), "{error}");
    assert_eq!(files(directory.path()), before, "nothing was removed");
}

#[test]
fn a_damaged_format_file_is_reported_and_written_anew() {
    let directory = tempfile::tempdir().unwrap();
    let table = filled(directory.path());
    std::fs::write(directory.path().join("CONSHELF"), "?").unwrap();
    let store = Store::open(directory.path(), quiet()).unwrap();
    assert_eq!(store.problems().len(), 1);
    assert_eq!(ids(&store, table).len(), 220);
    drop(store);
    assert_eq!(check(directory.path()).unwrap().problems, []);
}
