//! The extent file as a whole: what goes in comes out, damage anywhere is found, pruning never lies, and
//! files of every format version open.

mod support;

use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef};
use conshelf_storage::terms::{TermFinder, TermMatch, fold};
use conshelf_storage::*;
use proptest::prelude::*;
use support::{arrays_equal, column_of, flat};
use uuid::Uuid;

const HIDDEN: (u32, ColumnType) = (u32::MAX, ColumnType::DateTime);

fn schema() -> TableSchema {
    TableSchema::new(ColumnType::ALL.map(|ty| (format!("c_{}", ty.name()), ty)))
}

/// One array a column of [`schema`], then the hidden one; `seed` shifts the values.
fn batch(rows: i64, seed: i64) -> Vec<ArrayRef> {
    let value = |n: i64, ty: ColumnType| {
        let mixed = (n + seed).wrapping_mul(0x9e37_79b9) >> (ty as u8);
        match ty {
            _ if (n + seed) % (ty as i64 * 3 + 2) == 0 => None,
            ColumnType::DateTime => Some(638_000_000_000_000_000 + (n + seed) * 10_000_000),
            _ => Some(mixed % 1000),
        }
    };
    ColumnType::ALL
        .iter()
        .chain([&HIDDEN.1])
        .map(|ty| column_of::any(*ty, &(0..rows).map(|n| value(n, *ty)).collect::<Vec<_>>()))
        .collect()
}

fn specification<'a>(schema: &'a TableSchema, tags: &'a [String]) -> ExtentSpecification<'a> {
    ExtentSpecification {
        extent_id: Uuid::from_u128(0x1111_2222_3333_4444_5555_6666_7777_8888),
        table_id: Uuid::from_u128(0x9999_aaaa_bbbb_cccc_dddd_eeee_ffff_0000),
        schema,
        hidden_columns: &[HIDDEN],
        partition: Some((638_000_000_000_000_000, 638_000_864_000_000_000)),
        created_ticks: 638_111_111_111_111_111,
        tags,
    }
}

fn write(path: &Path, batches: &[Vec<ArrayRef>], row_group_rows: usize) -> ExtentSummary {
    let schema = schema();
    let tags = ["ingest-by:a".to_owned()];
    let options = EncodeOptions { row_group_rows, ..EncodeOptions::SEAL };
    write_extent(path, &specification(&schema, &tags), batches, &options).expect("written")
}

fn whole_column(extent: &Extent, id: u32, ty: ColumnType) -> Result<ArrayRef> {
    let parts = (0..extent.row_group_count())
        .map(|group| extent.read_column(group, id, ty).map(|array| flat(&array)))
        .collect::<Result<Vec<_>>>()?;
    column::concat(&parts, ty)
}

#[test]
fn what_goes_in_comes_out() {
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path().join("a.extent");
    let batches = [batch(700, 0), batch(5, 700), batch(2000, 705)];
    let summary = write(&path, &batches, 1000);
    let extent = Extent::open(&path).expect("opens");
    assert_eq!(
        (summary.rows, summary.row_groups, extent.rows(), extent.row_group_count()),
        (2705, 3, 2705, 3)
    );
    assert_eq!(summary.file_bytes, extent.file_bytes());
    assert_eq!(summary.file_bytes, std::fs::metadata(&path).expect("exists").len());
    assert_eq!(extent.original_bytes(), summary.original_bytes);
    assert_eq!(
        (extent.row_group_rows(0), extent.row_group_rows(2), extent.row_group_rows(3)),
        (1000, 705, 0)
    );
    assert_eq!(extent.tags(), ["ingest-by:a"]);
    assert_eq!(extent.columns().len(), 11);
    assert_eq!(extent.columns()[10], HIDDEN);
    assert_eq!(summary.min_time, Some(638_000_000_010_000_000));
    assert_eq!(extent.verify().len(), 0, "{:?}", extent.verify());
    for (position, (id, ty)) in extent.columns().iter().enumerate() {
        let parts: Vec<ArrayRef> = batches.iter().map(|batch| batch[position].clone()).collect();
        let expected = column::concat(&parts, *ty).expect("one type");
        let found = whole_column(&extent, *id, *ty).expect("reads");
        assert!(arrays_equal(*ty, &expected, &found), "{}", ty.name());
        let slice = expected.slice(1000, 1000);
        let statistics = extent.statistics(1, *id).expect("has the column");
        let computed = ColumnStatistics::compute(*ty, &slice).expect("computes");
        assert_eq!((statistics.rows, statistics.nulls), (1000, slice.null_count() as u32));
        assert_eq!(
            (statistics.min, statistics.max, statistics.sum),
            (computed.min, computed.max, computed.sum)
        );
    }
    assert!(extent::describe(&extent).contains("c_dynamic"));
    let absent = extent.read_column(2, 77, ColumnType::String).expect("absent columns are empty");
    assert_eq!((absent.len(), absent.as_string_view().value(704)), (705, ""));
    assert_eq!(extent.read_column(2, 77, ColumnType::Real).expect("absent").null_count(), 705);
    assert_eq!(extent.statistics(0, 77), None);
    let widened = extent.read_column(0, 1, ColumnType::Long).expect("int reads as long");
    assert_eq!(*widened.data_type(), ColumnType::Long.arrow_type());
}

#[test]
fn extents_without_rows_or_columns_open() {
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path().join("empty");
    write(&path, &[], 1000);
    let extent = Extent::open(&path).expect("opens");
    assert_eq!((extent.rows(), extent.verify().len()), (0, 0));
    let bare = TableSchema::default();
    let specification = ExtentSpecification { hidden_columns: &[], ..specification(&bare, &[]) };
    let path = directory.path().join("bare");
    write_extent(&path, &specification, &[], &EncodeOptions::SEAL).expect("written");
    assert_eq!(Extent::open(&path).expect("opens").columns().len(), 0);
}

#[test]
fn arrays_that_do_not_fit_are_refused() {
    let directory = tempfile::tempdir().expect("directory");
    let schema = schema();
    let path = directory.path().join("x");
    let mut writer =
        ExtentWriter::create(&path, &specification(&schema, &[]), &EncodeOptions::SEAL).expect("creates");
    let good = batch(10, 0);
    assert!(writer.push_row_group(&good[..3]).is_err());
    let mut uneven = good.clone();
    uneven[4] = uneven[4].slice(0, 5);
    assert!(writer.push_row_group(&uneven).is_err());
    let mut wrong = good.clone();
    wrong.swap(0, 1);
    assert!(writer.push_row_group(&wrong).is_err());
    drop(writer);
    assert!(Extent::open(&path).is_err(), "an unfinished file does not open");
    assert!(ExtentWriter::create(&path, &specification(&schema, &[]), &EncodeOptions::SEAL).is_err());
}

/// Everything of the extent, for comparing.
fn contents(extent: &Extent) -> Vec<Result<ArrayRef>> {
    extent.columns().iter().map(|(id, ty)| whole_column(extent, *id, *ty)).collect()
}

#[test]
fn a_flipped_bit_anywhere_is_found_and_never_served() {
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path().join("a.extent");
    write(&path, &[batch(60, 0)], 40);
    let expected: Vec<ArrayRef> = contents(&Extent::open(&path).expect("opens"))
        .into_iter()
        .map(|column| column.expect("reads"))
        .collect();
    let bytes = std::fs::read(&path).expect("reads");
    let file = std::fs::File::options().write(true).open(&path).expect("opens");
    for offset in 0..bytes.len() {
        let flipped = bytes[offset] ^ 1 << (offset % 8);
        file.write_at(&[flipped], offset as u64).expect("writes");
        match Extent::open(&path) {
            Err(StorageError::Corrupt { path: named, .. }) => assert_eq!(named, path),
            Err(error) => panic!("byte {offset}: {error}"),
            Ok(extent) => {
                for (found, expected) in contents(&extent).iter().zip(&expected) {
                    match found {
                        Ok(found) => assert!(found == expected, "byte {offset} changed an answer"),
                        Err(StorageError::Corrupt { detail, .. }) => {
                            assert!(detail.contains("column") && detail.contains("row group"), "{detail}");
                        }
                        Err(error) => panic!("byte {offset}: {error}"),
                    }
                }
                assert!(!extent.verify().is_empty(), "byte {offset} of {} flipped unseen", bytes.len());
            }
        }
        file.write_at(&[bytes[offset]], offset as u64).expect("writes");
    }
    assert!(Extent::open(&path).expect("restored").verify().is_empty());
}

#[test]
fn truncated_extended_and_foreign_files_do_not_open() {
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path().join("a.extent");
    write(&path, &[batch(20, 0)], 40);
    let bytes = std::fs::read(&path).expect("reads");
    let opens = |bytes: &[u8]| {
        let other = directory.path().join("b.extent");
        std::fs::write(&other, bytes).expect("writes");
        Extent::open(&other)
    };
    for length in (0..bytes.len()).step_by(7).chain([bytes.len() - 1]) {
        assert!(opens(&bytes[..length]).is_err(), "{length} of {} bytes", bytes.len());
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(opens(&longer).is_err());
    assert!(opens(&[0; 4096]).is_err());
    let mut newer = bytes.clone();
    newer[8] = 9;
    let checksum = xxhash_rust::xxh3::xxh3_64_with_seed(&newer[..12], 0) as u32;
    newer[12..16].copy_from_slice(&checksum.to_le_bytes());
    assert!(matches!(opens(&newer), Err(StorageError::NewerVersion { found: 9, supported: 1, .. })));
    assert!(matches!(Extent::open(&directory.path().join("none")), Err(StorageError::Io { .. })));
}

#[test]
fn files_of_every_version_open() {
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/extent-v1.bin");
    let batches = [batch(1500, 0)];
    if !golden.exists() {
        std::fs::create_dir_all(golden.parent().expect("has a parent")).expect("creates");
        write(&golden, &batches, 1024);
    }
    let extent = Extent::open(&golden).expect("opens");
    assert!(extent.verify().is_empty());
    for (position, (id, ty)) in extent.columns().iter().enumerate() {
        let found = whole_column(&extent, *id, *ty).expect("reads");
        assert!(arrays_equal(*ty, &batches[0][position], &found), "{}", ty.name());
    }
}

/// One column for each encoding, with the name that `describe` gives it.
fn encodings() -> Vec<(&'static str, ColumnType, ArrayRef)> {
    let rows = 1100i64;
    let mix = |n: i64| {
        let mixed = (n as u64 ^ (n as u64) << 29).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((mixed ^ mixed >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 20) as i64
    };
    let long = |value: &dyn Fn(i64) -> i64| column_of::long((0..rows).map(|n| Some(value(n))));
    use ColumnType::*;
    vec![
        ("raw64", Long, long(&|n| (mix(n) << 40) ^ mix(n + 1))),
        ("constant", Long, long(&|_| -5)),
        ("run_length", Long, long(&|n| mix(n / 300))),
        ("dictionary", Long, long(&|n| mix(mix(n) % 9))),
        ("bit_packed", Long, long(&|n| mix(n) % 1000 * 60)),
        ("delta", DateTime, long(&|n| 638_000_000_000_000_000 + n * 10_000_000 + mix(n) % 9000)),
        ("sparse", TimeSpan, long(&|n| if mix(n) % 9 == 0 { mix(n + 1) % 999 } else { 0 })),
        ("alp", Real, column_of::real((0..rows).map(|n| Some((mix(n) % 10_000) as f64 / 100.0)))),
        (
            "split_zstd",
            Real,
            column_of::real((0..rows).map(|n| {
                Some(f64::from_bits(((0x3ff0 + mix(n) as u64 % 999) << 48) | (mix(n + 3) as u64 % 999)))
            })),
        ),
        ("bitmap", Bool, column_of::bool((0..rows).map(|n| Some(mix(n) % 2 == 0)))),
        (
            "fixed16",
            Guid,
            column_of::bytes16((0..rows).map(|n| {
                Some((mix(n) as u128).wrapping_mul(u128::MAX / 7 * 3).wrapping_mul(mix(n + 9) as u128))
            })),
        ),
        ("fixed16_zstd", Decimal, column_of::bytes16((0..rows).map(|n| Some(mix(n) as u128)))),
        (
            "text(",
            String,
            column_of::string((0..rows).map(|n| ["GET", "PUT", "é"][mix(n) as usize % 3].to_owned())),
        ),
        (
            "text_zstd",
            String,
            column_of::string((0..rows).map(|n| format!("request {} took {} ms", mix(n), n % 7))),
        ),
        ("nulls bitmap", Int, column_of::int((0..rows).map(|n| (mix(n) % 2 == 0).then_some(n as i32)))),
        (
            "nulls roaring",
            Dynamic,
            column_of::dynamic(
                (0..rows).map(|n| (n % 900 != 7).then(|| format!("{{\"n\":{n},\"of\":[{}]}}", mix(n) % 5))),
            ),
        ),
        ("all null", Dynamic, column_of::dynamic((0..rows).map(|_| None))),
    ]
}

#[test]
fn every_encoding_of_every_version_opens() {
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/encodings-v1.bin");
    let columns = encodings();
    if !golden.exists() {
        let schema = TableSchema::new(columns.iter().map(|(name, ty, _)| (*name, *ty)));
        let specification = ExtentSpecification { hidden_columns: &[], ..specification(&schema, &[]) };
        let batch: Vec<ArrayRef> = columns.iter().map(|(_, _, array)| array.clone()).collect();
        write_extent(&golden, &specification, &[batch], &EncodeOptions::SEAL).expect("written");
    }
    let extent = Extent::open(&golden).expect("opens");
    assert_eq!(extent.verify().len(), 0, "{:?}", extent.verify());
    let described = extent::describe(&extent);
    // What stands for columns has encodings; the lines before them are of the whole file.
    let lines: Vec<&str> = described.lines().filter(|line| line.contains(" × ")).collect();
    assert_eq!(lines.len(), columns.len(), "{described}");
    for ((name, ty, expected), line) in columns.iter().zip(lines) {
        let encoding = line.split("1 × ").nth(1).unwrap_or_default();
        assert!(encoding.contains(name), "{name}: {line}");
        let id = columns.iter().position(|column| column.0 == *name && column.1 == *ty).expect("listed");
        let found = extent.read_column(0, id as u32, *ty).expect("reads");
        assert!(arrays_equal(*ty, expected, &found), "{name}");
    }
}

#[test]
fn pruning_skips_what_cannot_match() {
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path().join("a.extent");
    let schema = TableSchema::new([
        ("t", ColumnType::DateTime),
        ("level", ColumnType::String),
        ("message", ColumnType::String),
        ("properties", ColumnType::Dynamic),
        ("n", ColumnType::Long),
    ]);
    let groups: Vec<Vec<ArrayRef>> = (0..4i64)
        .map(|group| {
            let rows = 0..1000i64;
            vec![
                column_of::long(rows.clone().map(|n| Some(group * 1000 + n))),
                column_of::string(
                    rows.clone().map(|n| ["Info", "Warn"][usize::from(n % 7 == 0 && group == 2)].to_owned()),
                ),
                column_of::string(
                    rows.clone().map(|n| format!("User u{group}x{n} logged in from Host-{group}")),
                ),
                column_of::dynamic(
                    rows.clone().map(|n| {
                        Some(format!("{{\"Key{group}\":\"Value {n}\",\"n\":{}}}", group * 1000 + n))
                    }),
                ),
                column_of::long(rows.map(|n| (group == 3).then_some(n))),
            ]
        })
        .collect();
    let specification = ExtentSpecification { hidden_columns: &[], ..specification(&schema, &[]) };
    let options = EncodeOptions { row_group_rows: 1000, ..EncodeOptions::SEAL };
    write_extent(&path, &specification, &groups, &options).expect("written");
    let extent = Extent::open(&path).expect("opens");
    let compare = |column, ty, operator, value| Predicate::Compare { column, ty, operator, value };
    let text = |value: &str| Literal::String(value.to_owned());
    let term = |column, term: &str| Predicate::HasTerm { column, term: term.to_owned() };
    use Comparison::*;
    let cases: Vec<(Predicate, &[u32])> = vec![
        (compare(0, ColumnType::DateTime, Greater, Literal::Integer(2999)), &[3]),
        (compare(0, ColumnType::DateTime, Less, Literal::Integer(1000)), &[0]),
        (compare(0, ColumnType::DateTime, Equal, Literal::Integer(4000)), &[]),
        (compare(1, ColumnType::String, Equal, text("Warn")), &[2]),
        (compare(1, ColumnType::String, NotEqual, text("Info")), &[2]),
        (Predicate::EqualIgnoreCase { column: 1, value: "WARN".to_owned() }, &[2]),
        (term(1, "warn"), &[2]),
        (term(1, "inf"), &[]),
        (Predicate::HasTermPrefix { column: 1, prefix: "war".to_owned() }, &[2]),
        (term(2, "u1x77"), &[1]),
        (term(2, "logged"), &[0, 1, 2, 3]),
        (compare(2, ColumnType::String, Equal, text("User u3x5 logged in from Host-3")), &[3]),
        (term(3, "key2"), &[2]),
        (term(3, "3123"), &[3]),
        (Predicate::IsNotNull { column: 4, ty: ColumnType::Long }, &[3]),
        (Predicate::IsNull { column: 4, ty: ColumnType::Long }, &[0, 1, 2]),
        (compare(4, ColumnType::Long, NotEqual, Literal::Integer(5)), &[3]),
        (compare(99, ColumnType::Long, Equal, Literal::Integer(5)), &[]),
        (compare(99, ColumnType::String, Equal, text("")), &[0, 1, 2, 3]),
        (Predicate::And(vec![]), &[0, 1, 2, 3]),
        (Predicate::Or(vec![]), &[]),
        (Predicate::Or(vec![term(2, "u0x1"), term(2, "u2x1")]), &[0, 2]),
        (Predicate::In { column: 1, ty: ColumnType::String, values: vec![text("x"), text("Warn")] }, &[2]),
    ];
    for (predicate, expected) in cases {
        assert_eq!(extent.prune(&predicate), expected, "{predicate:?}");
    }
}

/// Whether a row satisfies a predicate, the slow and obvious way.
fn row_matches(arrays: &[ArrayRef], row: usize, predicate: &Predicate) -> bool {
    let text = |column: &u32| arrays[*column as usize].as_string_view().value(row);
    let json = |column: &u32| {
        let array = &arrays[*column as usize];
        let mut out = String::new();
        match array.as_binary_view_opt() {
            Some(values) if values.is_valid(row) => DynamicRef::new(values.value(row)).to_json(&mut out),
            Some(_) => {}
            None => out.push_str(array.as_string_view().value(row)),
        }
        out
    };
    match predicate {
        Predicate::And(parts) => parts.iter().all(|part| row_matches(arrays, row, part)),
        Predicate::Or(parts) => parts.iter().any(|part| row_matches(arrays, row, part)),
        Predicate::Not(part) => !row_matches(arrays, row, part),
        Predicate::In { column, ty, values } => values.iter().any(|value| {
            let value = value.clone();
            let equal = Predicate::Compare { column: *column, ty: *ty, operator: Comparison::Equal, value };
            row_matches(arrays, row, &equal)
        }),
        Predicate::EqualIgnoreCase { column, value } => fold(text(column)) == fold(value),
        Predicate::HasTerm { column, term } => {
            TermFinder::new(term, false, TermMatch::Whole).is_match(&json(column))
        }
        Predicate::HasTermPrefix { column, prefix } => {
            TermFinder::new(prefix, false, TermMatch::Prefix).is_match(&json(column))
        }
        Predicate::IsNull { column, .. } => arrays[*column as usize].is_null(row),
        Predicate::IsNotNull { column, .. } => arrays[*column as usize].is_valid(row),
        Predicate::Compare { column, ty, operator, value } => {
            let array = &arrays[*column as usize];
            if array.is_null(row) {
                return false;
            }
            let order = match (ty, value) {
                (ColumnType::Bool, Literal::Bool(value)) => Some(array.as_boolean().value(row).cmp(value)),
                (ColumnType::Int, Literal::Integer(value)) => {
                    Some(i64::from(array.as_primitive::<Int32Type>().value(row)).cmp(value))
                }
                (ColumnType::Real, Literal::Real(value)) => {
                    array.as_primitive::<Float64Type>().value(row).partial_cmp(value)
                }
                (ColumnType::String, Literal::String(value)) => Some(text(column).cmp(value)),
                (ColumnType::Decimal | ColumnType::Guid, Literal::Bytes16(value)) => {
                    Some(array.as_fixed_size_binary().value(row).cmp(value))
                }
                (_, Literal::Integer(value)) => Some(array.as_primitive::<Int64Type>().value(row).cmp(value)),
                _ => None,
            };
            let Some(order) = order else { return *operator == Comparison::NotEqual };
            match operator {
                Comparison::Equal => order.is_eq(),
                Comparison::NotEqual => order.is_ne(),
                Comparison::Less => order.is_lt(),
                Comparison::LessOrEqual => order.is_le(),
                Comparison::Greater => order.is_gt(),
                Comparison::GreaterOrEqual => order.is_ge(),
            }
        }
    }
}

/// The value of a row as a literal, so that predicates hit as often as they miss.
fn literal_of(ty: ColumnType, array: &ArrayRef, row: usize, nudge: i64) -> Literal {
    match ty {
        ColumnType::Bool => Literal::Bool(nudge % 2 == 0),
        ColumnType::Int => {
            Literal::Integer(i64::from(array.as_primitive::<Int32Type>().value(row)).wrapping_add(nudge))
        }
        ColumnType::Real => Literal::Real(array.as_primitive::<Float64Type>().value(row) + nudge as f64),
        ColumnType::String => {
            Literal::String(array.as_string_view().value(row).chars().skip((nudge != 0).into()).collect())
        }
        ColumnType::Decimal | ColumnType::Guid => {
            let mut bytes: [u8; 16] = array.as_fixed_size_binary().value(row).try_into().expect("16 bytes");
            bytes[15] = bytes[15].wrapping_add(nudge as u8);
            Literal::Bytes16(bytes)
        }
        _ => Literal::Integer(array.as_primitive::<Int64Type>().value(row).wrapping_add(nudge)),
    }
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    let word = prop::sample::select(vec![
        "Error", "σΣς", "STRASSE", "straße", "ſon", "kK", "x", "id7", "a\"b\\nc", "12.5", "né", "",
    ]);
    prop::collection::vec(prop::collection::vec(word, 0..4).prop_map(|words| words.join(" ")), 60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn pruning_never_loses_a_row(
        texts in texts(),
        numbers in prop::collection::vec(prop_oneof![Just(None), (-40i64..40).prop_map(Some), any::<i64>().prop_map(Some)], 60),
        picks in prop::collection::vec((0usize..60, -2i64..3, 0usize..6, "[a-zσſß0-9]{1,4}"), 12),
        group_rows in 1usize..40,
    ) {
        use Comparison::*;
        let schema = schema();
        let mut arrays: Vec<ArrayRef> = ColumnType::ALL.iter().map(|ty| column_of::any(*ty, &numbers)).collect();
        arrays[3] = column_of::real(numbers.iter().map(|n| n.map(|n| if n == 7 { f64::NAN } else { n as f64 })));
        arrays[7] = column_of::string(texts.iter().cloned());
        arrays[9] = column_of::dynamic(texts.iter().zip(&numbers).map(|(text, n)| {
            n.map(|n| serde_json::json!({ text.as_str(): [n, text], "t": text }).to_string())
        }));
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join("a.extent");
        let specification = ExtentSpecification { hidden_columns: &[], ..specification(&schema, &[]) };
        let options = EncodeOptions { row_group_rows: group_rows, ..EncodeOptions::SEAL };
        write_extent(&path, &specification, &[arrays.clone()], &options).expect("written");
        let extent = Extent::open(&path).expect("opens");
        prop_assert!(extent.verify().is_empty(), "{:?}", extent.verify());

        let mut predicates = Vec::new();
        for (row, nudge, operator, term) in &picks {
            for (column, ty) in ColumnType::ALL.into_iter().enumerate() {
                let column = column as u32;
                predicates.push(Predicate::IsNull { column, ty });
                predicates.push(Predicate::IsNotNull { column, ty });
                if ty == ColumnType::Dynamic || arrays[column as usize].is_null(*row) {
                    continue;
                }
                let value = literal_of(ty, &arrays[column as usize], *row, *nudge);
                let ordered = !matches!(ty, ColumnType::Decimal | ColumnType::Guid);
                let operators = [Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual];
                let operator = if ordered { operators[*operator] } else { operators[operator % 2] };
                predicates.push(Predicate::Compare { column, ty, operator, value: value.clone() });
                predicates.push(Predicate::In { column, ty, values: vec![value] });
            }
            for column in [7, 9] {
                let words = terms::terms(&texts[*row]).map(|word| fold(word).into_owned());
                for term in words.chain([fold(term).into_owned()]) {
                    predicates.push(Predicate::HasTermPrefix { column, prefix: term.clone() });
                    predicates.push(Predicate::HasTerm { column, term });
                }
            }
            let value = texts[*row].to_uppercase();
            predicates.push(Predicate::EqualIgnoreCase { column: 7, value });
        }
        let both = Predicate::And(predicates[..2].to_vec());
        predicates.push(both);
        for predicate in &predicates {
            let kept = extent.prune(predicate);
            for row in 0..60 {
                if row_matches(&arrays, row, predicate) {
                    prop_assert!(kept.contains(&((row / group_rows) as u32)), "row {} lost to {:?}", row, predicate);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn indexes_of_terms_select_what_a_search_finds(
        words in prop::collection::vec((0usize..16, 0usize..16, any::<u16>()), 400),
        rare in 1usize..60,
        foreign: bool,
        group_rows in 20usize..400,
    ) {
        let vocabulary = [
            "upstream", "Reset", "peer", "by", "RESET", "timeout", "x-1", "200", "4711", "né", "STRASSE", "GET",
            "/api/v1", "σΣς", "kKk", "",
        ];
        // The Kelvin sign and the long s fold to ASCII letters, which a search for these passes over.
        let foreign = if foreign { ["\u{212a}kk", "re\u{17f}et"] } else { ["kkk", "reset"] };
        let texts: Vec<String> = words
            .iter()
            .enumerate()
            .map(|(row, (first, second, number))| {
                let odd = if row % rare == 3 { foreign[row % 2] } else { "" };
                format!("{} {} {odd} u{number}-{row} templated words", vocabulary[*first], vocabulary[*second])
            })
            .collect();
        let schema = TableSchema::new([("m", ColumnType::String), ("d", ColumnType::Dynamic)]);
        let arrays = vec![
            column_of::string(texts.iter().cloned()),
            column_of::dynamic(texts.iter().enumerate().map(|(row, text)| {
                (row % 7 != 0).then(|| serde_json::json!({ "key": text, "n": row % 20 }).to_string())
            })),
        ];
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join("a.extent");
        let specification = ExtentSpecification { hidden_columns: &[], ..specification(&schema, &[]) };
        let options = EncodeOptions { row_group_rows: group_rows, ..EncodeOptions::SEAL };
        write_extent(&path, &specification, std::slice::from_ref(&arrays), &options).expect("written");
        let extent = Extent::open(&path).expect("opens");
        prop_assert!(extent.verify().is_empty(), "{:?}", extent.verify());

        let term = |column, term: &str| Predicate::HasTerm { column, term: fold(term).into_owned() };
        let not = |part: Predicate| Predicate::Not(Box::new(part));
        let mut predicates: Vec<Predicate> = ["templated", "reset", "kkk", "upstream", "4711", "x", "key", "nowhere", "né", "api"]
            .into_iter()
            .chain(texts.iter().take(3).flat_map(|text| terms::terms(text)))
            .flat_map(|word| [term(0, word), term(1, word)])
            .collect();
        let string = |value: &str| Literal::String(value.to_owned());
        predicates.extend(texts.iter().step_by(99).flat_map(|text| [
            Predicate::Compare {
                column: 0, ty: ColumnType::String, operator: Comparison::Equal, value: string(text),
            },
            Predicate::In { column: 0, ty: ColumnType::String, values: vec![string(text), string("reset")] },
            Predicate::EqualIgnoreCase { column: 0, value: text.to_uppercase() },
        ]));
        predicates.extend(["reset", "templated", "nowhere", "peer"].map(|word| not(term(0, word))));
        predicates.push(Predicate::Or(vec![term(0, "reset"), not(term(0, "upstream"))]));
        predicates.push(Predicate::And(vec![term(0, "reset"), not(term(0, "upstream"))]));
        predicates.push(Predicate::Or(vec![term(0, "timeout"), term(0, "u17"), term(1, "peer")]));
        for predicate in &predicates {
            let kept = extent.prune(predicate);
            for group in 0..extent.row_group_count() {
                let selection = extent.select(group, predicate);
                let start = group as usize * group_rows;
                for row in 0..extent.row_group_rows(group) as usize {
                    let expected = row_matches(&arrays, start + row, predicate);
                    let selected = selection.rows.as_ref().is_none_or(|rows| rows.value(row));
                    prop_assert!(selected || !expected, "row {} lost to {:?}", start + row, predicate);
                    prop_assert!(kept.contains(&group) || !expected, "row {} lost to {:?}", start + row, predicate);
                    if selection.exact {
                        prop_assert!(
                            selected == expected, "row {} is {} for {:?}", start + row, expected, predicate
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn lists_of_common_terms_are_the_answer() {
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path().join("a.extent");
    let schema = TableSchema::new([("m", ColumnType::String)]);
    let hash = |row: u64| xxhash_rust::xxh3::xxh3_128(&row.to_le_bytes());
    let texts = (0..20_000u64).map(|row| {
        let template = match row % 10 {
            0 => "Upstream timed out, request",
            1..5 => "Token refreshed for session of request",
            _ => "GET /index.html by",
        };
        format!("{template} {:032x}", hash(row))
    });
    let arrays = vec![column_of::string(texts)];
    let specification = ExtentSpecification { hidden_columns: &[], ..specification(&schema, &[]) };
    let summary = write_extent(&path, &specification, &[arrays], &EncodeOptions::SEAL).expect("written");
    let extent = Extent::open(&path).expect("opens");
    let select = |term: &str| {
        let selection = extent.select(0, &Predicate::HasTerm { column: 0, term: term.to_owned() });
        (selection.rows.map_or(20_000, |rows| rows.count_set_bits()), selection.exact)
    };
    assert_eq!(select("upstream"), (2000, true));
    assert_eq!(select("session"), (8000, true));
    assert_eq!(select("request"), (10_000, true), "words of two templates");
    assert_eq!(select("nowhere"), (0, true));
    let (candidates, exact) = select(&format!("{:032x}", hash(777)));
    assert!(!exact && (1..20_000).contains(&candidates), "{candidates} rows of {summary:?}");
}

#[test]
fn an_extent_is_shared_between_threads() {
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path().join("a.extent");
    write(&path, &[batch(500, 0)], 100);
    let extent = Arc::new(Extent::open(&path).expect("opens"));
    std::fs::remove_file(&path).expect("removes");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert!(contents(&extent).iter().all(|column| column.is_ok())));
        }
    });
}
