//! Where IP addresses are, by MaxMind databases that the user supplies (GeoLite2-City and its kin).

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use maxminddb::Reader;
use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Databases, the first that knows an address answers.
#[derive(Default)]
pub struct Locations {
    databases: Vec<Reader<Vec<u8>>>,
    identity: u64,
}

/// What is known of the place of an address.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Location {
    pub country: Option<String>,
    /// The largest part of the country.
    pub state: Option<String>,
    pub city: Option<String>,
    /// Degrees.
    pub latitude: Option<f64>,
    pub longitude: Option<f64>,
}

/// A database that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the database of locations {}: {reason}", path.display())]
pub struct LocationsError {
    path: PathBuf,
    reason: String,
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    names: BTreeMap<String, String>,
}

impl Named {
    fn english(mut self) -> Option<String> {
        self.names.remove("en")
    }
}

#[derive(Deserialize)]
struct Place {
    latitude: Option<f64>,
    longitude: Option<f64>,
}

#[derive(Deserialize)]
struct Record {
    country: Option<Named>,
    registered_country: Option<Named>,
    #[serde(default)]
    subdivisions: Vec<Named>,
    city: Option<Named>,
    location: Option<Place>,
}

impl fmt::Debug for Locations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Locations({} databases)", self.databases.len())
    }
}

impl Locations {
    /// Reads the files into memory.
    pub fn open(paths: &[PathBuf]) -> Result<Locations, LocationsError> {
        let mut identity = 0;
        let read = |path: &PathBuf| {
            let bytes = std::fs::read(path).map_err(|error| error.to_string());
            bytes
                .and_then(|bytes| {
                    identity = xxh3_64_with_seed(&bytes, identity);
                    Reader::from_source(bytes).map_err(|error| error.to_string())
                })
                .map_err(|reason| LocationsError { path: path.clone(), reason })
        };
        let databases = paths.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Locations { databases, identity })
    }

    /// The same for the same databases in the same order.
    pub fn identity(&self) -> u64 {
        self.identity
    }

    /// Whether there is any database.
    pub fn is_empty(&self) -> bool {
        self.databases.is_empty()
    }

    /// What is known of an address.
    pub fn find(&self, address: IpAddr) -> Option<Location> {
        self.databases.iter().find_map(|reader| {
            let record: Record = reader.lookup(address).ok()?.decode().ok()??;
            let country = record.country.or(record.registered_country);
            Some(Location {
                country: country.and_then(Named::english),
                state: record.subdivisions.into_iter().next().and_then(Named::english),
                city: record.city.and_then(Named::english),
                latitude: record.location.as_ref().and_then(|place| place.latitude),
                longitude: record.location.as_ref().and_then(|place| place.longitude),
            })
        })
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    const SEPARATOR: usize = 16;

    fn text(out: &mut Vec<u8>, text: &str) {
        assert!(text.len() < 29);
        out.push(0x40 | text.len() as u8);
        out.extend(text.as_bytes());
    }

    fn map(out: &mut Vec<u8>, members: usize) {
        out.push(0xe0 | members as u8);
    }

    fn real(out: &mut Vec<u8>, value: f64) {
        out.push(0x68);
        out.extend(value.to_be_bytes());
    }

    fn small(out: &mut Vec<u8>, key: &str, value: u16) {
        text(out, key);
        out.push(0xa2);
        out.extend(value.to_be_bytes());
    }

    fn named(out: &mut Vec<u8>, name: &str) {
        map(out, 1);
        text(out, "names");
        map(out, 1);
        text(out, "en");
        text(out, name);
    }

    /// A database that knows the addresses of one IPv4 network (MaxMind DB file format, version 2.0).
    pub fn database(network: [u8; 4], prefix: usize) -> Vec<u8> {
        let bits = u32::from_be_bytes(network);
        let mut out = Vec::new();
        for node in 0..prefix {
            let next = if node + 1 == prefix { prefix + SEPARATOR } else { node + 1 };
            let records = if bits >> (31 - node) & 1 == 0 { [next, prefix] } else { [prefix, next] };
            records.iter().for_each(|record| out.extend(&(*record as u32).to_be_bytes()[1..]));
        }
        out.extend([0; SEPARATOR]);
        map(&mut out, 4);
        text(&mut out, "country");
        named(&mut out, "Australia");
        text(&mut out, "subdivisions");
        out.extend([1, 4]);
        named(&mut out, "New South Wales");
        text(&mut out, "city");
        named(&mut out, "Sydney");
        text(&mut out, "location");
        map(&mut out, 2);
        text(&mut out, "latitude");
        real(&mut out, -33.8715);
        text(&mut out, "longitude");
        real(&mut out, 151.2006);
        out.extend(b"\xab\xcd\xefMaxMind.com");
        map(&mut out, 9);
        text(&mut out, "node_count");
        out.extend([0xc1, prefix as u8]);
        small(&mut out, "record_size", 24);
        small(&mut out, "ip_version", 4);
        small(&mut out, "binary_format_major_version", 2);
        small(&mut out, "binary_format_minor_version", 0);
        text(&mut out, "database_type");
        text(&mut out, "Test-City");
        text(&mut out, "languages");
        out.extend([1, 4]);
        text(&mut out, "en");
        text(&mut out, "build_epoch");
        out.extend([1, 2, 1]);
        text(&mut out, "description");
        map(&mut out, 1);
        text(&mut out, "en");
        text(&mut out, "test");
        out
    }

    #[test]
    fn the_first_database_that_knows_an_address_answers() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("one"), database([10, 0, 0, 0], 8)).expect("written");
        std::fs::write(path("other"), database([20, 53, 0, 0], 16)).expect("written");
        let locations = Locations::open(&[path("one"), path("other")]).expect("opened");
        let find = |text: &str| locations.find(text.parse().expect("an address"));
        let found = find("20.53.203.50").expect("known");
        assert_eq!(found.country.as_deref(), Some("Australia"));
        assert_eq!(found.state.as_deref(), Some("New South Wales"));
        assert_eq!(found.city.as_deref(), Some("Sydney"));
        assert_eq!((found.latitude, found.longitude), (Some(-33.8715), Some(151.2006)));
        assert_eq!(find("10.1.2.3").and_then(|found| found.city).as_deref(), Some("Sydney"));
        assert_eq!(find("20.54.0.1"), None);
        assert_eq!(find("::1"), None);
    }

    #[test]
    fn what_is_no_database_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("text");
        std::fs::write(&path, "hello").expect("written");
        let error = Locations::open(std::slice::from_ref(&path)).expect_err("refused").to_string();
        assert!(error.contains("cannot read the database of locations"), "{error}");
        assert!(Locations::open(&[directory.path().join("none")]).is_err());
    }
}
