//! The language reference, made from the tables of operators, functions and plugins: pages in Markdown, for
//! `conshelf docs`, and in HTML, for the server's `/docs/kql`. Every example in it is run by a test.

use std::fmt::Write as _;

use conshelf_kql::editor::documentation::parameter_values;
use conshelf_kql::function::{Example, FunctionId, FunctionKind};
use conshelf_kql::operator::{OPERATORS, OperatorSpec};
use conshelf_kql::plugin::{Availability, Plugin};

/// What an entry describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Chapter {
    Operators,
    Functions,
    Aggregates,
    WindowFunctions,
    Plugins,
}

impl Chapter {
    pub const ALL: [Chapter; 5] = [
        Chapter::Operators,
        Chapter::Functions,
        Chapter::Aggregates,
        Chapter::WindowFunctions,
        Chapter::Plugins,
    ];

    pub const fn title(self) -> &'static str {
        match self {
            Chapter::Operators => "Operators",
            Chapter::Functions => "Scalar functions",
            Chapter::Aggregates => "Aggregates",
            Chapter::WindowFunctions => "Window functions",
            Chapter::Plugins => "Plugins",
        }
    }

    /// The name of its page.
    pub const fn name(self) -> &'static str {
        match self {
            Chapter::Operators => "operators",
            Chapter::Functions => "functions",
            Chapter::Aggregates => "aggregates",
            Chapter::WindowFunctions => "window-functions",
            Chapter::Plugins => "plugins",
        }
    }
}

/// One operator, function or plugin.
#[derive(Clone, Debug)]
pub struct Entry {
    pub chapter: Chapter,
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    /// Syntax or signatures, a line each.
    pub signatures: Vec<String>,
    pub summary: &'static str,
    /// Name, values, summary.
    pub parameters: Vec<(&'static str, String, &'static str)>,
    pub examples: &'static [Example],
    /// What calls outside, and is therefore disabled.
    pub disabled: bool,
}

fn operator_entry(operator: &'static OperatorSpec) -> Entry {
    let parameters = operator.parameters.iter().chain(operator.properties);
    Entry {
        chapter: Chapter::Operators,
        name: operator.name,
        aliases: operator.aliases,
        signatures: vec![operator.syntax.to_owned()],
        summary: operator.summary,
        parameters: parameters
            .map(|parameter| (parameter.name, parameter_values(parameter), parameter.summary))
            .collect(),
        examples: operator.examples,
        disabled: false,
    }
}

fn function_entry(function: FunctionId) -> Entry {
    let spec = function.spec();
    Entry {
        chapter: match spec.kind {
            FunctionKind::Scalar => Chapter::Functions,
            FunctionKind::Window => Chapter::WindowFunctions,
            FunctionKind::Aggregate => Chapter::Aggregates,
        },
        name: spec.name,
        aliases: spec.aliases,
        signatures: spec.signatures.iter().map(|signature| format!("{}{signature}", spec.name)).collect(),
        summary: spec.summary,
        parameters: Vec::new(),
        examples: spec.examples,
        disabled: false,
    }
}

fn plugin_entry(plugin: Plugin) -> Entry {
    let spec = plugin.spec();
    Entry {
        chapter: Chapter::Plugins,
        name: spec.name,
        aliases: &[],
        signatures: spec
            .signatures
            .iter()
            .map(|signature| format!("evaluate {}{signature}", spec.name))
            .collect(),
        summary: spec.summary,
        parameters: Vec::new(),
        examples: spec.examples,
        disabled: spec.availability != Availability::Runs,
    }
}

/// Everything, by chapter and name.
pub fn entries() -> Vec<Entry> {
    let operators = OPERATORS.iter().map(operator_entry);
    let functions = FunctionId::all().filter(|f| !matches!(f, FunctionId::Operator(_))).map(function_entry);
    let plugins = Plugin::ALL.iter().copied().map(plugin_entry);
    let mut entries: Vec<Entry> = operators.chain(functions).chain(plugins).collect();
    entries.sort_by(|a, b| a.chapter.cmp(&b.chapter).then_with(|| a.name.cmp(b.name)));
    entries
}

/// The Markdown of a chapter.
pub fn markdown(chapter: Chapter) -> String {
    let mut out = format!("# {}\n", chapter.title());
    for entry in entries().iter().filter(|entry| entry.chapter == chapter) {
        let _ = write!(out, "\n## {}\n\n{}\n", entry.name, entry.summary);
        if entry.disabled {
            out.push_str("\nDisabled on this server.\n");
        }
        if !entry.signatures.is_empty() {
            let _ = write!(out, "\n```kusto\n{}\n```\n", entry.signatures.join("\n"));
        }
        if !entry.aliases.is_empty() {
            let aliases: Vec<String> = entry.aliases.iter().map(|alias| format!("`{alias}`")).collect();
            let _ = writeln!(out, "\nAlso called {}.", aliases.join(", "));
        }
        if !entry.parameters.is_empty() {
            out.push_str("\n| parameter | values | |\n|---|---|---|\n");
            for (name, values, summary) in &entry.parameters {
                let _ = writeln!(out, "| `{name}` | {} | {summary} |", values.replace('|', "\\|"));
            }
        }
        for example in entry.examples {
            let _ = write!(out, "\n```kusto\n{}\n```\n", example.query);
            if !example.answer.is_empty() {
                let _ = write!(out, "\n```csv\n{}\n```\n", example.answer);
            }
        }
    }
    out
}

/// The Markdown of the page that lists all chapters.
pub fn markdown_index() -> String {
    let entries = entries();
    let mut out = String::from("# The language\n");
    for chapter in Chapter::ALL {
        let _ = write!(out, "\n## [{}]({}.md)\n\n", chapter.title(), chapter.name());
        let names: Vec<String> = entries
            .iter()
            .filter(|entry| entry.chapter == chapter)
            .map(|entry| format!("[{0}]({1}.md#{0})", entry.name, chapter.name()))
            .collect();
        let _ = writeln!(out, "{}", names.join(" · "));
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn html_page(title: &str, body: &str) -> String {
    let chapters: Vec<String> = Chapter::ALL
        .iter()
        .map(|chapter| format!("<a href=\"/docs/kql/{}\">{}</a>", chapter.name(), chapter.title()))
        .collect();
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title} · Conshelf</title><style>\
         body{{font:16px/1.5 system-ui;margin:2em auto;max-width:60em;padding:0 1em}}\
         pre{{background:#8881;padding:.6em 1em;overflow-x:auto;border-radius:.3em}}\
         td{{padding:.1em 1em .1em 0;vertical-align:top}}nav a{{margin-right:1em}}h2{{margin-top:2em}}</style>\
         <nav><a href=\"/docs/kql\">All</a>{}</nav><h1>{title}</h1>{body}</html>\n",
        chapters.join("")
    )
}

/// The HTML page of a chapter. Each example links to its run.
pub fn html(chapter: Chapter) -> String {
    let mut body = String::new();
    for entry in entries().iter().filter(|entry| entry.chapter == chapter) {
        let _ =
            write!(body, "<h2 id=\"{0}\">{0}</h2><p>{1}</p>", escaped(entry.name), escaped(entry.summary));
        if entry.disabled {
            body.push_str("<p>Disabled on this server.</p>");
        }
        if !entry.signatures.is_empty() {
            let _ = write!(body, "<pre>{}</pre>", escaped(&entry.signatures.join("\n")));
        }
        if !entry.aliases.is_empty() {
            let _ = write!(body, "<p>Also called {}.</p>", escaped(&entry.aliases.join(", ")));
        }
        if !entry.parameters.is_empty() {
            body.push_str("<table>");
            for (name, values, summary) in &entry.parameters {
                let _ = write!(
                    body,
                    "<tr><td><code>{name}</code></td><td>{}</td><td>{}</td></tr>",
                    escaped(values),
                    escaped(summary)
                );
            }
            body.push_str("</table>");
        }
        for example in entry.examples {
            let link = format!("/query?format=table&q={}", percent_encoded(example.query));
            let _ = write!(body, "<pre>{}</pre>", escaped(example.query));
            if !example.answer.is_empty() {
                let _ = write!(body, "<pre>{}</pre>", escaped(example.answer));
            }
            let _ = write!(body, "<a href=\"{link}\">run</a>");
        }
    }
    html_page(chapter.title(), &body)
}

/// The HTML page that lists all chapters.
pub fn html_index() -> String {
    let entries = entries();
    let mut body = String::new();
    for chapter in Chapter::ALL {
        let _ = write!(body, "<h2><a href=\"/docs/kql/{}\">{}</a></h2><p>", chapter.name(), chapter.title());
        for entry in entries.iter().filter(|entry| entry.chapter == chapter) {
            let _ = write!(
                body,
                "<a href=\"/docs/kql/{}#{1}\" title=\"{2}\">{1}</a> ",
                chapter.name(),
                escaped(entry.name),
                escaped(entry.summary)
            );
        }
        body.push_str("</p>");
    }
    html_page("The language", &body)
}

fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_has_its_place() {
        let index = markdown_index();
        for entry in entries() {
            assert!(index.contains(entry.name), "{}", entry.name);
            assert!(!entry.summary.is_empty(), "{}", entry.name);
            let page = markdown(entry.chapter);
            assert!(page.contains(&format!("\n## {}\n", entry.name)), "{}", entry.name);
        }
        assert!(html(Chapter::Operators).contains("id=\"summarize\""));
        assert!(html(Chapter::Functions).contains("&lt;") || !html(Chapter::Functions).contains("<T"));
        assert!(html_index().contains("/docs/kql/aggregates#dcount"));
    }
}
