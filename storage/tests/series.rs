//! Columns in the order of series: every value comes back to its row, whatever the rows look like, and a damaged
//! key is an error, never another value.

mod support;

use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, UInt32Array};
use conshelf_storage::*;
use proptest::prelude::*;
use support::{arrays_equal, column_of};
use uuid::Uuid;

use ColumnType::{DateTime, Int, Long, Real, String as Text, TimeSpan};

const COLUMNS: [(&str, ColumnType); 8] = [
    ("time", DateTime),
    ("usage", Real),
    ("host", Text),
    ("core", Text),
    ("region", Text),
    ("sent", Long),
    ("temperature", Int),
    ("latency", TimeSpan),
];

fn mix(n: u64) -> u64 {
    let mixed = (n ^ n >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

/// How the sources of a table report.
#[derive(Clone, Copy, Debug)]
struct Shape {
    rows: usize,
    hosts: u64,
    cores: u64,
    /// One row in so many is missing; 0: none.
    gaps: u64,
    /// Whether the sources come in another order each round.
    shuffled: bool,
    /// One value in so many is null; 0: none.
    nulls: u64,
    /// One real in so many is not a decimal; 0: none.
    odd: u64,
    seed: u64,
}

const REGULAR: Shape =
    Shape { rows: 20_000, hosts: 100, cores: 1, gaps: 0, shuffled: false, nulls: 0, odd: 0, seed: 1 };

fn arrays(shape: Shape) -> Vec<ArrayRef> {
    let Shape { rows, hosts, cores, gaps, shuffled, nulls, odd, seed } = shape;
    let random = |n: u64, salt: u64| mix(mix(n ^ seed << 40) ^ salt);
    let series = hosts * cores;
    let mut values: Vec<[i64; 4]> =
        (0..series).map(|n| [1, 2, 3, 4].map(|salt| (random(n, salt) % 10_000) as i64)).collect();
    // More than 32 bits.
    values.iter_mut().for_each(|value| value[3] = mix(value[3] as u64) as i64);
    let mut found: Vec<(u64, u64, [i64; 4])> = Vec::new();
    let mut round = 0;
    while found.len() < rows {
        for place in 0..series {
            let shift = if shuffled { random(round, 9) | 1 } else { 0 };
            let one = if shuffled { (place.wrapping_mul(shift) ^ random(round, 5)) % series } else { place };
            let at = round * series + place;
            if gaps > 0 && random(at, 6) % gaps == 0 {
                continue;
            }
            let value = &mut values[one as usize];
            value[0] = (value[0] + (random(at, 7) % 201) as i64 - 100).clamp(0, 10_000);
            value[1] += 1000 * (random(at, 8) % 50) as i64;
            value[2] += (random(at, 11) % 5) as i64 - 2;
            value[3] = value[3].wrapping_add((random(at, 12) % 7) as i64 * 10_000);
            found.push((round, one, *value));
            if found.len() == rows {
                break;
            }
        }
        round += 1;
    }
    let valid = |row: usize, salt: u64| nulls == 0 || random(row as u64, salt) % nulls != 0;
    let each = || found.iter().enumerate();
    let real = |(row, (_, _, value)): (usize, &(u64, u64, [i64; 4]))| {
        let value = match odd > 0 && random(row as u64, 20) % odd == 0 {
            true => [f64::NAN, f64::INFINITY, -0.0, 1.0 / 3.0][row % 4],
            false => value[0] as f64 / 100.0,
        };
        valid(row, 21).then_some(value)
    };
    vec![
        column_of::long(each().map(|(_, (round, _, _))| Some(*round as i64 * 100_000_000))),
        column_of::real(each().map(real)),
        column_of::string(each().map(|(_, (_, one, _))| format!("host-{}", one / cores))),
        column_of::string(each().map(|(_, (_, one, _))| format!("cpu{}", one % cores))),
        column_of::string(each().map(|(_, (_, one, _))| format!("r{}", mix(one / cores) % 7))),
        column_of::long(each().map(|(row, (_, _, value))| valid(row, 22).then_some(value[1]))),
        column_of::int(each().map(|(row, (_, _, value))| valid(row, 23).then_some(value[2] as i32))),
        column_of::long(each().map(|(row, (_, _, value))| valid(row, 24).then_some(value[3]))),
    ]
}

fn write(path: &Path, arrays: &[ArrayRef], row_group_rows: usize) -> ExtentSummary {
    let schema = TableSchema::new(COLUMNS);
    let specification = ExtentSpecification {
        extent_id: Uuid::from_u128(1),
        table_id: Uuid::from_u128(2),
        schema: &schema,
        hidden_columns: &[],
        partition: None,
        created_ticks: 0,
        tags: &[],
    };
    let options = EncodeOptions { row_group_rows, ..EncodeOptions::SEAL };
    write_extent(path, &specification, &[arrays.to_vec()], &options).expect("written")
}

fn assert_reads(extent: &Extent, arrays: &[ArrayRef], rows_wanted: impl Fn(u32) -> Vec<u32>) {
    let mut start = 0;
    for group in 0..extent.row_group_count() {
        let rows = extent.row_group_rows(group);
        for (id, ((name, ty), array)) in (0u32..).zip(COLUMNS.iter().zip(arrays)) {
            let expected = array.slice(start, rows as usize);
            let wanted = rows_wanted(rows);
            // Before the codes are known, and after.
            let some = extent.read_rows(group, id, *ty, &wanted).expect("reads rows");
            let picked =
                arrow_select::take::take(&expected, &UInt32Array::from(wanted.clone()), None).expect("takes");
            assert!(arrays_equal(*ty, &picked, &some), "{wanted:?} of {name}");
            let whole = extent.read_column(group, id, *ty).expect("reads");
            assert!(arrays_equal(*ty, &expected, &whole), "{name}");
            let some = extent.read_rows(group, id, *ty, &wanted).expect("reads rows");
            assert!(arrays_equal(*ty, &picked, &some), "{wanted:?} of {name}, again");
        }
        start += rows as usize;
    }
}

/// The line of a column in the description of an extent.
fn line(described: &str, column: &str) -> String {
    let mut lines = described.lines();
    lines.find(|line| line.split_whitespace().nth(1) == Some(column)).unwrap_or_default().to_owned()
}

#[test]
fn sources_in_turns_take_few_bytes() {
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path().join("a.extent");
    let cases = [
        (REGULAR, "by host,"),
        (Shape { gaps: 50, ..REGULAR }, "by host,"),
        (Shape { shuffled: true, ..REGULAR }, "by host,"),
        (Shape { hosts: 20, cores: 8, gaps: 70, ..REGULAR }, "by host core,"),
    ];
    for (shape, key) in cases {
        let arrays = arrays(shape);
        let summary = write(&path, &arrays, 65_536);
        let extent = Extent::open(&path).expect("opens");
        let described = extent::describe(&extent);
        for column in ["usage", "sent", "temperature", "latency"] {
            let line = line(&described, column);
            assert!(line.contains("series(") && line.contains(key) && line.contains("steps("), "{described}");
        }
        // Steps of 201 sizes take 8 bits, and every first value some.
        let bytes = summary.column_bytes[1].1 as usize;
        assert!(bytes < shape.rows * 12 / 10, "{shape:?}: {bytes}\n{described}");
        if !shape.shuffled && shape.gaps == 0 {
            assert!(line(&described, "host").contains("copies("), "{described}");
            assert!(line(&described, "region").contains("copies("), "{described}");
        }
        assert_reads(&extent, &arrays, |rows| (0..rows).filter(|row| row % 900 == 7).collect());
        assert_reads(&extent, &arrays, |rows| (0..rows).filter(|row| row % 100 == 7).collect());
        assert_eq!(extent.verify().len(), 0, "{:?}", extent.verify());
        std::fs::remove_file(&path).expect("removed");
    }
}

#[test]
fn rows_without_series_keep_their_order() {
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path().join("a.extent");
    let rows = 5000u64;
    let random = |salt: u64, below: u64| (0..rows).map(move |row| mix(row ^ salt << 32) % below);
    let arrays = vec![
        column_of::long(random(1, 5).map(|n| Some(n as i64))),
        column_of::real(random(2, 10_000).map(|n| Some(n as f64 / 100.0))),
        column_of::string(random(3, 50).map(|n| format!("host-{n}"))),
        column_of::string(random(4, 3).map(|n| format!("core-{n}"))),
        column_of::string(random(5, 7).map(|n| format!("region-{n}"))),
        column_of::long(random(6, 1 << 40).map(|n| Some(n as i64))),
        column_of::int(random(7, 1 << 20).map(|n| Some(n as i32))),
        column_of::long((0..rows as i64).map(Some)),
    ];
    write(&path, &arrays, 65_536);
    let extent = Extent::open(&path).expect("opens");
    assert!(!extent::describe(&extent).contains("series("));
    assert_reads(&extent, &arrays, |rows| (0..rows).step_by(77).collect());
}

/// A file of the encoding's first version.
#[test]
fn golden_series_open() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/series-v1.bin");
    let shape = Shape { rows: 4000, hosts: 12, cores: 3, gaps: 40, nulls: 300, odd: 900, ..REGULAR };
    let arrays = arrays(shape);
    if !golden.exists() {
        write(&golden, &arrays, 2500);
    }
    let extent = Extent::open(&golden).expect("opens");
    let described = extent::describe(&extent);
    for encoding in ["series(by core host,", "copies(", "steps(", "exceptions"] {
        assert!(described.contains(encoding), "{encoding}: {described}");
    }
    assert_reads(&extent, &arrays, |rows| (0..rows).filter(|row| row % 36 == 7).collect());
    assert_eq!(extent.verify().len(), 0);
}

/// The columns of a table whose key was dropped are read by what the extent itself knows.
#[test]
fn dropped_keys_stay_readable() {
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path().join("a.extent");
    let arrays = arrays(REGULAR);
    write(&path, &arrays, 8192);
    // As a merge after the drop does: it asks for the columns that are left, and never for the key.
    let extent = Extent::open(&path).expect("opens");
    let part = |group, rows| extent.read_rows(group, 1, Real, rows).expect("reads");
    assert!(arrays_equal(Real, &part(1, &[0, 8191]), &{
        arrow_select::take::take(&arrays[1], &UInt32Array::from(vec![8192, 16_383]), None).expect("takes")
    }));
    assert!(arrays_equal(
        Real,
        &arrays[1].slice(8192, 8192),
        &extent.read_column(1, 1, Real).expect("reads")
    ));
}

/// A table keeps the values of a column after the column that named their series is gone, before and after
/// merges.
#[test]
fn a_table_may_drop_its_key() {
    const NOW: i64 = 638_500_000_000_000_000;
    let directory = tempfile::tempdir().expect("directory");
    let options = StoreOptions { background: false, clock: Arc::new(|| NOW), ..StoreOptions::default() };
    let store = Store::open(directory.path(), options).expect("opens");
    let create = CatalogChange::CreateTable {
        database: "NetDefaultDB".to_owned(),
        name: "t".to_owned(),
        schema: TableSchema::new(COLUMNS),
        folder: String::new(),
        docstring: String::new(),
        if_not_exists: false,
    };
    let snapshot = store.commit(create).expect("created");
    let table = snapshot.table("NetDefaultDB", "t").expect("exists").clone();
    let arrays = arrays(Shape { rows: 8000, ..REGULAR });
    for start in (0..8000).step_by(1000) {
        let mut part: Vec<ArrayRef> = arrays.iter().map(|array| array.slice(start, 1000)).collect();
        // One partition, in order.
        part[0] =
            column_of::long((0..1000).map(|row| Some(NOW - NOW % 864_000_000_000 + start as i64 + row)));
        store.append(table.id, &part, AppendOptions::default()).expect("appended");
        store.seal(Some(table.id)).expect("sealed");
    }
    let columns = table.schema.columns.iter().filter(|column| !["host", "core"].contains(&&*column.name));
    let alter = CatalogChange::AlterTable {
        database: "NetDefaultDB".to_owned(),
        table: "t".to_owned(),
        columns: Some(columns.cloned().map(Into::into).collect()),
        folder: None,
        docstring: None,
        expected_schema_version: None,
    };
    store.commit(alter).expect("altered");
    for merged in [false, true] {
        while merged && store.merge_once().expect("merges") {}
        let data = store.snapshot().table_data(table.id).expect("exists");
        assert_eq!(data.extents().len(), if merged { 1 } else { 8 });
        let scan = data.scan(&ScanRequest { order: ScanOrder::TimeAscending, ..ScanRequest::default() });
        let morsels = scan.expect("scans").morsels;
        let parts: Vec<ArrayRef> =
            morsels.iter().map(|morsel| morsel.read(&[1]).expect("reads").remove(0)).collect();
        let found = column::concat(&parts, Real).expect("one type");
        assert!(arrays_equal(Real, &arrays[1], &found));
    }
}

#[test]
fn a_damaged_key_is_named() {
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path().join("a.extent");
    let arrays = arrays(REGULAR);
    write(&path, &arrays, 65_536);
    let bytes = std::fs::read(&path).expect("reads");
    // Flip every bit of some bytes, one after the other: what reads is right, and the key is named once its
    // bytes are hit.
    let mut named = 0;
    let file = std::fs::File::options().write(true).open(&path).expect("opens");
    for at in (16..bytes.len()).step_by(bytes.len() / 300) {
        file.write_all_at(&[!bytes[at]], at as u64).expect("writes");
        if let Ok(extent) = Extent::open(&path) {
            match extent.read_column(0, 1, Real) {
                Ok(found) => assert!(arrays_equal(Real, &arrays[1], &found)),
                Err(error) => {
                    let text = error.to_string();
                    assert!(matches!(error, StorageError::Corrupt { .. }), "{text}");
                    if text.contains("host") {
                        named += 1;
                        assert!(extent.read_rows(0, 1, Real, &[5]).is_err());
                        assert!(extent.read_rows(0, 5, Long, &[5]).is_err());
                        assert!(extent.read_column(0, 0, DateTime).is_ok());
                        assert!(extent.verify().iter().any(|error| error.to_string().contains("host")));
                    }
                }
            }
        }
        file.write_all_at(&[bytes[at]], at as u64).expect("writes");
    }
    assert!(named > 0);
    assert_eq!(Extent::open(&path).expect("opens").verify().len(), 0);
}

fn shapes() -> impl Strategy<Value = Shape> {
    (
        1usize..6000,
        1u64..200,
        1u64..6,
        0u64..20,
        any::<bool>(),
        0u64..9,
        prop_oneof![Just(0), 2u64..2000],
        0u64..1 << 20,
    )
        .prop_map(|(rows, hosts, cores, gaps, shuffled, nulls, odd, seed)| Shape {
            rows,
            hosts,
            cores,
            gaps: if gaps == 1 { 0 } else { gaps },
            shuffled,
            nulls: if nulls == 1 { 0 } else { nulls },
            odd,
            seed,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn every_value_comes_back_to_its_row(shape in shapes(), group in 300usize..6000, step in 1usize..400) {
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join("a.extent");
        let arrays = arrays(shape);
        write(&path, &arrays, group);
        let extent = Extent::open(&path).expect("opens");
        assert_reads(&extent, &arrays, |rows| (step as u32 / 2..rows).step_by(step).collect());
        prop_assert_eq!(extent.verify().len(), 0);
    }

    #[test]
    fn damaged_series_never_panic(
        shape in shapes(),
        column in prop::sample::select(vec![1usize, 5, 6, 7]),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let arrays = arrays(shape);
        extent::fuzz::damage_series(&arrays[2], COLUMNS[column].1, &arrays[column], |bytes| {
            for (at, value) in &flips {
                let at = at.index(bytes.len());
                bytes[at] = *value;
            }
            if let Some(cut) = &cut {
                bytes.truncate(cut.index(bytes.len()));
            }
        });
    }

    #[test]
    fn arbitrary_bytes_never_panic(data in prop::collection::vec(any::<u8>(), 0..300)) {
        extent::fuzz::fuzz_series(&data);
        extent::fuzz::fuzz_shaped(&data);
        extent::fuzz::fuzz_term_index(&data);
    }
}
