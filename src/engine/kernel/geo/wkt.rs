//! Well-known text to GeoJSON.

use arrow_array::ArrayRef;
use conshelf_storage::DynamicBuilder;

use crate::engine::error::Result;
use crate::engine::kernel::access::{Texts, argument, dynamics};
use crate::engine::kernel::{Datum, KernelCall};

/// Deepest nesting of geometry collections.
const MAX_DEPTH: u32 = 16;

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn accept(&mut self, expected: char) -> bool {
        self.skip_blanks();
        match self.rest.strip_prefix(expected) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, expected: char) -> Option<()> {
        self.accept(expected).then_some(())
    }

    fn word(&mut self) -> String {
        self.skip_blanks();
        let end = self.rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word.to_ascii_uppercase()
    }

    fn number(&mut self) -> Option<f64> {
        self.skip_blanks();
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E')))
            .unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at(end);
        self.rest = rest;
        number.parse().ok()
    }

    fn position(&mut self, builder: &mut DynamicBuilder) -> Option<()> {
        builder.begin_array();
        let (longitude, latitude) = (self.number()?, self.number()?);
        super::sphere::point(longitude, latitude)?;
        builder.real(longitude);
        builder.real(latitude);
        builder.end_array();
        Some(())
    }

    /// `(part, part, …)`, nested so deep; at depth 0 a position.
    fn parts(&mut self, depth: u32, optional_parentheses: bool, builder: &mut DynamicBuilder) -> Option<()> {
        if depth == 0 {
            let inner = optional_parentheses && self.accept('(');
            self.position(builder)?;
            return if inner { self.expect(')') } else { Some(()) };
        }
        self.expect('(')?;
        builder.begin_array();
        loop {
            self.parts(depth - 1, optional_parentheses, builder)?;
            if !self.accept(',') {
                break;
            }
        }
        builder.end_array();
        self.expect(')')
    }

    fn geometry(&mut self, depth: u32, builder: &mut DynamicBuilder) -> Option<()> {
        let (kind, nesting) = match self.word().as_str() {
            "POINT" => ("Point", 0),
            "LINESTRING" => ("LineString", 1),
            "POLYGON" => ("Polygon", 2),
            "MULTIPOINT" => ("MultiPoint", 1),
            "MULTILINESTRING" => ("MultiLineString", 2),
            "MULTIPOLYGON" => ("MultiPolygon", 3),
            "GEOMETRYCOLLECTION" if depth < MAX_DEPTH => ("GeometryCollection", 0),
            _ => return None,
        };
        builder.begin_object();
        builder.key("type");
        builder.string(kind);
        if kind == "GeometryCollection" {
            builder.key("geometries");
            self.expect('(')?;
            builder.begin_array();
            loop {
                self.geometry(depth + 1, builder)?;
                if !self.accept(',') {
                    break;
                }
            }
            builder.end_array();
            self.expect(')')?;
        } else {
            builder.key("coordinates");
            if nesting == 0 {
                self.expect('(')?;
                self.position(builder)?;
                self.expect(')')?;
            } else {
                self.parts(nesting, kind == "MultiPoint", builder)?;
            }
        }
        builder.end_object();
        Some(())
    }
}

pub fn from_wkt(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        let mut reader = Reader { rest: values.get(row) };
        reader.geometry(0, builder).is_some() && reader.rest.trim().is_empty()
    }))
}
