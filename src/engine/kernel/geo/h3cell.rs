//! H3 cells: hexagons of sixteen sizes that cover the Earth (h3geo.org).

use arrow_array::ArrayRef;
use arrow_array::types::Int32Type;
use h3o::{CellIndex, LatLng, Resolution};

use super::shape::{write_position, write_positions, write_shape};
use super::sphere::point;
use crate::engine::error::Result;
use crate::engine::kernel::access::{Longs, Reals, Texts, argument, dynamics, numbers, texts};
use crate::engine::kernel::{Datum, KernelCall};

/// The most levels between a cell and its children; more give null.
const MAX_LEVELS: u8 = 5;

/// The largest distance of a ring.
const MAX_DISTANCE: i64 = 142;

fn parse(token: &str) -> Option<CellIndex> {
    token.parse().ok()
}

fn resolution(value: i64) -> Option<Resolution> {
    Resolution::try_from(u8::try_from(value).ok()?).ok()
}

pub fn of_point(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let longitudes = Reals::new(argument(arguments, 0)?)?;
    let latitudes = Reals::new(argument(arguments, 1)?)?;
    let resolutions = Longs::new(argument(arguments, 2)?)?;
    Ok(texts(call.rows, |row, out| {
        let cell = || -> Option<CellIndex> {
            let (longitude, latitude) = (longitudes.get(row)?, latitudes.get(row)?);
            point(longitude, latitude)?;
            Some(LatLng::new(latitude, longitude).ok()?.to_cell(resolution(resolutions.get(row)?)?))
        };
        cell().into_iter().for_each(|cell| out.push_str(&cell.to_string()));
    }))
}

pub fn central_point(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        let Some(cell) = parse(values.get(row)) else { return false };
        let center = LatLng::from(cell);
        write_shape(builder, "Point", |builder| write_position(builder, center.lng(), center.lat()));
        true
    }))
}

pub fn polygon(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        let Some(cell) = parse(values.get(row)) else { return false };
        let mut ring: Vec<(f64, f64)> =
            cell.boundary().iter().map(|corner| (corner.lng(), corner.lat())).collect();
        ring.extend(ring.first().copied());
        write_shape(builder, "Polygon", |builder| {
            builder.begin_array();
            write_positions(builder, &ring);
            builder.end_array();
        });
        true
    }))
}

pub fn level(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(numbers::<Int32Type>(call.rows, |row| Some(i32::from(u8::from(parse(values.get(row))?.resolution())))))
}

pub fn parent(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    let resolutions = arguments.get(1).map(Longs::new).transpose()?;
    Ok(texts(call.rows, |row, out| {
        let parent = || -> Option<CellIndex> {
            let cell = parse(values.get(row))?;
            let above = match resolutions.as_ref().and_then(|resolutions| resolutions.get(row)) {
                Some(wanted) => resolution(wanted)?,
                None => cell.resolution().pred()?,
            };
            if above >= cell.resolution() { None } else { cell.parent(above) }
        };
        parent().into_iter().for_each(|parent| out.push_str(&parent.to_string()));
    }))
}

pub fn children(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    let resolutions = arguments.get(1).map(Longs::new).transpose()?;
    Ok(dynamics(call.rows, |row, builder| {
        let asked = || -> Option<(CellIndex, Resolution)> {
            let cell = parse(values.get(row))?;
            let below = match resolutions.as_ref().and_then(|resolutions| resolutions.get(row)) {
                Some(wanted) => resolution(wanted)?,
                None => cell.resolution().succ()?,
            };
            let levels = u8::from(below).saturating_sub(u8::from(cell.resolution()));
            (1..=MAX_LEVELS).contains(&levels).then_some((cell, below))
        };
        let Some((cell, below)) = asked() else { return false };
        builder.begin_array();
        cell.children(below).for_each(|child| builder.string(&child.to_string()));
        builder.end_array();
        true
    }))
}

/// The cells at exactly a distance, in the order in which one walks around.
fn ring(cell: CellIndex, distance: u32) -> Vec<CellIndex> {
    match cell.grid_ring_fast(distance).collect::<Option<Vec<_>>>() {
        Some(mut ring) => {
            // The engine begins one cell further.
            if distance > 0 {
                ring.rotate_left(1);
            }
            ring
        }
        // Near a pentagon the walk fails.
        None => cell
            .grid_disk_distances::<Vec<_>>(distance)
            .into_iter()
            .filter(|(_, away)| *away == distance)
            .map(|(cell, _)| cell)
            .collect(),
    }
}

pub fn neighbors(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        let Some(cell) = parse(values.get(row)) else { return false };
        builder.begin_array();
        ring(cell, 1).into_iter().for_each(|cell| builder.string(&cell.to_string()));
        builder.end_array();
        true
    }))
}

pub fn rings(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    let distances = Longs::new(argument(arguments, 1)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        let distance = distances.get(row).filter(|distance| (0..=MAX_DISTANCE).contains(distance));
        let (Some(cell), Some(distance)) = (parse(values.get(row)), distance) else { return false };
        builder.begin_array();
        for away in 0..=u32::try_from(distance).unwrap_or(0) {
            builder.begin_array();
            ring(cell, away).into_iter().for_each(|cell| builder.string(&cell.to_string()));
            builder.end_array();
        }
        builder.end_array();
        true
    }))
}
