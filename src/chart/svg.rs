//! A scene as a stand-alone SVG: no scripts, nothing loaded, with a title and a description.
//!
//! Colours are attributes, which a page's content policy does not forbid; only the theme that follows the reader's
//! system adds a style sheet. The same scene always gives the same bytes.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::font;
use super::scene::{Anchor, Area, Group, Label, Node, Paint, Scene, Segment};
use super::theme::{self, Theme};

pub fn write(scene: &Scene, theme: Theme) -> String {
    let mut writer = Writer {
        out: String::with_capacity(16 << 10),
        dark: theme == Theme::Dark,
        classes: theme == Theme::Auto,
        id: identity(scene),
        clips: 0,
        used: BTreeSet::new(),
    };
    writer.document(scene);
    writer.out
}

/// Ids must differ between the pictures of one page.
fn identity(scene: &Scene) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in scene.title.bytes().chain(scene.description.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("c{:08x}", (hash >> 32) ^ (hash & 0xffff_ffff))
}

struct Writer {
    out: String,
    dark: bool,
    classes: bool,
    id: String,
    clips: usize,
    used: BTreeSet<Paint>,
}

impl Writer {
    fn document(&mut self, scene: &Scene) {
        let (width, height) = (scene.width, scene.height);
        let id = self.id.clone();
        let _ = write!(
            self.out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{id}t {id}d\" font-family=\"{}\">\n<title id=\"{id}t\">{}</title>\n<desc id=\"{id}d\">{}</desc>\n",
            font::FAMILY,
            escaped(&scene.title),
            escaped(&scene.description),
        );
        let style_at = self.out.len();
        let mut background = Group::fill(Paint::Background);
        background.rect(0.0, 0.0, width, height);
        self.group(&background);
        for node in &scene.nodes {
            self.node(node);
        }
        self.out.push_str("</svg>\n");
        if self.classes {
            let mut style = String::from("<style>@media (prefers-color-scheme:dark){");
            for paint in &self.used {
                let class = theme::class(*paint);
                let colour = theme::colour(*paint, true);
                let _ = write!(style, ".f{class}{{fill:#{colour:06x}}}.l{class}{{stroke:#{colour:06x}}}");
            }
            style.push_str("}</style>\n");
            self.out.insert_str(style_at, &style);
        }
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Group(group) => self.group(group),
            Node::Rect { area, radius } => {
                self.rect(area);
                if *radius > 0.0 {
                    let _ = write!(self.out, " rx=\"{}\"", Short(*radius));
                }
                self.out.push_str("/>");
            }
            Node::Line { x1, y1, x2, y2 } => {
                let _ = write!(
                    self.out,
                    "<path d=\"M{} {}L{} {}\"/>",
                    Short(*x1),
                    Short(*y1),
                    Short(*x2),
                    Short(*y2)
                );
            }
            Node::Circle { x, y, radius } => {
                let _ = write!(
                    self.out,
                    "<circle cx=\"{}\" cy=\"{}\" r=\"{}\"/>",
                    Short(*x),
                    Short(*y),
                    Short(*radius)
                );
            }
            Node::Path(segments) => self.path(segments),
            Node::Label(label) => self.label(label),
        }
    }

    fn rect(&mut self, area: &Area) {
        let _ = write!(
            self.out,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
            Short(area.x),
            Short(area.y),
            Short(area.width.max(0.0)),
            Short(area.height.max(0.0))
        );
    }

    fn path(&mut self, segments: &[Segment]) {
        self.out.push_str("<path d=\"");
        for segment in segments {
            let _ = match segment {
                Segment::Move(x, y) => write!(self.out, "M{} {}", Short(*x), Short(*y)),
                Segment::Line(x, y) => write!(self.out, "L{} {}", Short(*x), Short(*y)),
                Segment::Arc { radius, large, clockwise, x, y } => write!(
                    self.out,
                    "A{r} {r} 0 {} {} {} {}",
                    u8::from(*large),
                    u8::from(*clockwise),
                    Short(*x),
                    Short(*y),
                    r = Short(*radius)
                ),
                Segment::Close => write!(self.out, "Z"),
            };
        }
        self.out.push_str("\"/>");
    }

    fn label(&mut self, label: &Label) {
        let anchor = match label.anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let _ = write!(self.out, "<text x=\"{}\" y=\"{}\"{anchor}", Short(label.x), Short(label.y));
        let _ = write!(self.out, " font-size=\"{}\"", Short(label.size));
        if label.upward {
            let _ = write!(self.out, " transform=\"rotate(-90 {} {})\"", Short(label.x), Short(label.y));
        }
        self.out.push('>');
        if let Some(full) = &label.full {
            let _ = write!(self.out, "<title>{}</title>", escaped(full));
        }
        let _ = write!(self.out, "{}</text>", escaped(&label.text));
    }

    fn group(&mut self, group: &Group) {
        let mut clip = String::new();
        if let Some(area) = &group.clip {
            self.clips += 1;
            let name = format!("{}k{}", self.id, self.clips);
            let _ = write!(self.out, "<clipPath id=\"{name}\">");
            self.rect(area);
            self.out.push_str("/></clipPath>");
            clip = format!(" clip-path=\"url(#{name})\"");
        }
        self.out.push_str("<g");
        let mut classes = String::new();
        for (paint, name, letter) in [(group.fill, "fill", "f"), (group.stroke, "stroke", "l")] {
            match paint {
                Some(paint) => {
                    let colour = theme::colour(paint, self.dark);
                    let _ = write!(self.out, " {name}=\"#{colour:06x}\"");
                    if self.classes {
                        self.used.insert(paint);
                        let _ = write!(
                            classes,
                            "{}{letter}{}",
                            if classes.is_empty() { "" } else { " " },
                            theme::class(paint)
                        );
                    }
                }
                None if name == "fill" && group.stroke.is_some() => self.out.push_str(" fill=\"none\""),
                None => {}
            }
        }
        if group.stroke.is_some() {
            let _ = write!(
                self.out,
                " stroke-width=\"{}\" stroke-linejoin=\"round\" stroke-linecap=\"round\"",
                Short(group.width)
            );
        }
        if group.dashed {
            self.out.push_str(" stroke-dasharray=\"4 4\"");
        }
        if group.opacity > 0.0 && group.opacity < 1.0 {
            let _ = write!(self.out, " fill-opacity=\"{}\"", Short(group.opacity));
        }
        if !classes.is_empty() {
            let _ = write!(self.out, " class=\"{classes}\"");
        }
        self.out.push_str(&clip);
        self.out.push('>');
        if let Some(title) = &group.title {
            let _ = write!(self.out, "<title>{}</title>", escaped(title));
        }
        for node in &group.nodes {
            self.node(node);
        }
        self.out.push_str("</g>\n");
    }
}

/// A coordinate with at most two digits; what is no number is nought.
struct Short(f64);

impl std::fmt::Display for Short {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = if self.0.is_finite() { self.0.clamp(-1e6, 1e6) } else { 0.0 };
        let hundredths = (value * 100.0).round() as i64;
        let (sign, size) = (if hundredths < 0 { "-" } else { "" }, hundredths.abs());
        match size % 100 {
            0 => write!(f, "{sign}{}", size / 100),
            rest if rest % 10 == 0 => write!(f, "{sign}{}.{}", size / 100, rest / 10),
            rest => write!(f, "{sign}{}.{rest:02}", size / 100),
        }
    }
}

/// Text as XML holds it; characters that XML forbids become U+FFFD.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}
