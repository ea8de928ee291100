//! Measures the extent on synthetic log rows: bytes a row, encode and decode time of every column.
//!
//! `cargo run --release -p conshelf-storage --example encoding_speed [ROWS] [LEVEL] [no-index]`

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use arrow_array::builder::{BinaryViewBuilder, StringViewBuilder};
use arrow_array::{ArrayRef, Float64Array, Int32Array, Int64Array};
use conshelf_storage::encoding::{decode_chunk, describe_chunk, encode_chunk};
use conshelf_storage::{
    ColumnType, DynamicBuilder, EncodeOptions, Extent, ExtentSpecification, ExtentWriter, TableSchema, extent,
};

/// SplitMix64: small, seedable and good enough for shapes.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
    /// Skewed to small numbers, about like Zipf.
    fn skewed(&mut self, limit: u64) -> u64 {
        ((limit as f64).powf(self.share()) - 1.0) as u64 % limit
    }
    fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        let (u, v) = (1.0 - self.share(), self.share());
        median * (sigma * (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()).exp()
    }
}

fn schema() -> TableSchema {
    use ColumnType::*;
    TableSchema::new([
        ("Timestamp", DateTime),
        ("Level", String),
        ("Service", String),
        ("Host", String),
        ("TraceId", String),
        ("Method", String),
        ("Path", String),
        ("Status", Int),
        ("DurationMs", Real),
        ("BytesSent", Long),
        ("ClientIp", String),
        ("UserAgent", String),
        ("Message", String),
        ("Properties", Dynamic),
    ])
}

fn strings(rows: usize, mut value: impl FnMut() -> String) -> ArrayRef {
    let mut builder = StringViewBuilder::new();
    (0..rows).for_each(|_| builder.append_value(value()));
    Arc::new(builder.finish())
}

fn log_rows(random: &mut Random, rows: usize, start: i64) -> Vec<ArrayRef> {
    let mut ticks = start;
    let times = Int64Array::from_iter_values((0..rows).map(|_| {
        ticks += random.below(170_000) as i64;
        ticks
    }));
    let hosts: Vec<u64> = (0..rows).map(|_| random.skewed(2000)).collect();
    let mut host = hosts.iter();
    let mut service = hosts.iter();
    let levels = ["Info", "Info", "Info", "Info", "Info", "Info", "Info", "Info", "Debug", "Warning"];
    let statuses = [200, 200, 200, 200, 200, 201, 204, 301, 304, 400, 401, 403, 404, 500, 502, 503];
    let words = ["cache", "payment", "inventory", "session", "shipment", "profile", "search", "invoice"];
    let message = |random: &mut Random| {
        let word = words[random.skewed(8) as usize];
        match random.skewed(12) {
            0 => format!(
                "Request {:x} for user {} completed: GET /api/v2/{word}/{} returned {} bytes in {} ms",
                random.next(),
                random.below(500_000),
                random.below(90_000),
                random.below(100_000),
                random.below(900)
            ),
            1 => format!(
                "Connection from 10.{}.{}.{}:{} accepted by worker {} after {} retries, pool has {} idle connections",
                random.below(256),
                random.below(256),
                random.below(256),
                random.below(60_000),
                random.below(64),
                random.below(4),
                random.below(100)
            ),
            2 => format!(
                "Cache miss for key \"{word}:{}\", loading from the primary store took {}.{:03} ms",
                random.below(1_000_000),
                random.below(90),
                random.below(1000)
            ),
            3 => format!(
                "Published event {:016x} to topic {word}.events partition {} offset {}",
                random.next(),
                random.below(32),
                random.below(10_000_000)
            ),
            4 => format!(
                "Failed to process order {} in service {word}: timeout after {} ms while waiting for the upstream response",
                random.below(10_000_000),
                random.below(30_000)
            ),
            5 => format!(
                "User {} logged in from {}.{}.{}.{} with session {:032x}",
                random.below(500_000),
                random.below(256),
                random.below(256),
                random.below(256),
                random.below(256),
                u128::from(random.next()) << 64 | u128::from(random.next())
            ),
            6 => format!(
                "Health check of {word} passed in {} ms; memory {} MB, {} goroutines, uptime {} s",
                random.below(50),
                random.below(4000),
                random.below(900),
                random.below(9_000_000)
            ),
            7 => format!(
                "Query plan for tenant {} chose index {word}_by_time with {} estimated rows and a cost of {}.{:02}",
                random.below(3000),
                random.below(1_000_000),
                random.below(5000),
                random.below(100)
            ),
            _ => format!(
                "Scheduled job {word}-cleanup removed {} expired rows from table {word}_{} in {} batches",
                random.below(100_000),
                random.below(64),
                random.below(100)
            ),
        }
    };
    let mut builder = DynamicBuilder::new();
    let mut properties = BinaryViewBuilder::new();
    for _ in 0..rows {
        let mut json = format!(
            "{{\"region\":\"eu-{}\",\"version\":\"1.{}.{}\",\"attempt\":{}",
            random.below(4),
            random.below(9),
            random.below(30),
            random.below(4)
        );
        if random.below(2) == 0 {
            json += &format!(
                ",\"user\":{{\"id\":{},\"plan\":\"{}\"}}",
                random.below(500_000),
                ["free", "pro", "team"][random.below(3) as usize]
            );
        }
        if random.below(3) == 0 {
            json += &format!(
                ",\"cpu\":{}.{:02},\"tags\":[\"a\",\"b{}\"]",
                random.below(100),
                random.below(100),
                random.below(10)
            );
        }
        json.push('}');
        builder.json(&json).expect("valid JSON");
        builder.finish_with(|bytes| properties.append_value(bytes));
    }
    vec![
        Arc::new(times),
        strings(rows, || match random.below(40) {
            0 => "Error".to_owned(),
            _ => levels[random.below(10) as usize].to_owned(),
        }),
        strings(rows, || format!("service-{}", service.next().map_or(0, |host| host % 50))),
        strings(rows, || format!("host-{:04}.prod.internal", host.next().copied().unwrap_or(0))),
        strings(rows, || format!("{:016x}{:016x}", random.next(), random.next())),
        strings(rows, || ["GET", "GET", "GET", "POST", "PUT", "DELETE"][random.below(6) as usize].to_owned()),
        strings(rows, || {
            let path = random.skewed(10_000);
            format!("/api/v{}/{}/{}", path % 3, words[path as usize % 8], path)
        }),
        Arc::new(Int32Array::from_iter_values((0..rows).map(|_| statuses[random.skewed(16) as usize]))),
        Arc::new(Float64Array::from_iter_values(
            (0..rows).map(|_| (random.log_normal(40.0, 1.0) * 1000.0).round() / 1000.0),
        )),
        Arc::new(Int64Array::from_iter_values((0..rows).map(|_| random.log_normal(4000.0, 1.5) as i64))),
        strings(rows, || {
            let ip = random.skewed(200_000);
            format!("{}.{}.{}.{}", 10 + ip % 180, ip * 7 % 256, ip / 256 % 256, ip % 253)
        }),
        strings(rows, || {
            let agent = random.skewed(200);
            format!("Mozilla/5.0 (X11; Linux x86_64; rv:{agent}.0) Gecko/20100101 Firefox/{agent}.0")
        }),
        strings(rows, || message(random)),
        Arc::new(properties.finish()),
    ]
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let rows: usize = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(262_144);
    let zstd_level = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1);
    let term_index = arguments.next().as_deref() != Some("no-index");
    let options = EncodeOptions { zstd_level, term_index, ..EncodeOptions::SEAL };
    let schema = schema();
    let mut random = Random(42);
    let group_rows = options.row_group_rows;
    let groups: Vec<Vec<ArrayRef>> = (0..rows.div_ceil(group_rows))
        .map(|group| {
            log_rows(&mut random, group_rows, 638_000_000_000_000_000 + group as i64 * 5_600_000_000)
        })
        .collect();
    let rows = groups.len() * group_rows;

    println!(
        "{:<12} {:>9} {:>12} {:>12}  encoding of the first row group",
        "column", "B/row", "encode ns", "decode ns"
    );
    for (position, column) in schema.columns.iter().enumerate() {
        let started = Instant::now();
        let chunks: Vec<Vec<u8>> = groups
            .iter()
            .map(|group| {
                let mut out = Vec::new();
                encode_chunk(column.ty, &group[position], &options, &mut out).expect("encodes");
                out
            })
            .collect();
        let encoded = started.elapsed();
        let mut best = f64::MAX;
        for _ in 0..5 {
            let started = Instant::now();
            for chunk in &chunks {
                black_box(decode_chunk(column.ty, chunk, group_rows).expect("decodes"));
            }
            best = best.min(started.elapsed().as_nanos() as f64);
        }
        println!(
            "{:<12} {:>9.2} {:>12.1} {:>12.2}  {}",
            column.name,
            chunks.iter().map(Vec::len).sum::<usize>() as f64 / rows as f64,
            encoded.as_nanos() as f64 / rows as f64,
            best / rows as f64,
            describe_chunk(&chunks[0], group_rows).expect("describes")
        );
    }

    let path = std::env::temp_dir().join(format!("encoding_speed.{}.extent", std::process::id()));
    let specification = ExtentSpecification {
        extent_id: uuid::Uuid::nil(),
        table_id: uuid::Uuid::nil(),
        schema: &schema,
        hidden_columns: &[],
        partition: None,
        created_ticks: 0,
        tags: &[],
    };
    let started = Instant::now();
    let mut writer = ExtentWriter::create(&path, &specification, &options).expect("creates");
    groups.iter().for_each(|group| writer.push_row_group(group).expect("writes"));
    let pushed = started.elapsed();
    let summary = writer.finish().expect("finishes");
    println!(
        "extent: {:.2} µs a row without sync, {:.2} with; {:.1} bytes a row",
        pushed.as_secs_f64() * 1e6 / rows as f64,
        started.elapsed().as_secs_f64() * 1e6 / rows as f64,
        summary.file_bytes as f64 / rows as f64
    );
    let opened = Instant::now();
    let extent = Extent::open(&path).expect("opens");
    println!("open: {:?}", opened.elapsed());
    print!("{}", extent::describe(&extent));
    let _ = std::fs::remove_file(&path);

    let mut at = 638_000_000_000_000_000i64;
    let times: Vec<i64> = (0..10_000_000)
        .map(|_| {
            at += random.below(90_000) as i64;
            at
        })
        .collect();
    for (name, values) in [
        ("delta times", times.clone()),
        ("whole milliseconds", times.iter().map(|ticks| ticks / 10_000 * 10_000).collect()),
        ("packed longs", times.iter().map(|ticks| ticks % 1_000_000).collect::<Vec<i64>>()),
    ] {
        let chunks: Vec<(Vec<u8>, usize)> = values
            .chunks(group_rows)
            .map(|values| {
                let mut out = Vec::new();
                let array: ArrayRef = Arc::new(Int64Array::from(values.to_vec()));
                encode_chunk(ColumnType::DateTime, &array, &options, &mut out).expect("encodes");
                (out, values.len())
            })
            .collect();
        let started = Instant::now();
        for (chunk, rows) in &chunks {
            black_box(decode_chunk(ColumnType::DateTime, chunk, *rows).expect("decodes"));
        }
        let bytes: usize = chunks.iter().map(|chunk| chunk.0.len()).sum();
        println!("10 M {name}: decoded in {:?}, {:.2} bytes each", started.elapsed(), bytes as f64 / 1e7);
    }
}
