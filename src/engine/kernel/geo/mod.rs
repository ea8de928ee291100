//! Kernels of geospatial functions.

mod address;
pub mod area;
mod boolean;
mod buffer;
mod covering;
mod densify;
mod geohash;
mod h3cell;
mod measure;
mod overlay;
mod s2cell;
mod shape;
mod simplify;
mod sphere;
#[cfg(test)]
mod tests;
mod wkt;

use conshelf_kql::function::GeoFunction;

use crate::engine::kernel::Kernel;

/// The kernel of a function of the family.
pub fn kernel(function: GeoFunction) -> Kernel {
    use GeoFunction as F;
    match function {
        F::Angle => measure::angle,
        F::Azimuth => measure::azimuth_of_points,
        F::Distance2Points => measure::distance_2points,
        F::DistancePointToLine => measure::distance_point_to_line,
        F::DistancePointToPolygon => measure::distance_point_to_polygon,
        F::ClosestPointOnLine => measure::closest_point_on_line,
        F::ClosestPointOnPolygon => measure::closest_point_on_polygon,
        F::PointInCircle => measure::point_in_circle,
        F::PointInPolygon => measure::point_in_polygon,
        F::LineLength => measure::line_length,
        F::LineCentroid => measure::line_centroid,
        F::LineInterpolatePoint => measure::line_interpolate_point,
        F::LineLocatePoint => measure::line_locate_point,
        F::LineDensify => densify::line,
        F::PolygonArea => measure::polygon_area,
        F::PolygonCentroid => measure::polygon_centroid,
        F::PolygonPerimeter => measure::polygon_perimeter,
        F::PolygonDensify => densify::polygon,
        F::Intersects2Lines => measure::intersects_2lines,
        F::Intersects2Polygons => measure::intersects_2polygons,
        F::IntersectsLineWithPolygon => measure::intersects_line_with_polygon,
        F::Intersection2Lines => measure::intersection_2lines,
        F::Intersection2Polygons => boolean::intersection_2polygons,
        F::IntersectionLineWithPolygon => boolean::intersection_line_with_polygon,
        F::UnionPolygonsArray => boolean::union_polygons_array,
        F::UnionLinesArray => boolean::union_lines_array,
        F::LineSimplify => simplify::line,
        F::PolygonSimplify => simplify::polygon,
        F::SimplifyPolygonsArray => simplify::polygons_array,
        F::PointBuffer => buffer::point,
        F::LineBuffer => buffer::line,
        F::PolygonBuffer => buffer::polygon,
        F::PolygonToS2Cells => covering::polygon_to_s2cells,
        F::LineToS2Cells => covering::line_to_s2cells,
        F::PolygonToH3Cells => covering::polygon_to_h3cells,
        F::InfoFromIpAddress => address::info_from_ip_address,
        F::FromWkt => wkt::from_wkt,
        F::PointToGeohash => geohash::of_point,
        F::GeohashToCentralPoint => geohash::central_point,
        F::GeohashToPolygon => geohash::polygon,
        F::GeohashNeighbors => geohash::neighbors,
        F::PointToH3Cell => h3cell::of_point,
        F::H3CellToCentralPoint => h3cell::central_point,
        F::H3CellToPolygon => h3cell::polygon,
        F::H3CellLevel => h3cell::level,
        F::H3CellParent => h3cell::parent,
        F::H3CellChildren => h3cell::children,
        F::H3CellNeighbors => h3cell::neighbors,
        F::H3CellRings => h3cell::rings,
        F::PointToS2Cell => s2cell::of_point,
        F::S2CellToCentralPoint => s2cell::central_point,
        F::S2CellToPolygon => s2cell::polygon,
        F::S2CellNeighbors => s2cell::neighbors,
    }
}
