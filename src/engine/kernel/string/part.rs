//! Functions that take texts apart: URLs, paths, versions.

use arrow_array::ArrayRef;
use conshelf_kql::Decimal;
use conshelf_storage::DynamicBuilder;

use crate::engine::error::Result;
use crate::engine::kernel::access::{Texts, argument, decimals, dynamics};
use crate::engine::kernel::string::encode::decode_url;
use crate::engine::kernel::{Datum, KernelCall};

fn property(builder: &mut DynamicBuilder, key: &str, value: &str) {
    builder.key(key);
    builder.string(value);
}

fn query_parameters(builder: &mut DynamicBuilder, query: &str) {
    builder.key("Query Parameters");
    builder.begin_object();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        property(builder, &decode_url(key, true), &decode_url(value, true));
    }
    builder.end_object();
}

pub fn parse_url(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        let url = values.get(row);
        let (rest, fragment) = url.split_once('#').unwrap_or((url, ""));
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (scheme, rest, absolute) = match rest.split_once("://") {
            Some((scheme, rest)) => (scheme, rest, true),
            None => ("", rest, false),
        };
        let (authority, path) = match (absolute, rest.find('/')) {
            (true, Some(slash)) => rest.split_at(slash),
            (true, None) => (rest, ""),
            (false, _) => ("", rest),
        };
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (username, password) = user.split_once(':').unwrap_or((user, ""));
        let (host, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
                (name, port)
            }
            _ => (host, ""),
        };
        builder.begin_object();
        property(builder, "Scheme", scheme);
        property(builder, "Host", host);
        property(builder, "Port", port);
        property(builder, "Path", path);
        property(builder, "Username", username);
        property(builder, "Password", password);
        query_parameters(builder, query);
        property(builder, "Fragment", fragment);
        builder.end_object();
        true
    }))
}

pub fn parse_urlquery(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        let query = values.get(row);
        builder.begin_object();
        query_parameters(builder, query.strip_prefix('?').unwrap_or(query));
        builder.end_object();
        true
    }))
}

pub fn parse_path(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        let text = values.get(row);
        let (scheme, path) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme, rest.strip_prefix('/').unwrap_or(rest)),
            None => ("", text),
        };
        let is_drive = matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
        let root = if is_drive { &path[..2] } else { "" };
        let (directory, file) = match path.rfind(['/', '\\']) {
            Some(slash) => (&path[..slash], &path[slash + 1..]),
            None => ("", path),
        };
        let (file, stream) = match file.split_once(':') {
            Some((name, stream)) if !(is_drive && directory.is_empty()) => (name, stream),
            _ => (file, ""),
        };
        let directory_name = directory.rsplit(['/', '\\']).next().unwrap_or_default();
        let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension);
        builder.begin_object();
        property(builder, "Scheme", scheme);
        property(builder, "RootPath", root);
        property(builder, "DirectoryPath", directory);
        property(builder, "DirectoryName", directory_name);
        property(builder, "Filename", file);
        property(builder, "Extension", extension);
        property(builder, "AlternateDataStreamName", stream);
        builder.end_object();
        true
    }))
}

/// One to four parts of up to eight digits; each is worth 10⁸ of the next.
fn version(text: &str) -> Option<Decimal> {
    let mut value: i128 = 0;
    let mut parts = 0;
    for part in text.split('.') {
        if part.is_empty() || part.len() > 8 || !part.bytes().all(|byte| byte.is_ascii_digit()) || parts == 4
        {
            return None;
        }
        value = value * 100_000_000 + part.parse::<i128>().ok()?;
        parts += 1;
    }
    Some(Decimal::new(value * 10i128.pow(8 * (4 - parts)), 0))
}

pub fn parse_version(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    decimals(call.rows, |row| version(values.get(row)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_order_as_numbers() {
        let printed = |text| version(text).map(|value| value.to_string());
        assert_eq!(printed("0.0.0.5").as_deref(), Some("5"));
        assert_eq!(printed("1.2.3.4").as_deref(), Some("1000000020000000300000004"));
        assert_eq!(printed("1").as_deref(), Some("1000000000000000000000000"));
        assert_eq!(printed("1.2.3.4.5"), None);
        assert_eq!(printed("1..2"), None);
        assert_eq!(printed("999999999"), None);
    }
}
