//! Geospatial functions on a sphere: longitudes and latitudes in degrees, distances in meters, shapes as
//! GeoJSON, edges of shapes as geodesics. Invalid input gives null.

use crate::function::{Example, FunctionSpec, function_family};

const fn geo(name: &'static str, signatures: &'static [&'static str], summary: &'static str) -> FunctionSpec {
    FunctionSpec::scalar(name, signatures, summary)
}

function_family! {
    /// Geospatial functions.
    GeoFunction {
        Angle => geo("geo_angle", &["(longitude_1: floating, latitude_1: floating, longitude_2: floating, latitude_2: floating, longitude_3: floating, latitude_3: floating) -> real"], "The clockwise angle in radians between the lines from the second point to the first and the third.")
            .examples(&[Example { query: "print round(geo_angle(0, 0, 1, 0, 0, 1), 3)", answer: "0.785" }]),
        Azimuth => geo("geo_azimuth", &["(longitude_1: floating, latitude_1: floating, longitude_2: floating, latitude_2: floating) -> real"], "The angle in radians between north and the way from one point to another, clockwise.")
            .examples(&[Example { query: "print round(geo_azimuth(0, 0, 1, 1), 3)", answer: "0.785" }]),
        Distance2Points => geo("geo_distance_2points", &["(longitude_1: floating, latitude_1: floating, longitude_2: floating, latitude_2: floating, use_spheroid: bool = false) -> real"], "The distance of two points.")
            .examples(&[Example { query: "print round(geo_distance_2points(-122.407628, 47.578557, -118.275287, 34.019056))", answer: "1546754.0" }]),
        DistancePointToLine => geo("geo_distance_point_to_line", &["(longitude: floating, latitude: floating, line: bag) -> real"], "The distance of a point from a line.")
            .examples(&[Example { query: "print round(geo_distance_point_to_line(1, 0.5, dynamic({'type':'LineString','coordinates':[[0,0],[0,1]]})))", answer: "111191.0" }]),
        DistancePointToPolygon => geo("geo_distance_point_to_polygon", &["(longitude: floating, latitude: floating, polygon: bag) -> real"], "The distance of a point from a polygon; 0 inside.")
            .examples(&[Example { query: "print geo_distance_point_to_polygon(0.5, 0.5, dynamic({'type':'Polygon','coordinates':[[[0,0],[1,0],[1,1],[0,1],[0,0]]]}))", answer: "0.0" }]),
        ClosestPointOnLine => geo("geo_closest_point_on_line", &["(longitude: floating, latitude: floating, line: bag) -> bag"], "The point of a line that is closest to a point.")
            .examples(&[Example { query: "print geo_closest_point_on_line(1, 0.5, dynamic({'type':'LineString','coordinates':[[0,0],[0,1]]})).type", answer: "Point" }]),
        ClosestPointOnPolygon => geo("geo_closest_point_on_polygon", &["(longitude: floating, latitude: floating, polygon: bag) -> bag"], "The point of a polygon that is closest to a point.")
            .examples(&[Example { query: "print geo_closest_point_on_polygon(2, 0.5, dynamic({'type':'Polygon','coordinates':[[[0,0],[1,0],[1,1],[0,1],[0,0]]]})).type", answer: "Point" }]),
        PointInCircle => geo("geo_point_in_circle", &["(longitude: floating, latitude: floating, center_longitude: floating, center_latitude: floating, radius: floating) -> bool"], "Whether a point lies in a circle.")
            .examples(&[Example { query: "print geo_point_in_circle(-122.143564, 47.535677, -122.100896, 47.527351, 3500)", answer: "true" }]),
        PointInPolygon => geo("geo_point_in_polygon", &["(longitude: floating, latitude: floating, polygon: bag) -> bool"], "Whether a point lies in a polygon.")
            .examples(&[Example { query: "print geo_point_in_polygon(0.5, 0.5, dynamic({'type':'Polygon','coordinates':[[[0,0],[1,0],[1,1],[0,1],[0,0]]]}))", answer: "true" }]),
        LineLength => geo("geo_line_length", &["(shape: bag) -> real"], "The length of a line.")
            .examples(&[Example { query: "print round(geo_line_length(dynamic({'type':'LineString','coordinates':[[0,0],[0,1]]})))", answer: "111195.0" }]),
        LineCentroid => geo("geo_line_centroid", &["(shape: bag) -> bag"], "The centroid of a line.")
            .examples(&[Example { query: "print geo_line_centroid(dynamic({'type':'LineString','coordinates':[[0,0],[0,1]]})).type", answer: "Point" }]),
        LineInterpolatePoint => geo("geo_line_interpolate_point", &["(line: bag, fraction: floating) -> bag"], "The point at a fraction of a line.")
            .examples(&[Example { query: "print geo_line_interpolate_point(dynamic({'type':'LineString','coordinates':[[0,0],[0,1]]}), 0.5).type", answer: "Point" }]),
        LineLocatePoint => geo("geo_line_locate_point", &["(line: bag, longitude: floating, latitude: floating, use_spheroid: bool = false) -> real"], "The fraction of a line at which a point is closest.")
            .examples(&[Example { query: "print round(geo_line_locate_point(dynamic({'type':'LineString','coordinates':[[0,0],[0,1]]}), 0, 0.5), 3)", answer: "0.5" }]),
        LineDensify => geo("geo_line_densify", &["(line: bag, tolerance: floating = 10.0, preserve_crossing: bool = false) -> bag"], "A planar line as geodesic edges that stay within a tolerance.")
            .examples(&[Example { query: "print array_length(geo_line_densify(dynamic({'type':'LineString','coordinates':[[-1,0.5],[1,0.5]]}), 100).coordinates) >= 2", answer: "true" }]),
        PolygonArea => geo("geo_polygon_area", &["(shape: bag) -> real"], "The area of a polygon in square meters.")
            .examples(&[Example { query: "print round(geo_polygon_area(dynamic({'type':'Polygon','coordinates':[[[0,0],[1,0],[1,1],[0,1],[0,0]]]})) / 1000000)", answer: "12364.0" }]),
        PolygonCentroid => geo("geo_polygon_centroid", &["(shape: bag) -> bag"], "The centroid of a polygon.")
            .examples(&[Example { query: "print geo_polygon_centroid(dynamic({'type':'Polygon','coordinates':[[[0,0],[1,0],[1,1],[0,1],[0,0]]]})).type", answer: "Point" }]),
        PolygonPerimeter => geo("geo_polygon_perimeter", &["(shape: bag) -> real"], "The length of the boundary of a polygon.")
            .examples(&[Example { query: "print round(geo_polygon_perimeter(dynamic({'type':'Polygon','coordinates':[[[0,0],[1,0],[1,1],[0,1],[0,0]]]})))", answer: "444763.0" }]),
        PolygonDensify => geo("geo_polygon_densify", &["(polygon: bag, tolerance: floating = 10.0, preserve_crossing: bool = false) -> bag"], "A planar polygon as geodesic edges that stay within a tolerance.")
            .examples(&[Example { query: "print geo_polygon_densify(dynamic({'type':'Polygon','coordinates':[[[0,0],[1,0],[1,1],[0,1],[0,0]]]}), 1000).type", answer: "Polygon" }]),
        Intersects2Lines => geo("geo_intersects_2lines", &["(left: bag, right: bag) -> bool"], "Whether two lines cross.")
            .examples(&[Example { query: "print geo_intersects_2lines(dynamic({'type':'LineString','coordinates':[[0,0],[0,1]]}), dynamic({'type':'LineString','coordinates':[[-1,0.5],[1,0.5]]}))", answer: "true" }]),
        Intersects2Polygons => geo("geo_intersects_2polygons", &["(left: bag, right: bag) -> bool"], "Whether two polygons overlap.")
            .examples(&[Example { query: "print geo_intersects_2polygons(dynamic({'type':'Polygon','coordinates':[[[0,0],[1,0],[1,1],[0,1],[0,0]]]}), dynamic({'type':'Polygon','coordinates':[[[0.5,0.5],[2,0.5],[2,2],[0.5,2],[0.5,0.5]]]}))", answer: "true" }]),
        IntersectsLineWithPolygon => geo("geo_intersects_line_with_polygon", &["(left: bag, right: bag) -> bool"], "Whether a line meets a polygon.")
            .examples(&[Example { query: "print geo_intersects_line_with_polygon(dynamic({'type':'LineString','coordinates':[[-1,0.5],[1,0.5]]}), dynamic({'type':'Polygon','coordinates':[[[0,0],[1,0],[1,1],[0,1],[0,0]]]}))", answer: "true" }]),
        Intersection2Lines => geo("geo_intersection_2lines", &["(left: bag, right: bag) -> bag"], "The points where two lines cross.")
            .examples(&[Example { query: "print geo_intersection_2lines(dynamic({'type':'LineString','coordinates':[[0,0],[0,1]]}), dynamic({'type':'LineString','coordinates':[[-1,0.5],[1,0.5]]})).type", answer: "Point" }]),
        Intersection2Polygons => geo("geo_intersection_2polygons", &["(left: bag, right: bag) -> bag"], "What two polygons have in common.")
            .examples(&[Example { query: "print geo_intersection_2polygons(dynamic({'type':'Polygon','coordinates':[[[0,0],[1,0],[1,1],[0,1],[0,0]]]}), dynamic({'type':'Polygon','coordinates':[[[0.5,0.5],[2,0.5],[2,2],[0.5,2],[0.5,0.5]]]})).type", answer: "Polygon" }]),
        IntersectionLineWithPolygon => geo("geo_intersection_line_with_polygon", &["(line: bag, polygon: bag) -> bag"], "What of a line lies in a polygon.")
            .examples(&[Example { query: "print geo_intersection_line_with_polygon(dynamic({'type':'LineString','coordinates':[[-1,0.5],[1,0.5]]}), dynamic({'type':'Polygon','coordinates':[[[0,0],[1,0],[1,1],[0,1],[0,0]]]})).type", answer: "LineString" }]),
        UnionPolygonsArray => geo("geo_union_polygons_array", &["(polygons: array) -> bag"], "The union of an array of polygons.")
            .examples(&[Example { query: "print geo_union_polygons_array(pack_array(dynamic({'type':'Polygon','coordinates':[[[0,0],[1,0],[1,1],[0,1],[0,0]]]}), dynamic({'type':'Polygon','coordinates':[[[0.5,0.5],[2,0.5],[2,2],[0.5,2],[0.5,0.5]]]}))).type", answer: "Polygon" }]),
        UnionLinesArray => geo("geo_union_lines_array", &["(lines: array) -> bag"], "The union of an array of lines.")
            .examples(&[Example { query: "print geo_union_lines_array(pack_array(dynamic({'type':'LineString','coordinates':[[0,0],[0,1]]}), dynamic({'type':'LineString','coordinates':[[-1,0.5],[1,0.5]]}))).type", answer: "MultiLineString" }]),
        LineSimplify => geo("geo_line_simplify", &["(line: bag, tolerance: floating = 10.0) -> bag"], "A line with fewer points, none closer to another than the tolerance.")
            .examples(&[Example { query: "print array_length(geo_line_simplify(dynamic({'type':'LineString','coordinates':[[0,0],[0,0.5],[0,1]]}), 10).coordinates)", answer: "2" }]),
        PolygonSimplify => geo("geo_polygon_simplify", &["(polygon: bag, tolerance: floating = 10.0) -> bag"], "A polygon with fewer points, none closer to another than the tolerance.")
            .examples(&[Example { query: "print geo_polygon_simplify(dynamic({'type':'Polygon','coordinates':[[[0,0],[1,0],[1,1],[0,1],[0,0]]]})).type", answer: "Polygon" }]),
        SimplifyPolygonsArray => geo("geo_simplify_polygons_array", &["(polygons: array, tolerance: floating = 10.0) -> bag"], "An array of polygons with fewer points, with the borders they share still shared.")
            .examples(&[Example { query: "print geo_simplify_polygons_array(pack_array(dynamic({'type':'Polygon','coordinates':[[[0,0],[1,0],[1,1],[0,1],[0,0]]]}))).type", answer: "Polygon" }]),
        PointBuffer => geo("geo_point_buffer", &["(longitude: floating, latitude: floating, radius: floating, tolerance: floating = 10.0) -> bag"], "The polygon of all points within a radius of a point.")
            .examples(&[Example { query: "print geo_point_buffer(0, 0, 1000).type", answer: "Polygon" }]),
        LineBuffer => geo("geo_line_buffer", &["(line: bag, radius: floating, tolerance: floating = 10.0) -> bag"], "The polygon of all points within a radius of a line.")
            .examples(&[Example { query: "print geo_line_buffer(dynamic({'type':'LineString','coordinates':[[0,0],[0,1]]}), 1000).type", answer: "Polygon" }]),
        PolygonBuffer => geo("geo_polygon_buffer", &["(polygon: bag, radius: floating, tolerance: floating = 10.0) -> bag"], "The polygon of all points within a radius of a polygon.")
            .examples(&[Example { query: "print geo_polygon_buffer(dynamic({'type':'Polygon','coordinates':[[[0,0],[1,0],[1,1],[0,1],[0,0]]]}), 1000).type", answer: "Polygon" }]),
        PolygonToS2Cells => geo("geo_polygon_to_s2cells", &["(polygon: bag, level: whole = 11, radius: floating = 0.0) -> array"], "The tokens of the S2 cells of a level that cover a polygon.")
            .examples(&[Example { query: "print array_length(geo_polygon_to_s2cells(dynamic({'type':'Polygon','coordinates':[[[0,0],[1,0],[1,1],[0,1],[0,0]]]}), 5)) > 0", answer: "true" }]),
        LineToS2Cells => geo("geo_line_to_s2cells", &["(line: bag, level: whole = 11, radius: floating = 0.0) -> array"], "The tokens of the S2 cells of a level that cover a line.")
            .examples(&[Example { query: "print array_length(geo_line_to_s2cells(dynamic({'type':'LineString','coordinates':[[0,0],[0,1]]}), 5)) > 0", answer: "true" }]),
        PolygonToH3Cells => geo("geo_polygon_to_h3cells", &["(polygon: bag, resolution: whole = 6, radius: floating = 0.0) -> array"], "The tokens of the H3 cells of a resolution whose centers lie in a polygon.")
            .examples(&[Example { query: "print array_length(geo_polygon_to_h3cells(dynamic({'type':'Polygon','coordinates':[[[0,0],[1,0],[1,1],[0,1],[0,0]]]}), 3)) > 0", answer: "true" }]),
        InfoFromIpAddress => geo("geo_info_from_ip_address", &["(address: string) -> dynamic"], "Country, state, city and place of an IP address, from the databases that the server was given (--geo-database); null if it has none.")
            .examples(&[Example { query: "print isnull(geo_info_from_ip_address('not an address'))", answer: "true" }]),
        FromWkt => geo("geo_from_wkt", &["(text: string) -> bag"], "The GeoJSON of a shape in well-known text.")
            .examples(&[Example { query: "print geo_from_wkt('POINT (1 2)').type", answer: "Point" }]),
        PointToGeohash => geo("geo_point_to_geohash", &["(longitude: floating, latitude: floating, accuracy: whole = 5) -> string"], "The geohash of a point.")
            .examples(&[Example { query: "print geo_point_to_geohash(-80.195829, 25.802215, 8)", answer: "dhwfz15h" }]),
        GeohashToCentralPoint => geo("geo_geohash_to_central_point", &["(cell: string) -> bag"], "The center of a geohash.")
            .examples(&[Example { query: "print geo_geohash_to_central_point('sunny').coordinates", answer: "\"[42.47314453125,23.70849609375]\"" }]),
        GeohashToPolygon => geo("geo_geohash_to_polygon", &["(cell: string) -> bag"], "The rectangle of a geohash.")
            .examples(&[Example { query: "print geo_geohash_to_polygon('sunny').type", answer: "Polygon" }]),
        GeohashNeighbors => geo("geo_geohash_neighbors", &["(cell: string) -> array"], "The eight geohashes around a geohash.")
            .examples(&[Example { query: "print array_length(geo_geohash_neighbors('sunny'))", answer: "8" }]),
        PointToH3Cell => geo("geo_point_to_h3cell", &["(longitude: floating, latitude: floating, resolution: whole = 6) -> string"], "The token of the H3 cell of a point.")
            .examples(&[Example { query: "print geo_point_to_h3cell(-74.04450446039874, 40.689250859314974, 6)", answer: "862a1072fffffff" }]),
        H3CellToCentralPoint => geo("geo_h3cell_to_central_point", &["(cell: string) -> bag"], "The center of an H3 cell.")
            .examples(&[Example { query: "print geo_h3cell_to_central_point('862a1072fffffff').type", answer: "Point" }]),
        H3CellToPolygon => geo("geo_h3cell_to_polygon", &["(cell: string) -> bag"], "The corners of an H3 cell.")
            .examples(&[Example { query: "print geo_h3cell_to_polygon('862a1072fffffff').type", answer: "Polygon" }]),
        H3CellLevel => geo("geo_h3cell_level", &["(cell: string) -> int"], "The resolution of an H3 cell.")
            .examples(&[Example { query: "print geo_h3cell_level('862a1072fffffff')", answer: "6" }]),
        H3CellParent => geo("geo_h3cell_parent", &["(cell: string, resolution: whole = null) -> string"], "The larger H3 cell that holds an H3 cell.")
            .handles_nulls()
            .examples(&[Example { query: "print geo_h3cell_parent('862a1072fffffff', 1)", answer: "812a3ffffffffff" }]),
        H3CellChildren => geo("geo_h3cell_children", &["(cell: string, resolution: whole = null) -> array"], "The smaller H3 cells in an H3 cell.")
            .handles_nulls()
            .examples(&[Example { query: "print array_length(geo_h3cell_children('862a1072fffffff'))", answer: "7" }]),
        H3CellNeighbors => geo("geo_h3cell_neighbors", &["(cell: string) -> array"], "The H3 cells around an H3 cell.")
            .examples(&[Example { query: "print array_length(geo_h3cell_neighbors('862a1072fffffff'))", answer: "6" }]),
        H3CellRings => geo("geo_h3cell_rings", &["(cell: string, distance: whole) -> array"], "The H3 cells around an H3 cell, by distance.")
            .examples(&[Example { query: "print array_length(geo_h3cell_rings('861f8894fffffff', 1))", answer: "2" }]),
        PointToS2Cell => geo("geo_point_to_s2cell", &["(longitude: floating, latitude: floating, level: whole = 11) -> string"], "The token of the S2 cell of a point.")
            .examples(&[Example { query: "print geo_point_to_s2cell(-80.195829, 25.802215, 8)", answer: "88d9b" }]),
        S2CellToCentralPoint => geo("geo_s2cell_to_central_point", &["(cell: string) -> bag"], "The center of an S2 cell.")
            .examples(&[Example { query: "print geo_s2cell_to_central_point('89c259').type", answer: "Point" }]),
        S2CellToPolygon => geo("geo_s2cell_to_polygon", &["(cell: string) -> bag"], "The corners of an S2 cell.")
            .examples(&[Example { query: "print geo_s2cell_to_polygon('89c259').type", answer: "Polygon" }]),
        S2CellNeighbors => geo("geo_s2cell_neighbors", &["(cell: string) -> array"], "The S2 cells around an S2 cell.")
            .examples(&[Example { query: "print array_length(geo_s2cell_neighbors('89c259'))", answer: "8" }]),
    }
}
