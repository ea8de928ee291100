//! What `render` says: the visualization and its `with (…)` properties. Knows no columns beyond their names.

/// The visualizations that are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    #[default]
    Table,
    TimeChart,
    LineChart,
    AnomalyChart,
    AreaChart,
    StackedAreaChart,
    BarChart,
    ColumnChart,
    PieChart,
    ScatterChart,
    LadderChart,
    Card,
    TreeMap,
    TimePivot,
    PivotChart,
    Plotly,
    /// A visualization that is only shown as a table.
    Other,
}

impl Kind {
    fn of(name: &str) -> Kind {
        match name.to_ascii_lowercase().as_str() {
            "" | "table" | "list" => Kind::Table,
            "timechart" => Kind::TimeChart,
            "linechart" => Kind::LineChart,
            "anomalychart" => Kind::AnomalyChart,
            "areachart" => Kind::AreaChart,
            "stackedareachart" => Kind::StackedAreaChart,
            "barchart" => Kind::BarChart,
            "columnchart" | "3dchart" => Kind::ColumnChart,
            "piechart" => Kind::PieChart,
            "scatterchart" => Kind::ScatterChart,
            "ladderchart" => Kind::LadderChart,
            "card" => Kind::Card,
            "treemap" => Kind::TreeMap,
            "timepivot" | "timeline" => Kind::TimePivot,
            "pivotchart" => Kind::PivotChart,
            "plotly" => Kind::Plotly,
            _ => Kind::Other,
        }
    }

    /// As `render` has it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Table | Kind::Other => "table",
            Kind::TimeChart => "timechart",
            Kind::LineChart => "linechart",
            Kind::AnomalyChart => "anomalychart",
            Kind::AreaChart => "areachart",
            Kind::StackedAreaChart => "stackedareachart",
            Kind::BarChart => "barchart",
            Kind::ColumnChart => "columnchart",
            Kind::PieChart => "piechart",
            Kind::ScatterChart => "scatterchart",
            Kind::LadderChart => "ladderchart",
            Kind::Card => "card",
            Kind::TreeMap => "treemap",
            Kind::TimePivot => "timepivot",
            Kind::PivotChart => "pivotchart",
            Kind::Plotly => "plotly",
        }
    }

    /// In words, for those who hear the picture.
    pub fn title(self) -> &'static str {
        match self {
            Kind::Table | Kind::Other => "Table",
            Kind::PivotChart => "Pivot chart",
            Kind::Plotly => "Plotly figure",
            Kind::TimeChart => "Time chart",
            Kind::LineChart => "Line chart",
            Kind::AnomalyChart => "Anomaly chart",
            Kind::AreaChart => "Area chart",
            Kind::StackedAreaChart => "Stacked area chart",
            Kind::BarChart => "Bar chart",
            Kind::ColumnChart => "Column chart",
            Kind::PieChart => "Pie chart",
            Kind::ScatterChart => "Scatter chart",
            Kind::LadderChart => "Ladder chart",
            Kind::Card => "Card",
            Kind::TreeMap => "Tree map",
            Kind::TimePivot => "Time pivot",
        }
    }

    /// Whether it cannot be drawn without columns of the right kinds.
    pub fn needs_columns(self) -> bool {
        !matches!(self, Kind::Table | Kind::Plotly | Kind::Other | Kind::Card)
    }

    /// Whether its marks are lines through points ordered by x.
    pub fn is_line(self) -> bool {
        matches!(
            self,
            Kind::TimeChart | Kind::LineChart | Kind::AnomalyChart | Kind::AreaChart | Kind::StackedAreaChart
        )
    }

    pub fn is_bar(self) -> bool {
        matches!(self, Kind::BarChart | Kind::ColumnChart)
    }
}

/// The property `kind`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VisualKind {
    #[default]
    Default,
    Unstacked,
    Stacked,
    Stacked100,
    Map,
}

/// The property `ysplit`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum YSplit {
    #[default]
    None,
    Axes,
    Panels,
}

/// All that `render` says. Texts are empty and lists `None` where it says nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Properties {
    pub kind: Kind,
    /// The visualization's name as it was written.
    pub visualization: String,
    pub title: String,
    pub x_title: Option<String>,
    pub y_title: Option<String>,
    pub x_column: Option<String>,
    pub y_columns: Option<Vec<String>>,
    pub series: Option<Vec<String>>,
    pub anomaly_columns: Option<Vec<String>>,
    pub x_log: bool,
    pub y_log: bool,
    pub legend: Option<bool>,
    pub split: YSplit,
    pub accumulate: bool,
    pub shape: VisualKind,
    pub y_min: Option<f64>,
    pub y_max: Option<f64>,
    /// Bounds of the x axis: numbers, or ticks of datetimes and timespans.
    pub x_min: Option<f64>,
    pub x_max: Option<f64>,
}

impl Properties {
    /// From the visualization's name and its properties; those unknown are passed over.
    pub fn new<'a>(
        visualization: &str,
        properties: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Properties {
        let mut found = Properties {
            kind: Kind::of(visualization),
            visualization: visualization.to_owned(),
            ..Properties::default()
        };
        for (name, value) in properties {
            found.set(name, value);
        }
        found
    }

    fn set(&mut self, name: &str, value: &str) {
        let is = |word: &str| value.trim().eq_ignore_ascii_case(word);
        let number = || value.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        match name.to_ascii_lowercase().as_str() {
            "title" => self.title = value.to_owned(),
            "xtitle" => self.x_title = Some(value.to_owned()),
            "ytitle" => self.y_title = Some(value.to_owned()),
            "xcolumn" => self.x_column = names(value).and_then(|names| names.into_iter().next()),
            "ycolumns" => self.y_columns = names(value),
            "series" | "by" => self.series = names(value),
            "anomalycolumns" => self.anomaly_columns = names(value),
            "xaxis" => self.x_log = is("log"),
            "yaxis" => self.y_log = is("log"),
            "legend" if is("hidden") => self.legend = Some(false),
            "legend" if is("visible") => self.legend = Some(true),
            "ysplit" if is("axes") => self.split = YSplit::Axes,
            "ysplit" if is("panels") => self.split = YSplit::Panels,
            "accumulate" => self.accumulate = is("true") || is("1"),
            "kind" => {
                self.shape = if is("stacked") {
                    VisualKind::Stacked
                } else if is("stacked100") {
                    VisualKind::Stacked100
                } else if is("map") {
                    VisualKind::Map
                } else if is("unstacked") {
                    VisualKind::Unstacked
                } else {
                    VisualKind::Default
                };
            }
            "ymin" => self.y_min = number(),
            "ymax" => self.y_max = number(),
            "xmin" => self.x_min = number(),
            "xmax" => self.x_max = number(),
            _ => {}
        }
    }

    pub fn stacks(&self) -> bool {
        match self.shape {
            VisualKind::Stacked | VisualKind::Stacked100 => {
                self.kind.is_bar() || matches!(self.kind, Kind::AreaChart | Kind::StackedAreaChart)
            }
            VisualKind::Unstacked => false,
            _ => self.kind == Kind::StackedAreaChart,
        }
    }

    /// Whether each stack is stretched to a hundred percent.
    pub fn is_share(&self) -> bool {
        self.stacks() && self.shape == VisualKind::Stacked100
    }
}

fn names(list: &str) -> Option<Vec<String>> {
    let names: Vec<String> =
        list.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    (!names.is_empty()).then_some(names)
}
