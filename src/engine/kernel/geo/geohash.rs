//! Geohashes: longitude and latitude bits in turn, five to a character.

use arrow_array::ArrayRef;

use super::shape::{write_position, write_positions, write_shape};
use super::sphere::point;
use crate::engine::error::Result;
use crate::engine::kernel::access::{Longs, Reals, Texts, argument, dynamics, texts};
use crate::engine::kernel::{Datum, KernelCall};

const ALPHABET: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";

/// The most characters of a geohash.
const MAX_LENGTH: usize = 18;

/// A cell by column and row of a grid of `2^longitude_bits × 2^latitude_bits`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cell {
    column: u64,
    row: u64,
    length: usize,
}

impl Cell {
    fn bits(length: usize) -> (u32, u32) {
        let bits = length as u32 * 5;
        (bits.div_ceil(2), bits / 2)
    }

    fn of(longitude: f64, latitude: f64, length: usize) -> Cell {
        let (longitude_bits, latitude_bits) = Cell::bits(length);
        let index = |share: f64, bits: u32| {
            let cells = (1u64 << bits) as f64;
            ((share * cells) as u64).min((1 << bits) - 1)
        };
        Cell {
            column: index((longitude + 180.0) / 360.0, longitude_bits),
            row: index((latitude + 90.0) / 180.0, latitude_bits),
            length,
        }
    }

    fn parse(text: &str) -> Option<Cell> {
        if text.is_empty() || text.len() > MAX_LENGTH {
            return None;
        }
        let (mut column, mut row) = (0u64, 0u64);
        let mut even = true;
        for byte in text.bytes() {
            let lower = byte.to_ascii_lowercase();
            let value = ALPHABET.iter().position(|letter| *letter == lower)?;
            for bit in (0..5).rev() {
                let bit = (value >> bit & 1) as u64;
                if even {
                    column = column << 1 | bit;
                } else {
                    row = row << 1 | bit;
                }
                even = !even;
            }
        }
        Some(Cell { column, row, length: text.len() })
    }

    fn print(self, out: &mut String) {
        let (mut longitude_bits, mut latitude_bits) = Cell::bits(self.length);
        let mut even = true;
        for _ in 0..self.length {
            let mut value = 0;
            for _ in 0..5 {
                let bit = if even {
                    longitude_bits -= 1;
                    self.column >> longitude_bits & 1
                } else {
                    latitude_bits -= 1;
                    self.row >> latitude_bits & 1
                };
                value = value << 1 | bit as usize;
                even = !even;
            }
            out.push(char::from(ALPHABET[value]));
        }
    }

    /// West, south, east, north.
    fn bounds(self) -> (f64, f64, f64, f64) {
        let (longitude_bits, latitude_bits) = Cell::bits(self.length);
        let width = 360.0 / (1u64 << longitude_bits) as f64;
        let height = 180.0 / (1u64 << latitude_bits) as f64;
        let (west, south) = (self.column as f64 * width - 180.0, self.row as f64 * height - 90.0);
        (west, south, west + width, south + height)
    }

    /// The cell so many columns and rows away; columns go around the Earth. `None` past a pole.
    fn moved(self, columns: i64, rows: i64) -> Option<Cell> {
        let (longitude_bits, latitude_bits) = Cell::bits(self.length);
        let column = (self.column as i64 + columns).rem_euclid(1 << longitude_bits) as u64;
        let row = u64::try_from(self.row as i64 + rows).ok().filter(|row| *row < 1 << latitude_bits)?;
        Some(Cell { column, row, length: self.length })
    }
}

pub fn of_point(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let longitudes = Reals::new(argument(arguments, 0)?)?;
    let latitudes = Reals::new(argument(arguments, 1)?)?;
    let lengths = Longs::new(argument(arguments, 2)?)?;
    Ok(texts(call.rows, |row, out| {
        let length = lengths.get(row).and_then(|length| usize::try_from(length).ok());
        let length = length.filter(|length| (1..=MAX_LENGTH).contains(length));
        if let (Some(longitude), Some(latitude), Some(length)) =
            (longitudes.get(row), latitudes.get(row), length)
            && point(longitude, latitude).is_some()
        {
            Cell::of(longitude, latitude, length).print(out);
        }
    }))
}

pub fn central_point(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        let Some(cell) = Cell::parse(values.get(row)) else { return false };
        let (west, south, east, north) = cell.bounds();
        write_shape(builder, "Point", |builder| {
            write_position(builder, (west + east) / 2.0, (south + north) / 2.0);
        });
        true
    }))
}

pub fn polygon(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        let Some(cell) = Cell::parse(values.get(row)) else { return false };
        let (west, south, east, north) = cell.bounds();
        write_shape(builder, "Polygon", |builder| {
            builder.begin_array();
            write_positions(
                builder,
                &[(west, south), (east, south), (east, north), (west, north), (west, south)],
            );
            builder.end_array();
        });
        true
    }))
}

/// In the order of the engine.
pub fn neighbors(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    const AROUND: [(i64, i64); 8] = [(-1, 0), (-1, -1), (0, -1), (1, -1), (1, 1), (1, 0), (0, 1), (-1, 1)];
    let values = Texts::new(argument(arguments, 0)?)?;
    let mut text = String::new();
    Ok(dynamics(call.rows, |row, builder| {
        let Some(cell) = Cell::parse(values.get(row)) else { return false };
        builder.begin_array();
        for neighbor in AROUND.iter().filter_map(|(columns, rows)| cell.moved(*columns, *rows)) {
            text.clear();
            neighbor.print(&mut text);
            builder.string(&text);
        }
        builder.end_array();
        true
    }))
}
