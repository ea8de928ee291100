//! What Kusto's v1 and v2 answers share: who asked, the visualization property, the resource figures.

use conshelf_kql::Type;
use conshelf_kql::plan::Visualization;
use uuid::Uuid;

use crate::response::value_text::{self, quoted};
use crate::response::{Failure, FailureKind, QueryStatistics};

/// The ids of a request that Kusto's answers repeat.
#[derive(Clone, Debug)]
pub struct RequestIdentity {
    pub client_request_id: String,
    pub activity_id: Uuid,
}

/// The `DataType` of v1 columns.
pub fn v1_data_type(ty: Type) -> &'static str {
    match ty {
        Type::Bool => "SByte",
        Type::Int => "Int32",
        Type::Long => "Int64",
        Type::Real => "Double",
        Type::Decimal => "SqlDecimal",
        Type::DateTime => "DateTime",
        Type::TimeSpan => "TimeSpan",
        Type::String => "String",
        Type::Guid => "Guid",
        Type::Dynamic => "Object",
    }
}

/// HRESULT of a failure with its name, as status rows show it.
pub fn status_of(kind: FailureKind) -> (i32, &'static str) {
    match kind {
        FailureKind::ResultTooLarge { .. } => {
            (-2_133_196_797, "Query result set too large (E_QUERY_RESULT_SET_TOO_LARGE). (-2133196797)")
        }
        FailureKind::Memory => {
            (-2_133_196_799, "Query is low on memory (E_LOW_MEMORY_CONDITION). (-2133196799)")
        }
        FailureKind::Timeout => (-2_133_196_796, "Query timed out (E_QUERY_TIMEOUT). (-2133196796)"),
        FailureKind::Cancelled => (-2_147_467_260, "Operation aborted (E_ABORT). (-2147467260)"),
        FailureKind::Other => (-2_147_467_259, "Unspecified error (E_FAIL). (-2147467259)"),
    }
}

/// Name of the completion event of a failure and its text.
pub fn failure_event(failure: &Failure) -> (&'static str, String) {
    match failure.kind {
        FailureKind::ResultTooLarge { record_limit: Some(limit) } => (
            "QueryLimitsExceeded",
            format!(
                "Query result set has exceeded the internal record count limit {limit} (E_QUERY_RESULT_SET_TOO_LARGE; see http://aka.ms/kustoquerylimits)"
            ),
        ),
        FailureKind::ResultTooLarge { record_limit: None } | FailureKind::Memory => {
            ("QueryLimitsExceeded", failure.message.clone())
        }
        _ => ("QueryError", failure.message.clone()),
    }
}

/// The value of a `Visualization` property: JSON text with every member, null where nothing was said.
pub fn visualization_json(visualization: Option<&Visualization>) -> String {
    let find = |name: &str| {
        visualization.and_then(|visualization| {
            visualization
                .properties
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.as_str())
        })
    };
    let text = |name: &str| find(name).map_or("null".to_owned(), quoted);
    let names = |name: &str| {
        find(name).map_or("null".to_owned(), |list| {
            let names: Vec<String> =
                list.split(',').map(str::trim).filter(|name| !name.is_empty()).map(quoted).collect();
            format!("[{}]", names.join(","))
        })
    };
    let flag =
        |name: &str| find(name).is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1");
    // Bounds are numbers, or datetimes where the axis is one.
    let bound = |name: &str, missing: &str| match find(name) {
        None => missing.to_owned(),
        Some(value) => match value.parse::<f64>() {
            Ok(number) if number.is_finite() => {
                let mut out = Vec::new();
                value_text::real_json(number, &mut out);
                String::from_utf8(out).unwrap_or_default()
            }
            _ => quoted(value),
        },
    };
    format!(
        "{{\"Visualization\":{},\"Title\":{},\"XColumn\":{},\"Series\":{},\"YColumns\":{},\"AnomalyColumns\":{},\"XTitle\":{},\"YTitle\":{},\"XAxis\":{},\"YAxis\":{},\"Legend\":{},\"YSplit\":{},\"Accumulate\":{},\"IsQuerySorted\":{},\"Kind\":{},\"Ymin\":{},\"Ymax\":{},\"Xmin\":{},\"Xmax\":{}}}",
        visualization.map_or("null".to_owned(), |visualization| quoted(&visualization.kind)),
        text("title"),
        text("xcolumn"),
        names("series"),
        names("ycolumns"),
        names("anomalycolumns"),
        text("xtitle"),
        text("ytitle"),
        text("xaxis"),
        text("yaxis"),
        text("legend"),
        text("ysplit"),
        flag("accumulate"),
        visualization.is_some_and(|visualization| visualization.is_query_sorted),
        text("kind"),
        bound("ymin", "\"NaN\""),
        bound("ymax", "\"NaN\""),
        bound("xmin", "null"),
        bound("xmax", "null"),
    )
}

fn seconds_text(seconds: f64) -> String {
    value_text::timespan_text((seconds * 1e7) as i64)
}

/// The `QueryResourceConsumption` payload.
pub fn resources_json(statistics: &QueryStatistics) -> String {
    let results: Vec<String> = statistics
        .results
        .iter()
        .map(|(rows, bytes)| format!("{{\"table_row_count\":{rows},\"table_size\":{bytes}}}"))
        .collect();
    let mut execution = Vec::new();
    value_text::real_json(statistics.execution_seconds, &mut execution);
    let cpu = seconds_text(statistics.cpu_seconds);
    format!(
        "{{\"ExecutionTime\":{},\"resource_usage\":{{\"cache\":{{\"memory\":{{\"hits\":0,\"misses\":0,\"total\":0}},\"disk\":{{\"hits\":0,\"misses\":0,\"total\":0}},\"shards\":{{\"hot\":{{\"hitbytes\":{},\"missbytes\":0,\"retrievebytes\":0}},\"cold\":{{\"hitbytes\":0,\"missbytes\":0,\"retrievebytes\":0}},\"bypassbytes\":0}}}},\"cpu\":{{\"user\":\"{cpu}\",\"kernel\":\"00:00:00\",\"total cpu\":\"{cpu}\"}},\"memory\":{{\"peak_per_node\":{}}}}},\"input_dataset_statistics\":{{\"extents\":{{\"total\":{},\"scanned\":{}}},\"rows\":{{\"total\":{},\"scanned\":{}}},\"rowstores\":{{\"scanned_rows\":0,\"scanned_values_size\":0}}}},\"dataset_statistics\":[{}]}}",
        String::from_utf8(execution).unwrap_or_default(),
        statistics.bytes_scanned,
        statistics.memory_peak_bytes,
        statistics.extents_total,
        statistics.extents_scanned,
        statistics.rows_total,
        statistics.rows_scanned,
        results.join(","),
    )
}

/// The payload of a completion event: `{"Count":1,"Text":"…"}`.
pub fn event_payload(text: &str) -> String {
    format!("{{\"Count\":1,\"Text\":{}}}", quoted(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visualization_without_render_has_every_member() {
        assert_eq!(
            visualization_json(None),
            r#"{"Visualization":null,"Title":null,"XColumn":null,"Series":null,"YColumns":null,"AnomalyColumns":null,"XTitle":null,"YTitle":null,"XAxis":null,"YAxis":null,"Legend":null,"YSplit":null,"Accumulate":false,"IsQuerySorted":false,"Kind":null,"Ymin":"NaN","Ymax":"NaN","Xmin":null,"Xmax":null}"#
        );
    }

    #[test]
    fn visualization_properties_take_their_places() {
        let visualization = Visualization {
            kind: "timechart".to_owned(),
            properties: vec![
                ("title".to_owned(), "a \"b\"".to_owned()),
                ("ycolumns".to_owned(), "x, y".to_owned()),
                ("ymin".to_owned(), "0".to_owned()),
                ("accumulate".to_owned(), "true".to_owned()),
            ],
            is_query_sorted: true,
        };
        let json = visualization_json(Some(&visualization));
        for part in [
            r#""Visualization":"timechart","Title":"a \"b\"""#,
            r#""YColumns":["x","y"]"#,
            r#""Accumulate":true,"IsQuerySorted":true"#,
            r#""Ymin":0.0"#,
        ] {
            assert!(json.contains(part), "{json}");
        }
        assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
    }
}
