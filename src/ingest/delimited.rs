//! Delimited values (CSV and kin), lines of text and raw bodies into rows.
//!
//! RFC 4180: a quoted value may hold delimiters and line breaks, a doubled quote stands for one. A header
//! gives names; without one the columns of the table are filled by position.

use crate::ingest::decode::{Decoder, MAX_RECORD_BYTES, Progress, RowError, utf8};
use crate::ingest::format::Dialect;
use crate::ingest::mapping::OrdinalMapping;
use crate::ingest::rows::{Policy, RowBuilder};

/// Whether the first record names the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Header {
    /// It does if none of its values is a number, and no column takes the values by position.
    #[default]
    Auto,
    Names,
    /// The first record is passed over.
    Ignored,
    Absent,
}

/// Decodes delimited records.
#[derive(Debug)]
pub struct DelimitedDecoder {
    dialect: Dialect,
    header: Header,
    mapping: Option<OrdinalMapping>,
    /// The first record was dealt with.
    started: bool,
    record: Record,
}

/// The fields of one record, end to end, without quotes.
#[derive(Debug, Default)]
struct Record {
    bytes: Vec<u8>,
    /// End of each field in `bytes`, and where it began in the input.
    fields: Vec<(usize, usize)>,
}

impl Record {
    fn len(&self) -> usize {
        self.fields.len()
    }

    fn field(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.fields[index - 1].0 };
        &self.bytes[start..self.fields[index].0]
    }
}

enum Failure {
    Incomplete,
    Bad { offset: usize, message: String },
}

impl DelimitedDecoder {
    /// `mapping`: where each position goes; without one a header or the order of the columns decides.
    pub fn new(dialect: Dialect, header: Header, mapping: Option<OrdinalMapping>) -> DelimitedDecoder {
        DelimitedDecoder { dialect, header, mapping, started: false, record: Record::default() }
    }

    /// Reads the record at `start`; yields the offset after its line break.
    fn read(&mut self, input: &[u8], start: usize, last: bool) -> Result<usize, Failure> {
        let record = &mut self.record;
        record.bytes.clear();
        record.fields.clear();
        let delimiter = self.dialect.delimiter;
        let mut at = start;
        loop {
            let began = at;
            if self.dialect.quoted && input.get(at) == Some(&b'"') {
                at += 1;
                loop {
                    let Some(length) = memchr::memchr(b'"', &input[at..]) else {
                        if last {
                            let message = String::from("a quoted value is not closed");
                            return Err(Failure::Bad { offset: began, message });
                        }
                        return Err(Failure::Incomplete);
                    };
                    record.bytes.extend_from_slice(&input[at..at + length]);
                    at += length + 1;
                    match input.get(at) {
                        Some(b'"') => {
                            record.bytes.push(b'"');
                            at += 1;
                        }
                        None if !last => return Err(Failure::Incomplete),
                        _ => break,
                    }
                }
                match input.get(at) {
                    None | Some(b'\n' | b'\r') => {}
                    Some(byte) if *byte == delimiter => {}
                    Some(_) => {
                        let message = String::from(
                            "text after a closing quote; a quote inside a value is written \"\"",
                        );
                        return Err(Failure::Bad { offset: at, message });
                    }
                }
            } else {
                let end = memchr::memchr2(delimiter, b'\n', &input[at..]).map(|length| at + length);
                let end = match end {
                    Some(end) => end,
                    None if last => input.len(),
                    None => return Err(Failure::Incomplete),
                };
                let mut value = &input[at..end];
                if input.get(end) != Some(&delimiter) {
                    value = value.strip_suffix(b"\r").unwrap_or(value);
                }
                if self.dialect.quoted || !value.contains(&b'\\') {
                    record.bytes.extend_from_slice(value);
                } else {
                    unescape(value, &mut record.bytes);
                }
                at = end;
            }
            record.fields.push((record.bytes.len(), began));
            match input.get(at) {
                Some(byte) if *byte == delimiter => at += 1,
                Some(b'\r') if input.get(at + 1) == Some(&b'\n') => return Ok(at + 2),
                Some(b'\r') if at + 1 == input.len() && !last => return Err(Failure::Incomplete),
                Some(_) => return Ok(at + 1),
                None => return Ok(at),
            }
        }
    }

    /// Settles from the first record where the positions go. `Ok(true)`: it holds no values.
    fn start(&mut self, rows: &mut RowBuilder) -> Result<bool, String> {
        self.started = true;
        if self.mapping.is_some() {
            return Ok(matches!(self.header, Header::Names | Header::Ignored));
        }
        let names: Vec<&str> = (0..self.record.len())
            .map(|index| utf8(self.record.field(index)).map(str::trim))
            .collect::<Result<_, _>>()
            .unwrap_or_default();
        let named = match self.header {
            Header::Names => true,
            Header::Ignored | Header::Absent => false,
            Header::Auto => {
                let looks_named = names.iter().all(|name| !name.is_empty() && name.parse::<f64>().is_err());
                let known = names.iter().any(|name| rows.known(name).is_some());
                !names.is_empty() && looks_named && (known || rows.width() == 0)
            }
        };
        if !named {
            if rows.policy() == Policy::Evolve {
                for index in rows.width()..self.record.len() {
                    rows.column_of(&format!("Column{}", index + 1))?;
                }
            }
            self.mapping = Some(OrdinalMapping::by_position(rows.width()));
            return Ok(self.header == Header::Ignored);
        }
        let mut mapping = OrdinalMapping::default();
        let mut seen = std::collections::HashSet::new();
        for name in names {
            if !seen.insert(name) {
                return Err(format!("the header names column '{name}' twice"));
            }
            mapping.by_ordinal.push(match rows.column_of(name)? {
                Some(column) => vec![(column, None)],
                None => Vec::new(),
            });
        }
        self.mapping = Some(mapping);
        Ok(true)
    }

    /// Puts the record's fields into the current row.
    fn put(&self, rows: &mut RowBuilder) -> Result<(), RowError> {
        let Some(mapping) = &self.mapping else { return Ok(()) };
        let width = mapping.by_ordinal.len();
        if rows.policy() == Policy::Evolve && mapping.constants.is_empty() && self.record.len() != width {
            let offset = self.record.fields.get(width).map_or(0, |(_, began)| *began);
            return Err(RowError {
                offset,
                field: None,
                message: format!("the record has {} fields where {width} are expected", self.record.len()),
            });
        }
        for index in 0..self.record.len().min(width) {
            match utf8(self.record.field(index)) {
                Ok(text) => mapping.put(index, text, rows),
                Err(_) => {
                    let column =
                        mapping.by_ordinal[index].first().map(|(column, _)| rows.name(*column).to_string());
                    return Err(RowError {
                        offset: self.record.fields[index].1,
                        field: Some(column.unwrap_or_else(|| format!("{}", index + 1))),
                        message: String::from("the value is not valid UTF-8"),
                    });
                }
            }
        }
        for (column, text) in &mapping.constants {
            rows.append(*column, crate::ingest::column::Scalar::Text(text));
        }
        Ok(())
    }
}

impl Decoder for DelimitedDecoder {
    fn decode(&mut self, input: &[u8], last: bool, rows: &mut RowBuilder) -> Progress {
        let mut at = 0;
        while at < input.len() {
            if matches!(input[at], b'\n' | b'\r') {
                at += 1;
                continue;
            }
            if rows.is_full() {
                break;
            }
            let end = match self.read(input, at, last) {
                Ok(end) => end,
                Err(Failure::Incomplete) if input.len() - at < MAX_RECORD_BYTES => break,
                Err(failure) => {
                    let (offset, message) = match failure {
                        Failure::Bad { offset, message } => (offset, message),
                        Failure::Incomplete => {
                            (at, format!("a record is larger than {MAX_RECORD_BYTES} bytes"))
                        }
                    };
                    let consumed =
                        memchr::memchr(b'\n', &input[offset..]).map_or(input.len(), |n| offset + n + 1);
                    let field = Some(format!("{}", self.record.len() + 1));
                    return Progress { consumed, error: Some(RowError { offset, field, message }) };
                }
            };
            if !self.started {
                match self.start(rows) {
                    Ok(true) => {
                        at = end;
                        continue;
                    }
                    Ok(false) => {}
                    Err(message) => {
                        let error = RowError { offset: at, field: None, message };
                        return Progress { consumed: end, error: Some(error) };
                    }
                }
            }
            match self.put(rows) {
                Ok(()) => rows.end_row(),
                Err(mut error) => {
                    rows.undo_row();
                    error.offset = error.offset.max(at);
                    return Progress { consumed: end, error: Some(error) };
                }
            }
            at = end;
        }
        Progress { consumed: at, error: None }
    }
}

/// Backslash escapes of `tsve`.
fn unescape(value: &[u8], out: &mut Vec<u8>) {
    let mut bytes = value.iter();
    while let Some(byte) = bytes.next() {
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        match bytes.next() {
            Some(b't') => out.push(b'\t'),
            Some(b'n') => out.push(b'\n'),
            Some(b'r') => out.push(b'\r'),
            Some(other) => out.push(*other),
            None => out.push(b'\\'),
        }
    }
}

/// Decodes lines (or the whole body) as values of the first column.
#[derive(Debug)]
pub struct TextDecoder {
    whole: bool,
    mapping: Option<OrdinalMapping>,
}

impl TextDecoder {
    /// `whole`: the body is one value, else each line that is not empty.
    pub fn new(whole: bool, mapping: Option<OrdinalMapping>) -> TextDecoder {
        TextDecoder { whole, mapping }
    }
}

impl Decoder for TextDecoder {
    fn decode(&mut self, input: &[u8], last: bool, rows: &mut RowBuilder) -> Progress {
        let mut at = 0;
        while at < input.len() && !rows.is_full() {
            let line_end =
                if self.whole { None } else { memchr::memchr(b'\n', &input[at..]).map(|n| at + n) };
            let end = match line_end {
                Some(end) => end,
                None if last || input.len() - at >= MAX_RECORD_BYTES => input.len(),
                None => break,
            };
            let next = if line_end.is_some() { end + 1 } else { end };
            let mut error = None;
            let too_large = end - at >= MAX_RECORD_BYTES;
            let value = &input[at..end];
            let value = if self.whole { value } else { value.strip_suffix(b"\r").unwrap_or(value) };
            match utf8(value) {
                _ if too_large => {
                    let message = format!("a value is larger than {MAX_RECORD_BYTES} bytes");
                    error = Some(RowError { offset: at, field: None, message });
                }
                Ok("") => {}
                Ok(text) => {
                    if self.mapping.is_none() {
                        let named = if rows.width() == 0 { rows.column_of("Text") } else { Ok(None) };
                        if let Err(message) = named {
                            error = Some(RowError { offset: at, field: None, message });
                        }
                        self.mapping = Some(OrdinalMapping::by_position(rows.width().min(1)));
                    }
                    if let Some(mapping) = &self.mapping {
                        mapping.put(0, text, rows);
                        for (column, constant) in &mapping.constants {
                            rows.append(*column, crate::ingest::column::Scalar::Text(constant));
                        }
                    }
                    rows.end_row();
                }
                Err(offset) => {
                    let message = String::from("the line is not valid UTF-8");
                    error = Some(RowError { offset: at + offset, field: None, message });
                }
            }
            at = next;
            if error.is_some() {
                return Progress { consumed: at, error };
            }
        }
        Progress { consumed: at, error: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::column::ColumnBuilder;
    use crate::ingest::rows::TextOrigin;
    use conshelf_storage::{ColumnType, TableSchema};

    fn decode(
        schema: &TableSchema,
        policy: Policy,
        header: Header,
        text: &str,
        step: usize,
    ) -> (Vec<String>, Vec<String>) {
        let dialect = Dialect { delimiter: b',', quoted: true };
        let mut rows = RowBuilder::new(schema, policy, TextOrigin::Delimited);
        let mut decoder = DelimitedDecoder::new(dialect, header, None);
        let input = text.as_bytes();
        let (mut start, mut end) = (0, step.min(input.len()));
        let mut errors = Vec::new();
        loop {
            let last = end == input.len();
            let progress = decoder.decode(&input[start..end], last, &mut rows);
            if let Some(error) = &progress.error {
                errors.push(format!("{} {}", start + error.offset, error.message));
            }
            start += progress.consumed;
            if last && (start == end || progress.consumed == 0) {
                break;
            }
            if progress.error.is_none() {
                end = (end + step).min(input.len());
            }
        }
        let batch = rows.finish();
        let columns = batch
            .columns
            .iter()
            .map(|column| {
                let mut texts = ColumnBuilder::from_array(column.ty, &column.array);
                texts.widen(ColumnType::String);
                let values: Vec<&str> = texts.texts().collect();
                format!("{}:{}={}", column.name, column.ty.name(), values.join("|"))
            })
            .collect();
        (columns, errors)
    }

    #[test]
    fn headers_quotes_and_line_breaks() {
        let text =
            "time,name,value\r\n2024-01-01,\"a \"\"b\"\", c\",1\n\n2024-01-02,\"x\ny\",2.5\n2024-01-03,,";
        for step in [1, 5, 1000] {
            let (columns, errors) = decode(&TableSchema::default(), Policy::Evolve, Header::Auto, text, step);
            assert_eq!(errors, Vec::<String>::new());
            assert_eq!(
                columns,
                [
                    "time:datetime=2024-01-01T00:00:00.0000000Z|2024-01-02T00:00:00.0000000Z|2024-01-03T00:00:00.0000000Z",
                    "name:string=a \"b\", c|x\ny|",
                    "value:real=1|2.5|"
                ]
            );
        }
    }

    #[test]
    fn without_a_header_positions_count() {
        let (columns, _) = decode(&TableSchema::default(), Policy::Evolve, Header::Auto, "1,x\n2,y\n", 100);
        assert_eq!(columns, ["Column1:long=1|2", "Column2:string=x|y"]);
        let schema = TableSchema::new([("a", ColumnType::Long), ("b", ColumnType::Real)]);
        let text = "1,2\nbad,3,extra\n4\n";
        let (columns, errors) = decode(&schema, Policy::Strict, Header::Absent, text, 100);
        assert_eq!(columns, ["a:long=1||4", "b:real=2|3|"]);
        assert!(errors.is_empty());
        let (columns, errors) = decode(&schema, Policy::Evolve, Header::Auto, "b,a\n1,2\n", 100);
        assert_eq!((columns, errors.len()), (vec!["a:long=2".to_string(), "b:real=1".to_string()], 0));
    }

    #[test]
    fn bad_records_are_named_and_passed_over() {
        let text = "a,b\n1,2\n3\n\"x\"y,1\n4,5\n6,\"open\n";
        let (columns, errors) = decode(&TableSchema::default(), Policy::Evolve, Header::Names, text, 1000);
        assert_eq!(columns, ["a:long=1|4", "b:long=2|5"]);
        assert_eq!(errors.len(), 3, "{errors:?}");
        assert!(errors[0].starts_with("8 ") && errors[0].contains("1 fields where 2"), "{errors:?}");
        assert!(errors[1].starts_with("13 ") && errors[1].contains("closing quote"), "{errors:?}");
        assert!(errors[2].contains("not closed"), "{errors:?}");
    }
}
