//! kill -9 under load: a child process appends from several threads while everything happens in the background
//! at once; it is killed at random moments, again and again, and every acknowledged row is there once.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{NOW, batch, create, ids};
use conshelf_storage::{AppendOptions, Store, StoreOptions, check};

const THREADS: usize = 3;
const KILLS: u64 = 50;
/// Ids of a thread begin at its number times this.
const SPACE: i64 = 1_000_000_000;
const DIRECTORY_VARIABLE: &str = "CONSHELF_CRASH_TEST_DIRECTORY";

fn open(directory: &Path) -> Store {
    let options = StoreOptions {
        seal_rows: 300,
        seal_age: Duration::from_millis(40),
        log_segment_bytes: 10_000,
        replaced_keep: Duration::ZERO,
        recoverability: Duration::ZERO,
        ..StoreOptions::default()
    };
    Store::open(directory, options).unwrap()
}

/// How many ids each thread has stored: they must be 0, 1, 2 … without a gap or a repetition.
fn stored(store: &Store) -> [i64; THREADS] {
    assert_eq!(store.problems(), []);
    let table = create(store, "t");
    let mut counts = [0; THREADS];
    for id in ids(store, table) {
        let thread = (id / SPACE) as usize;
        assert_eq!(id % SPACE, counts[thread], "thread {thread}: a row is missing or there twice");
        counts[thread] += 1;
    }
    counts
}

/// Not a test by itself: the process that is killed.
#[test]
fn child() {
    let Ok(directory) = std::env::var(DIRECTORY_VARIABLE) else { return };
    let store = open(Path::new(&directory));
    let counts = stored(&store);
    let table = create(&store, "t");
    let say = |line: String| std::io::stdout().write_all(format!("{line}\n").as_bytes());
    say(format!("@open {} {} {}", counts[0], counts[1], counts[2])).unwrap();
    std::thread::scope(|scope| {
        for (thread, count) in counts.iter().enumerate() {
            let (store, say) = (&store, &say);
            let mut next = *count;
            scope.spawn(move || {
                loop {
                    let rows = 1 + next % 19;
                    let first = thread as i64 * SPACE + next;
                    let columns = batch(first..first + rows, |id| Some(NOW + id % SPACE * 3_000_000_000));
                    store.append(table, &columns, AppendOptions::default()).unwrap();
                    next += rows;
                    say(format!("@stored {thread} {next}")).unwrap();
                }
            });
        }
    });
}

#[test]
fn killed_at_random_moments_every_acknowledged_row_is_there_once() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let mut acknowledged = [0i64; THREADS];
    let mut random = 88_172_645_463_325_252u64;
    for _ in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env(DIRECTORY_VARIABLE, &data)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut lines = output.lines().map_while(Result::ok).filter_map(|line| {
            // The test harness writes to the same line.
            line.find('@').map(|at| line[at + 1..].to_owned())
        });
        let numbers =
            |line: &str| -> Vec<i64> { line.split(' ').filter_map(|word| word.parse().ok()).collect() };
        let opened = numbers(&lines.next().expect("the child opens the store"));
        for thread in 0..THREADS {
            assert!(
                opened[thread] >= acknowledged[thread],
                "{opened:?} stored, {acknowledged:?} acknowledged"
            );
        }
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        std::thread::sleep(Duration::from_millis(5 + random % 120));
        child.kill().unwrap();
        child.wait().unwrap();
        // What was said before the kill is still in the pipe; its last line may be cut.
        let said: Vec<String> = lines.collect();
        for line in &said[..said.len().saturating_sub(1)] {
            let [thread, next] = numbers(line)[..] else { panic!("{line}") };
            acknowledged[thread as usize] = next;
        }
    }
    assert_eq!(check(&data).unwrap().problems, []);
    let store = open(&data);
    let counts = stored(&store);
    assert!((0..THREADS).all(|thread| counts[thread] >= acknowledged[thread]));
    assert!(counts.iter().sum::<i64>() > 1000, "something was stored: {counts:?}");
}
