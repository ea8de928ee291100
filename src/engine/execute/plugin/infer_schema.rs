//! `infer_storage_schema`: the option is the bag of the call; there is no input.

use std::sync::Arc;

use arrow_array::StringViewArray;
use conshelf_kql::Value;
use conshelf_kql::value::Dynamic;

use crate::engine::batch::Batch;
use crate::engine::error::{EngineError, Result};
use crate::ingest::external::{ExternalRows, WhichFiles};

use super::PluginCall;

/// What the call asks for.
struct Options<'a>(&'a [(String, Dynamic)]);

impl Options<'_> {
    fn get(&self, name: &str) -> Option<&Dynamic> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Dynamic::String(text)) => Some(text),
            _ => None,
        }
    }
}

fn wrong(message: impl std::fmt::Display) -> EngineError {
    EngineError::Evaluation(format!("infer_storage_schema(): {message}"))
}

pub fn rows(call: &PluginCall<'_>) -> Result<Vec<Batch>> {
    let Some(Value::Dynamic(Dynamic::Object(options))) = call.options.first() else {
        return Err(wrong("a property bag of options is expected"));
    };
    let options = Options(options);
    let Some(Dynamic::Array(containers)) = options.get("StorageContainers") else {
        return Err(wrong("the option 'StorageContainers' must be an array of addresses"));
    };
    let Some(format) = options.text("DataFormat") else {
        return Err(wrong("the option 'DataFormat' is missing"));
    };
    let which = match options.text("Mode").unwrap_or("last") {
        "any" => WhichFiles::First,
        "last" => WhichFiles::Last,
        "all" => WhichFiles::All,
        other => return Err(wrong(format!("unknown mode '{other}': any, last or all"))),
    };
    let header = match options.get("InferenceOptions") {
        Some(Dynamic::Object(inference)) => {
            Options(inference).get("UseFirstRowAsHeader") == Some(&Dynamic::Bool(true))
        }
        _ => false,
    };
    let name = |option: &str| options.text(option).unwrap_or_default().to_owned();
    let files = ExternalRows {
        format: Some(format.to_owned()),
        folder: Some((name("FileNamePrefix"), name("FileExtension"))),
        ..ExternalRows::default()
    };
    let mut columns: Vec<String> = Vec::new();
    let mut known: Vec<String> = Vec::new();
    for container in containers {
        let Dynamic::String(address) = container else {
            return Err(wrong("an address must be a text"));
        };
        call.query.check()?;
        let timeout = call.query.limits.timeout.saturating_sub(call.query.started.elapsed());
        let found = call.query.settings.external_data.infer(address, &files, header, which, timeout);
        for (name, ty) in found.map_err(wrong)? {
            if !known.contains(&name) {
                columns.push(format!("{}:{}", conshelf_kql::editor::quoted_name(&name), ty.name()));
                known.push(name);
            }
        }
    }
    Ok(vec![Batch::new(vec![Arc::new(StringViewArray::from(vec![columns.join(", ")]))], 1)])
}
