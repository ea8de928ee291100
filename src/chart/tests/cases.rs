//! Tables and visualizations like those of the reference's pages, and the hard ones: what the golden pictures show.

use super::super::{Column, ColumnKind, Properties, Table, Value, data, text};

/// `a:long b:datetime`
pub fn schema(text: &str) -> Vec<Column> {
    text.split_whitespace()
        .map(|part| part.split_once(':').expect("name:type"))
        .map(|(name, ty)| Column { name: name.to_owned(), kind: ColumnKind::of_type(ty) })
        .collect()
}

/// `kind name=value;name=value`
pub fn properties(text: &str) -> Properties {
    let (kind, rest) = text.split_once(' ').unwrap_or((text, ""));
    Properties::new(kind, rest.split(';').filter_map(|pair| pair.split_once('=')))
}

/// Rows as lines of cells between bars, each read by its column's type; `-` is null, spans are in milliseconds.
fn table(columns: &str, rows: &str) -> Table {
    let columns = schema(columns);
    let row = |line: &str| -> Vec<Value> {
        line.split('|').map(str::trim).zip(&columns).map(|(cell, column)| value(cell, column.kind)).collect()
    };
    let rows = rows.lines().map(str::trim).filter(|line| !line.is_empty()).map(row).collect();
    Table { columns, rows, rows_total: None }
}

fn value(cell: &str, kind: ColumnKind) -> Value {
    let datetime = |cell: &str| match cell.contains(' ') {
        true => data::parse_datetime(cell).expect("a datetime"),
        false => data::parse_datetime(&format!("{cell} 00:00:00")).expect("a day"),
    };
    match kind {
        _ if cell == "-" => Value::Null,
        ColumnKind::Bool => Value::Bool(cell == "true"),
        ColumnKind::Number => match cell.parse() {
            Ok(whole) => Value::Integer(whole),
            Err(_) => Value::Real(cell.parse().expect("a number")),
        },
        ColumnKind::DateTime => Value::DateTime(datetime(cell)),
        ColumnKind::TimeSpan => Value::TimeSpan(cell.parse::<i64>().expect("milliseconds") * 10_000),
        ColumnKind::Numbers => {
            Value::Array(cell.split(' ').map(|item| value(item, ColumnKind::Number)).collect())
        }
        ColumnKind::Times => {
            Value::Array(cell.split(' ').map(|item| value(item, ColumnKind::DateTime)).collect())
        }
        ColumnKind::Points => {
            let (longitude, latitude) = cell.split_once(' ').expect("a place");
            Value::Point {
                longitude: longitude.parse().expect("a longitude"),
                latitude: latitude.parse().expect("a latitude"),
            }
        }
        ColumnKind::Text | ColumnKind::Dynamic => Value::Text(cell.to_owned()),
    }
}

pub struct Case {
    /// Of its files.
    pub name: &'static str,
    pub render: &'static str,
    pub table: Table,
}

const STATES: &str = "TEXAS|4701\nKANSAS|3166\nIOWA|2337\nILLINOIS|2022\nMISSOURI|2016\nGEORGIA|1983\nMINNESOTA|1881\n\
    WISCONSIN|1850\nNEBRASKA|1766\nNEW YORK|1750";

const EVENTS: &str = "Drought|TEXAS|51\nDrought|FLORIDA|72\nDrought|CALIFORNIA|75\nFlash Flood|TEXAS|1199\n\
    Flash Flood|FLORIDA|24\nFlash Flood|CALIFORNIA|37\nHail|TEXAS|1326\nHail|FLORIDA|222\nHail|CALIFORNIA|24\n\
    Lightning|FLORIDA|92\nThunderstorm Wind|TEXAS|830\nThunderstorm Wind|FLORIDA|349\nWildfire|TEXAS|36\n\
    Wildfire|CALIFORNIA|98";

const INJURIES: &str = "2007-01-01|19|2\n2007-01-02|0|1\n2007-01-03|-|4\n2007-01-04|48|-\n2007-01-05|945|24\n\
    2007-01-06|7|0\n2007-01-07|12|3";

const HAIL: &str = "KANSAS|2007-03-01|12\nNEBRASKA|2007-03-01|3\nTEXAS|2007-03-01|40\nKANSAS|2007-04-12|101\n\
    NEBRASKA|2007-04-20|9\nTEXAS|2007-04-13|64\nKANSAS|2007-06-02|25\nNEBRASKA|2007-06-21|87\nTEXAS|2007-06-03|1\n\
    KANSAS|2007-09-30|4\nNEBRASKA|2007-10-02|11\nTEXAS|2007-12-15|6";

const ROOMS: &str = "2015-02-02 14:00:00|23.2|26.3\n2015-02-02 18:00:00|21.1|25.1\n2015-02-02 22:00:00|20.4|29.9\n\
    2015-02-03 02:00:00|20.1|31.0\n2015-02-03 06:00:00|19.9|28.2\n2015-02-03 10:00:00|22.6|22.4";

const FLOODS: &str = "2007-01-01|2007-01-20 10:24:00|INDIANA|Public\n2007-01-06|2007-01-07|OHIO|Official NWS Observations\n\
    2007-01-14|2007-01-15|OHIO|Law Enforcement\n2007-02-01|2007-02-22|INDIANA|Newspaper\n\
    2007-03-02|2007-03-09|IOWA|Public\n2007-03-12|2007-03-14|OHIO|Trained Spotter\n\
    2007-03-20|2007-04-02|INDIANA|Public\n2007-04-14|2007-04-15|IOWA|Emergency Manager";

const SPANS: &str = "a1|b1||POST|SPAN_KIND_CLIENT|2025-04-07 04:22:54.010|2025-04-07 04:22:56.500\n\
    a1|b2|b1|ingress|SPAN_KIND_SERVER|2025-04-07 04:22:54.020|2025-04-07 04:22:56.490\n\
    a1|b3|b2|PlaceOrder|SPAN_KIND_CLIENT|2025-04-07 04:22:54.100|2025-04-07 04:22:56.200\n\
    a1|b4|b3|Charge|SPAN_KIND_SERVER|2025-04-07 04:22:55.900|2025-04-07 04:22:56.100\n\
    a1|b5|b2|orders publish|SPAN_KIND_PRODUCER|2025-04-07 04:22:56.300|2025-04-07 04:22:56.400";

const SPAN_COLUMNS: &str = "TraceID:string SpanID:string ParentID:string SpanName:string SpanKind:string StartTime:datetime EndTime:datetime";

const PLACES: &str = "-97.7|30.3|Hail|120\n-80.2|25.8|Flood|30\n-122.4|37.8|Wildfire|75\n-90.2|38.6|Hail|210\n-74.0|40.7|Flood|15";

/// The points of two places by kind of event.
const CELLS: &str = "-97.7 30.3|Hail|120\n-97.7 30.3|Flood|40\n-80.2 25.8|Flood|30\n-80.2 25.8|Tornado|12";

const SERIES: &str = "TS1|2017-01-05 2017-01-06 2017-01-07 2017-01-08 2017-01-09 2017-01-10|1200 1310 640 590 2400 1280|0 0 0 0 1 0|1190 1300 650 600 1250 1270";

fn plotly(json: &str) -> Table {
    Table {
        columns: schema("plotly:string"),
        rows: vec![vec![Value::Text(json.to_owned())]],
        rows_total: None,
    }
}

/// Points by minute, each column a function of the minute.
fn minutes(columns: &str, count: usize, row: impl Fn(usize) -> Vec<Value>) -> Table {
    let from = text::days_of(2026, 11, 21) * text::TICKS_PER_DAY;
    let rows = (0..count)
        .map(|at| {
            let time = Value::DateTime(from + at as i64 * 60 * text::TICKS_PER_SECOND);
            std::iter::once(time).chain(row(at)).collect()
        })
        .collect();
    Table { columns: schema(columns), rows, rows_total: None }
}

fn many_series() -> Table {
    let mut table = minutes("t:datetime host:string cpu:real", 90, |at| {
        vec![
            Value::Text(format!("web-server-{:03}.eu-west.production.example.com", at % 30)),
            Value::Real((at * 7 % 40) as f64),
        ]
    });
    table.rows.sort_by_key(|row| text::name(&row[1]));
    table
}

/// All that is kept as golden pictures and drawn in the gallery.
pub fn cases() -> Vec<Case> {
    let state = || table("State:string event_count:long", STATES);
    let events = || table("EventType:string State:string EventCount:long", EVENTS);
    let injuries = || table("StartTime:datetime TotalInjuries:long TotalDeaths:long", INJURIES);
    let hail = || table("State:string StartTime:datetime count_:long", HAIL);
    let rooms = || table("Timestamp:datetime avg_temp:real avg_humidity:real", ROOMS);
    let floods = || table("StartTime:datetime EndTime:datetime State:string Source:string", FLOODS);
    let series = || {
        let columns = "sid:string TimeStamp:dynamic(datetime) num:dynamic(real) anomalies:dynamic(real) baseline:dynamic(real)";
        table(columns, SERIES)
    };
    let none = || table("t:datetime n:long", "");
    let case = |name, render, table| Case { name, render, table };
    vec![
        // The pages of the reference, in their order.
        case("anomaly", "anomalychart anomalycolumns=anomalies;title=Web app. traffic", series()),
        case("area", "areachart", rooms()),
        case(
            "area_properties",
            "areachart kind=unstacked;legend=visible;ytitle=Sample value;ymin=10;ymax=100;xtitle=Time;title=Humidity and temperature",
            rooms(),
        ),
        case(
            "area_panels",
            "areachart ysplit=panels;legend=visible;ycolumns=count_;yaxis=log;ytitle=Count;ymin=0;ymax=100;xcolumn=StartTime",
            hail(),
        ),
        case("area_stacked100", "areachart kind=stacked100", rooms()),
        case(
            "bar",
            "barchart title=Storm count by state;ytitle=Storm count;xtitle=State;legend=hidden",
            state(),
        ),
        case("bar_unstacked", "barchart kind=unstacked", events()),
        case("bar_stacked", "barchart kind=stacked", events()),
        case("bar_stacked100", "barchart kind=stacked100", events()),
        case("bar_axes", "barchart ysplit=axes", injuries()),
        case("bar_panels", "barchart ysplit=panels", injuries()),
        case("card", "card title=Floods in Virginia", table("Count:long", "27")),
        case(
            "card_values",
            "card",
            table(
                "requests:long availability:real p99:timespan region:string last:datetime",
                "1234567|0.99987|234|westeurope|2026-11-21 17:03:11",
            ),
        ),
        case("column", "columnchart", state()),
        case("column_stacked", "columnchart kind=stacked", events()),
        case("column_stacked100", "columnchart kind=stacked100", events()),
        case("column_axes", "columnchart ysplit=axes", injuries()),
        case("column_panels", "columnchart ysplit=panels", injuries()),
        case(
            "ladder",
            "ladderchart",
            table(
                "State:string min_StartTime:datetime max_EndTime:datetime",
                "TEXAS|2007-01-12|2007-09-03\nIOWA|2007-02-20|2007-10-02\nGUAM|2007-05-01|2007-05-01",
            ),
        ),
        case(
            "ladder_series",
            "ladderchart series=State, EventType",
            table(
                "State:string EventType:string min_StartTime:datetime max_EndTime:datetime",
                "WYOMING|Hail|2007-01-12|2007-09-03\nWYOMING|Heat|2007-02-20|2007-10-02\nWISCONSIN|Hail|2007-05-01|2007-06-01",
            ),
        ),
        case(
            "ladder_number",
            "ladderchart xtitle=Byte;ytitle=Part",
            table("part:string from:long to:long", "head|0|64\nbody|64|900\ntail|900|1024"),
        ),
        case("line", "linechart", injuries()),
        case("line_limits", "linechart ymin=7;ymax=300;title=Limited;xtitle=Day;ytitle=People", injuries()),
        case("line_panels", "linechart ysplit=panels", hail()),
        case(
            "line_log",
            "linechart xaxis=log;yaxis=log",
            table("x:long y:real", "1|0.5\n10|40\n100|2500\n1000|180000"),
        ),
        case("pie", "piechart title=Storm Events by State", state()),
        case(
            "pie_map",
            "piechart kind=map",
            table("place:dynamic(point) EventType:string count_:long", CELLS),
        ),
        case(
            "pivot",
            "pivotchart",
            table(
                "DateKey:datetime Category:string Amount:long",
                "2007-01-01|Audio|12\n2007-01-01|Computers|40\n2007-01-02|Audio|7\n2007-01-02|Computers|44\n2007-01-02|Computers|2",
            ),
        ),
        case("pivot_categories", "pivotchart", events()),
        case(
            "plotly_lines",
            "plotly",
            plotly(
                r#"{"data":[{"type":"scatter","mode":"lines","name":"y","x":["2026-11-21","2026-11-22","2026-11-23"],"y":[3,9,4]},{"type":"scatter","mode":"markers","name":"anomalies","x":["2026-11-22"],"y":[9]}],"layout":{"title":{"text":"Lines"},"yaxis":{"title":"y"}}}"#,
            ),
        ),
        case(
            "plotly_bars",
            "plotly",
            plotly(
                r#"{"data":[{"type":"bar","name":"a","x":["p","q"],"y":[1,2]},{"type":"bar","name":"b","x":["p","q"],"y":[3,-1]}],"layout":{"barmode":"stack"}}"#,
            ),
        ),
        case(
            "plotly_bars_level",
            "plotly",
            plotly(r#"{"data":[{"type":"bar","orientation":"h","x":[5,2],"y":["long","short"]}]}"#),
        ),
        case(
            "plotly_histogram",
            "plotly",
            plotly(r#"{"data":[{"type":"histogram","x":[1,1,2,2,2,3,4,4,9]}]}"#),
        ),
        case(
            "plotly_pie",
            "plotly",
            plotly(r#"{"data":[{"type":"pie","labels":["a","b"],"values":[3,1]}]}"#),
        ),
        case(
            "plotly_heatmap",
            "plotly",
            plotly(r#"{"data":[{"type":"heatmap","x":["Mon","Tue"],"y":["am","pm"],"z":[[1,2],[null,4]]}]}"#),
        ),
        case(
            "plotly_surface",
            "plotly",
            plotly(
                r#"{"data":[{"type":"surface","z":[[1,2,3],[2,3,4],[3,4,9]]}],"layout":{"title":"Surface"}}"#,
            ),
        ),
        case(
            "plotly_scatter3d",
            "plotly",
            plotly(
                r#"{"data":[{"type":"scatter3d","name":"setosa","x":[5.1,4.9],"y":[3.5,3.0],"z":[1.4,1.3]},{"type":"scatter3d","name":"virginica","x":[6.3],"y":[3.3],"z":[6.0]}],"layout":{"scene":{"xaxis":{"title":{"text":"SepalLength"}}}}}"#,
            ),
        ),
        case("plotly_unknown", "plotly", plotly(r#"{"data":[{"type":"sankey"}]}"#)),
        case("plotly_wrong", "plotly", plotly("not JSON")),
        case(
            "scatter",
            "scatterchart xtitle=State population;title=Property damage by state;legend=hidden",
            table(
                "sum_DamageProperty:long Population:long",
                "1200000|800000\n25000000|36000000\n400000|20000000\n9000000|2900000",
            ),
        ),
        case(
            "scatter_map",
            "scatterchart kind=map",
            table("BeginLon:real BeginLat:real EventType:string n:long", PLACES),
        ),
        case("stacked_area", "stackedareachart xcolumn=StartTime;series=State", hail()),
        case("table", "table title=Storms", floods()),
        case(
            "time",
            "timechart title=Crop damage over time;xtitle=Date;ytitle=Crop damage;legend=hidden",
            table(
                "StartTime:datetime EventCount:long",
                "2007-01-01|14\n2007-01-08|20\n2007-01-15|215\n2007-01-22|9",
            ),
        ),
        case("time_series", "timechart", series()),
        case("time_panels", "timechart ysplit=panels", hail()),
        case("time_axes", "timechart ysplit=axes", hail()),
        case("time_accumulate", "timechart accumulate=true", injuries()),
        case("time_pivot", "timepivot series=State", floods()),
        case("time_pivot_levels", "timepivot series=State,Source", floods()),
        case("time_pivot_kinds", "timepivot", table(SPAN_COLUMNS, SPANS)),
        case("time_pivot_spans", "timepivot series=SpanID", table(SPAN_COLUMNS, SPANS)),
        case("treemap", "treemap title=Storm Events by EventType and State", events()),
        case("treemap_flat", "treemap", state()),
        // What is hard.
        case("hard_empty", "timechart title=Nothing", none()),
        case("hard_one_point", "timechart", table("t:datetime n:real", "2026-11-21 10:00:00|5.5")),
        case(
            "hard_gaps",
            "timechart",
            minutes("t:datetime a:real b:real", 12, |at| {
                vec![
                    if at % 5 == 4 { Value::Null } else { Value::Real(at as f64 - 4.0) },
                    if at == 6 { Value::Real(f64::NAN) } else { Value::Real(3.0) },
                ]
            }),
        ),
        case(
            "hard_negative",
            "columnchart kind=stacked",
            table("m:string profit:real loss:real", "Jan|84|-21\nFeb|14.5|-32\nMar|3|-38"),
        ),
        case(
            "hard_spans",
            "timechart title=Latency",
            minutes("t:datetime latency:timespan", 6, |at| vec![Value::TimeSpan(at as i64 * 70_000)]),
        ),
        case("hard_span_axis", "columnchart", table("took:timespan n:long", "0|900\n100|410\n200|77\n300|5")),
        case("hard_tiny", "linechart", table("x:long y:real", "1|1.5e-9\n2|6e-9\n3|1.35e-8")),
        case("hard_huge", "linechart", table("x:long y:real", "1|1.5e17\n2|6e17\n3|1.35e18")),
        case("hard_codes", "columnchart", table("code:long n:long", "200|900\n301|30\n404|77\n500|12")),
        case(
            "hard_long_names",
            "barchart",
            table(
                "url:string n:long",
                "https://example.com/a/very/long/path/that/goes/on?with=query&and=more|100\n/|3",
            ),
        ),
        case(
            "hard_many_series",
            "timechart title=A very long title that does not fit into the picture at all, so that it is cut",
            many_series(),
        ),
        case("hard_no_numbers", "timechart", table("t:datetime s:string", "2026-11-21|a")),
        case("hard_wrong_column", "timechart ycolumns=gone", injuries()),
    ]
}
