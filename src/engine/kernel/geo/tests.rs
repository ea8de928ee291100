//! Cases of geospatial functions, most with the answers of the reference.

use crate::engine::kernel::tests::check;

const PARK: &str = "dynamic({'type':'Polygon','coordinates':[[[-73.9495,40.7969],[-73.95807266235352,40.80068603561921],[-73.98201942443848,40.76825672305777],[-73.97317886352539,40.76455136505513],[-73.9495,40.7969]]]})";

#[test]
fn points() {
    check(&[
        ("round(geo_angle(0, 10, 0, 5, 3, -10), 9)", "2.944938434"),
        ("round(geo_azimuth(5, 10, 10, -40), 9)", "3.054599398"),
        ("isnull(geo_azimuth(5, 10, 5, 10))", "True"),
        ("isnull(geo_distance_2points(300, 1, 1, 1))", "True"),
        ("geo_point_in_circle(-122.137575, 47.630683, -122.100896, 47.527351, 3500)", "False"),
        ("isnull(geo_point_in_circle(1, 1, 1, 1, -1))", "True"),
    ]);
}

#[test]
fn lines_and_polygons() {
    check(&[
        (&format!("round(geo_polygon_area({PARK}), 1)"), "3475207.3"),
        (&format!("round(toreal(geo_polygon_centroid({PARK}).coordinates[1]), 9)"), "40.782550538"),
        (&format!("geo_point_in_polygon(-73.965, 40.782, {PARK})"), "True"),
        (&format!("geo_point_in_polygon(-73.9, 40.782, {PARK})"), "False"),
        (&format!("geo_distance_point_to_polygon(-73.965, 40.782, {PARK})"), "0.0"),
        (
            "isnull(geo_point_in_polygon(0, 0, dynamic({'type':'Polygon','coordinates':[[[0,0],[10,10],[10,10],[0,0]]]})))",
            "True",
        ),
        ("isnull(geo_line_length(dynamic({'type':'LineString','coordinates':[[1,1]]})))", "True"),
        (
            "geo_intersects_2lines(dynamic({'type':'LineString','coordinates':[[-1,0],[1,0]]}), dynamic({'type':'LineString','coordinates':[[0,-1],[0,1]]}))",
            "True",
        ),
        (
            "geo_intersects_2lines(dynamic({'type':'LineString','coordinates':[[-1,0],[1,0]]}), dynamic({'type':'LineString','coordinates':[[0,1],[0,2]]}))",
            "False",
        ),
        (
            "array_length(geo_line_densify(dynamic({'type':'LineString','coordinates':[[50,50],[51,51]]})).coordinates)",
            "9",
        ),
        (
            "tostring(geo_from_wkt('MULTIPOINT ((1 1), 2 2)'))",
            r#"{"type":"MultiPoint","coordinates":[[1.0,1.0],[2.0,2.0]]}"#,
        ),
        ("isnull(geo_from_wkt('POINT (1)'))", "True"),
        ("isnull(geo_from_wkt('POINT (1 2) x'))", "True"),
    ]);
}

#[test]
fn cells() {
    check(&[
        ("geo_point_to_geohash(-80.195829, 25.802215, 8)", "dhwfz15h"),
        ("geo_point_to_geohash(180.0, 90.0, 18)", "zzzzzzzzzzzzzzzzzz"),
        ("geo_point_to_geohash(1, 1, 19)", ""),
        (
            "tostring(geo_geohash_neighbors('sunny'))",
            r#"["sunnv","sunnt","sunnw","sunnx","sunpp","sunnz","sunpn","sunpj"]"#,
        ),
        ("isnull(geo_geohash_to_central_point('a'))", "True"),
        ("geo_point_to_s2cell(300, 1, 8)", ""),
        ("geo_point_to_s2cell(1, 1, 35)", ""),
        ("array_length(geo_s2cell_neighbors('89c259'))", "8"),
        ("set_has_element(geo_s2cell_neighbors('89c259'), '89c2f9')", "True"),
        ("tostring(geo_h3cell_rings('861f8894fffffff', 1)[1][0])", "861f88947ffffff"),
        ("isnull(geo_s2cell_to_central_point('a'))", "True"),
        ("geo_point_to_h3cell(-74.04450446039874, 40.689250859314974, 6)", "862a1072fffffff"),
        ("geo_point_to_h3cell(200, 1, 6)", ""),
        ("geo_h3cell_parent('862a1072fffffff')", "852a1073fffffff"),
        ("geo_h3cell_parent('862a1072fffffff', 15)", ""),
        ("array_length(geo_h3cell_children('862a1072fffffff', 8))", "49"),
        ("array_length(geo_h3cell_neighbors('862a1072fffffff'))", "6"),
        ("geo_h3cell_level('862a1072fffffff')", "6"),
        ("isnull(geo_h3cell_rings('861f8894fffffff', 150))", "True"),
    ]);
}

const SQUARE: &str = "dynamic({'type':'Polygon','coordinates':[[[0,0],[2,0],[2,2],[0,2],[0,0]]]})";
const SHIFTED: &str = "dynamic({'type':'Polygon','coordinates':[[[1,1],[3,1],[3,3],[1,3],[1,1]]]})";
const BESIDE: &str = "dynamic({'type':'Polygon','coordinates':[[[2,0],[4,0],[4,2],[2,2],[2,0]]]})";
const HOLLOW: &str = "dynamic({'type':'Polygon','coordinates':[[[0,0],[9,0],[9,9],[0,9],[0,0]],[[3,3],[3,6],[6,6],[6,3],[3,3]]]})";
const DIAGONAL: &str = "dynamic({'type':'LineString','coordinates':[[-1,-1],[3,3]]})";

/// The area of the union is that of the parts less that of what they have in common.
fn area_of_union(left: &str, right: &str) -> String {
    format!(
        "round(geo_polygon_area(geo_union_polygons_array(pack_array({left}, {right}))) / (geo_polygon_area({left}) + geo_polygon_area({right}) - coalesce(geo_polygon_area(geo_intersection_2polygons({left}, {right})), 0.0)), 9)"
    )
}

#[test]
fn unions_and_intersections() {
    check(&[
        (&area_of_union(SQUARE, SHIFTED), "1.0"),
        (&area_of_union(SQUARE, BESIDE), "1.0"),
        (&area_of_union(HOLLOW, SHIFTED), "1.0"),
        (
            &area_of_union(
                HOLLOW,
                "dynamic({'type':'Polygon','coordinates':[[[4,4],[8,4],[8,8],[4,8],[4,4]]]})",
            ),
            "1.0",
        ),
        (&format!("tostring(geo_intersection_2polygons({SQUARE}, {BESIDE}).type)"), "LineString"),
        (
            &format!("array_length(geo_union_polygons_array(pack_array({SQUARE}, {BESIDE})).coordinates[0])"),
            "7",
        ),
        (
            &format!(
                "tostring(geo_intersection_2polygons({SQUARE}, dynamic({{'type':'Polygon','coordinates':[[[2,2],[4,2],[4,4],[2,2]]]}})).type)"
            ),
            "Point",
        ),
        (
            &format!(
                "tostring(geo_intersection_2polygons({SQUARE}, dynamic({{'type':'Polygon','coordinates':[[[5,5],[7,5],[7,7],[5,5]]]}})))"
            ),
            r#"{"type":"GeometryCollection","geometries":[]}"#,
        ),
        (&format!("tostring(geo_intersection_line_with_polygon({DIAGONAL}, {SQUARE}).type)"), "LineString"),
        (
            "tostring(geo_intersection_line_with_polygon(dynamic({'type':'LineString','coordinates':[[-1,5],[10,5]]}), dynamic({'type':'Polygon','coordinates':[[[0,0],[9,0],[9,9],[0,9],[0,0]],[[3,3],[3,6],[6,6],[6,3],[3,3]]]})).type)",
            "MultiLineString",
        ),
        (
            &format!("array_length(geo_union_lines_array(pack_array({DIAGONAL}, {DIAGONAL})).coordinates)"),
            "2",
        ),
        ("isnull(geo_union_polygons_array(dynamic([])))", "True"),
        (&format!("isnull(geo_union_polygons_array(pack_array({SQUARE}, 1)))"), "True"),
        // Polygons of one shape that overlap count once.
        (
            "round(geo_polygon_area(dynamic({'type':'MultiPolygon','coordinates':[[[[0,0],[2,0],[2,2],[0,2],[0,0]]],[[[0,0],[1,0],[1,1],[0,1],[0,0]]]]})) / geo_polygon_area(dynamic({'type':'Polygon','coordinates':[[[0,0],[2,0],[2,2],[0,2],[0,0]]]})), 9)",
            "1.0",
        ),
        // A ring that crosses itself is no polygon.
        (
            "isnull(geo_polygon_area(dynamic({'type':'Polygon','coordinates':[[[0,0],[2,2],[2,0],[0,2],[0,0]]]})))",
            "True",
        ),
    ]);
}

#[test]
fn buffers_and_simplification() {
    let near = |shape: &str| format!("round(geo_distance_point_to_polygon(1, 3, {shape}) / 1000.0, 0)");
    check(&[
        ("array_length(geo_point_buffer(0, 0, 1000, 10).coordinates[0]) > 20", "True"),
        // A circle of 1000 m, less what its straight edges cut off.
        ("round(sqrt(geo_polygon_area(geo_point_buffer(0, 0, 1000, 0.1)) / pi()), 0)", "1000.0"),
        ("isnull(geo_point_buffer(0, 0, 0))", "True"),
        ("isnull(geo_point_buffer(0, 0, 10, 0))", "True"),
        (&near(&format!("geo_polygon_buffer({SQUARE}, 11195)")), "100.0"),
        (
            &near("geo_line_buffer(dynamic({'type':'LineString','coordinates':[[0,2],[2,2]]}), 11195)"),
            "100.0",
        ),
        (&format!("array_length(geo_polygon_buffer({HOLLOW}, 1000).coordinates)"), "2"),
        // The hole is filled.
        (&format!("array_length(geo_polygon_buffer({HOLLOW}, 300000).coordinates)"), "1"),
        (
            "array_length(geo_line_simplify(dynamic({'type':'LineString','coordinates':[[0,0],[1,0],[2,0],[3,0]]}), 100).coordinates)",
            "2",
        ),
        (
            "isnull(geo_line_simplify(dynamic({'type':'LineString','coordinates':[[1.1,1.1],[1.2,1.2]]}), 100000))",
            "True",
        ),
        (&format!("isnull(geo_polygon_simplify({SQUARE}, 1000000))"), "True"),
        (&format!("isnull(geo_polygon_simplify({SQUARE}, -1))"), "True"),
        (&format!("array_length(geo_polygon_simplify({SQUARE}, 1000).coordinates[0])"), "5"),
        (
            &format!(
                "array_length(geo_simplify_polygons_array(pack_array({SQUARE}, {BESIDE}), 1000).coordinates)"
            ),
            "2",
        ),
    ]);
}

#[test]
fn coverings() {
    check(&[
        // The number of the reference.
        (
            "array_length(geo_polygon_to_s2cells(dynamic({'type':'Polygon','coordinates':[[[0,0],[0,50],[100,50],[0,0]]]}), 5))",
            "286",
        ),
        (
            "isnull(geo_polygon_to_s2cells(dynamic({'type':'Polygon','coordinates':[[[0,0],[0,50],[100,50],[0,0]]]}), 30))",
            "True",
        ),
        (
            &format!("set_has_element(geo_polygon_to_s2cells({SQUARE}, 8), geo_point_to_s2cell(1, 1, 8))"),
            "True",
        ),
        (
            &format!("set_has_element(geo_polygon_to_s2cells({SQUARE}, 8), geo_point_to_s2cell(1, 3, 8))"),
            "False",
        ),
        (
            &format!(
                "set_has_element(geo_polygon_to_s2cells({SQUARE}, 8, 120000.0), geo_point_to_s2cell(1, 3, 8))"
            ),
            "True",
        ),
        (
            &format!("set_has_element(geo_line_to_s2cells({DIAGONAL}, 12), geo_point_to_s2cell(3, 3, 12))"),
            "True",
        ),
        (&format!("isnull(geo_line_to_s2cells({DIAGONAL}, 31))"), "True"),
        (
            &format!("set_has_element(geo_polygon_to_h3cells({SQUARE}, 6), geo_point_to_h3cell(1, 1, 6))"),
            "True",
        ),
        (
            &format!(
                "set_has_element(geo_polygon_to_h3cells({HOLLOW}, 5), geo_point_to_h3cell(4.5, 4.5, 5))"
            ),
            "False",
        ),
        (&format!("isnull(geo_polygon_to_h3cells({SQUARE}, 16))"), "True"),
        (&format!("isnull(geo_polygon_to_h3cells({HOLLOW}, 12))"), "True"),
    ]);
}
