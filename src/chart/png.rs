//! A scene as a PNG, drawn shape by shape: the same look as the SVG, without parsing it again.

use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Mask, Paint as Ink, Path, PathBuilder, Pixmap, Rect, Stroke,
    StrokeDash, Transform,
};
use ttf_parser::OutlineBuilder;

use super::font;
use super::scene::{Anchor, Area, Group, Label, Node, Paint, Scene, Segment};
use super::theme::{self, Theme};

pub fn write(scene: &Scene, look: Theme) -> Result<Vec<u8>, String> {
    let mut pixels = Pixmap::new(scene.width as u32, scene.height as u32)
        .ok_or_else(|| "the picture is too large for memory".to_owned())?;
    let dark = look == Theme::Dark;
    pixels.fill(colour(Paint::Background, dark, 1.0));
    let mut painter = Painter { pixels, dark, clip: None };
    for node in &scene.nodes {
        painter.node(node, &Group::default());
    }
    painter.pixels.encode_png().map_err(|error| error.to_string())
}

fn colour(paint: Paint, dark: bool, opacity: f64) -> Color {
    let [_, red, green, blue] = theme::colour(paint, dark).to_be_bytes();
    Color::from_rgba8(red, green, blue, (opacity.clamp(0.0, 1.0) * 255.0).round() as u8)
}

struct Painter {
    pixels: Pixmap,
    dark: bool,
    clip: Option<Mask>,
}

fn near(value: f64) -> f32 {
    if value.is_finite() { value.clamp(-1e5, 1e5) as f32 } else { 0.0 }
}

fn rect(area: &Area) -> Option<Rect> {
    Rect::from_xywh(near(area.x), near(area.y), near(area.width), near(area.height))
}

impl Painter {
    fn node(&mut self, node: &Node, style: &Group) {
        match node {
            Node::Group(group) => {
                let kept = group.clip.map(|area| {
                    let mut mask = Mask::new(self.pixels.width(), self.pixels.height());
                    if let (Some(mask), Some(rect)) = (&mut mask, rect(&area)) {
                        let path = PathBuilder::from_rect(rect);
                        mask.fill_path(&path, FillRule::Winding, true, Transform::identity());
                    }
                    std::mem::replace(&mut self.clip, mask)
                });
                for node in &group.nodes {
                    self.node(node, group);
                }
                if let Some(kept) = kept {
                    self.clip = kept;
                }
            }
            Node::Rect { area, radius } => {
                if *radius <= 0.0 {
                    if let Some(rect) = rect(area) {
                        self.path(&PathBuilder::from_rect(rect), style);
                    }
                } else {
                    let mut pen = PathBuilder::new();
                    rounded(&mut pen, area, radius.min(area.width / 2.0).min(area.height / 2.0));
                    self.finish(pen, style);
                }
            }
            Node::Line { x1, y1, x2, y2 } => {
                let mut pen = PathBuilder::new();
                pen.move_to(near(*x1), near(*y1));
                pen.line_to(near(*x2), near(*y2));
                self.finish(pen, style);
            }
            Node::Circle { x, y, radius } => {
                if let Some(path) = PathBuilder::from_circle(near(*x), near(*y), near(*radius)) {
                    self.path(&path, style);
                }
            }
            Node::Path(segments) => {
                let mut pen = PathBuilder::new();
                let mut here = (0.0, 0.0);
                for segment in segments {
                    match *segment {
                        Segment::Move(x, y) => {
                            pen.move_to(near(x), near(y));
                            here = (x, y);
                        }
                        Segment::Line(x, y) => {
                            pen.line_to(near(x), near(y));
                            here = (x, y);
                        }
                        Segment::Arc { radius, large, clockwise, x, y } => {
                            arc(&mut pen, here, (x, y), radius, large, clockwise);
                            here = (x, y);
                        }
                        Segment::Close => pen.close(),
                    }
                }
                self.finish(pen, style);
            }
            Node::Label(label) => self.label(label, style),
        }
    }

    fn finish(&mut self, pen: PathBuilder, style: &Group) {
        if let Some(path) = pen.finish() {
            self.path(&path, style);
        }
    }

    fn path(&mut self, path: &Path, style: &Group) {
        let mut ink = Ink { anti_alias: true, ..Ink::default() };
        let fill = style.fill.or(if style.stroke.is_none() { Some(Paint::Text) } else { None });
        if let Some(fill) = fill {
            let opacity = if style.opacity > 0.0 { style.opacity } else { 1.0 };
            ink.set_color(colour(fill, self.dark, opacity));
            self.pixels.fill_path(path, &ink, FillRule::Winding, Transform::identity(), self.clip.as_ref());
        }
        if let Some(stroke) = style.stroke {
            ink.set_color(colour(stroke, self.dark, 1.0));
            let stroke = Stroke {
                width: near(style.width),
                line_cap: LineCap::Round,
                line_join: LineJoin::Round,
                dash: if style.dashed { StrokeDash::new(vec![4.0, 4.0], 0.0) } else { None },
                ..Stroke::default()
            };
            self.pixels.stroke_path(path, &ink, &stroke, Transform::identity(), self.clip.as_ref());
        }
    }

    fn label(&mut self, label: &Label, style: &Group) {
        let scale = font::scale(label.size);
        let shift = match label.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => font::width(&label.text, label.size) / -2.0,
            Anchor::End => -font::width(&label.text, label.size),
        };
        let offset = std::cell::Cell::new(0.0);
        let mut pen = Pen { path: PathBuilder::new(), label, scale, shift, offset: &offset };
        font::outline(&label.text, label.size, &mut pen, &mut |x| offset.set(x));
        let path = pen.path;
        let text =
            Group { stroke: None, opacity: 1.0, fill: style.fill.or(Some(Paint::Text)), ..Group::default() };
        self.finish(path, &text);
    }
}

fn rounded(pen: &mut PathBuilder, area: &Area, radius: f64) {
    let (left, top, right, bottom) = (area.x, area.y, area.right(), area.bottom());
    let at = |x: f64, y: f64| (near(x), near(y));
    let corner = |pen: &mut PathBuilder, control: (f64, f64), end: (f64, f64)| {
        let ((cx, cy), (x, y)) = (at(control.0, control.1), at(end.0, end.1));
        pen.quad_to(cx, cy, x, y);
    };
    pen.move_to(near(left + radius), near(top));
    pen.line_to(near(right - radius), near(top));
    corner(pen, (right, top), (right, top + radius));
    pen.line_to(near(right), near(bottom - radius));
    corner(pen, (right, bottom), (right - radius, bottom));
    pen.line_to(near(left + radius), near(bottom));
    corner(pen, (left, bottom), (left, bottom - radius));
    pen.line_to(near(left), near(top + radius));
    corner(pen, (left, top), (left + radius, top));
    pen.close();
}

/// The arc as short lines: pictures are not enlarged.
fn arc(pen: &mut PathBuilder, from: (f64, f64), to: (f64, f64), radius: f64, large: bool, clockwise: bool) {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let chord = dx.hypot(dy);
    if chord < 1e-9 || radius < 1e-9 {
        return pen.line_to(near(to.0), near(to.1));
    }
    let radius = radius.max(chord / 2.0);
    let height = (radius * radius - chord * chord / 4.0).max(0.0).sqrt();
    let side = if large == clockwise { -1.0 } else { 1.0 };
    let centre = (
        (from.0 + to.0) / 2.0 + side * -dy / chord * height,
        (from.1 + to.1) / 2.0 + side * dx / chord * height,
    );
    let begin = (from.1 - centre.1).atan2(from.0 - centre.0);
    let end = (to.1 - centre.1).atan2(to.0 - centre.0);
    let turn = std::f64::consts::TAU;
    let mut sweep = (end - begin).rem_euclid(turn);
    if !clockwise {
        sweep -= turn;
    }
    let steps = ((sweep.abs() * radius / 2.0).ceil() as usize).clamp(8, 2000);
    for step in 1..=steps {
        let angle = begin + sweep * step as f64 / steps as f64;
        pen.line_to(near(centre.0 + radius * angle.cos()), near(centre.1 + radius * angle.sin()));
    }
}

/// Takes outlines in font units to where the label stands.
struct Pen<'a> {
    path: PathBuilder,
    label: &'a Label,
    scale: f64,
    shift: f64,
    offset: &'a std::cell::Cell<f64>,
}

impl Pen<'_> {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        let along = self.shift + self.offset.get() + f64::from(x) * self.scale;
        let up = f64::from(y) * self.scale;
        if self.label.upward {
            (near(self.label.x - up), near(self.label.y - along))
        } else {
            (near(self.label.x + along), near(self.label.y - up))
        }
    }
}

impl OutlineBuilder for Pen<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.path.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}
