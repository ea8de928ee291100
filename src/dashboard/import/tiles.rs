//! Tiles of foreign dashboards: place, query, cross filters.

use serde_json::Value;

use super::{Import, elements, is_blank, text_of};
use crate::dashboard::model::{Content, CrossFilter, GRID_COLUMNS, Gesture, Parameter, ParameterKind, Tile};

/// Old files may have a grid of half as many columns.
const OLD_SCHEMA: u64 = 25;
const ROWS_MAX: u64 = 10_000;

/// By how much places are stretched.
pub(super) fn scale_of(file: &Value) -> u64 {
    let version = match &file["schema_version"] {
        Value::Number(number) => number.as_u64(),
        other => other.as_str().and_then(|text| text.trim().parse().ok()),
    };
    let end = elements(&file["tiles"])
        .map(|(_, tile)| {
            let part = |name: &str| tile["layout"][name].as_u64().unwrap_or(0);
            part("x").saturating_add(part("width"))
        })
        .max();
    let half = u64::from(GRID_COLUMNS / 2);
    match (version, end) {
        (Some(version), Some(end)) if version <= OLD_SCHEMA && end == half => 2,
        _ => 1,
    }
}

impl Import<'_> {
    pub(super) fn tile(
        &mut self,
        tile: &Value,
        path: &str,
        below: u32,
        scale: u64,
        parameters: &[Parameter],
    ) -> Tile {
        const KNOWN: [&str; 17] = [
            "id",
            "title",
            "description",
            "visualType",
            "pageId",
            "layout",
            "hideTitle",
            "visualOptions",
            "queryRef",
            "query",
            "queryId",
            "dataSourceId",
            "usedParamVariables",
            "usedVariables",
            "markdownText",
            "crossFilter",
            "hideTileTitle",
        ];
        for (name, value) in tile.as_object().into_iter().flatten() {
            if !KNOWN.contains(&name.as_str()) && !is_blank(value) {
                self.warn_once(
                    &format!("{path}.{name}"),
                    format!("'{name}' of a tile is not known and left out"),
                );
            }
        }
        let options = &tile["visualOptions"];
        let title = tile["title"].as_str().unwrap_or("").to_owned();
        let is_hidden = [&tile["hideTitle"], &tile["hideTileTitle"], &options["hideTileTitle"]]
            .iter()
            .any(|flag| flag.as_bool() == Some(true));
        let mut out = Tile {
            id: self.tile_id(&title, tile["id"].as_str().unwrap_or("")),
            hide_title: is_hidden && !title.is_empty(),
            title,
            description: tile["description"].as_str().unwrap_or("").to_owned(),
            ..Tile::default()
        };
        self.place(&tile["layout"], &format!("{path}.layout"), below, scale, &mut out);
        let kind = tile["visualType"].as_str().unwrap_or("");
        if kind.eq_ignore_ascii_case("markdownCard") || (kind.is_empty() && tile["markdownText"].is_string())
        {
            out.content = Content::Markdown(tile["markdownText"].as_str().unwrap_or("").to_owned());
            return out;
        }
        match self.query_of(tile, path) {
            Some((query, source)) => {
                out.content = Content::Query(query);
                out.database = self.other_database(source.as_deref(), path);
            }
            None => {
                self.warn(path, "the tile has no query; it is empty");
                return out;
            }
        }
        out.visualization = self.visualization(kind, options, path);
        if options["crossFilterDisabled"].as_bool() != Some(true) {
            for (holder, path) in [
                (&options["crossFilter"], format!("{path}.visualOptions.crossFilter")),
                (&tile["crossFilter"], format!("{path}.crossFilter")),
            ] {
                self.cross_filters(holder, &path, parameters, &mut out.cross_filter);
            }
        }
        out
    }

    /// From the title, so that it reads well.
    fn tile_id(&mut self, title: &str, id: &str) -> String {
        let slug = |text: &str| {
            let mut out = String::new();
            for letter in text.chars().take(60) {
                if letter.is_ascii_alphanumeric() {
                    out.push(letter.to_ascii_lowercase());
                } else if !out.is_empty() && !out.ends_with('-') {
                    out.push('-');
                }
            }
            out.trim_end_matches('-').to_owned()
        };
        let stem = [slug(title), slug(id), "tile".to_owned()].into_iter().find(|text| !text.is_empty());
        let stem = stem.unwrap_or_default();
        let mut found = stem.clone();
        for number in 2.. {
            if self.ids.insert(found.clone()) {
                break;
            }
            found = format!("{stem}-{number}");
        }
        found
    }

    fn place(&mut self, layout: &Value, path: &str, below: u32, scale: u64, tile: &mut Tile) {
        let columns = u64::from(GRID_COLUMNS);
        let part = |name: &str| {
            let number = &layout[name];
            number
                .as_u64()
                .or_else(|| number.as_f64().filter(|number| *number >= 0.0).map(|number| number as u64))
        };
        let (Some(width), Some(height)) = (part("width"), part("height")) else {
            self.warn_once(path, "the tile has no place; it is below the others");
            (tile.x, tile.y, tile.width, tile.height) = (0, below.min(ROWS_MAX as u32), GRID_COLUMNS / 2, 6);
            return;
        };
        let (x, y) = (part("x").unwrap_or(0), part("y").unwrap_or(u64::from(below)));
        let wanted = (x.saturating_mul(scale), width.saturating_mul(scale));
        let x = wanted.0.min(columns - 1);
        let width = wanted.1.clamp(1, columns - x);
        if (x, width) != wanted {
            self.warn_once(path, "the tile does not fit into 24 columns and is made narrower");
        }
        // All of these are bounded by the grid.
        let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        (tile.x, tile.width) = (number(x), number(width));
        (tile.y, tile.height) = (number(y.min(ROWS_MAX)), number(height.clamp(1, ROWS_MAX)));
    }

    fn cross_filters(
        &mut self,
        holder: &Value,
        path: &str,
        parameters: &[Parameter],
        out: &mut Vec<CrossFilter>,
    ) {
        let all: Vec<(String, &Value)> = match holder {
            Value::Array(filters) => {
                filters.iter().enumerate().map(|(at, filter)| (format!("{path}[{at}]"), filter)).collect()
            }
            Value::Object(_) => vec![(path.to_owned(), holder)],
            _ => Vec::new(),
        };
        for (path, filter) in all {
            if filter["disabled"].as_bool() == Some(true) || is_blank(filter) {
                continue;
            }
            let name = filter["parameterId"].as_str().and_then(|id| self.parameter_names.get(id)).cloned();
            let Some(name) = name else {
                self.warn_once(&path, "the cross filter sets a parameter that is not there and is left out");
                continue;
            };
            let old = filter["dimensionId"].as_str().unwrap_or("");
            let interaction = filter["interaction"].as_str().unwrap_or(old);
            let gesture = if interaction.to_ascii_lowercase().starts_with("dragx") {
                Some(Gesture::DragX)
            } else {
                let column = text_of(&filter["property"])
                    .or_else(|| old.strip_prefix("column-"))
                    .or_else(|| Some(old).filter(|old| !old.is_empty() && !old.contains("drag")));
                column
                    .filter(|_| !interaction.contains("drag"))
                    .map(|column| Gesture::Column(column.to_owned()))
            };
            let Some(gesture) = gesture else {
                self.warn_once(&path, "the cross filter is of a kind that is not known and is left out");
                continue;
            };
            let is_range = parameters
                .iter()
                .find(|parameter| parameter.name == name)
                .is_some_and(|parameter| matches!(parameter.kind, ParameterKind::TimeRange { .. }));
            if is_range != (gesture == Gesture::DragX) {
                self.warn_once(
                    &path,
                    "the cross filter does not suit the kind of its parameter and is left out",
                );
                continue;
            }
            out.push(CrossFilter { gesture, parameter: name });
        }
    }
}
