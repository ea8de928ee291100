//! Rows of files that are not in the store, for `externaldata` and `inline_external_table`, and which columns they
//! have, for `infer_storage_schema`.
//!
//! A file must lie in the directory that the server allows, after links are followed; addresses of http are read
//! only where the server allows them. Nothing here knows queries.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use conshelf_storage::{ColumnType, TableSchema};

use crate::ingest::body::{ContentEncoding, Window};
use crate::ingest::delimited::Header;
use crate::ingest::format::Format;
use crate::ingest::rows::{DecodedBatch, Policy, RowBuilder, TextOrigin};
use crate::ingest::{decoder, mapping};

/// Files of a folder, at most.
const FILES_MAX: usize = 10_000;

/// What may be read.
#[derive(Clone, Debug, Default)]
pub struct ExternalAccess {
    /// Files below this directory; `None`: no files.
    pub directory: Option<PathBuf>,
    /// Addresses of http and https.
    pub http: bool,
}

/// How the bytes of external files hold rows.
#[derive(Clone, Debug, Default)]
pub struct ExternalRows {
    /// The name of a format; `None`: by the extension of each file, else CSV.
    pub format: Option<String>,
    pub skip_first_record: bool,
    /// An ingestion mapping as JSON.
    pub mapping: Option<String>,
    /// The address may be a folder; of its files those with that beginning and end of their names are read.
    pub folder: Option<(String, String)>,
}

/// Of which files of a folder the columns are inferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhichFiles {
    First,
    /// The one written last.
    Last,
    All,
}

/// How rows become columns.
struct Reading {
    policy: Policy,
    header: Header,
}

/// One file or address that may be read.
enum Place {
    File(PathBuf),
    Http(String),
}

impl ExternalAccess {
    /// The columns of the files at an address with the types that hold their values, in the order of the files. Where
    /// files differ numbers widen, anything else becomes a text.
    pub fn infer(
        &self,
        address: &str,
        rows: &ExternalRows,
        header: bool,
        which: WhichFiles,
        timeout: Duration,
    ) -> Result<Vec<(String, ColumnType)>, String> {
        let mut places = self.places(address, rows)?;
        match which {
            WhichFiles::All => {}
            WhichFiles::First => places.truncate(1),
            WhichFiles::Last => {
                let written = |place: &Place| match place {
                    Place::File(path) => path.metadata().and_then(|found| found.modified()).ok(),
                    Place::Http(_) => None,
                };
                places = places.into_iter().max_by_key(written).into_iter().collect();
            }
        }
        if places.is_empty() {
            return Err(String::from("no file has that beginning and end of its name"));
        }
        let reading =
            Reading { policy: Policy::Evolve, header: if header { Header::Names } else { Header::Absent } };
        let mut columns: Vec<(String, ColumnType)> = Vec::new();
        for place in places {
            read_place(place, rows, &TableSchema::default(), &reading, timeout, &mut |batch| {
                for found in batch.columns {
                    match columns.iter_mut().find(|(name, _)| *name == found.name) {
                        Some((_, ty)) => *ty = common_type(*ty, found.ty),
                        None => columns.push((found.name, found.ty)),
                    }
                }
                Ok(())
            })?;
        }
        Ok(columns)
    }

    fn places(&self, address: &str, rows: &ExternalRows) -> Result<Vec<Place>, String> {
        // Secrets and ways to sign in follow after a semicolon: there are none here.
        let plain = address.split(';').next().unwrap_or_default().trim();
        let lower = plain.to_ascii_lowercase();
        if lower.starts_with("http://") || lower.starts_with("https://") {
            if !self.http {
                return Err(String::from(
                    "this server reads no addresses of http: start it with '--external-data-http' to allow them",
                ));
            }
            return Ok(vec![Place::Http(plain.to_owned())]);
        }
        let path = match lower.split_once("://") {
            Some(("file", _)) => &plain["file://".len()..],
            Some((scheme, _)) => {
                return Err(format!(
                    "addresses of '{scheme}' cannot be read: use a file of the server's directory, or https"
                ));
            }
            None => plain,
        };
        let Some(directory) = &self.directory else {
            return Err(String::from(
                "this server reads no files: start it with '--external-data-dir DIR' to allow those of a directory",
            ));
        };
        let outside = || format!("the file is not in the directory of '--external-data-dir': '{plain}'");
        let root = directory
            .canonicalize()
            .map_err(|error| format!("the directory of '--external-data-dir' cannot be read: {error}"))?;
        let found = match root.join(path).canonicalize() {
            Ok(found) if found.starts_with(&root) => found,
            Ok(_) => return Err(outside()),
            Err(error) if error.kind() == ErrorKind::NotFound && !Path::new(path).is_absolute() => {
                return Err(format!("there is no file '{plain}' in the directory of '--external-data-dir'"));
            }
            Err(_) => return Err(outside()),
        };
        if !found.is_dir() {
            return Ok(vec![Place::File(found)]);
        }
        let Some((prefix, extension)) = &rows.folder else {
            return Err(format!("'{plain}' is a directory, not a file"));
        };
        let mut files = Vec::new();
        files_below(&found, &root, &mut files)?;
        files.retain(|file| {
            let name = file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
            name.starts_with(prefix.as_str()) && name.ends_with(extension.as_str())
        });
        files.sort();
        Ok(files.into_iter().map(Place::File).collect())
    }

    /// Reads all rows of an address; `take` gets them batch by batch with the columns of the schema.
    ///
    /// The error is a text for the user: what is not allowed, not there, or wrong with a record.
    pub fn read(
        &self,
        address: &str,
        rows: &ExternalRows,
        schema: &TableSchema,
        timeout: Duration,
        take: &mut dyn FnMut(DecodedBatch) -> Result<(), String>,
    ) -> Result<(), String> {
        let header = if rows.skip_first_record { Header::Ignored } else { Header::Absent };
        let reading = Reading { policy: Policy::Strict, header };
        for place in self.places(address, rows)? {
            read_place(place, rows, schema, &reading, timeout, take)?;
        }
        Ok(())
    }
}

fn read_place(
    place: Place,
    rows: &ExternalRows,
    schema: &TableSchema,
    reading: &Reading,
    timeout: Duration,
    take: &mut dyn FnMut(DecodedBatch) -> Result<(), String>,
) -> Result<(), String> {
    match place {
        Place::File(path) => {
            let name = path.to_string_lossy().into_owned();
            let mut file = File::open(&path).map_err(|error| format!("the file cannot be read: {error}"))?;
            read_body(&mut file, &name, rows, schema, reading, take)
        }
        Place::Http(address) => {
            let agent: ureq::Agent =
                ureq::Agent::config_builder().timeout_global(Some(timeout)).build().into();
            let response =
                agent.get(&address).call().map_err(|error| format!("the address cannot be read: {error}"))?;
            let name = address.split(['?', '#']).next().unwrap_or_default();
            let mut body = response.into_body().into_with_config().limit(u64::MAX).reader();
            read_body(&mut body, name, rows, schema, reading, take)
        }
    }
}

/// The type that holds values of both.
fn common_type(left: ColumnType, right: ColumnType) -> ColumnType {
    match (left, right) {
        (left, right) if left == right => left,
        (ColumnType::Long, ColumnType::Real) | (ColumnType::Real, ColumnType::Long) => ColumnType::Real,
        _ => ColumnType::String,
    }
}

fn files_below(directory: &Path, root: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let unreadable = |error: std::io::Error| format!("the directory cannot be read: {error}");
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        // A link is followed if it stays inside; a folder behind a link is not, it could go in circles.
        let Ok(target) = path.canonicalize() else { continue };
        if !target.starts_with(root) {
            continue;
        }
        if path.is_dir() {
            if !path.is_symlink() {
                files_below(&path, root, files)?;
            }
        } else {
            files.push(target);
        }
        if files.len() > FILES_MAX {
            return Err(format!("the folder has more than {FILES_MAX} files"));
        }
    }
    Ok(())
}

/// Format and compression by the name of a file.
fn by_name(name: &str, format: Option<&str>) -> Result<(Format, ContentEncoding), String> {
    let lower = name.to_ascii_lowercase();
    let (stem, encoding) = match lower.rsplit_once('.') {
        Some((stem, "gz")) => (stem, ContentEncoding::Gzip),
        Some((stem, "zst")) => (stem, ContentEncoding::Zstd),
        Some((_, "zip")) => {
            return Err(String::from("zip archives are not supported: use gzip (.gz) or zstd (.zst)"));
        }
        _ => (lower.as_str(), ContentEncoding::Identity),
    };
    let format = match format {
        Some(format) => Format::from_name(format)?,
        None => match stem.rsplit_once('.') {
            Some((_, extension @ ("parquet" | "avro" | "orc"))) => Format::from_name(extension)?,
            Some((_, extension)) => Format::from_name(extension).unwrap_or(Format::CSV),
            None => Format::CSV,
        },
    };
    Ok((format, encoding))
}

fn read_body(
    body: &mut (dyn Read + Send),
    name: &str,
    rows: &ExternalRows,
    schema: &TableSchema,
    reading: &Reading,
    take: &mut dyn FnMut(DecodedBatch) -> Result<(), String>,
) -> Result<(), String> {
    let (format, encoding) = by_name(name, rows.format.as_deref())?;
    let entries = match &rows.mapping {
        Some(text) => {
            let definition = serde_json::from_str(text)
                .map_err(|error| format!("the ingestion mapping is not JSON: {error}"))?;
            Some(mapping::parse(&definition)?)
        }
        None => None,
    };
    let origin = if format == Format::Json { TextOrigin::Json } else { TextOrigin::Delimited };
    let mut builder = RowBuilder::new(schema, reading.policy, origin);
    let mut decoder = decoder(format, reading.header, entries.as_deref(), &mut builder)?;
    let broken = |error: std::io::Error| format!("the file cannot be read: {error}");
    let mut window = Window::new(encoding.decode(body).map_err(broken)?);
    window.fill().map_err(broken)?;
    // Formats without a header have a first record all the same.
    let mut skip = rows.skip_first_record && !matches!(format, Format::Delimited(_));
    loop {
        let progress = decoder.decode(window.bytes(), window.ended(), &mut builder);
        if let Some(error) = progress.error {
            return Err(format!("line {}: {}", window.line_at(error.offset), error.message));
        }
        window.consume(progress.consumed);
        if builder.is_full() || window.ended() {
            if builder.rows() > 0 {
                let batch = builder.finish();
                take(if std::mem::take(&mut skip) { without_first(batch) } else { batch })?;
            }
            if window.ended() && (window.bytes().is_empty() || progress.consumed == 0) {
                return Ok(());
            }
        }
        if !window.ended() {
            window.fill().map_err(broken)?;
        }
    }
}

fn without_first(batch: DecodedBatch) -> DecodedBatch {
    let rows = batch.rows.saturating_sub(1);
    let columns = batch.columns.into_iter().map(|mut column| {
        column.array = column.array.slice(1, rows);
        column
    });
    DecodedBatch { columns: columns.collect(), rows, nulled: batch.nulled }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows_of(access: &ExternalAccess, address: &str, rows: &ExternalRows) -> Result<usize, String> {
        let schema = TableSchema::new([("a", ColumnType::Long), ("b", ColumnType::String)]);
        let mut count = 0;
        access.read(address, rows, &schema, Duration::from_secs(5), &mut |batch| {
            assert_eq!(batch.columns.len(), 2);
            count += batch.rows;
            Ok(())
        })?;
        Ok(count)
    }

    #[test]
    fn files_are_read_inside_of_the_directory_only() {
        let outside = tempfile::tempdir().expect("a directory");
        let inside = tempfile::tempdir().expect("a directory");
        let write = |name: &str, text: &str| {
            let path = inside.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, text).expect("written");
        };
        write("x.csv", "1,x\n2,y\n");
        write("x.json", "{\"a\":1,\"b\":\"x\"}\n{\"b\":\"y\"}\n{\"a\":\"no number\"}");
        write("x.txt", "1\n2\n3");
        write("folder/one.csv", "1,x");
        write("folder/deep/two.csv", "1,x\n2,y");
        write("folder/other.dat", "1,x");
        write("bad.csv", "1,\"x");
        std::fs::write(outside.path().join("secret.csv"), "1,x").expect("written");
        #[cfg(unix)]
        std::os::unix::fs::symlink(outside.path().join("secret.csv"), inside.path().join("link.csv"))
            .expect("a link");
        let access = ExternalAccess { directory: Some(inside.path().to_owned()), http: false };
        let plain = ExternalRows::default();
        let header = ExternalRows { skip_first_record: true, ..ExternalRows::default() };
        let folder =
            ExternalRows { folder: Some((String::new(), ".csv".to_owned())), ..ExternalRows::default() };
        let absolute = inside.path().join("x.csv").to_string_lossy().into_owned();
        for (address, rows, expected) in [
            ("x.csv", &plain, 2),
            (&format!("file://{absolute};managed_identity=x"), &plain, 2),
            ("x.csv", &header, 1),
            ("x.json", &plain, 3),
            ("x.txt", &plain, 3),
            ("x.txt", &header, 2),
            ("folder", &folder, 3),
        ] {
            assert_eq!(rows_of(&access, address, rows), Ok(expected), "{address}");
        }
        for (address, expected) in [
            ("../secret.csv", "in the directory"),
            ("link.csv", "not in the directory"),
            ("/etc/passwd", "not in the directory"),
            ("absent.csv", "no file"),
            ("folder", "is a directory"),
            ("bad.csv", "line 1"),
            ("https://example.com/x.csv", "--external-data-http"),
            ("abfss://x", "'abfss'"),
        ] {
            let found = rows_of(&access, address, &plain).expect_err(address);
            assert!(found.contains(expected), "{address}: {found}");
        }
        let infer = |address: &str, header: bool, which: WhichFiles| {
            access.infer(address, &folder, header, which, Duration::from_secs(5))
        };
        let column = |name: &str, ty: ColumnType| (name.to_owned(), ty);
        assert_eq!(
            infer("x.json", false, WhichFiles::All),
            Ok(vec![column("a", ColumnType::Dynamic), column("b", ColumnType::String)])
        );
        write("named.csv", "when,ms\n2024-01-01T00:00:00Z,1.5\n");
        assert_eq!(
            infer("named.csv", true, WhichFiles::Last),
            Ok(vec![column("when", ColumnType::DateTime), column("ms", ColumnType::Real)])
        );
        assert_eq!(infer("folder", false, WhichFiles::All).map(|columns| columns.len()), Ok(2));
        let closed = rows_of(&ExternalAccess::default(), "x.csv", &plain).expect_err("closed");
        assert!(closed.contains("--external-data-dir"), "{closed}");
    }
}
