//! Signature help: the overloads of the call around the cursor and the parameter that is being written.

use crate::catalog::Catalog;
use crate::function::FunctionId;
use crate::plugin::Plugin;

use super::completion::{BINDER_FUNCTIONS, GRAPH_FUNCTIONS};
use super::{cursor, position};

/// One overload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureInformation {
    /// `name(a: long, b: string = "x") -> long`
    pub label: String,
    pub documentation: String,
    /// The bytes of each parameter within the label.
    pub parameters: Vec<(usize, usize)>,
}

/// The overloads of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureHelp {
    pub signatures: Vec<SignatureInformation>,
    /// The overload that takes as many arguments as there are so far.
    pub active_signature: usize,
    /// The parameter being written; the last one where it repeats.
    pub active_parameter: usize,
}

/// The parameters in the text of a signature: their bytes, between the outer parentheses.
fn parameter_spans(signature: &str) -> Vec<(usize, usize)> {
    let Some(open) = signature.find('(') else { return Vec::new() };
    let mut spans = Vec::new();
    let mut depth = 0_u32;
    let mut quote = None;
    let mut start = open + 1;
    for (at, character) in signature.char_indices().skip_while(|(at, _)| *at < open) {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(character),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ',') if depth == 1 => {
                spans.push((start, at));
                start = at + 1;
            }
            (None, ')' | ']' | '}') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    spans.push((start, at));
                    break;
                }
            }
            _ => {}
        }
    }
    spans
        .into_iter()
        .map(|(start, end)| {
            let text = &signature[start..end];
            (
                start + text.len() - text.trim_start().len(),
                start + text.trim_end().len().max(text.len() - text.trim_start().len()),
            )
        })
        .filter(|(start, end)| start < end)
        .collect()
}

/// Names and classes of the parameters of a signature.
pub(super) fn parameter_names(signature: &str) -> Vec<(String, String)> {
    parameter_spans(signature)
        .into_iter()
        .filter_map(|(start, end)| {
            let (name, class) = signature[start..end].split_once(':')?;
            Some((name.trim().to_string(), class.trim().to_string()))
        })
        .collect()
}

fn information(name: &str, signature: &str, documentation: &str) -> SignatureInformation {
    let label = format!("{name}{signature}");
    let parameters = parameter_spans(signature)
        .into_iter()
        .map(|(start, end)| (name.len() + start, name.len() + end))
        .collect();
    SignatureInformation { label, documentation: documentation.to_string(), parameters }
}

/// The parameters of a function that the text declares by `let` before an offset, as written.
fn declared(text: &str, name: &str, offset: usize) -> Option<String> {
    let parsed = crate::parse(text);
    super::symbol::declarations(&parsed.query)
        .into_iter()
        .rfind(|found| {
            found.name == name && (found.span.start as usize) < offset && found.parameters.is_some()
        })
        .and_then(|found| found.parameters)
}

/// The signatures of the call around a byte offset, if there is one of a known function.
pub fn signature_help(text: &str, offset: usize, catalog: &dyn Catalog) -> Option<SignatureHelp> {
    let offset = position::floor(text, offset);
    let call = cursor::open_call(&text[..offset])?;
    let name = call.name.as_str();
    let mut signatures = Vec::new();
    if let Some(parameters) = declared(text, name, call.start) {
        signatures.push(information(name, &parameters, "Function of this text."));
    } else if let Some(plugin) = Plugin::by_name(name).filter(|_| after_evaluate(&text[..call.start])) {
        let spec = plugin.spec();
        signatures.extend(spec.signatures.iter().map(|text| information(name, text, spec.summary)));
    } else {
        let both = [FunctionId::by_name_in_aggregation(name), FunctionId::by_name(name)];
        let mut last = None;
        for function in
            both.into_iter().flatten().filter(|function| last.replace(*function) != Some(*function))
        {
            let spec = function.spec();
            signatures.extend(spec.signatures.iter().map(|text| information(name, text, spec.summary)));
        }
        for (known, text, summary) in BINDER_FUNCTIONS.iter().chain(GRAPH_FUNCTIONS) {
            if *known == name && signatures.is_empty() {
                signatures.push(information(name, text, summary));
            }
        }
        if signatures.is_empty()
            && let Some(function) = catalog.function(catalog.default_database(), name)
        {
            signatures.push(information(name, &function.parameters, "Stored function."));
        }
    }
    if signatures.is_empty() {
        return None;
    }
    let takes = |signature: &SignatureInformation| {
        let repeated = signature
            .parameters
            .last()
            .is_some_and(|(start, end)| signature.label[*start..*end].contains("..."));
        call.argument < signature.parameters.len()
            || repeated
            || (call.argument == 0 && signature.parameters.is_empty())
    };
    let active_signature = signatures.iter().position(takes).unwrap_or(0);
    let active = &signatures[active_signature];
    let by_name = call.named.as_ref().and_then(|named| {
        active.parameters.iter().position(|(start, end)| {
            active.label[*start..*end]
                .split(':')
                .next()
                .is_some_and(|name| name.trim().eq_ignore_ascii_case(named))
        })
    });
    let active_parameter = by_name.unwrap_or(call.argument).min(active.parameters.len().saturating_sub(1));
    Some(SignatureHelp { signatures, active_signature, active_parameter })
}

fn after_evaluate(before: &str) -> bool {
    let piece = before.rsplit('|').next().unwrap_or(before);
    piece.split_whitespace().next() == Some("evaluate")
}
