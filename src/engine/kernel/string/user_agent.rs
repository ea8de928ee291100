//! What a browser says of itself: its family and version, the operating system, the device. By the rules of
//! uap-core, which come with the source (`user_agent/regexes.json`) and are compiled when first asked for.

use std::borrow::Cow;
use std::sync::LazyLock;

use arrow_array::ArrayRef;
use conshelf_kql::Type;
use conshelf_storage::DynamicBuilder;
use ua_parser::{Regexes, device, os, user_agent};

use crate::engine::error::{EngineError, Result};
use crate::engine::kernel::access::{Dynamics, Texts, argument, dynamics};
use crate::engine::kernel::{Datum, KernelCall};

const RULES: &str = include_str!("user_agent/regexes.json");

/// The family of what no rule knows.
const OTHER: &str = "Other";

type Compiled<T> = LazyLock<std::result::Result<T, String>>;

static BROWSERS: Compiled<user_agent::Extractor<'static>> = LazyLock::new(|| {
    let rules = rules()?.user_agent_parsers;
    let builder = user_agent::Builder::new().push_all(rules).map_err(|error| error.to_string())?;
    builder.build().map_err(|error| error.to_string())
});

static SYSTEMS: Compiled<os::Extractor<'static>> = LazyLock::new(|| {
    let builder = os::Builder::new().push_all(rules()?.os_parsers).map_err(|error| error.to_string())?;
    builder.build().map_err(|error| error.to_string())
});

static DEVICES: Compiled<device::Extractor<'static>> = LazyLock::new(|| {
    let builder =
        device::Builder::new().push_all(rules()?.device_parsers).map_err(|error| error.to_string())?;
    builder.build().map_err(|error| error.to_string())
});

fn rules() -> std::result::Result<Regexes<'static>, String> {
    serde_json::from_str(RULES).map_err(|error| error.to_string())
}

fn compiled<T>(rules: &'static Compiled<T>) -> Result<&'static T> {
    rules.as_ref().map_err(|error| EngineError::Internal(format!("the rules of user agents: {error}")))
}

/// What is asked for.
#[derive(Clone, Copy, Default)]
struct Wanted {
    browser: bool,
    system: bool,
    device: bool,
}

impl Wanted {
    const ALL: Wanted = Wanted { browser: true, system: true, device: true };

    fn add(&mut self, name: &str) {
        match name.trim().to_ascii_lowercase().as_str() {
            "browser" => self.browser = true,
            "os" => self.system = true,
            "device" => self.device = true,
            _ => {}
        }
    }
}

fn write(builder: &mut DynamicBuilder, kind: &str, members: &[(&str, Cow<'_, str>)]) {
    builder.key(kind);
    builder.begin_object();
    for (key, value) in members {
        builder.key(key);
        builder.string(value);
    }
    builder.end_object();
}

fn write_browser(builder: &mut DynamicBuilder, text: &str) -> Result<()> {
    let found = compiled(&BROWSERS)?.extract(text);
    let (family, versions) = match &found {
        Some(found) => (found.family.as_ref(), [found.major, found.minor, found.patch]),
        None => (OTHER, [None; 3]),
    };
    let [major, minor, patch] = versions.map(|version| Cow::Borrowed(version.unwrap_or_default()));
    let members =
        [("Family", family.into()), ("MajorVersion", major), ("MinorVersion", minor), ("Patch", patch)];
    write(builder, "Browser", &members);
    Ok(())
}

fn write_system(builder: &mut DynamicBuilder, text: &str) -> Result<()> {
    let found = compiled(&SYSTEMS)?.extract(text);
    let found = found.unwrap_or_else(|| os::ValueRef { os: OTHER.into(), ..Default::default() });
    let members = [
        ("Family", found.os),
        ("MajorVersion", found.major.unwrap_or_default()),
        ("MinorVersion", found.minor.unwrap_or_default()),
        ("Patch", found.patch.unwrap_or_default()),
        ("PatchMinor", found.patch_minor.unwrap_or_default()),
    ];
    write(builder, "OperatingSystem", &members);
    Ok(())
}

fn write_device(builder: &mut DynamicBuilder, text: &str) -> Result<()> {
    let found = compiled(&DEVICES)?.extract(text);
    let found = found.unwrap_or_else(|| device::ValueRef { device: OTHER.into(), ..Default::default() });
    let members = [
        ("Family", found.device),
        ("Brand", found.brand.unwrap_or_default()),
        ("Model", found.model.unwrap_or_default()),
    ];
    write(builder, "Device", &members);
    Ok(())
}

pub fn parse_user_agent(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let texts = Texts::new(argument(arguments, 0)?)?;
    let (names, lists) = match (arguments.get(1), call.argument_types.get(1)) {
        (Some(datum), Some(Type::Dynamic)) => (None, Some(Dynamics::new(datum)?)),
        (Some(datum), _) => (Some(Texts::new(datum)?), None),
        (None, _) => (None, None),
    };
    let mut failed = None;
    let found = dynamics(call.rows, |row, builder| {
        let mut wanted = if names.is_none() && lists.is_none() { Wanted::ALL } else { Wanted::default() };
        names.iter().for_each(|names| wanted.add(names.get(row)));
        for value in lists.iter().map(|lists| lists.get(row)) {
            value.as_str().into_iter().for_each(|name| wanted.add(name));
            value.iter_array().filter_map(|item| item.as_str()).for_each(|name| wanted.add(name));
        }
        let text = texts.get(row);
        builder.begin_object();
        for (is_wanted, write) in [
            (wanted.browser, write_browser as fn(&mut DynamicBuilder, &str) -> Result<()>),
            (wanted.system, write_system),
            (wanted.device, write_device),
        ] {
            if is_wanted && let Err(error) = write(builder, text) {
                failed = Some(error);
            }
        }
        builder.end_object();
        true
    });
    match failed {
        Some(error) => Err(error),
        None => Ok(found),
    }
}
