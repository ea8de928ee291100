//! The input formats and the names they go by (PROTOCOL 10.1).

/// How the bytes of a body hold rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Objects one after another, in any white space, alone or in arrays: `json`, `ndjson`, `multijson`.
    Json,
    /// Values between delimiters.
    Delimited(Dialect),
    /// Each line that is not empty is one value.
    Text,
    /// The whole body is one value.
    Raw,
}

/// A delimited format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    pub delimiter: u8,
    /// `"…"` quotes a value, `""` inside stands for a quote (RFC 4180). Otherwise a backslash escapes.
    pub quoted: bool,
}

impl Format {
    pub const CSV: Format = Format::Delimited(Dialect { delimiter: b',', quoted: true });

    /// The format of a name of any case; `Err` says what is wrong with it.
    pub fn from_name(name: &str) -> Result<Format, String> {
        let quoted = |delimiter| Ok(Format::Delimited(Dialect { delimiter, quoted: true }));
        match name.to_ascii_lowercase().as_str() {
            "json" | "ndjson" | "jsonl" | "jsonlines" | "multijson" | "singlejson" => Ok(Format::Json),
            "csv" => quoted(b','),
            "tsv" => quoted(b'\t'),
            "psv" => quoted(b'|'),
            "scsv" => quoted(b';'),
            "sohsv" => quoted(1),
            "tsve" => Ok(Format::Delimited(Dialect { delimiter: b'\t', quoted: false })),
            "txt" | "text" => Ok(Format::Text),
            "raw" => Ok(Format::Raw),
            "avro" | "apacheavro" | "parquet" | "orc" | "w3clogfile" | "sstream" | "azmonstream" => {
                Err(format!("ingestion format '{name}' is not supported by this server; use one of: {NAMES}"))
            }
            _ => Err(format!("'{name}' is not an ingestion format; use one of: {NAMES}")),
        }
    }

    /// The format a `Content-Type` names, if any.
    pub fn from_content_type(content_type: &str) -> Option<Format> {
        let kind = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        match kind.as_str() {
            "application/json"
            | "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonlines"
            | "application/json-lines" => Some(Format::Json),
            "text/csv" | "application/csv" => Some(Format::CSV),
            "text/tab-separated-values" | "text/tsv" => {
                Some(Format::Delimited(Dialect { delimiter: b'\t', quoted: true }))
            }
            _ => None,
        }
    }

    /// The format the first bytes of a body look like: a brace or bracket begins JSON, else it is CSV.
    pub fn sniff(start: &[u8]) -> Format {
        let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
        match start.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{' | b'[') | None => Format::Json,
            _ => {
                let line = start.split(|byte| *byte == b'\n').next().unwrap_or(start);
                let count = |delimiter: u8| line.iter().filter(|byte| **byte == delimiter).count();
                let (tabs, commas) = (count(b'\t'), count(b','));
                if tabs > commas {
                    Format::Delimited(Dialect { delimiter: b'\t', quoted: true })
                } else if commas == 0 && count(b'|') > 0 {
                    Format::Delimited(Dialect { delimiter: b'|', quoted: true })
                } else {
                    Format::CSV
                }
            }
        }
    }

    /// The kind of ingestion mapping that belongs to the format.
    pub fn mapping_kind(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Delimited(_) | Format::Text | Format::Raw => "csv",
        }
    }
}

const NAMES: &str = "json, multijson, csv, tsv, tsve, psv, scsv, sohsv, txt, raw";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_looks_of_formats() {
        assert_eq!(Format::from_name("MultiJSON"), Ok(Format::Json));
        assert_eq!(Format::from_name("Csv"), Ok(Format::CSV));
        assert!(Format::from_name("parquet").is_err_and(|message| message.contains("not supported")));
        assert!(Format::from_name("xml").is_err_and(|message| message.contains("csv")));
        assert_eq!(Format::sniff(b" \n[{\"a\":1}]"), Format::Json);
        assert_eq!(Format::sniff(b"a,b\n1,2"), Format::CSV);
        assert!(matches!(Format::sniff(b"a\tb\n1,2"), Format::Delimited(Dialect { delimiter: b'\t', .. })));
        assert!(matches!(Format::sniff(b"a|b"), Format::Delimited(Dialect { delimiter: b'|', .. })));
        assert_eq!(Format::from_content_type("text/csv; charset=utf-8"), Some(Format::CSV));
        assert_eq!(Format::from_content_type("application/octet-stream"), None);
    }
}
