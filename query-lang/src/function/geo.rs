//! Geospatial functions on a sphere: longitudes and latitudes in degrees, distances in meters, shapes as
//! GeoJSON, edges of shapes as geodesics. Invalid input gives null.

use crate::function::{Example, FunctionSpec, function_family};

const fn geo(name: &'static str, signatures: &'static [&'static str], summary: &'static str) -> FunctionSpec {
    FunctionSpec::scalar(name, signatures, summary)
}

function_family! {
    /// Geospatial functions.
    GeoFunction {
        Angle => geo("geo_angle", &["(longitude_1: floating, latitude_1: floating, longitude_2: floating, latitude_2: floating, longitude_3: floating, latitude_3: floating) -> real"], "The clockwise angle in radians between the lines from the second point to the first and the third."),
        Azimuth => geo("geo_azimuth", &["(longitude_1: floating, latitude_1: floating, longitude_2: floating, latitude_2: floating) -> real"], "The angle in radians between north and the way from one point to another, clockwise."),
        Distance2Points => geo("geo_distance_2points", &["(longitude_1: floating, latitude_1: floating, longitude_2: floating, latitude_2: floating, use_spheroid: bool = false) -> real"], "The distance of two points."),
        DistancePointToLine => geo("geo_distance_point_to_line", &["(longitude: floating, latitude: floating, line: bag) -> real"], "The distance of a point from a line."),
        DistancePointToPolygon => geo("geo_distance_point_to_polygon", &["(longitude: floating, latitude: floating, polygon: bag) -> real"], "The distance of a point from a polygon; 0 inside."),
        ClosestPointOnLine => geo("geo_closest_point_on_line", &["(longitude: floating, latitude: floating, line: bag) -> bag"], "The point of a line that is closest to a point."),
        ClosestPointOnPolygon => geo("geo_closest_point_on_polygon", &["(longitude: floating, latitude: floating, polygon: bag) -> bag"], "The point of a polygon that is closest to a point."),
        PointInCircle => geo("geo_point_in_circle", &["(longitude: floating, latitude: floating, center_longitude: floating, center_latitude: floating, radius: floating) -> bool"], "Whether a point lies in a circle.")
            .examples(&[Example { query: "print geo_point_in_circle(-122.143564, 47.535677, -122.100896, 47.527351, 3500)", answer: "true" }]),
        PointInPolygon => geo("geo_point_in_polygon", &["(longitude: floating, latitude: floating, polygon: bag) -> bool"], "Whether a point lies in a polygon."),
        LineLength => geo("geo_line_length", &["(shape: bag) -> real"], "The length of a line."),
        LineCentroid => geo("geo_line_centroid", &["(shape: bag) -> bag"], "The centroid of a line."),
        LineInterpolatePoint => geo("geo_line_interpolate_point", &["(line: bag, fraction: floating) -> bag"], "The point at a fraction of a line."),
        LineLocatePoint => geo("geo_line_locate_point", &["(line: bag, longitude: floating, latitude: floating, use_spheroid: bool = false) -> real"], "The fraction of a line at which a point is closest."),
        LineDensify => geo("geo_line_densify", &["(line: bag, tolerance: floating = 10.0, preserve_crossing: bool = false) -> bag"], "A planar line as geodesic edges that stay within a tolerance."),
        PolygonArea => geo("geo_polygon_area", &["(shape: bag) -> real"], "The area of a polygon in square meters."),
        PolygonCentroid => geo("geo_polygon_centroid", &["(shape: bag) -> bag"], "The centroid of a polygon."),
        PolygonPerimeter => geo("geo_polygon_perimeter", &["(shape: bag) -> real"], "The length of the boundary of a polygon."),
        PolygonDensify => geo("geo_polygon_densify", &["(polygon: bag, tolerance: floating = 10.0, preserve_crossing: bool = false) -> bag"], "A planar polygon as geodesic edges that stay within a tolerance."),
        Intersects2Lines => geo("geo_intersects_2lines", &["(left: bag, right: bag) -> bool"], "Whether two lines cross."),
        Intersects2Polygons => geo("geo_intersects_2polygons", &["(left: bag, right: bag) -> bool"], "Whether two polygons overlap."),
        IntersectsLineWithPolygon => geo("geo_intersects_line_with_polygon", &["(left: bag, right: bag) -> bool"], "Whether a line meets a polygon."),
        Intersection2Lines => geo("geo_intersection_2lines", &["(left: bag, right: bag) -> bag"], "The points where two lines cross."),
        Intersection2Polygons => geo("geo_intersection_2polygons", &["(left: bag, right: bag) -> bag"], "What two polygons have in common."),
        IntersectionLineWithPolygon => geo("geo_intersection_line_with_polygon", &["(line: bag, polygon: bag) -> bag"], "What of a line lies in a polygon."),
        UnionPolygonsArray => geo("geo_union_polygons_array", &["(polygons: array) -> bag"], "The union of an array of polygons."),
        UnionLinesArray => geo("geo_union_lines_array", &["(lines: array) -> bag"], "The union of an array of lines."),
        LineSimplify => geo("geo_line_simplify", &["(line: bag, tolerance: floating = 10.0) -> bag"], "A line with fewer points, none closer to another than the tolerance."),
        PolygonSimplify => geo("geo_polygon_simplify", &["(polygon: bag, tolerance: floating = 10.0) -> bag"], "A polygon with fewer points, none closer to another than the tolerance."),
        SimplifyPolygonsArray => geo("geo_simplify_polygons_array", &["(polygons: array, tolerance: floating = 10.0) -> bag"], "An array of polygons with fewer points, with the borders they share still shared."),
        PointBuffer => geo("geo_point_buffer", &["(longitude: floating, latitude: floating, radius: floating, tolerance: floating = 10.0) -> bag"], "The polygon of all points within a radius of a point."),
        LineBuffer => geo("geo_line_buffer", &["(line: bag, radius: floating, tolerance: floating = 10.0) -> bag"], "The polygon of all points within a radius of a line."),
        PolygonBuffer => geo("geo_polygon_buffer", &["(polygon: bag, radius: floating, tolerance: floating = 10.0) -> bag"], "The polygon of all points within a radius of a polygon."),
        PolygonToS2Cells => geo("geo_polygon_to_s2cells", &["(polygon: bag, level: whole = 11, radius: floating = 0.0) -> array"], "The tokens of the S2 cells of a level that cover a polygon."),
        LineToS2Cells => geo("geo_line_to_s2cells", &["(line: bag, level: whole = 11, radius: floating = 0.0) -> array"], "The tokens of the S2 cells of a level that cover a line."),
        PolygonToH3Cells => geo("geo_polygon_to_h3cells", &["(polygon: bag, resolution: whole = 6, radius: floating = 0.0) -> array"], "The tokens of the H3 cells of a resolution whose centers lie in a polygon."),
        InfoFromIpAddress => geo("geo_info_from_ip_address", &["(address: string) -> dynamic"], "Country, state, city and place of an IP address, from the databases that the server was given (--geo-database); null if it has none.")
            .examples(&[Example { query: "print isnull(geo_info_from_ip_address('not an address'))", answer: "true" }]),
        FromWkt => geo("geo_from_wkt", &["(text: string) -> bag"], "The GeoJSON of a shape in well-known text.")
            .examples(&[Example { query: "print geo_from_wkt('POINT (1 2)').type", answer: "Point" }]),
        PointToGeohash => geo("geo_point_to_geohash", &["(longitude: floating, latitude: floating, accuracy: whole = 5) -> string"], "The geohash of a point.")
            .examples(&[Example { query: "print geo_point_to_geohash(-80.195829, 25.802215, 8)", answer: "dhwfz15h" }]),
        GeohashToCentralPoint => geo("geo_geohash_to_central_point", &["(cell: string) -> bag"], "The center of a geohash."),
        GeohashToPolygon => geo("geo_geohash_to_polygon", &["(cell: string) -> bag"], "The rectangle of a geohash."),
        GeohashNeighbors => geo("geo_geohash_neighbors", &["(cell: string) -> array"], "The eight geohashes around a geohash."),
        PointToH3Cell => geo("geo_point_to_h3cell", &["(longitude: floating, latitude: floating, resolution: whole = 6) -> string"], "The token of the H3 cell of a point.")
            .examples(&[Example { query: "print geo_point_to_h3cell(-74.04450446039874, 40.689250859314974, 6)", answer: "862a1072fffffff" }]),
        H3CellToCentralPoint => geo("geo_h3cell_to_central_point", &["(cell: string) -> bag"], "The center of an H3 cell."),
        H3CellToPolygon => geo("geo_h3cell_to_polygon", &["(cell: string) -> bag"], "The corners of an H3 cell."),
        H3CellLevel => geo("geo_h3cell_level", &["(cell: string) -> int"], "The resolution of an H3 cell.")
            .examples(&[Example { query: "print geo_h3cell_level('862a1072fffffff')", answer: "6" }]),
        H3CellParent => geo("geo_h3cell_parent", &["(cell: string, resolution: whole = null) -> string"], "The larger H3 cell that holds an H3 cell.")
            .handles_nulls()
            .examples(&[Example { query: "print geo_h3cell_parent('862a1072fffffff', 1)", answer: "812a3ffffffffff" }]),
        H3CellChildren => geo("geo_h3cell_children", &["(cell: string, resolution: whole = null) -> array"], "The smaller H3 cells in an H3 cell.")
            .handles_nulls(),
        H3CellNeighbors => geo("geo_h3cell_neighbors", &["(cell: string) -> array"], "The H3 cells around an H3 cell."),
        H3CellRings => geo("geo_h3cell_rings", &["(cell: string, distance: whole) -> array"], "The H3 cells around an H3 cell, by distance."),
        PointToS2Cell => geo("geo_point_to_s2cell", &["(longitude: floating, latitude: floating, level: whole = 11) -> string"], "The token of the S2 cell of a point."),
        S2CellToCentralPoint => geo("geo_s2cell_to_central_point", &["(cell: string) -> bag"], "The center of an S2 cell."),
        S2CellToPolygon => geo("geo_s2cell_to_polygon", &["(cell: string) -> bag"], "The corners of an S2 cell."),
        S2CellNeighbors => geo("geo_s2cell_neighbors", &["(cell: string) -> array"], "The S2 cells around an S2 cell."),
    }
}
