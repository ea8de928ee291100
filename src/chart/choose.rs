//! Which columns a visualization takes as x, y, series and anomalies. Depends on the schema and properties only.
//!
//! Reference: render-operator ("How to render continuous data") and the head of each visualization-* page.

use super::{Column, ColumnKind, Kind, Properties, VisualKind};

/// Positions in the schema.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// `None`: the number of the row.
    pub x: Option<usize>,
    /// The end of the bars of ladder chart and time pivot; the latitude of a map.
    pub x_end: Option<usize>,
    pub y: Vec<usize>,
    pub series: Vec<usize>,
    pub anomalies: Vec<usize>,
    /// Why the visualization cannot be drawn with these columns.
    pub problem: Option<String>,
    /// Names in the properties that no column has.
    pub missing: Vec<String>,
}

fn is_measure(kind: ColumnKind) -> bool {
    matches!(kind, ColumnKind::Number | ColumnKind::Numbers)
}

fn is_label(kind: ColumnKind) -> bool {
    matches!(kind, ColumnKind::Text | ColumnKind::Bool)
}

fn is_time(kind: ColumnKind) -> bool {
    matches!(kind, ColumnKind::DateTime | ColumnKind::Times)
}

/// Chooses the columns.
pub fn choose(columns: &[Column], properties: &Properties) -> Choice {
    let mut choice = choose_known(columns, properties);
    let named = [&properties.y_columns, &properties.series, &properties.anomaly_columns];
    for name in properties.x_column.iter().chain(named.into_iter().flatten().flatten()) {
        if !choice.missing.contains(name) && columns.iter().all(|column| column.name != *name) {
            choice.missing.push(name.clone());
        }
    }
    choice
}

fn choose_known(columns: &[Column], properties: &Properties) -> Choice {
    let find = |name: &String| columns.iter().position(|column| column.name == *name);
    let find_all = |names: &Option<Vec<String>>| -> Option<Vec<usize>> {
        names
            .as_ref()
            .map(|names| names.iter().filter_map(find).collect::<Vec<_>>())
            .filter(|all| !all.is_empty())
    };
    let mut chooser = Chooser {
        columns,
        x: properties.x_column.as_ref().and_then(find),
        y: find_all(&properties.y_columns),
        series: find_all(&properties.series),
        anomalies: find_all(&properties.anomaly_columns).unwrap_or_default(),
    };
    match properties.kind {
        Kind::Table | Kind::Card | Kind::Plotly | Kind::Other => Choice::default(),
        Kind::PivotChart => chooser.pivot(),
        Kind::LadderChart => chooser.ladder(),
        Kind::TimePivot => chooser.time_pivot(),
        Kind::TreeMap => chooser.tree_map(),
        Kind::PieChart | Kind::ScatterChart if properties.shape == VisualKind::Map => chooser.map(),
        Kind::AnomalyChart => {
            if chooser.anomalies.is_empty() {
                // Names as the functions for anomalies give them by themselves.
                let y = chooser.y.clone().unwrap_or_default();
                chooser.anomalies = (0..columns.len())
                    .filter(|at| is_measure(columns[*at].kind) && !y.contains(at) && Some(*at) != chooser.x)
                    .filter(|at| {
                        let name = columns[*at].name.to_ascii_lowercase();
                        name.contains("anomal") || name.ends_with("_ad_flag")
                    })
                    .collect();
            }
            chooser.continuous(true)
        }
        Kind::TimeChart => chooser.continuous(true),
        Kind::LineChart | Kind::AreaChart | Kind::StackedAreaChart | Kind::ScatterChart => {
            chooser.continuous(false)
        }
        Kind::BarChart | Kind::ColumnChart | Kind::PieChart => chooser.categories(),
    }
}

struct Chooser<'a> {
    columns: &'a [Column],
    x: Option<usize>,
    y: Option<Vec<usize>>,
    series: Option<Vec<usize>>,
    anomalies: Vec<usize>,
}

impl Chooser<'_> {
    /// The columns that no property named, in order.
    fn free(&self) -> Vec<usize> {
        (0..self.columns.len()).filter(|at| !self.is_named(*at)).collect()
    }

    fn is_named(&self, at: usize) -> bool {
        self.x == Some(at)
            || self.y.as_ref().is_some_and(|y| y.contains(&at))
            || self.series.as_ref().is_some_and(|series| series.contains(&at))
            || self.anomalies.contains(&at)
    }

    fn kind(&self, at: usize) -> ColumnKind {
        self.columns[at].kind
    }

    /// The first free column that fits and leaves something to measure.
    fn first_x(&self, fits: impl Fn(ColumnKind) -> bool) -> Option<usize> {
        let free = self.free();
        let measures = free.iter().filter(|at| is_measure(self.kind(**at))).count();
        let spans = free.iter().filter(|at| self.kind(**at) == ColumnKind::TimeSpan).count();
        free.into_iter().find(|at| {
            let kind = self.kind(*at);
            if !fits(kind) {
                return false;
            }
            let left = measures - usize::from(is_measure(kind));
            let left_spans = spans - usize::from(kind == ColumnKind::TimeSpan);
            self.y.is_some() || left > 0 || (measures == 0 && left_spans > 0)
        })
    }

    /// Line, area and scatter charts: the first column that can be an axis, every other number, labels as series.
    fn continuous(mut self, time: bool) -> Choice {
        if self.x.is_none() {
            self.x = if time { self.first_x(is_time) } else { None }
                .or_else(|| {
                    self.first_x(|kind| is_time(kind) || is_measure(kind) || kind == ColumnKind::TimeSpan)
                })
                .or_else(|| self.first_x(is_label));
        }
        self.finish(true)
    }

    /// Bar, column and pie charts: the first column of any kind.
    fn categories(mut self) -> Choice {
        if self.x.is_none() {
            self.x = self.first_x(|_| true);
        }
        self.finish(false)
    }

    fn finish(self, all: bool) -> Choice {
        let y = self.y.clone().unwrap_or_else(|| {
            let free = self.free();
            let numbers: Vec<usize> = free.iter().copied().filter(|at| is_measure(self.kind(*at))).collect();
            if numbers.is_empty() {
                free.into_iter().filter(|at| self.kind(*at) == ColumnKind::TimeSpan).collect()
            } else {
                numbers
            }
        });
        let series = self.series.clone().unwrap_or_else(|| {
            let labels = self.free().into_iter().filter(|at| is_label(self.kind(*at)));
            labels.filter(|at| !y.contains(at)).collect()
        });
        let problem = y.is_empty().then(|| {
            let what = if all { "to draw" } else { "to measure" };
            format!("there is no numeric column {what}")
        });
        Choice { x: self.x, x_end: None, y, series, anomalies: self.anomalies, problem, ..Choice::default() }
    }

    /// The last two columns are the ends of the bars, the others name them.
    fn ladder(self) -> Choice {
        let count = self.columns.len();
        let named = |at: usize| self.series.as_ref().is_some_and(|series| series.contains(&at));
        let ends: Vec<usize> = (0..count).filter(|at| !named(*at) && !is_label(self.kind(*at))).collect();
        let Some([start, end]) = ends.last_chunk::<2>() else {
            return Choice {
                problem: Some("a ladder chart needs two columns for the ends of its bars".to_owned()),
                ..Choice::default()
            };
        };
        let y = self
            .y
            .clone()
            .unwrap_or_else(|| (0..count).filter(|at| at != start && at != end && !named(*at)).collect());
        Choice {
            x: Some(self.x.unwrap_or(*start)),
            x_end: Some(*end),
            y,
            series: self.series.unwrap_or_default(),
            ..Choice::default()
        }
    }

    /// The first datetime is the begin, the second the end; rows are the values of the series columns.
    fn time_pivot(self) -> Choice {
        let times: Vec<usize> =
            (0..self.columns.len()).filter(|at| self.kind(*at) == ColumnKind::DateTime).collect();
        let Some(first) = self.x.or_else(|| times.first().copied()) else {
            return Choice {
                problem: Some("a time pivot needs a datetime column".to_owned()),
                ..Choice::default()
            };
        };
        let series = self.series.clone().unwrap_or_else(|| {
            let labels: Vec<usize> = (0..self.columns.len()).filter(|at| is_label(self.kind(*at))).collect();
            // Spans of OpenTelemetry are told apart by their kind.
            let kind = labels.iter().find(|at| self.columns[**at].name == "SpanKind");
            kind.or(labels.first()).map(|at| vec![*at]).unwrap_or_default()
        });
        Choice {
            x: Some(first),
            x_end: times.iter().copied().find(|at| *at != first),
            series,
            ..Choice::default()
        }
    }

    /// Rows by the first datetime, else the first label, columns by the next label, the first number within; where
    /// there is no number, rows are counted.
    fn pivot(mut self) -> Choice {
        let labels = |chooser: &Self| -> Vec<usize> {
            chooser.free().into_iter().filter(|at| is_label(chooser.kind(*at))).collect()
        };
        if self.x.is_none() {
            let time = self.free().into_iter().find(|at| self.kind(*at) == ColumnKind::DateTime);
            self.x = time.or_else(|| labels(&self).first().copied()).or_else(|| self.first_x(|_| true));
        }
        let series = self.series.clone().unwrap_or_else(|| labels(&self).into_iter().take(1).collect());
        let y = self
            .y
            .clone()
            .unwrap_or_else(|| self.free().into_iter().filter(|at| is_measure(self.kind(*at))).collect());
        let problem = self.x.is_none().then(|| "there is no column to pivot by".to_owned());
        Choice { x: self.x, series, y: y.into_iter().take(1).collect(), problem, ..Choice::default() }
    }

    /// Labels from the outside in, the first number as the size.
    fn tree_map(mut self) -> Choice {
        let size = match &self.y {
            Some(y) => y.first().copied(),
            None => self
                .free()
                .into_iter()
                .find(|at| is_measure(self.kind(*at)) || self.kind(*at) == ColumnKind::TimeSpan),
        };
        self.y = size.map(|at| vec![at]);
        let series = self.series.clone().unwrap_or_else(|| {
            let free = self.free();
            let labels: Vec<usize> = free.iter().copied().filter(|at| !is_measure(self.kind(*at))).collect();
            if labels.is_empty() { free.into_iter().take(1).collect() } else { labels }
        });
        let problem = size.is_none().then(|| "there is no numeric column for the sizes".to_owned());
        Choice { y: size.into_iter().collect(), series, problem, ..Choice::default() }
    }

    /// Longitude and latitude (or a GeoJSON point), then a number for the size; labels are series.
    fn map(self) -> Choice {
        let free = self.free();
        let points = free
            .iter()
            .copied()
            .find(|at| matches!(self.kind(*at), ColumnKind::Points | ColumnKind::Dynamic));
        let numbers: Vec<usize> = free.iter().copied().filter(|at| is_measure(self.kind(*at))).collect();
        let (x, x_end, rest) = match (self.x, points, numbers.as_slice()) {
            (Some(x), _, numbers) => match (&self.y, numbers) {
                (Some(y), numbers) => (Some(x), y.first().copied(), numbers),
                (None, [y, rest @ ..]) => (Some(x), Some(*y), rest),
                (None, []) => (Some(x), None, &[][..]),
            },
            (None, Some(point), numbers) => (Some(point), None, numbers),
            (None, None, [x, y, rest @ ..]) => (Some(*x), Some(*y), rest),
            (None, None, _) => (None, None, &[][..]),
        };
        let problem =
            x.is_none().then(|| "a map needs longitude and latitude, or a GeoJSON point".to_owned());
        let series = self
            .series
            .clone()
            .unwrap_or_else(|| free.iter().copied().filter(|at| is_label(self.kind(*at))).collect());
        Choice { x, x_end, y: rest.iter().copied().take(1).collect(), series, problem, ..Choice::default() }
    }
}
