//! Golden pictures: the SVG and the characters of every case, small, so that a change is seen; and a gallery of files
//! to be looked at.

use std::fmt::Write;
use std::path::Path;

use super::super::{Look, Theme, blocks, png, svg};
use super::cases::{cases, properties};

#[test]
fn pictures_are_golden() {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        for case in cases() {
            let properties = properties(case.render);
            let look = Look { width: 320, height: 220, theme: Theme::Light };
            insta::assert_snapshot!(case.name, svg(&case.table, &properties, &look));
        }
    });
}

#[test]
fn characters_are_golden() {
    let mut all = String::new();
    for case in cases() {
        let picture = blocks(&case.table, &properties(case.render), 64, 14, false);
        let _ = write!(all, "=== {}: {}\n{picture}\n", case.name, case.render);
    }
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("characters", all);
    });
}

/// What those who do not see it are told: each picture has a role, a title and a description of what it shows.
#[test]
fn pictures_are_told() {
    for case in cases() {
        let text = svg(&case.table, &properties(case.render), &Look::default());
        assert!(text.contains("role=\"img\" aria-labelledby="), "{}", case.name);
        for part in ["title", "desc"] {
            let told = text.split_once(&format!("<{part} id=")).and_then(|(_, rest)| rest.split_once("</"));
            let told = told.and_then(|(told, _)| told.split_once('>')).map_or("", |(_, told)| told);
            assert!(told.len() > 3, "{}: {part} is '{told}'", case.name);
        }
        assert!(!text.contains("<script") && !text.contains("href"), "{}", case.name);
    }
}

/// Writes every case to `target/charts/`: SVG, and PNG light and dark, with a page that shows them all.
#[test]
fn gallery() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/charts");
    std::fs::create_dir_all(&folder).expect("the folder");
    let mut page = String::from("<!doctype html><meta charset=utf-8><title>Charts</title>\n");
    for case in cases() {
        let properties = properties(case.render);
        let _ = writeln!(page, "<h3>{}</h3><p><code>{}</code></p>", case.name, case.render);
        for (width, height) in [(1280, 600), (640, 360), (390, 300)] {
            for (theme, name) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
                let look = Look { width, height, theme };
                let file = format!("{}.{width}.{name}.svg", case.name);
                std::fs::write(folder.join(&file), svg(&case.table, &properties, &look)).expect("written");
                if width < 1280 {
                    let _ = writeln!(page, "<img src={file} width={width} height={height}>");
                }
                if width == 390 {
                    let picture = png(&case.table, &properties, &look).expect("a picture");
                    let file = format!("{}.{width}.{name}.png", case.name);
                    std::fs::write(folder.join(file), picture).expect("written");
                }
            }
        }
    }
    std::fs::write(folder.join("index.html"), page).expect("the page");
}
