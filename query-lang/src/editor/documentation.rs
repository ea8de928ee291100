//! What the tables say about functions, operators and plugins, as Markdown: for completion, hover help and the language
//! reference.

use crate::function::{Example, FunctionId, FunctionKind};
use crate::operator::{OperatorSpec, ParameterSpec, ParameterValue};
use crate::plugin::{Availability, Plugin};
use crate::types::Schema;

fn example_block(out: &mut String, examples: &[Example]) {
    if let Some(example) = examples.first() {
        out.push_str("\n\n```kusto\n");
        out.push_str(example.query);
        out.push_str("\n```");
        if !example.answer.is_empty() && !example.answer.contains('\n') {
            out.push_str("\n→ `");
            out.push_str(example.answer);
            out.push('`');
        }
    }
}

fn signatures(out: &mut String, name: &str, texts: &[&str]) {
    out.push_str("```kusto\n");
    for text in texts {
        out.push_str(name);
        out.push_str(text);
        out.push('\n');
    }
    out.push_str("```\n\n");
}

/// Signatures, summary and an example.
pub fn of_function(function: FunctionId) -> String {
    let spec = function.spec();
    let mut out = String::new();
    signatures(&mut out, spec.name, spec.signatures);
    out.push_str(spec.summary);
    match spec.kind {
        FunctionKind::Aggregate => out.push_str("\n\nAggregate: stands in `summarize` and its kin."),
        FunctionKind::Window => {
            out.push_str("\n\nWindow function: needs rows in order (`serialize`, `sort`).")
        }
        FunctionKind::Scalar => {}
    }
    if !spec.aliases.is_empty() {
        out.push_str("\n\nAlso called ");
        out.push_str(&spec.aliases.iter().map(|alias| format!("`{alias}`")).collect::<Vec<_>>().join(", "));
        out.push('.');
    }
    example_block(&mut out, spec.examples);
    out
}

/// Signatures, summary and an example.
pub fn of_plugin(plugin: Plugin) -> String {
    let spec = plugin.spec();
    let mut out = String::new();
    signatures(&mut out, spec.name, spec.signatures);
    out.push_str(spec.summary);
    if let Availability::Disabled(_) = spec.availability {
        out.push_str("\n\nDisabled on this server.");
    }
    example_block(&mut out, spec.examples);
    out
}

/// Syntax, summary, parameters and an example.
pub fn of_operator(operator: &OperatorSpec) -> String {
    let mut out = format!("```kusto\n{}\n```\n\n{}", operator.syntax, operator.summary);
    let mut parameters = operator.parameters.iter().chain(operator.properties).peekable();
    if parameters.peek().is_some() {
        out.push('\n');
    }
    for parameter in parameters {
        out.push_str(&format!(
            "\n- `{}` ({}): {}",
            parameter.name,
            parameter_values(parameter),
            parameter.summary
        ));
    }
    example_block(&mut out, operator.examples);
    out
}

/// The values a parameter takes.
pub fn parameter_values(parameter: &ParameterSpec) -> String {
    match parameter.value {
        ParameterValue::Word(words) => words.join(" | "),
        ParameterValue::Bool => "bool".to_string(),
        ParameterValue::Number => "number".to_string(),
        ParameterValue::Text => "text".to_string(),
        ParameterValue::Column => "column".to_string(),
        ParameterValue::Name => "name".to_string(),
    }
}

/// `(a: long, b: string)`; of wide tables the beginning.
pub fn schema_text(schema: &Schema) -> String {
    const SHOWN: usize = 12;
    let mut columns: Vec<String> = schema
        .iter()
        .take(SHOWN)
        .map(|column| format!("{}: {}", super::quoted_name(&column.name), column.ty))
        .collect();
    if schema.len() > SHOWN {
        columns.push("…".to_string());
    }
    format!("({})", columns.join(", "))
}
