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
