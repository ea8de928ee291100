//! Foreign dashboards, of the old and the new schema, as they come out.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{fuzz_import, import};
use crate::dashboard::{self, FileFormat};

const NEW: &str = include_str!("tests/new.json");
const OLD: &str = include_str!("tests/old.json");

/// The file that comes out, and the warnings.
fn told(text: &str, database: &str) -> String {
    let imported = import(text, database).expect("imported");
    let written = dashboard::write(&imported.dashboard, FileFormat::Yaml);
    assert_eq!(dashboard::read(&written, FileFormat::Yaml).as_ref(), Ok(&imported.dashboard), "{written}");
    let warnings: Vec<String> =
        imported.warnings.iter().map(|warning| format!("{}: {}", warning.path, warning.message)).collect();
    format!("{written}\n{}", warnings.join("\n"))
}

#[test]
fn a_dashboard_of_the_new_schema() {
    insta::assert_snapshot!(told(NEW, ""));
}

#[test]
fn a_dashboard_of_the_old_schema() {
    insta::assert_snapshot!(told(OLD, "Shop"));
}

#[test]
fn every_visual_has_its_kind() {
    let kinds = [
        ("line", "linechart", ""),
        ("area", "areachart", ""),
        ("stackedarea", "stackedareachart", ""),
        ("stackedArea", "stackedareachart", ""),
        ("bar", "barchart", ""),
        ("stackedbar", "barchart", "stacked"),
        ("stackedbar100", "barchart", "stacked100"),
        ("column", "columnchart", ""),
        ("stackedcolumn", "columnchart", "stacked"),
        ("stackedcolumn100", "columnchart", "stacked100"),
        ("pie", "piechart", ""),
        ("scatter", "scatterchart", ""),
        ("timechart", "timechart", ""),
        ("anomaly", "anomalychart", ""),
        ("anomalychart", "anomalychart", ""),
        ("map", "scatterchart", "map"),
        ("table", "table", ""),
        ("pivot", "pivotchart", ""),
        ("card", "card", ""),
        ("stat", "card", ""),
        ("multistat", "card", ""),
        ("funnel", "barchart", ""),
        ("heatmap", "table", ""),
        ("plotly", "plotly", ""),
        ("treemap", "treemap", ""),
        ("kpi", "card", ""),
    ];
    for (visual, kind, shape) in kinds {
        let file = json!({"schema_version": "60", "tiles": [{"visualType": visual, "query": "T"}]});
        let imported = import(&file.to_string(), "").expect("imported");
        let tile = &imported.dashboard.pages[0].tiles[0];
        let drawn = tile.visualization.clone().expect("a visualization");
        let found = drawn.properties.iter().find(|(name, _)| name == "shape").map_or("", |(_, shape)| shape);
        assert_eq!((drawn.kind.as_str(), found), (kind, shape), "{visual}");
    }
}

#[test]
fn what_is_no_dashboard_is_refused() {
    for text in ["", "{", "[]", "1", "{}", "{\"a\":1}", "null"] {
        assert!(import(text, "").is_err(), "{text}");
    }
    assert!(import("{\"tiles\":[]}", "").is_ok());
}

/// Any JSON in the places where the file has something.
fn junk() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        "[ -~é\n]{0,12}".prop_map(Value::from),
        Just(json!({"type": "specified", "value": "a,b"})),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,4}", inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Puts something in the place of one value of a file.
fn replace(value: &mut Value, at: &mut usize, junk: &Value) {
    if *at == 0 {
        *value = junk.clone();
        *at = usize::MAX;
        return;
    }
    *at -= 1;
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(|element| replace(element, at, junk)),
        Value::Object(members) => members.values_mut().for_each(|member| replace(member, at, junk)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn whatever_a_field_has_a_valid_dashboard_comes_out(
        is_new in any::<bool>(), places in prop::collection::vec(1usize..500, 1..4), junk in junk(),
    ) {
        let mut file: Value = serde_json::from_str(if is_new { NEW } else { OLD }).expect("JSON");
        for mut place in places {
            replace(&mut file, &mut place, &junk);
        }
        fuzz_import(file.to_string().as_bytes());
    }
}
