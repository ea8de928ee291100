//! The text that runs for a tile: declarations of the parameters it uses, the base queries it uses, its own query.
//!
//! Values are no part of the text: they go beside it, as those of `declare query_parameters` do.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use conshelf_kql::ast::StatementKind;
use conshelf_kql::token::TokenKind;

use crate::dashboard::model::Dashboard;
use crate::dashboard::values::Variables;
use crate::query::{Parameter, ParameterValue};

/// A query ready to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Composed {
    pub text: String,
    /// Where the asker's own query begins.
    pub offset: usize,
    /// Where the base queries stand in the text, by their names.
    pub base_queries: Vec<(String, Range<usize>)>,
    pub parameters: Vec<Parameter>,
    /// Whether a value follows from the present moment.
    pub is_moving: bool,
}

/// Puts a query of the dashboard together. Fails where base queries use each other in a circle.
pub fn compose(dashboard: &Dashboard, query: &str, variables: &Variables) -> Result<Composed, String> {
    let bases: BTreeMap<&str, &str> =
        dashboard.base_queries.iter().map(|base| (base.name.as_str(), base.query.as_str())).collect();
    let mut order: Vec<&str> = Vec::new();
    let mut words = words_of(query);
    // What a base query uses comes before it.
    let mut waiting: Vec<(&str, bool)> = dashboard
        .base_queries
        .iter()
        .map(|base| (base.name.as_str(), false))
        .filter(|(name, _)| words.contains(*name))
        .collect();
    let mut entered: BTreeSet<&str> = BTreeSet::new();
    while let Some((name, is_left)) = waiting.pop() {
        if is_left {
            order.push(name);
            continue;
        }
        if order.contains(&name) {
            continue;
        }
        if !entered.insert(name) {
            return Err(format!("the base query '{name}' uses itself, by way of others perhaps"));
        }
        waiting.push((name, true));
        let used = words_of(bases[name]);
        waiting.extend(bases.keys().filter(|other| used.contains(**other)).map(|other| (*other, false)));
        words.extend(used);
    }
    let used: Vec<_> = variables.all.iter().filter(|variable| words.contains(&variable.name)).collect();
    let mut text = String::new();
    if !used.is_empty() {
        let declared: Vec<String> =
            used.iter().map(|variable| format!("{}:{}", variable.name, variable.ty.name())).collect();
        text.push_str(&format!("declare query_parameters({});\n", declared.join(", ")));
    }
    let mut base_queries = Vec::new();
    for name in order {
        let body = bases[name].trim_end().trim_end_matches(';');
        // Several statements are a scope of their own.
        let (before, after) = if is_single(body) {
            (format!("let {name} = "), "\n;\n".to_owned())
        } else {
            (
                format!("let {name}__statements = () {{ "),
                format!("\n}};\nlet {name} = {name}__statements();\n"),
            )
        };
        text.push_str(&before);
        let start = text.len();
        text.push_str(body);
        base_queries.push((name.to_owned(), start..text.len()));
        text.push_str(&after);
    }
    let offset = text.len();
    text.push_str(query);
    let parameters = used
        .iter()
        .map(|variable| Parameter {
            name: variable.name.clone(),
            value: value_of(variable.ty, &variable.literal),
        })
        .collect();
    let is_moving = used.iter().any(|variable| variables.moving.contains(&variable.name));
    Ok(Composed { text, offset, base_queries, parameters, is_moving })
}

/// Texts are handed over as they are, everything else as its literal.
fn value_of(ty: conshelf_kql::Type, literal: &str) -> ParameterValue {
    match ty {
        conshelf_kql::Type::String => {
            ParameterValue::Literal(serde_json::from_str::<String>(literal).unwrap_or_default())
        }
        _ => ParameterValue::Literal(literal.to_owned()),
    }
}

/// Names that a text may use: identifiers and, for `['name']`, strings.
fn words_of(text: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for token in conshelf_kql::lex(text) {
        let piece = &text[token.span.start as usize..token.span.end as usize];
        match token.kind {
            TokenKind::Identifier | TokenKind::Keyword(_) => {
                words.insert(piece.to_owned());
            }
            TokenKind::String => {
                words.insert(piece.trim_matches(['"', '\'']).to_owned());
            }
            _ => {}
        }
    }
    words
}

/// Whether a text is one tabular expression.
fn is_single(text: &str) -> bool {
    let statements = conshelf_kql::parse(text).query.statements;
    statements.len() == 1 && matches!(statements[0].kind, StatementKind::Expression(_))
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::dashboard;

    const FILE: &str = "
version: 1
title: t
parameters:
  - {name: _time, kind: time-range, start: _from, end: _to}
  - {name: _hosts, kind: choice, multiple: true, values: [a, b]}
  - {name: _unused, kind: text}
base_queries:
  - {name: recent, query: 'raw | where t > _from // new'}
  - {name: raw, query: 'let n = 5; T | take n;'}
  - {name: other, query: 'U'}
pages: []
";

    #[test]
    fn a_text_has_what_it_uses_and_no_more() {
        let dashboard = dashboard::read(FILE, dashboard::FileFormat::Yaml).expect("read");
        let mut given = Map::new();
        given.insert("_hosts".to_owned(), json!(["a\"b"]));
        let variables = dashboard::values::variables(&dashboard, &given, 0).expect("values");
        let query = "recent | where h in (['_hosts'])";
        let composed = compose(&dashboard, query, &variables).expect("composed");
        assert_eq!(
            composed.text,
            "declare query_parameters(_from:datetime, _hosts:dynamic);\n\
             let raw__statements = () { let n = 5; T | take n\n};\nlet raw = raw__statements();\n\
             let recent = raw | where t > _from // new\n;\n\
             recent | where h in (['_hosts'])"
        );
        assert_eq!(&composed.text[composed.offset..], query);
        assert_eq!(composed.base_queries[0].0, "raw");
        assert_eq!(&composed.text[composed.base_queries[1].1.clone()], "raw | where t > _from // new");
        assert_eq!(composed.parameters.len(), 2);
        assert!(composed.is_moving);
        assert_eq!(composed.parameters[1].value, ParameterValue::Literal("dynamic([\"a\\\"b\"])".to_owned()));
        let plain = compose(&dashboard, "T | take 1", &variables).expect("composed");
        assert_eq!((plain.text.as_str(), plain.offset, plain.is_moving), ("T | take 1", 0, false));
    }

    #[test]
    fn circles_are_refused() {
        let text =
            FILE.replace("query: 'U'", "query: 'other | take 1'").replace("T | take n", "recent | take n");
        let dashboard = dashboard::read(&text, dashboard::FileFormat::Yaml).expect("read");
        for query in ["other", "recent"] {
            let refused = compose(&dashboard, query, &Variables::default());
            assert!(refused.is_err_and(|message| message.contains("uses itself")), "{query}");
        }
    }
}
