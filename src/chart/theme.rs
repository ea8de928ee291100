//! The colours of each role: light and dark.

use super::scene::Paint;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Theme {
    #[default]
    Light,
    Dark,
    /// As the reader's system is set.
    Auto,
}

impl Theme {
    pub fn from_name(name: &str) -> Option<Theme> {
        match name.trim().to_ascii_lowercase().as_str() {
            "light" => Some(Theme::Light),
            "dark" => Some(Theme::Dark),
            "auto" => Some(Theme::Auto),
            _ => None,
        }
    }
}

/// How many colours series have before they begin anew.
pub const SERIES_COLOURS: usize = 12;

/// Told apart by those who see colours differently: neighbours differ in lightness as well as in hue.
const LIGHT: [u32; SERIES_COLOURS] = [
    0x1f6fc5, 0xd9660b, 0x1a936f, 0xa33ea1, 0xb08500, 0xc0392b, 0x2f93bb, 0x7b5b3a, 0x5a5fc7, 0x6f8f1f,
    0xd6588f, 0x5d6b7a,
];
const DARK: [u32; SERIES_COLOURS] = [
    0x5aa9f5, 0xf59a4a, 0x3fc79a, 0xd384d6, 0xf2cb4c, 0xf0776b, 0x7fd3f2, 0xc09a72, 0x9a9ef5, 0xb0d058,
    0xf594bd, 0xa3b1bf,
];

/// The colour of a role as `0xRRGGBB`.
pub fn colour(paint: Paint, dark: bool) -> u32 {
    let series = |at: usize| if dark { DARK[at % SERIES_COLOURS] } else { LIGHT[at % SERIES_COLOURS] };
    match (paint, dark) {
        (Paint::Background, false) => 0xffffff,
        (Paint::Background, true) => 0x1b1a19,
        (Paint::Text, false) => 0x242424,
        (Paint::Text, true) => 0xf0efee,
        (Paint::Muted, false) => 0x5c5c5c,
        (Paint::Muted, true) => 0xb3b0ad,
        (Paint::Grid, false) => 0xe6e6e6,
        (Paint::Grid, true) => 0x34322f,
        (Paint::Axis, false) => 0xa6a6a6,
        (Paint::Axis, true) => 0x6b6967,
        (Paint::Soft, false) => 0xf3f2f1,
        (Paint::Soft, true) => 0x292827,
        (Paint::Anomaly, false) => 0xd00f2f,
        (Paint::Anomaly, true) => 0xff5d73,
        (Paint::Land, false) => 0xdcdfd8,
        (Paint::Land, true) => 0x3b3d38,
        (Paint::Heat(step), _) => heat(step),
        (Paint::Series(at), _) => series(at),
        (Paint::OnSeries(at), _) => {
            let ground = series(at);
            let (black, white) = (0x1b1a19, 0xffffff);
            if contrast(ground, black) > contrast(ground, white) { black } else { white }
        }
        (Paint::SeriesText(at), _) => readable(series(at), dark),
    }
}

/// From dark blue over green to yellow: even in lightness, told apart by all.
fn heat(step: u8) -> u32 {
    const STOPS: [[f64; 3]; 6] = [
        [68.0, 1.0, 84.0],
        [65.0, 68.0, 135.0],
        [42.0, 120.0, 142.0],
        [34.0, 168.0, 132.0],
        [122.0, 209.0, 81.0],
        [253.0, 231.0, 37.0],
    ];
    let place = f64::from(step) / 255.0 * (STOPS.len() - 1) as f64;
    let at = (place as usize).min(STOPS.len() - 2);
    let part = place - at as f64;
    (0..3).fold(0, |colour, channel| {
        let value = STOPS[at][channel] + (STOPS[at + 1][channel] - STOPS[at][channel]) * part;
        (colour << 8) | (value.round() as u32).min(255)
    })
}

/// A series' colour as text: darker (or lighter) until it can be read upon the background.
fn readable(colour: u32, dark: bool) -> u32 {
    let (ground, toward) = (self::colour(Paint::Background, dark), if dark { 255.0 } else { 0.0 });
    let mixed = |part: f64| {
        (0..3).fold(0, |mixed, channel| {
            let value = f64::from((colour >> (16 - channel * 8)) & 0xff);
            (mixed << 8) | (value + (toward - value) * part).round() as u32
        })
    };
    let steps = (0..=20).map(|step| mixed(f64::from(step) / 20.0));
    steps.into_iter().find(|mixed| contrast(*mixed, ground) >= 4.5).unwrap_or(colour)
}

/// The ratio of the lightnesses of two colours, 1 to 21, as WCAG 2 defines it.
fn contrast(one: u32, other: u32) -> f64 {
    let lightness = |colour: u32| {
        let channel = |shift: u32| {
            let value = f64::from((colour >> shift) & 0xff) / 255.0;
            if value <= 0.03928 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(16) + 0.7152 * channel(8) + 0.0722 * channel(0)
    };
    let (one, other) = (lightness(one), lightness(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// The class of a role in a style sheet.
pub fn class(paint: Paint) -> String {
    match paint {
        Paint::Background => "b".to_owned(),
        Paint::Text => "t".to_owned(),
        Paint::Muted => "m".to_owned(),
        Paint::Grid => "g".to_owned(),
        Paint::Axis => "a".to_owned(),
        Paint::Soft => "q".to_owned(),
        Paint::Anomaly => "x".to_owned(),
        Paint::Land => "d".to_owned(),
        Paint::Heat(step) => format!("h{step}"),
        Paint::SeriesText(at) => format!("n{}", at % SERIES_COLOURS),
        Paint::Series(at) => format!("s{}", at % SERIES_COLOURS),
        Paint::OnSeries(at) => format!("o{}", at % SERIES_COLOURS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG 2.1, AA: 4.5 for text, 3 for marks.
    #[test]
    fn colours_can_be_told_from_their_ground() {
        for dark in [false, true] {
            let ground = colour(Paint::Background, dark);
            let least = |paint: Paint, least: f64| {
                let found = contrast(colour(paint, dark), ground);
                assert!(found >= least, "{paint:?}, dark {dark}: {found:.2}");
            };
            least(Paint::Text, 7.0);
            least(Paint::Muted, 4.5);
            least(Paint::Anomaly, 3.0);
            for at in 0..SERIES_COLOURS {
                least(Paint::Series(at), 3.0);
                least(Paint::SeriesText(at), 4.5);
                let on = contrast(colour(Paint::OnSeries(at), dark), colour(Paint::Series(at), dark));
                assert!(on >= 4.5, "text upon series {at}, dark {dark}: {on:.2}");
            }
            let soft = contrast(colour(Paint::Muted, dark), colour(Paint::Soft, dark));
            assert!(soft >= 4.5, "muted upon soft, dark {dark}: {soft:.2}");
        }
    }
}
