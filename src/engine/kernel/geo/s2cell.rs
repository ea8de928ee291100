//! S2 cells: the sphere on six faces of a cube, each divided along a Hilbert curve
//! (s2geometry.io, "S2 cell hierarchy").

use arrow_array::ArrayRef;

use super::shape::{write_point, write_positions, write_shape};
use super::sphere::{Vector, degrees, point};
use crate::engine::error::Result;
use crate::engine::kernel::access::{Longs, Reals, Texts, argument, dynamics, texts};
use crate::engine::kernel::{Datum, KernelCall};

pub const MAX_LEVEL: u32 = 30;
const MAX_SIZE: i64 = 1 << MAX_LEVEL;
const SWAP: usize = 1;
const INVERT: usize = 2;

/// Position on the curve of a quadrant, by orientation, and the quadrant of a position.
const QUADRANT_TO_POSITION: [[u64; 4]; 4] = [[0, 1, 3, 2], [0, 3, 1, 2], [2, 3, 1, 0], [2, 1, 3, 0]];
const POSITION_TO_QUADRANT: [[i64; 4]; 4] = [[0, 1, 3, 2], [0, 2, 3, 1], [3, 2, 0, 1], [3, 1, 0, 2]];
const POSITION_TO_ORIENTATION: [usize; 4] = [SWAP, 0, 0, INVERT + SWAP];

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell(u64);

fn face_and_uv(p: Vector) -> (usize, f64, f64) {
    let (x, y, z) = (p.x.abs(), p.y.abs(), p.z.abs());
    if x >= y && x >= z {
        if p.x >= 0.0 { (0, p.y / p.x, p.z / p.x) } else { (3, p.z / p.x, p.y / p.x) }
    } else if y >= z {
        if p.y >= 0.0 { (1, -p.x / p.y, p.z / p.y) } else { (4, p.z / p.y, -p.x / p.y) }
    } else if p.z >= 0.0 {
        (2, -p.x / p.z, -p.y / p.z)
    } else {
        (5, -p.y / p.z, -p.x / p.z)
    }
}

fn face_uv_to_vector(face: usize, u: f64, v: f64) -> Vector {
    match face {
        0 => Vector::new(1.0, u, v),
        1 => Vector::new(-u, 1.0, v),
        2 => Vector::new(-u, -v, 1.0),
        3 => Vector::new(-1.0, -v, -u),
        4 => Vector::new(v, -1.0, -u),
        _ => Vector::new(v, u, -1.0),
    }
}

/// The quadratic projection of the S2 library.
fn uv_to_st(u: f64) -> f64 {
    if u >= 0.0 { 0.5 * (1.0 + 3.0 * u).sqrt() } else { 1.0 - 0.5 * (1.0 - 3.0 * u).sqrt() }
}

fn st_to_uv(s: f64) -> f64 {
    if s >= 0.5 { (4.0 * s * s - 1.0) / 3.0 } else { (1.0 - 4.0 * (1.0 - s) * (1.0 - s)) / 3.0 }
}

fn st_to_ij(s: f64) -> i64 {
    ((s * MAX_SIZE as f64).floor() as i64).clamp(0, MAX_SIZE - 1)
}

fn ij_to_uv(i: i64) -> f64 {
    st_to_uv(i as f64 / MAX_SIZE as f64)
}

impl Cell {
    fn from_face_ij(face: usize, i: i64, j: i64) -> Cell {
        let mut id = face as u64;
        let mut orientation = face & SWAP;
        for bit in (0..MAX_LEVEL).rev() {
            let quadrant = ((i >> bit & 1) << 1 | (j >> bit & 1)) as usize;
            let position = QUADRANT_TO_POSITION[orientation][quadrant];
            id = id << 2 | position;
            orientation ^= POSITION_TO_ORIENTATION[position as usize];
        }
        Cell(id << 1 | 1)
    }

    /// As `from_face_ij` for places just outside of a face.
    fn from_face_ij_around(face: usize, i: i64, j: i64) -> Cell {
        if (0..MAX_SIZE).contains(&i) && (0..MAX_SIZE).contains(&j) {
            return Cell::from_face_ij(face, i, j);
        }
        let limit = 1.0 + f64::EPSILON;
        let scaled = |i: i64| {
            let i = i.clamp(-1, MAX_SIZE);
            ((2 * (i - MAX_SIZE / 2) + 1) as f64 / MAX_SIZE as f64).clamp(-limit, limit)
        };
        let (face, u, v) = face_and_uv(face_uv_to_vector(face, scaled(i), scaled(j)));
        Cell::from_face_ij(face, st_to_ij(0.5 * (u + 1.0)), st_to_ij(0.5 * (v + 1.0)))
    }

    fn of(point: Vector) -> Cell {
        let (face, u, v) = face_and_uv(point);
        Cell::from_face_ij(face, st_to_ij(uv_to_st(u)), st_to_ij(uv_to_st(v)))
    }

    fn parent(self, level: u32) -> Cell {
        let lowest = 1u64 << (2 * (MAX_LEVEL - level));
        Cell(self.0 & lowest.wrapping_neg() | lowest)
    }

    pub fn level(self) -> u32 {
        MAX_LEVEL - self.0.trailing_zeros() / 2
    }

    fn face(self) -> usize {
        (self.0 >> 61) as usize
    }

    /// The corner of the cell with the smallest coordinates.
    fn ij(self) -> (i64, i64) {
        let (mut i, mut j) = (0i64, 0i64);
        let mut orientation = self.face() & SWAP;
        let level = self.level();
        for step in 0..level {
            let position = (self.0 >> (59 - 2 * step) & 3) as usize;
            let quadrant = POSITION_TO_QUADRANT[orientation][position];
            i = i << 1 | quadrant >> 1;
            j = j << 1 | quadrant & 1;
            orientation ^= POSITION_TO_ORIENTATION[position];
        }
        (i << (MAX_LEVEL - level), j << (MAX_LEVEL - level))
    }

    fn size(self) -> i64 {
        1 << (MAX_LEVEL - self.level())
    }

    pub fn center(self) -> Vector {
        let (i, j) = self.ij();
        let middle = |i: i64| st_to_uv((2 * i + self.size()) as f64 / (2 * MAX_SIZE) as f64);
        face_uv_to_vector(self.face(), middle(i), middle(j)).unit()
    }

    pub fn corners(self) -> [Vector; 4] {
        let (i, j) = self.ij();
        let size = self.size();
        [(i, j), (i + size, j), (i + size, j + size), (i, j + size)]
            .map(|(i, j)| face_uv_to_vector(self.face(), ij_to_uv(i), ij_to_uv(j)).unit())
    }

    /// The six cells of level 0.
    pub fn faces() -> [Cell; 6] {
        [0, 1, 2, 3, 4, 5].map(|face: u64| Cell(face << 61 | 1 << 60))
    }

    /// The four cells of the next level, in the order of the curve.
    pub fn children(self) -> [Cell; 4] {
        let lowest = self.0 & self.0.wrapping_neg();
        let quarter = lowest >> 2;
        [0, 1, 2, 3].map(|at: u64| Cell(self.0 - lowest + quarter * (2 * at + 1)))
    }

    /// All cells of a level inside, in the order of the curve.
    pub fn descendants(self, level: u32) -> impl Iterator<Item = Cell> {
        let lowest = self.0 & self.0.wrapping_neg();
        let size = 1u64 << (2 * (MAX_LEVEL - level));
        let first = self.0 - lowest + size;
        (0..lowest / size).map(move |at| Cell(first + 2 * size * at))
    }

    /// Edge and corner neighbors in the order of the S2 library.
    fn neighbors(self) -> Vec<Cell> {
        let (face, level, size) = (self.face(), self.level(), self.size());
        let (i, j) = self.ij();
        let mut found: Vec<Cell> = Vec::with_capacity(8);
        let mut push = |i, j| {
            let cell = Cell::from_face_ij_around(face, i, j).parent(level);
            if cell != self && !found.contains(&cell) {
                found.push(cell);
            }
        };
        for shift in [-size, 0, size] {
            if shift == 0 {
                push(i, j - size);
                push(i, j + size);
            }
            push(i - size, j + shift);
            push(i + size, j + shift);
        }
        found
    }

    fn parse(token: &str) -> Option<Cell> {
        if token.is_empty() || token.len() > 16 || !token.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let id = u64::from_str_radix(token, 16).ok()? << (4 * (16 - token.len()));
        let is_valid =
            id != 0 && id >> 61 < 6 && id.trailing_zeros().is_multiple_of(2) && id.trailing_zeros() <= 60;
        is_valid.then_some(Cell(id))
    }

    pub fn token(self) -> String {
        format!("{:016x}", self.0).trim_end_matches('0').to_owned()
    }
}

/// The place of a point on the curve through the smallest cells.
pub fn leaf(point: Vector) -> u64 {
    Cell::of(point).0
}

pub fn of_point(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let longitudes = Reals::new(argument(arguments, 0)?)?;
    let latitudes = Reals::new(argument(arguments, 1)?)?;
    let levels = Longs::new(argument(arguments, 2)?)?;
    Ok(texts(call.rows, |row, out| {
        let level = levels.get(row).and_then(|level| u32::try_from(level).ok());
        let place = longitudes.get(row).zip(latitudes.get(row)).and_then(|(x, y)| point(x, y));
        if let (Some(place), Some(level)) = (place, level.filter(|level| *level <= MAX_LEVEL)) {
            out.push_str(&Cell::of(place).parent(level).token());
        }
    }))
}

pub fn central_point(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        Cell::parse(values.get(row)).map(|cell| write_point(builder, cell.center())).is_some()
    }))
}

pub fn polygon(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        let Some(cell) = Cell::parse(values.get(row)) else { return false };
        let corners = cell.corners().map(degrees);
        let ring: Vec<(f64, f64)> = corners.iter().chain(corners.first()).copied().collect();
        write_shape(builder, "Polygon", |builder| {
            builder.begin_array();
            write_positions(builder, &ring);
            builder.end_array();
        });
        true
    }))
}

pub fn neighbors(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        let Some(cell) = Cell::parse(values.get(row)) else { return false };
        builder.begin_array();
        cell.neighbors().into_iter().for_each(|neighbor| builder.string(&neighbor.token()));
        builder.end_array();
        true
    }))
}
