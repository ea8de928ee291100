//! Geospatial functions on a sphere: longitudes and latitudes in degrees, distances in meters, shapes as
//! GeoJSON, edges of shapes as geodesics. Invalid input gives null.

use crate::function::{Example, FunctionSpec, function_family};

const SHAPE_TO_REAL: &[&str] = &["(shape: dynamic) -> real"];
const SHAPE_TO_SHAPE: &[&str] = &["(shape: dynamic) -> dynamic"];
const PAIR_TO_BOOL: &[&str] = &["(left: dynamic, right: dynamic) -> bool"];
const CELL_TO_SHAPE: &[&str] = &["(cell: string) -> dynamic"];

const fn geo(name: &'static str, signatures: &'static [&'static str], summary: &'static str) -> FunctionSpec {
    FunctionSpec::scalar(name, signatures, summary)
}

function_family! {
    /// Geospatial functions.
    GeoFunction {
        Angle => geo("geo_angle", &["(longitude_1: real, latitude_1: real, longitude_2: real, latitude_2: real, longitude_3: real, latitude_3: real) -> real"], "The clockwise angle in radians between the lines from the second point to the first and the third."),
        Azimuth => geo("geo_azimuth", &["(longitude_1: real, latitude_1: real, longitude_2: real, latitude_2: real) -> real"], "The angle in radians between north and the way from one point to another, clockwise."),
        Distance2Points => geo("geo_distance_2points", &["(longitude_1: real, latitude_1: real, longitude_2: real, latitude_2: real, use_spheroid: bool = false) -> real"], "The distance of two points."),
        DistancePointToLine => geo("geo_distance_point_to_line", &["(longitude: real, latitude: real, line: dynamic) -> real"], "The distance of a point from a line."),
        DistancePointToPolygon => geo("geo_distance_point_to_polygon", &["(longitude: real, latitude: real, polygon: dynamic) -> real"], "The distance of a point from a polygon; 0 inside."),
        ClosestPointOnLine => geo("geo_closest_point_on_line", &["(longitude: real, latitude: real, line: dynamic) -> dynamic"], "The point of a line that is closest to a point."),
        ClosestPointOnPolygon => geo("geo_closest_point_on_polygon", &["(longitude: real, latitude: real, polygon: dynamic) -> dynamic"], "The point of a polygon that is closest to a point."),
        PointInCircle => geo("geo_point_in_circle", &["(longitude: real, latitude: real, center_longitude: real, center_latitude: real, radius: real) -> bool"], "Whether a point lies in a circle.")
            .examples(&[Example { query: "print geo_point_in_circle(-122.143564, 47.535677, -122.100896, 47.527351, 3500)", answer: "true" }]),
        PointInPolygon => geo("geo_point_in_polygon", &["(longitude: real, latitude: real, polygon: dynamic) -> bool"], "Whether a point lies in a polygon."),
        LineLength => geo("geo_line_length", SHAPE_TO_REAL, "The length of a line."),
        LineCentroid => geo("geo_line_centroid", SHAPE_TO_SHAPE, "The centroid of a line."),
        LineInterpolatePoint => geo("geo_line_interpolate_point", &["(line: dynamic, fraction: real) -> dynamic"], "The point at a fraction of a line."),
        LineLocatePoint => geo("geo_line_locate_point", &["(line: dynamic, longitude: real, latitude: real, use_spheroid: bool = false) -> real"], "The fraction of a line at which a point is closest."),
        LineDensify => geo("geo_line_densify", &["(line: dynamic, tolerance: real = 10.0, preserve_crossing: bool = false) -> dynamic"], "A planar line as geodesic edges that stay within a tolerance."),
        PolygonArea => geo("geo_polygon_area", SHAPE_TO_REAL, "The area of a polygon in square meters."),
        PolygonCentroid => geo("geo_polygon_centroid", SHAPE_TO_SHAPE, "The centroid of a polygon."),
        PolygonPerimeter => geo("geo_polygon_perimeter", SHAPE_TO_REAL, "The length of the boundary of a polygon."),
        PolygonDensify => geo("geo_polygon_densify", &["(polygon: dynamic, tolerance: real = 10.0, preserve_crossing: bool = false) -> dynamic"], "A planar polygon as geodesic edges that stay within a tolerance."),
        Intersects2Lines => geo("geo_intersects_2lines", PAIR_TO_BOOL, "Whether two lines cross."),
        Intersects2Polygons => geo("geo_intersects_2polygons", PAIR_TO_BOOL, "Whether two polygons overlap."),
        IntersectsLineWithPolygon => geo("geo_intersects_line_with_polygon", PAIR_TO_BOOL, "Whether a line meets a polygon."),
        Intersection2Lines => geo("geo_intersection_2lines", &["(left: dynamic, right: dynamic) -> dynamic"], "The points where two lines cross."),
        Intersection2Polygons => geo("geo_intersection_2polygons", &["(left: dynamic, right: dynamic) -> dynamic"], "What two polygons have in common."),
        IntersectionLineWithPolygon => geo("geo_intersection_line_with_polygon", &["(line: dynamic, polygon: dynamic) -> dynamic"], "What of a line lies in a polygon."),
        UnionPolygonsArray => geo("geo_union_polygons_array", &["(polygons: dynamic) -> dynamic"], "The union of an array of polygons."),
        UnionLinesArray => geo("geo_union_lines_array", &["(lines: dynamic) -> dynamic"], "The union of an array of lines."),
        LineSimplify => geo("geo_line_simplify", &["(line: dynamic, tolerance: real = 10.0) -> dynamic"], "A line with fewer points, none closer to another than the tolerance."),
        PolygonSimplify => geo("geo_polygon_simplify", &["(polygon: dynamic, tolerance: real = 10.0) -> dynamic"], "A polygon with fewer points, none closer to another than the tolerance."),
        SimplifyPolygonsArray => geo("geo_simplify_polygons_array", &["(polygons: dynamic, tolerance: real = 10.0) -> dynamic"], "An array of polygons with fewer points, with the borders they share still shared."),
        PointBuffer => geo("geo_point_buffer", &["(longitude: real, latitude: real, radius: real, tolerance: real = 10.0) -> dynamic"], "The polygon of all points within a radius of a point."),
        LineBuffer => geo("geo_line_buffer", &["(line: dynamic, radius: real, tolerance: real = 10.0) -> dynamic"], "The polygon of all points within a radius of a line."),
        PolygonBuffer => geo("geo_polygon_buffer", &["(polygon: dynamic, radius: real, tolerance: real = 10.0) -> dynamic"], "The polygon of all points within a radius of a polygon."),
        PolygonToS2Cells => geo("geo_polygon_to_s2cells", &["(polygon: dynamic, level: long = 11, radius: real = 0.0) -> dynamic"], "The tokens of the S2 cells of a level that cover a polygon."),
        LineToS2Cells => geo("geo_line_to_s2cells", &["(line: dynamic, level: long = 11, radius: real = 0.0) -> dynamic"], "The tokens of the S2 cells of a level that cover a line."),
        PolygonToH3Cells => geo("geo_polygon_to_h3cells", &["(polygon: dynamic, resolution: long = 6, radius: real = 0.0) -> dynamic"], "The tokens of the H3 cells of a resolution whose centers lie in a polygon."),
        InfoFromIpAddress => geo("geo_info_from_ip_address", &["(address: string) -> dynamic"], "Country, state, city and place of an IP address, from the databases that the server was given (--geo-database); null if it has none.")
            .examples(&[Example { query: "print isnull(geo_info_from_ip_address('not an address'))", answer: "true" }]),
        FromWkt => geo("geo_from_wkt", &["(text: string) -> dynamic"], "The GeoJSON of a shape in well-known text.")
            .examples(&[Example { query: "print geo_from_wkt('POINT (1 2)').type", answer: "Point" }]),
        PointToGeohash => geo("geo_point_to_geohash", &["(longitude: real, latitude: real, accuracy: long = 5) -> string"], "The geohash of a point.")
            .examples(&[Example { query: "print geo_point_to_geohash(-80.195829, 25.802215, 8)", answer: "dhwfz15h" }]),
        GeohashToCentralPoint => geo("geo_geohash_to_central_point", CELL_TO_SHAPE, "The center of a geohash."),
        GeohashToPolygon => geo("geo_geohash_to_polygon", CELL_TO_SHAPE, "The rectangle of a geohash."),
        GeohashNeighbors => geo("geo_geohash_neighbors", CELL_TO_SHAPE, "The eight geohashes around a geohash."),
        PointToH3Cell => geo("geo_point_to_h3cell", &["(longitude: real, latitude: real, resolution: long = 6) -> string"], "The token of the H3 cell of a point.")
            .examples(&[Example { query: "print geo_point_to_h3cell(-74.04450446039874, 40.689250859314974, 6)", answer: "862a1072fffffff" }]),
        H3CellToCentralPoint => geo("geo_h3cell_to_central_point", CELL_TO_SHAPE, "The center of an H3 cell."),
        H3CellToPolygon => geo("geo_h3cell_to_polygon", CELL_TO_SHAPE, "The corners of an H3 cell."),
        H3CellLevel => geo("geo_h3cell_level", &["(cell: string) -> int"], "The resolution of an H3 cell.")
            .examples(&[Example { query: "print geo_h3cell_level('862a1072fffffff')", answer: "6" }]),
        H3CellParent => geo("geo_h3cell_parent", &["(cell: string, resolution: long = null) -> string"], "The larger H3 cell that holds an H3 cell.")
            .handles_nulls()
            .examples(&[Example { query: "print geo_h3cell_parent('862a1072fffffff', 1)", answer: "812a3ffffffffff" }]),
        H3CellChildren => geo("geo_h3cell_children", &["(cell: string, resolution: long = null) -> dynamic"], "The smaller H3 cells in an H3 cell.")
            .handles_nulls(),
        H3CellNeighbors => geo("geo_h3cell_neighbors", CELL_TO_SHAPE, "The H3 cells around an H3 cell."),
        H3CellRings => geo("geo_h3cell_rings", &["(cell: string, distance: long) -> dynamic"], "The H3 cells around an H3 cell, by distance."),
        PointToS2Cell => geo("geo_point_to_s2cell", &["(longitude: real, latitude: real, level: long = 11) -> string"], "The token of the S2 cell of a point."),
        S2CellToCentralPoint => geo("geo_s2cell_to_central_point", CELL_TO_SHAPE, "The center of an S2 cell."),
        S2CellToPolygon => geo("geo_s2cell_to_polygon", CELL_TO_SHAPE, "The corners of an S2 cell."),
        S2CellNeighbors => geo("geo_s2cell_neighbors", CELL_TO_SHAPE, "The S2 cells around an S2 cell."),
    }
}
