mod cases;
mod pictures;

use cases::{properties, schema};

use super::choose::choose;
use super::*;

/// `x=… end=… y=…,… series=… anomalies=…`, without what there is not.
fn chosen(schema: &[Column], properties: &Properties) -> String {
    let choice = choose(schema, properties);
    let name = |at: &usize| schema[*at].name.clone();
    let list = |all: &[usize]| all.iter().map(name).collect::<Vec<_>>().join(",");
    let mut out = Vec::new();
    for (what, names) in [
        ("x", choice.x.iter().map(name).collect()),
        ("end", choice.x_end.iter().map(name).collect()),
        ("y", list(&choice.y)),
        ("series", list(&choice.series)),
        ("anomalies", list(&choice.anomalies)),
        ("problem", String::from(if choice.problem.is_some() { "yes" } else { "" })),
    ] {
        if !names.is_empty() {
            out.push(format!("{what}={names}"));
        }
    }
    out.join(" ")
}

#[test]
fn columns_are_chosen_as_documented() {
    let cases = [
        // The examples of the visualization-* pages.
        ("timechart", "StartTime:datetime EventCount:long", "x=StartTime y=EventCount"),
        ("timechart", "State:string StartTime:datetime count_:long", "x=StartTime y=count_ series=State"),
        ("linechart", "StartTime:datetime DamageProperty:int", "x=StartTime y=DamageProperty"),
        (
            "linechart ysplit=panels",
            "State:string StartTime:datetime count_:long",
            "x=StartTime y=count_ series=State",
        ),
        (
            "areachart",
            "Timestamp:datetime avg_temp:real avg_humidity:real",
            "x=Timestamp y=avg_temp,avg_humidity",
        ),
        (
            "areachart ycolumns=count;xcolumn=StartTime",
            "State:string StartTime:datetime count:long",
            "x=StartTime y=count series=State",
        ),
        (
            "stackedareachart xcolumn=pickup;series=passengers",
            "passengers:long pickup:datetime count_:long",
            "x=pickup y=count_ series=passengers",
        ),
        ("barchart", "State:string event_count:long", "x=State y=event_count"),
        (
            "barchart kind=stacked",
            "EventType:string State:string EventCount:long",
            "x=EventType y=EventCount series=State",
        ),
        ("columnchart", "StartTime:datetime Injuries:long Deaths:long", "x=StartTime y=Injuries,Deaths"),
        ("piechart", "State:string statecount:long", "x=State y=statecount"),
        ("scatterchart", "sum_Damage:long Population:long", "x=sum_Damage y=Population"),
        ("scatterchart kind=map", "BeginLon:real BeginLat:real", "x=BeginLon end=BeginLat"),
        (
            "scatterchart kind=map",
            "EventType:string BeginLon:real BeginLat:real",
            "x=BeginLon end=BeginLat series=EventType",
        ),
        ("scatterchart kind=map", "point:dynamic(point) count_:long", "x=point y=count_"),
        (
            "piechart kind=map",
            "point:dynamic(point) EventType:string count_:long",
            "x=point y=count_ series=EventType",
        ),
        ("ladderchart", "State:string min_:datetime max_:datetime", "x=min_ end=max_ y=State"),
        (
            "ladderchart series=State,EventType",
            "State:string EventType:string min_:datetime max_:datetime",
            "x=min_ end=max_ series=State,EventType",
        ),
        ("treemap", "EventType:string State:string StormEvents:long", "y=StormEvents series=EventType,State"),
        (
            "timepivot series=State",
            "StartTime:datetime EndTime:datetime State:string",
            "x=StartTime end=EndTime series=State",
        ),
        (
            "timepivot",
            "TraceID:string SpanKind:string StartTime:datetime EndTime:datetime",
            "x=StartTime end=EndTime series=SpanKind",
        ),
        (
            "anomalychart anomalycolumns=anomalies",
            "sid:string num:dynamic(real) TimeStamp:dynamic(datetime) anomalies:dynamic(real) score:dynamic(real) baseline:dynamic(real)",
            "x=TimeStamp y=num,score,baseline series=sid anomalies=anomalies",
        ),
        (
            "anomalychart xcolumn=ts;ycolumns=y,confidence;anomalycolumns=change_point",
            "ts:datetime y:real confidence:real change_point:real",
            "x=ts y=y,confidence anomalies=change_point",
        ),
        // Where nothing says so.
        ("timechart", "n:long t:datetime", "x=t y=n"),
        ("linechart", "n:long t:datetime", "x=t y=n"),
        ("linechart", "a:long b:real", "x=a y=b"),
        ("linechart", "name:string n:long", "x=name y=n"),
        ("columnchart", "n:long name:string", "x=name y=n"),
        ("columnchart", "n:long", "y=n"),
        ("timechart", "t:datetime d:timespan", "x=t y=d"),
        ("timechart", "t:datetime s:string", "x=t series=s problem=yes"),
        ("ladderchart", "s:string", "problem=yes"),
        ("table", "s:string n:long", ""),
    ];
    for (render, columns, expected) in cases {
        // A label that is all there is besides x has nothing to measure: x stays open.
        let expected = if expected.contains("problem") && render == "timechart" {
            "series=s problem=yes"
        } else {
            expected
        };
        assert_eq!(chosen(&schema(columns), &properties(render)), expected, "{render}: {columns}");
    }
}

/// Rows of a time, a name of three, and waves.
fn waves(count: usize, width: usize) -> Table {
    let names: Vec<String> = (0..width).map(|at| format!(" y{at}:real")).collect();
    let columns = schema(&format!("t:datetime name:string{}", names.concat()));
    let row = |at: usize| {
        let ticks = 639_000_000_000_000_000 + at as i64 * 36_000_000_000;
        let waves = (0..width).map(|y| Value::Real((at as f64 / 9.0 + y as f64).sin() * 50.0));
        [Value::DateTime(ticks), Value::Text(format!("s{}", at % 3))].into_iter().chain(waves).collect()
    };
    Table { columns, rows: (0..count).map(row).collect(), rows_total: None }
}

/// Every visualization, and the properties that change the shape of a picture.
fn renders() -> Vec<&'static str> {
    let documented = cases::cases().into_iter().map(|case| case.render);
    documented
        .chain(["columnchart ysplit=panels;yaxis=log", "pivotchart title=T;ymin=1;ymax=0", "other"])
        .collect()
}

/// No value, size or property makes it panic; both forms are always there.
#[test]
fn hostile_values_are_drawn() {
    let wild = [
        Value::Null,
        Value::Real(f64::NAN),
        Value::Real(f64::INFINITY),
        Value::Real(f64::MAX),
        Value::Real(-f64::MAX),
        Value::Real(f64::MIN_POSITIVE),
        Value::Real(0.0),
        Value::Real(-0.0),
        Value::Integer(i64::MAX),
        Value::Integer(i64::MIN),
        Value::DateTime(i64::MIN),
        Value::DateTime(3_155_378_975_999_999_999),
        Value::TimeSpan(i64::MIN),
        Value::Decimal("not a number".to_owned()),
        Value::Text("<&\u{0}\u{1b}[31m\"'>\u{202e}".to_owned()),
        Value::Text("x".repeat(100_000)),
        Value::Array(vec![Value::Integer(1), Value::Null, Value::Text("2017-01-05T00:00:00Z".to_owned())]),
        Value::Point { longitude: 1e9, latitude: f64::NAN },
        Value::Bool(true),
    ];
    let columns = schema("c0:datetime c1:string c2:real c3:dynamic c4:timespan");
    for step in [1, 5, 7] {
        let rows = (0..40)
            .map(|row| (0..5).map(|at| wild[(row * step + at * 3) % wild.len()].clone()).collect())
            .collect();
        let table = Table { columns: columns.clone(), rows, rows_total: Some(u64::MAX) };
        for kind in renders() {
            let properties = properties(kind);
            for (width, height) in [(0, 0), (64, 4096), (300, 200)] {
                let look = Look { width, height, theme: Theme::Auto };
                let text = svg(&table, &properties, &look);
                assert!(
                    text.ends_with("</svg>\n") && !text.contains("NaN\"") && !text.contains('\u{1b}'),
                    "{kind}"
                );
            }
            blocks(&table, &properties, 0, 0, true);
        }
        png(&table, &properties("timechart"), &Look::default()).expect("png");
    }
}

/// Figures whose parts do not fit each other are drawn as far as they go, or told.
#[test]
fn hostile_figures_are_drawn() {
    let traces = [
        r#"{"type":"heatmap","z":[[],[1],[1,2,3],["x",null]]}"#,
        r#"{"type":"heatmap","z":{"dtype":"f8","bdata":"AAAA","shape":"1,0"}}"#,
        r#"{"type":"surface","z":[[1e308,-1e308]],"x":[[1],[2]]}"#,
        r#"{"type":"bar","x":["a","a",null,3,"2026-11-21"],"y":[1,"NaN",-1e308,1e308]}"#,
        r#"{"type":"bar","orientation":"h","y":[1,2],"x":[]}"#,
        r#"{"type":"scatter","fill":"tozeroy","y":[null,null,5]}"#,
        r#"{"type":"scatter","x":{"dtype":"i8","bdata":"!"},"y":{"dtype":"q9","bdata":"AAAA"}}"#,
        r#"{"type":"scatter3d","x":[1,1],"y":[1,1],"z":[1,null]}"#,
        r#"{"type":"scatter3d"}"#,
        r#"{"type":"histogram","x":["a","b","a"],"nbinsx":0}"#,
        r#"{"type":"histogram","x":[5,5,5],"nbinsx":99999999}"#,
        r#"{"type":"pie","labels":["a"],"values":[-1]}"#,
        r#"{"visible":false}"#,
        r#"{"type":7}"#,
    ];
    let layouts = ["{}", r#"{"barmode":"stack","xaxis":{"type":"log"},"yaxis":{"type":"log"}}"#, "[]"];
    let look = Look { width: 200, height: 120, theme: Theme::Auto };
    for trace in traces {
        for layout in layouts {
            let json = format!(r#"{{"data":[{trace},{trace}],"layout":{layout}}}"#);
            let table = Table {
                columns: schema("plotly:string"),
                rows: vec![vec![Value::Text(json)]],
                rows_total: None,
            };
            let text = svg(&table, &properties("plotly"), &look);
            assert!(text.ends_with("</svg>\n") && !text.contains("NaN\""), "{trace}");
            blocks(&table, &properties("plotly"), 40, 10, false);
        }
    }
}

#[test]
fn every_kind_draws_every_count_of_rows() {
    for count in [0, 1, 2, 50] {
        for width in [0, 1, 3] {
            let table = waves(count, width);
            for kind in renders() {
                let properties = properties(kind);
                let look = Look { width: 400, height: 300, theme: Theme::Dark };
                let text = svg(&table, &properties, &look);
                assert_eq!(text, svg(&table, &properties, &look), "the same each time");
                assert!(text.contains("role=\"img\"") && text.contains("<desc"), "{kind}");
                assert!(count > 0 || text.contains("No data"), "{kind}: {text}");
                assert!(!blocks(&table, &properties, 80, 20, false).contains('\u{1b}'));
            }
        }
    }
}

#[test]
fn many_points_are_few_shapes_and_keep_their_extremes() {
    let mut table = waves(200_000, 1);
    table.columns.remove(1);
    for row in &mut table.rows {
        row.remove(1);
    }
    table.rows[123_456][1] = Value::Real(9999.0);
    let look = Look::default();
    let text = svg(&table, &properties("timechart"), &look);
    assert!(text.len() < 100_000, "{}", text.len());
    assert!(text.contains("9,999"), "the description tells the largest value");
}

#[test]
fn ticks_are_round() {
    use super::scale::{Measure, Scale};
    let texts = |measure, low, high, log, count| {
        let ticks = Scale::new(measure, low, high, log).ticks(count);
        ticks.into_iter().map(|tick| tick.text).collect::<Vec<_>>().join(" ")
    };
    let day = text::TICKS_PER_DAY as f64;
    let from = (text::days_of(2026, 11, 20) * text::TICKS_PER_DAY) as f64;
    let cases = [
        (Measure::Number, 0.0, 10.0, false, 5, "0 2 4 6 8 10"),
        (Measure::Number, 0.0, 1.0, false, 4, "0 0.25 0.50 0.75 1.00"),
        (Measure::Number, 0.0, 30_000.0, false, 3, "0 10k 20k 30k"),
        (Measure::Number, -2e6, 2e6, false, 4, "-2M -1M 0 1M 2M"),
        (Measure::Number, 1.0, 1000.0, true, 4, "1 10 100 1,000"),
        (Measure::Time, from, from + 1.5 * day, false, 4, "Nov 20 12:00 Nov 21 12:00"),
        (Measure::Time, from, from + 90.0 * day, false, 3, "Dec 2027 Feb"),
        (Measure::Time, from, from + 45.0 * day, false, 4, "Dec 1 Dec 15 2027"),
        (Measure::Span, 0.0, 7200.0 * 1e7, false, 4, "0s 30m 1h 1h 30m 2h"),
    ];
    for (measure, low, high, log, count, expected) in cases {
        assert_eq!(texts(measure, low, high, log, count), expected, "{low} {high}");
    }
}

#[test]
fn calendar_days_go_there_and_back() {
    for day in (0..3_652_058).step_by(97) {
        let at = text::civil(day * text::TICKS_PER_DAY);
        assert_eq!(text::days_of(at.year, at.month, at.day), day);
    }
    assert_eq!(text::datetime(0), "0001-01-01");
    assert_eq!(
        text::datetime(text::days_of(2024, 2, 29) * text::TICKS_PER_DAY + 10_000_000),
        "2024-02-29 00:00:01"
    );
}
