//! How foreign tiles are drawn, in the names of `render … with (…)`.

use serde_json::Value;

use super::{Import, elements, is_blank, text_of};
use crate::dashboard::model::Visualization;

/// The kind, its shape, and what is lost.
fn kind_of(visual: &str) -> Option<(&'static str, &'static str, Option<&'static str>)> {
    let lower = visual.to_ascii_lowercase();
    Some(match lower.as_str() {
        "table" => ("table", "", None),
        "line" | "linechart" => ("linechart", "", None),
        "timechart" | "timeline" => ("timechart", "", None),
        "area" | "areachart" => ("areachart", "", None),
        "stackedarea" | "stackedareachart" => ("stackedareachart", "", None),
        "bar" | "barchart" => ("barchart", "", None),
        "stackedbar" => ("barchart", "stacked", None),
        "stackedbar100" => ("barchart", "stacked100", None),
        "column" | "columnchart" => ("columnchart", "", None),
        "stackedcolumn" => ("columnchart", "stacked", None),
        "stackedcolumn100" => ("columnchart", "stacked100", None),
        "pie" | "piechart" => ("piechart", "", None),
        "scatter" | "scatterchart" => ("scatterchart", "", None),
        "anomaly" | "anomalychart" => ("anomalychart", "", None),
        "map" => ("scatterchart", "map", None),
        "treemap" => ("treemap", "", None),
        "ladder" | "ladderchart" => ("ladderchart", "", None),
        "timepivot" => ("timepivot", "", None),
        "card" | "stat" => ("card", "", None),
        "plotly" => ("plotly", "", None),
        "pivot" | "pivotchart" => ("pivotchart", "", None),
        "graph" => ("graph", "", None),
        "multistat" => ("card", "", Some("several figures are drawn as a card of one row")),
        "kpi" => ("card", "", Some("a KPI is drawn as a card")),
        "funnel" => ("barchart", "", Some("a funnel is drawn as bars")),
        "heatmap" => ("table", "", Some("a heat map is shown as a table")),
        _ => return None,
    })
}

/// Options that are not taken over because they say what is so anyway, or belong to the editor.
const SILENT: [&str; 20] = [
    "crossFilterDisabled",
    "crossFilter",
    "drillthroughDisabled",
    "colorRulesDisabled",
    "hideTileTitle",
    "hideTitle",
    "selectedDataOnLoad",
    "tooltip",
    "dataPointsTooltip",
    "xColumn",
    "yColumns",
    "seriesColumns",
    "xColumnTitle",
    "yColumnTitle",
    "xAxisScale",
    "yAxisScale",
    "hideLegend",
    "yAxisMinimumValue",
    "yAxisMaximumValue",
    "multipleYAxes",
];

/// Options with the value that says nothing, as the foreign editor writes it.
const USUAL: [(&str, &str); 12] = [
    ("legendLocation", "bottom"),
    ("pie__kind", "pie"),
    ("pie__orderBy", "size"),
    ("pie__topNSlices", "null"),
    ("multiStat__textSize", "auto"),
    ("multiStat__displayOrientation", "horizontal"),
    ("colorStyle", "light"),
    ("colorPalette", "blue"),
    ("map__type", "bubble"),
    ("map__sizeDisabled", "true"),
    ("map__geoType", "infer"),
    ("lineWidth", "2"),
];

/// A name, or the older `{type: "specified", value: name}`.
fn name_of(value: &Value) -> Option<String> {
    match value {
        Value::String(_) => text_of(value).map(str::to_owned),
        Value::Object(_) if value["type"] != "infer" => name_of(&value["value"]),
        _ => None,
    }
}

/// Names, as a list or one.
fn names_of(value: &Value) -> Vec<String> {
    match value {
        Value::Array(names) => names.iter().filter_map(name_of).collect(),
        Value::Object(_) if value["type"] != "infer" => names_of(&value["value"]),
        other => name_of(other).into_iter().collect(),
    }
}

fn number_of(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Object(_) => &value["value"],
        other => other,
    };
    number
        .as_f64()
        .or_else(|| number.as_str().and_then(|text| text.trim().parse().ok()))
        .filter(|n| n.is_finite())
}

/// Properties in the order they are found; the first to say something has it.
#[derive(Default)]
struct Found(Vec<(String, String)>);

impl Found {
    fn put(&mut self, name: &str, text: String) {
        if !text.is_empty() && !self.0.iter().any(|(known, _)| known == name) {
            self.0.push((name.to_owned(), text));
        }
    }

    fn names(&mut self, name: &str, names: &[String]) {
        self.put(name, names.join(","));
    }

    fn number(&mut self, name: &str, value: &Value) {
        if let Some(number) = number_of(value) {
            self.put(name, number.to_string());
        }
    }

    fn scale(&mut self, name: &str, value: &Value) {
        if value.as_str().is_some_and(|scale| scale.eq_ignore_ascii_case("log")) {
            self.put(name, "log".to_owned());
        }
    }
}

impl Import<'_> {
    pub(super) fn visualization(
        &mut self,
        visual: &str,
        options: &Value,
        path: &str,
    ) -> Option<Visualization> {
        let mut found = Found::default();
        let kind = match kind_of(visual) {
            Some((kind, shape, lost)) => {
                if let Some(lost) = lost {
                    self.warn_once(&format!("{path}.visualType"), lost);
                }
                found.put("shape", shape.to_owned());
                kind
            }
            None if visual.is_empty() => "",
            None => {
                let message =
                    format!("the visual '{visual}' is not known; the tile is shown as its query says");
                self.warn_once(&format!("{path}.visualType"), message);
                ""
            }
        };
        let path = format!("{path}.visualOptions");
        self.columns(kind, options, &mut found, &path);
        found.put("xtitle", text_of(&options["xColumnTitle"]).unwrap_or("").to_owned());
        found.put("ytitle", text_of(&options["yColumnTitle"]).unwrap_or("").to_owned());
        found.scale("xaxis", &options["xAxisScale"]);
        found.scale("yaxis", &options["yAxisScale"]);
        found.number("ymin", &options["yAxisMinimumValue"]);
        found.number("ymax", &options["yAxisMaximumValue"]);
        if options["hideLegend"].as_bool() == Some(true) {
            found.put("legend", "hidden".to_owned());
        }
        self.axes(&options["multipleYAxes"], &format!("{path}.multipleYAxes"), &mut found);
        self.warn_options(options, &path);
        if kind.is_empty() && found.0.is_empty() {
            return None;
        }
        Some(Visualization { kind: kind.to_owned(), properties: found.0 })
    }

    /// Which columns are drawn; some visuals have names of their own for them.
    fn columns(&mut self, kind: &str, options: &Value, found: &mut Found, path: &str) {
        found.put("xcolumn", name_of(&options["xColumn"]).unwrap_or_default());
        found.names("series", &names_of(&options["seriesColumns"]));
        // With several axes the columns of all of them are drawn.
        if elements(&options["multipleYAxes"]["additional"]).next().is_none() {
            found.names("ycolumns", &names_of(&options["yColumns"]));
        }
        let other = |name: &str| name_of(&options[name]).unwrap_or_default();
        found.put("xcolumn", other("map__longitudeColumn"));
        found.put("ycolumns", other("map__latitudeColumn"));
        found.put("series", other("map__labelColumn"));
        if kind == "card" {
            found.put("xcolumn", other("multiStat__labelColumn"));
            found.put("ycolumns", other("multiStat__valueColumn"));
        }
        found.put("xcolumn", other("heatMap__xColumnKey"));
        found.put("ycolumns", other("heatMap__yColumnKey"));
        if !is_blank(&options["map__sizeColumn"]) && options["map__sizeDisabled"].as_bool() != Some(true) {
            self.warn_once(&format!("{path}.map__sizeColumn"), "points of a map all have the same size");
        }
    }

    fn axes(&mut self, axes: &Value, path: &str, found: &mut Found) {
        let base = &axes["base"];
        found.put("ytitle", text_of(&base["label"]).unwrap_or("").to_owned());
        found.scale("yaxis", &base["yAxisScale"]);
        found.number("ymin", &base["yAxisMinimumValue"]);
        found.number("ymax", &base["yAxisMaximumValue"]);
        let mut columns = names_of(&base["columns"]);
        if elements(&base["horizontalLines"]).next().is_some() {
            self.warn_once(&format!("{path}.base.horizontalLines"), "lines across the chart are left out");
        }
        let mut is_split = false;
        for (at, axis) in elements(&axes["additional"]) {
            is_split = true;
            columns.extend(names_of(&axis["columns"]));
            let is_plain = ["label", "yAxisMinimumValue", "yAxisMaximumValue", "horizontalLines"]
                .iter()
                .all(|name| is_blank(&axis[*name]))
                && axis["yAxisScale"].as_str().is_none_or(|scale| scale == "linear");
            if !is_plain {
                let message = "titles, bounds and scales of further axes are left out";
                self.warn_once(&format!("{path}.additional[{at}]"), message);
            }
        }
        found.names("ycolumns", &columns);
        if axes["showMultiplePanels"].as_bool() == Some(true) {
            found.put("ysplit", "panels".to_owned());
        } else if is_split {
            found.put("ysplit", "axes".to_owned());
        }
    }

    fn warn_options(&mut self, options: &Value, path: &str) {
        const TAKEN: [&str; 9] = [
            "map__longitudeColumn",
            "map__latitudeColumn",
            "map__labelColumn",
            "map__sizeColumn",
            "multiStat__labelColumn",
            "multiStat__valueColumn",
            "heatMap__xColumnKey",
            "heatMap__yColumnKey",
            "heatMap__dataColumn",
        ];
        for (name, value) in options.as_object().into_iter().flatten() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let is_usual = USUAL.iter().any(|(known, usual)| known == name && *usual == text);
            if SILENT.contains(&name.as_str())
                || TAKEN.contains(&name.as_str())
                || is_blank(value)
                || is_usual
            {
                continue;
            }
            let message = match name.as_str() {
                "colorRules" if options["colorRulesDisabled"].as_bool() == Some(true) => continue,
                "colorRules" => "rules for colours have no counterpart".to_owned(),
                "drillthrough" => "drill-through to other pages has no counterpart".to_owned(),
                "horizontalLine" | "verticalLine" | "horizontalLines" | "verticalLines" => {
                    "lines across the chart are left out".to_owned()
                }
                "legendLocation" => "the legend has the place it has here".to_owned(),
                _ => format!("the option '{name}' has no counterpart"),
            };
            self.warn_once(&format!("{path}.{name}"), message);
        }
    }
}
