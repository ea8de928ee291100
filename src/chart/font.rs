//! The one font: widths of texts without a browser, outlines for the rasteriser.
//!
//! It has the widths of Arial, Helvetica and Liberation Sans, so that they hold in a browser as well.

use std::sync::OnceLock;

use ttf_parser::{Face, GlyphId, OutlineBuilder};

static BYTES: &[u8] = include_bytes!("font/conshelf-chart.ttf");

/// What a browser is asked for.
pub const FAMILY: &str = "Arial, Helvetica, 'Liberation Sans', sans-serif";

fn face() -> Option<&'static Face<'static>> {
    static FACE: OnceLock<Option<Face<'static>>> = OnceLock::new();
    FACE.get_or_init(|| Face::parse(BYTES, 0).ok()).as_ref()
}

fn glyph(face: &Face<'_>, character: char) -> (GlyphId, f64) {
    let units = f64::from(face.units_per_em()).max(1.0);
    match face.glyph_index(character) {
        Some(glyph) => (glyph, f64::from(face.glyph_hor_advance(glyph).unwrap_or(0)) / units),
        // Other scripts: as wide as they are in most fonts.
        None if character.is_control() || is_mark(character) => (GlyphId(0), 0.0),
        None => (GlyphId(0), if is_wide(character) { 1.0 } else { 0.6 }),
    }
}

fn is_mark(character: char) -> bool {
    matches!(character as u32, 0x300..=0x36F | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0xFE00..=0xFE0F)
}

fn is_wide(character: char) -> bool {
    matches!(character as u32, 0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6 | 0x1F300..=0x1FAFF | 0x20000..=0x3FFFD)
}

/// Width of a text in a size, both in pixels.
pub fn width(text: &str, size: f64) -> f64 {
    match face() {
        Some(face) => text.chars().map(|character| glyph(face, character).1).sum::<f64>() * size,
        None => text.chars().count() as f64 * 0.55 * size,
    }
}

/// The text cut so that it fits, with `…` where something is missing.
pub fn fit(text: &str, size: f64, room: f64) -> String {
    let text: String = text.chars().take(1000).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if width(&text, size) <= room {
        return text;
    }
    let mut left = room - width("…", size);
    let mut out = String::new();
    let mut buffer = [0; 4];
    for character in text.chars() {
        left -= width(character.encode_utf8(&mut buffer), size);
        if left < 0.0 {
            break;
        }
        out.push(character);
    }
    while out.ends_with(' ') {
        out.pop();
    }
    out.push('…');
    out
}

/// Draws the outlines of a text, begun at the origin on the base line, y downwards.
pub fn outline(text: &str, size: f64, pen: &mut dyn OutlineBuilder, at: &mut dyn FnMut(f64)) -> Option<()> {
    let face = face()?;
    let mut x = 0.0;
    for character in text.chars() {
        let (glyph, advance) = glyph(face, character);
        if glyph.0 != 0 || advance > 0.0 {
            at(x);
            face.outline_glyph(glyph, pen);
        }
        x += advance * size;
    }
    Some(())
}

/// Pixels per unit of the outlines.
pub fn scale(size: f64) -> f64 {
    size / face().map_or(1.0, |face| f64::from(face.units_per_em())).max(1.0)
}
