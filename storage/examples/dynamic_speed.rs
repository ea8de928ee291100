//! Measures dynamic values: parsing JSON, reading a key, printing.
//!
//! `cargo run --release -p conshelf-storage --example dynamic_speed`

use std::hint::black_box;
use std::time::Instant;

use conshelf_storage::{DynamicBuilder, DynamicRef};

fn main() {
    let texts: Vec<String> = (0..100_000u64)
        .map(|n| {
            format!(
                "{{\"region\":\"eu-{}\",\"version\":\"1.{}.{}\",\"attempt\":{},\"user\":{{\"id\":{},\"plan\":\"free\"}},\
                 \"cpu\":{}.25,\"tags\":[\"a\",\"b{}\"],\"note\":\"said \\\"{}\\\"\"}}",
                n % 4, n % 9, n % 30, n % 4, n * 7919 % 500_000, n % 100, n % 10, n % 1000
            )
        })
        .collect();
    let bytes: usize = texts.iter().map(String::len).sum();
    let measure = |name: &str, work: &mut dyn FnMut()| {
        work();
        let best = (0..5)
            .map(|_| {
                let started = Instant::now();
                work();
                started.elapsed().as_nanos() as f64 / texts.len() as f64
            })
            .fold(f64::MAX, f64::min);
        println!("{name:<24} {best:>8.1} ns a value");
    };
    println!("{:.0} bytes of JSON a value", bytes as f64 / texts.len() as f64);
    let mut builder = DynamicBuilder::new();
    measure("parse", &mut || {
        for text in &texts {
            builder.json(text).expect("JSON");
            builder.finish_with(|bytes| {
                black_box(bytes.len());
            });
        }
    });
    let values: Vec<Vec<u8>> = texts
        .iter()
        .map(|text| {
            builder.json(text).expect("JSON");
            builder.finish()
        })
        .collect();
    let stored: usize = values.iter().map(Vec::len).sum();
    println!("{:.0} bytes a stored value", stored as f64 / values.len() as f64);
    measure("get a nested key", &mut || {
        for value in &values {
            let id = DynamicRef::new(value).get("user").and_then(|user| user.get("id"));
            black_box(id.and_then(|id| id.as_long()));
        }
    });
    let mut out = String::new();
    measure("print", &mut || {
        for value in &values {
            out.clear();
            DynamicRef::new(value).to_json(&mut out);
            black_box(out.len());
        }
    });
}
