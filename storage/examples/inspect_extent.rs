//! Prints where the bytes of extent files go: `cargo run --example inspect_extent -- FILE…`

use std::path::PathBuf;

use conshelf_storage::{Extent, extent};

fn main() {
    for path in std::env::args_os().skip(1).map(PathBuf::from) {
        match Extent::open(&path) {
            Ok(extent) => {
                print!("{}\n{}", path.display(), extent::describe(&extent));
                extent.verify().iter().for_each(|error| println!("{error}"));
            }
            Err(error) => println!("{error}"),
        }
    }
}
