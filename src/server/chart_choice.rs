//! `/v1/kql/chart`: which columns of a result a visualization draws, for a page that draws by itself.
//!
//! The rules are those of the pictures (`crate::chart::choose`); here is only their form as JSON.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Response, header};
use serde_json::{Value as Json, json};

use crate::chart::choose::choose;
use crate::chart::properties::{VisualKind, YSplit};
use crate::chart::{self, Column, ColumnKind, Kind, Properties, Table};
use crate::server::body::read_whole;
use crate::server::chart::value_of_json;
use crate::server::error::{ApiError, ErrorContext, ErrorStyle};
use crate::server::kusto::caller_of;
use crate::server::service::Service;

/// Rows of a sample that are looked at.
const SAMPLE_ROWS_MAX: usize = 1000;

/// `POST /v1/kql/chart`: which columns are x, y, series and anomalies, as the pictures of `/chart` choose them.
///
/// Request, a JSON object:
/// - `columns`: `[{"name": …, "type": …}, …]` in the order of the result. A type is that of Kusto (`string`, `long`,
///   `datetime`, …). What a `dynamic` column holds decides whether it can be drawn: say `dynamic(real)` for arrays
///   of numbers, `dynamic(datetime)` for arrays of datetimes, `dynamic(point)` for GeoJSON points, or send `sample`.
/// - `visualization`: the `Visualization` property of an answer: `{"Visualization": "timechart", "XColumn": null, …}`.
///   Names count in any case; lists may be arrays or texts with commas.
/// - `sample` (optional): some rows `[[cell, …], …]` as answers write them; `dynamic` columns are told apart by them.
///
/// Answer:
/// - `visualization`: the kind as it was written; `kind`: the kind that is drawn, in lower case (`timechart`, …,
///   `table` for those that have no picture of their own).
/// - `x`, `xEnd`: a column's name or `null`. Without `x` the number of the row is x. `xEnd` is the end of the bars of
///   ladder chart and time pivot, and the latitude of a map (unless `x` holds points).
/// - `y`, `series`, `anomalies`: lists of names. The k-th column of anomalies tells of the k-th of y.
/// - `indexes`: the same five members as positions in `columns`.
/// - `columns`: `[{"name", "kind"}]`, kind one of `bool`, `number`, `datetime`, `timespan`, `text`, `dynamic`,
///   `numbers`, `datetimes`, `points`. A chosen column of `numbers` or `datetimes` is to be expanded: each row becomes
///   as many rows as its longest array has elements.
/// - `xKind`: `number`, `datetime`, `timespan`, or `category` (positions by name, in the order of the rows).
/// - `stacked`, `share` (stretched to a hundred percent), `accumulate`, `map`, `xLog`, `yLog`: `true` or `false`.
/// - `split`: `none`, `axes` or `panels`; `panelsMax`: how many are drawn.
/// - `legend`: `true`, `false`, or `null` where the picture decides (more than one series).
/// - `title`, `xTitle`, `yTitle`: texts or `null`; `yMin`, `yMax`, `xMin`, `xMax`: numbers or `null`; bounds of
///   a time axis are ticks of 100 ns since 0001-01-01.
/// - `missing`: names in the properties that no column has (they count as not given).
/// - `problem`: why this visualization cannot be drawn with these columns, or `null`; then it is shown as a table.
pub async fn choice_route(State(service): State<Arc<Service>>, request: Request) -> Response<Body> {
    let context = ErrorContext::of(&caller_of(&request), "");
    let (parts, body) = request.into_parts();
    let bytes = match read_whole(body, &parts.headers, service.settings.body_bytes).await {
        Ok(bytes) => bytes,
        Err(error) => return error.response(ErrorStyle::Json, &context),
    };
    match choice_json(&bytes) {
        Ok(json) => {
            let mut response = Response::new(Body::from(json));
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
            response
        }
        Err(message) => ApiError::bad_request(message).response(ErrorStyle::Json, &context),
    }
}

fn choice_json(body: &[u8]) -> Result<String, String> {
    let mut asked: Json =
        serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))?;
    let columns: Vec<Column> = asked["columns"]
        .as_array()
        .ok_or("the member 'columns' is missing: a list of {\"name\",\"type\"}")?
        .iter()
        .map(|column| Column {
            name: column["name"].as_str().unwrap_or_default().to_owned(),
            kind: ColumnKind::of_type(column["type"].as_str().unwrap_or_default()),
        })
        .collect();
    let properties = read_visualization(&asked["visualization"]);
    let columns = match asked["sample"].take() {
        Json::Null => columns,
        Json::Array(rows) => {
            let cells = |row: Json| match row {
                Json::Array(cells) => cells.into_iter().map(value_of_json).collect(),
                _ => Vec::new(),
            };
            let rows = rows.into_iter().take(SAMPLE_ROWS_MAX).map(cells).collect();
            chart::columns_of(&Table { columns, rows, rows_total: None })
        }
        _ => return Err("the member 'sample' must be a list of rows, each a list of cells".to_owned()),
    };
    Ok(format!("{}\n", answer(&columns, &properties)))
}

fn read_visualization(visualization: &Json) -> Properties {
    let mut kind = String::new();
    let mut pairs: Vec<(&str, String)> = Vec::new();
    for (name, value) in visualization.as_object().into_iter().flatten() {
        let text = match value {
            Json::Null => continue,
            Json::String(text) => text.clone(),
            Json::Array(names) => names.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(","),
            other => other.to_string(),
        };
        if name.eq_ignore_ascii_case("visualization") {
            kind = text;
        } else {
            pairs.push((name, text));
        }
    }
    Properties::new(&kind, pairs.iter().map(|(name, value)| (*name, value.as_str())))
}

fn answer(columns: &[Column], properties: &Properties) -> Json {
    let choice = choose(columns, properties);
    let name = |at: &usize| columns.get(*at).map(|column| column.name.as_str());
    let names = |all: &[usize]| all.iter().filter_map(name).collect::<Vec<_>>();
    let x_kind = match choice.x.and_then(|at| columns.get(at)).map(|column| column.kind) {
        Some(ColumnKind::DateTime | ColumnKind::Times) => "datetime",
        Some(ColumnKind::TimeSpan) => "timespan",
        Some(ColumnKind::Number | ColumnKind::Numbers) | None => "number",
        Some(_) => "category",
    };
    let text = |title: &str| (!title.is_empty()).then(|| title.to_owned());
    json!({
        "visualization": properties.visualization,
        "kind": if choice.problem.is_some() && properties.kind.needs_columns() {
            Kind::Table.name()
        } else {
            properties.kind.name()
        },
        "x": choice.x.as_ref().and_then(name),
        "xEnd": choice.x_end.as_ref().and_then(name),
        "y": names(&choice.y),
        "series": names(&choice.series),
        "anomalies": names(&choice.anomalies),
        "indexes": {
            "x": choice.x,
            "xEnd": choice.x_end,
            "y": choice.y,
            "series": choice.series,
            "anomalies": choice.anomalies,
        },
        "columns": columns
            .iter()
            .map(|column| json!({"name": column.name, "kind": column.kind.name()}))
            .collect::<Vec<_>>(),
        "xKind": x_kind,
        "stacked": properties.stacks(),
        "share": properties.is_share(),
        "accumulate": properties.accumulate,
        "map": properties.shape == VisualKind::Map
            && matches!(properties.kind, Kind::PieChart | Kind::ScatterChart),
        "xLog": properties.x_log,
        "yLog": properties.y_log,
        "split": match properties.split {
            YSplit::None => "none",
            YSplit::Axes => "axes",
            YSplit::Panels => "panels",
        },
        "panelsMax": chart::PANELS_MAX,
        "legend": properties.legend,
        "title": text(&properties.title),
        "xTitle": properties.x_title,
        "yTitle": properties.y_title,
        "yMin": properties.y_min,
        "yMax": properties.y_max,
        "xMin": properties.x_min,
        "xMax": properties.x_max,
        "missing": choice.missing,
        "problem": choice.problem,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(body: Json) -> Json {
        let answer = choice_json(body.to_string().as_bytes()).expect("an answer");
        serde_json::from_str(&answer).expect("JSON")
    }

    #[test]
    fn the_choice_is_answered_by_names_and_positions() {
        let answer = asked(json!({
            "columns": [
                {"name": "State", "type": "string"},
                {"name": "T", "type": "datetime"},
                {"name": "n", "type": "long"},
            ],
            "visualization": {"Visualization": "timechart", "Series": null, "YColumns": ["n"], "XColumn": "gone"},
        }));
        assert_eq!(
            (&answer["x"], &answer["kind"], &answer["xKind"]),
            (&json!("T"), &json!("timechart"), &json!("datetime"))
        );
        assert_eq!((&answer["y"], &answer["series"]), (&json!(["n"]), &json!(["State"])));
        assert_eq!(
            answer["indexes"],
            json!({"x": 1, "xEnd": null, "y": [2], "series": [0], "anomalies": []})
        );
        assert_eq!((&answer["missing"], &answer["problem"]), (&json!(["gone"]), &Json::Null));
    }

    #[test]
    fn dynamic_columns_are_told_apart_by_their_type_or_by_a_sample() {
        let by_type = asked(json!({
            "columns": [
                {"name": "sid", "type": "string"},
                {"name": "num", "type": "dynamic(real)"},
                {"name": "at", "type": "dynamic(datetime)"},
            ],
            "visualization": {"Visualization": "timechart"},
        }));
        let by_sample = asked(json!({
            "columns": [
                {"name": "sid", "type": "string"},
                {"name": "num", "type": "dynamic"},
                {"name": "at", "type": "dynamic"},
            ],
            "visualization": {"Visualization": "timechart"},
            "sample": [["a", [1, null, 2.5], ["2017-01-05T00:00:00.0000000Z", "2017-01-06T00:00:00.0000000Z"]]],
        }));
        assert_eq!(by_type, by_sample);
        assert_eq!((&by_type["x"], &by_type["y"]), (&json!("at"), &json!(["num"])));
        assert_eq!(by_type["columns"][1]["kind"], "numbers");
    }

    #[test]
    fn what_cannot_be_drawn_is_a_table_with_a_reason() {
        let answer = asked(json!({
            "columns": [{"name": "s", "type": "string"}],
            "visualization": {"Visualization": "ladderchart"},
        }));
        assert_eq!(answer["kind"], "table");
        assert!(answer["problem"].is_string());
        for wrong in ["{}", "[]", "", "{\"columns\":[],\"sample\":1}"] {
            assert!(choice_json(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
