//! A picture as shapes and texts with roles. Knows neither colours nor files.

/// What a shape is for; the theme gives it its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Paint {
    Background,
    Text,
    Muted,
    Grid,
    Axis,
    /// Behind heads of tables and other quiet areas.
    Soft,
    Anomaly,
    /// The ground of maps.
    Land,
    /// A step of the scale from little (0) to much (255).
    Heat(u8),
    /// Text upon the colour of a series.
    OnSeries(usize),
    /// Text in the colour of a series.
    SeriesText(usize),
    Series(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Segment {
    Move(f64, f64),
    Line(f64, f64),
    /// A circle's arc with this radius to a point: large, clockwise.
    Arc {
        radius: f64,
        large: bool,
        clockwise: bool,
        x: f64,
        y: f64,
    },
    Close,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Area {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

impl Area {
    pub fn right(&self) -> f64 {
        self.x + self.width
    }

    pub fn bottom(&self) -> f64 {
        self.y + self.height
    }

    /// The area less so much at its left, top, right and bottom, never less than nothing.
    pub fn inset(&self, left: f64, top: f64, right: f64, bottom: f64) -> Area {
        Area {
            x: self.x + left,
            y: self.y + top,
            width: (self.width - left - right).max(0.0),
            height: (self.height - top - bottom).max(0.0),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    pub x: f64,
    /// Of the base line.
    pub y: f64,
    pub text: String,
    pub size: f64,
    pub anchor: Anchor,
    /// Turned to be read upwards.
    pub upward: bool,
    /// The whole text, where `text` is cut.
    pub full: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    Group(Group),
    Rect { area: Area, radius: f64 },
    Line { x1: f64, y1: f64, x2: f64, y2: f64 },
    Path(Vec<Segment>),
    Circle { x: f64, y: f64, radius: f64 },
    Label(Label),
}

/// Nodes that are painted alike.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    pub fill: Option<Paint>,
    pub stroke: Option<Paint>,
    pub width: f64,
    /// Of the fill; 0 counts as 1.
    pub opacity: f64,
    pub dashed: bool,
    /// What it is, for those who hover or hear.
    pub title: Option<String>,
    /// Only what is within is seen.
    pub clip: Option<Area>,
    pub nodes: Vec<Node>,
}

impl Group {
    pub fn fill(paint: Paint) -> Group {
        Group { fill: Some(paint), ..Group::default() }
    }

    pub fn stroke(paint: Paint, width: f64) -> Group {
        Group { stroke: Some(paint), width, ..Group::default() }
    }

    pub fn rect(&mut self, x: f64, y: f64, width: f64, height: f64) {
        self.nodes.push(Node::Rect {
            area: Area { x, y, width: width.max(0.0), height: height.max(0.0) },
            radius: 0.0,
        });
    }

    pub fn line(&mut self, x1: f64, y1: f64, x2: f64, y2: f64) {
        self.nodes.push(Node::Line { x1, y1, x2, y2 });
    }

    pub fn circle(&mut self, x: f64, y: f64, radius: f64) {
        self.nodes.push(Node::Circle { x, y, radius });
    }

    pub fn text(&mut self, x: f64, y: f64, text: impl Into<String>, size: f64, anchor: Anchor) {
        let label = Label { x, y, text: text.into(), size, anchor, upward: false, full: None };
        self.nodes.push(Node::Label(label));
    }

    /// A text in so much room, cut where it is too long.
    pub fn fitted(&mut self, x: f64, y: f64, text: &str, size: f64, anchor: Anchor, room: f64) {
        let cut = super::font::fit(text, size, room);
        let full = (cut != text).then(|| text.chars().take(1000).collect());
        self.nodes.push(Node::Label(Label { x, y, text: cut, size, anchor, upward: false, full }));
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
    pub width: f64,
    pub height: f64,
    pub title: String,
    pub description: String,
    /// What the reader must know about what is not shown.
    pub notes: Vec<String>,
    pub nodes: Vec<Node>,
}

impl Scene {
    pub fn new(width: f64, height: f64) -> Scene {
        Scene { width, height, ..Scene::default() }
    }

    pub fn add(&mut self, group: Group) {
        if !group.nodes.is_empty() {
            self.nodes.push(Node::Group(group));
        }
    }

    pub fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

/// A position in the middle of a pixel: lines of one pixel are crisp there.
pub fn crisp(position: f64) -> f64 {
    position.floor() + 0.5
}
