//! A plotly figure as it is read from JSON: traces and the titles of the layout. Bounded; what is unknown is passed over.
//!
//! Arrays may be lists or `{"dtype","bdata"}`, numbers in base64, as newer writers have them.

use base64::Engine as _;
use serde_json::Value as Json;

use super::super::data::parse_datetime;
use super::super::{Value, text};

/// Cells of a trace that are read.
const CELLS_MAX: usize = 200_000;
const TRACES_MAX: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Scatter,
    Bar,
    Pie,
    /// A grid of numbers: heatmap, contour, surface.
    Heat,
    /// Points with x, y and z.
    Space,
}

#[derive(Debug)]
pub struct Trace {
    pub shape: Shape,
    /// The type as the figure has it.
    pub word: String,
    pub name: String,
    /// Of a pie: the labels.
    pub x: Vec<Value>,
    /// Of a pie: the values.
    pub y: Vec<Value>,
    pub z: Vec<Value>,
    /// Rows of a grid, from the lowest y.
    pub grid: Vec<Vec<f64>>,
    pub lines: bool,
    pub markers: bool,
    /// Filled down to the axis.
    pub filled: bool,
    /// Bars that lie.
    pub level: bool,
    pub in_legend: bool,
}

#[derive(Debug, Default)]
pub struct Figure {
    pub title: String,
    pub x_title: String,
    pub y_title: String,
    pub z_title: String,
    pub x_log: bool,
    pub y_log: bool,
    pub stacked: bool,
    pub legend: Option<bool>,
    pub traces: Vec<Trace>,
    /// Types of traces that are not drawn.
    pub undrawn: Vec<String>,
}

pub fn read(json: &str) -> Result<Figure, String> {
    let figure: Json = serde_json::from_str(json)
        .map_err(|error| format!("The first cell is not a plotly figure in JSON: {error}"))?;
    let layout = &figure["layout"];
    let title = |of: &Json| match &of["title"] {
        Json::String(text) => plain(text),
        title => plain(title["text"].as_str().unwrap_or_default()),
    };
    let axis = |name: &str| match &layout["scene"][name] {
        Json::Null => &layout[name],
        axis => axis,
    };
    let is = |of: &Json, word: &str| of.as_str() == Some(word);
    let mut found = Figure {
        title: title(layout),
        x_title: title(axis("xaxis")),
        y_title: title(axis("yaxis")),
        z_title: title(axis("zaxis")),
        x_log: is(&axis("xaxis")["type"], "log"),
        y_log: is(&axis("yaxis")["type"], "log"),
        stacked: is(&layout["barmode"], "stack") || is(&layout["barmode"], "relative"),
        legend: layout["showlegend"].as_bool(),
        ..Figure::default()
    };
    let traces = figure["data"]
        .as_array()
        .ok_or("The first cell is not a plotly figure: its JSON has no list 'data'.")?;
    for (at, trace) in traces.iter().take(TRACES_MAX).enumerate() {
        if trace["visible"] == Json::Bool(false) || is(&trace["visible"], "legendonly") {
            continue;
        }
        let word = trace["type"].as_str().unwrap_or("scatter");
        match read_trace(trace, word, at) {
            Some(trace) => found.traces.push(trace),
            None if !found.undrawn.iter().any(|known| known == word) => found.undrawn.push(word.to_owned()),
            None => {}
        }
    }
    Ok(found)
}

/// Without the marks of HTML that titles may have.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut within = false;
    for character in text.chars() {
        match character {
            '<' => {
                within = true;
                if !out.is_empty() && !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            '>' if within => within = false,
            _ if within => {}
            other => out.push(other),
        }
    }
    out.trim().to_owned()
}

fn read_trace(trace: &Json, word: &str, at: usize) -> Option<Trace> {
    let mode = trace["mode"].as_str().unwrap_or_default();
    let fill = trace["fill"].as_str().unwrap_or("none");
    let mut found = Trace {
        shape: Shape::Scatter,
        word: word.to_owned(),
        name: trace["name"].as_str().map_or_else(|| format!("trace {at}"), plain),
        x: cells(&trace["x"]),
        y: cells(&trace["y"]),
        z: Vec::new(),
        grid: Vec::new(),
        lines: mode.contains("lines") || (mode.is_empty() && word != "scatter3d"),
        markers: mode.contains("markers") || mode == "text",
        filled: fill != "none",
        level: trace["orientation"].as_str() == Some("h"),
        in_legend: trace["showlegend"].as_bool().unwrap_or(true),
    };
    match word {
        "scatter" | "scattergl" => {
            // Plotly shows the points of short lines.
            found.markers |= mode.is_empty() && found.y.len() <= 20;
        }
        "bar" => found.shape = Shape::Bar,
        "histogram" => {
            found.shape = Shape::Bar;
            let bins = trace["nbinsx"].as_u64().and_then(|count| usize::try_from(count).ok());
            let values = if found.x.is_empty() { &found.y } else { &found.x };
            (found.x, found.y) = histogram(values, bins);
        }
        "pie" => {
            found.shape = Shape::Pie;
            found.x = cells(&trace["labels"]);
            found.y = cells(&trace["values"]);
            if found.y.is_empty() {
                found.y = vec![Value::Integer(1); found.x.len()];
            }
        }
        "heatmap" | "heatmapgl" | "contour" | "surface" => {
            found.shape = Shape::Heat;
            found.grid = grid(&trace["z"]);
            // The places of a surface's points may be grids as well.
            for places in [&mut found.x, &mut found.y] {
                if places.iter().any(|place| matches!(place, Value::Array(_))) {
                    places.clear();
                }
            }
        }
        "scatter3d" => {
            found.shape = Shape::Space;
            found.markers |= mode.is_empty();
            found.z = cells(&trace["z"]);
        }
        _ => return None,
    }
    if matches!(found.shape, Shape::Scatter | Shape::Bar) {
        // Places that are not given count from nought.
        let count = |values: &[Value]| (0..values.len() as i64).map(Value::Integer).collect();
        if found.x.is_empty() {
            found.x = count(&found.y);
        } else if found.y.is_empty() {
            found.y = count(&found.x);
        }
    }
    Some(found)
}

fn cells(json: &Json) -> Vec<Value> {
    match json {
        Json::Array(values) => values.iter().take(CELLS_MAX).map(cell).collect(),
        Json::Object(_) => typed(json).into_iter().map(Value::Real).collect(),
        _ => Vec::new(),
    }
}

fn cell(json: &Json) -> Value {
    match json {
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::Integer(whole),
            None => Value::Real(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => match (text.parse::<f64>(), moment(text)) {
            (Ok(number), _) => Value::Real(number),
            (_, Some(ticks)) => Value::DateTime(ticks),
            _ => Value::Text(text.clone()),
        },
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Array(_) => Value::Array(Vec::new()),
        _ => Value::Null,
    }
}

/// A datetime, or a day alone.
fn moment(text: &str) -> Option<i64> {
    let day = text.len() == 10 && text.as_bytes().get(4) == Some(&b'-');
    if day { parse_datetime(&format!("{text}T00:00:00")) } else { parse_datetime(text) }
}

fn typed(json: &Json) -> Vec<f64> {
    let kind = json["dtype"].as_str().unwrap_or_default();
    let Some(bytes) =
        json["bdata"].as_str().and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok())
    else {
        return Vec::new();
    };
    macro_rules! numbers {
        ($type:ty) => {
            bytes
                .chunks_exact(size_of::<$type>())
                .take(CELLS_MAX)
                .filter_map(|chunk| chunk.try_into().ok())
                .map(|chunk| <$type>::from_le_bytes(chunk) as f64)
                .collect()
        };
    }
    match kind.trim_start_matches(['<', '|']) {
        "f8" => numbers!(f64),
        "f4" => numbers!(f32),
        "i1" => numbers!(i8),
        "i2" => numbers!(i16),
        "i4" => numbers!(i32),
        "i8" => numbers!(i64),
        "u1" | "uint8" => numbers!(u8),
        "u2" => numbers!(u16),
        "u4" => numbers!(u32),
        "u8" => numbers!(u64),
        _ => Vec::new(),
    }
}

fn grid(json: &Json) -> Vec<Vec<f64>> {
    if let Json::Object(_) = json {
        let width = json["shape"]
            .as_str()
            .and_then(|shape| shape.split(',').nth(1)?.trim().parse::<usize>().ok())
            .filter(|width| *width > 0);
        return width.map_or_else(Vec::new, |width| typed(json).chunks(width).map(<[f64]>::to_vec).collect());
    }
    let numbers = |row: &Json| cells(row).iter().map(|cell| cell.number().unwrap_or(f64::NAN)).collect();
    let mut rows: Vec<Vec<f64>> = Vec::new();
    let mut count = 0;
    for row in json.as_array().into_iter().flatten() {
        let row: Vec<f64> = numbers(row);
        count += row.len();
        if count > CELLS_MAX {
            break;
        }
        rows.push(row);
    }
    rows
}

/// Numbers counted in even bins, texts by name.
fn histogram(values: &[Value], bins: Option<usize>) -> (Vec<Value>, Vec<Value>) {
    let numbers: Vec<f64> = values.iter().filter_map(Value::number).collect();
    if numbers.is_empty() || values.iter().any(|value| matches!(value, Value::Text(_) | Value::DateTime(_))) {
        let mut names: Vec<(Value, i64)> = Vec::new();
        let mut positions = std::collections::HashMap::new();
        for value in values {
            let next = names.len();
            let at = *positions.entry(text::name(value)).or_insert(next);
            if at == next {
                names.push((value.clone(), 0));
            }
            names[at].1 += 1;
        }
        return names.into_iter().map(|(value, count)| (value, Value::Integer(count))).unzip();
    }
    let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let bins = bins.unwrap_or((numbers.len() as f64).sqrt().ceil() as usize).clamp(1, 200);
    let width = if high > low { (high - low) / bins as f64 } else { 1.0 };
    let mut counts = vec![0_i64; bins];
    for number in numbers {
        counts[(((number - low) / width) as usize).min(bins - 1)] += 1;
    }
    let middle = |at: usize| Value::Real(low + (at as f64 + 0.5) * width);
    ((0..bins).map(middle).collect(), counts.into_iter().map(Value::Integer).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_read_in_both_forms() {
        let bytes: Vec<u8> = [1.5_f64, -2.0].iter().flat_map(|number| number.to_le_bytes()).collect();
        let packed = base64::engine::general_purpose::STANDARD.encode(bytes);
        let figure = read(&format!(
            r#"{{"data":[{{"type":"bar","x":["a","b"],"y":{{"dtype":"f8","bdata":"{packed}"}}}},{{"type":"sankey"}}],"layout":{{"title":{{"text":"<b>T</b>"}}}}}}"#
        ))
        .expect("a figure");
        assert_eq!(figure.traces[0].y, [Value::Real(1.5), Value::Real(-2.0)]);
        assert_eq!((figure.title.as_str(), figure.undrawn.as_slice()), ("T", &["sankey".to_owned()][..]));
    }

    #[test]
    fn wrong_figures_are_told() {
        for wrong in ["", "{}", "[1]", "{\"data\":1}"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
