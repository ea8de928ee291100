//! JSON paths: `$.a.b[0]['c d']` (reference: jsonpath). Wildcards and descent are not part of what Kusto
//! takes.

use conshelf_storage::DynamicRef;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Key(String),
    Index(i64),
}

/// The steps of a path that starts with `$`; `None` if it is malformed.
pub fn parse(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.trim().strip_prefix('$')?;
    let mut steps = Vec::new();
    while let Some(first) = rest.chars().next() {
        match first {
            '.' => {
                let end = rest[1..].find(['.', '[']).map_or(rest.len(), |end| end + 1);
                let key = &rest[1..end];
                if key.is_empty() {
                    return None;
                }
                steps.push(Step::Key(key.to_string()));
                rest = &rest[end..];
            }
            '[' => {
                let inner = rest[1..].trim_start();
                if let Some(quote) = inner.chars().next().filter(|quote| matches!(quote, '\'' | '"')) {
                    let body = &inner[1..];
                    let end = body.find(quote)?;
                    steps.push(Step::Key(body[..end].to_string()));
                    rest = body[end + 1..].trim_start().strip_prefix(']')?;
                } else {
                    let end = inner.find(']')?;
                    steps.push(Step::Index(inner[..end].trim().parse().ok()?));
                    rest = &inner[end + 1..];
                }
            }
            _ => return None,
        }
    }
    Some(steps)
}

/// The keys of a property: those of a path without positions, else the text itself.
pub fn keys(text: &str) -> Vec<String> {
    let steps = if text.starts_with('$') { parse(text) } else { None };
    let keys = steps.filter(|steps| !steps.is_empty()).and_then(|steps| {
        steps.into_iter().map(|step| if let Step::Key(key) = step { Some(key) } else { None }).collect()
    });
    keys.unwrap_or_else(|| vec![text.to_string()])
}

/// What a path leads to.
pub fn follow<'a>(value: DynamicRef<'a>, steps: &[Step]) -> Option<DynamicRef<'a>> {
    steps.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.get(key),
        Step::Index(index) => value.at(*index),
    })
}
