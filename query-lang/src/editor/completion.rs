//! Completion: what may be written at the cursor.
//!
//! The parser says which parts of the grammar the text before the cursor leaves open ([`seek`]); the binder, given the
//! same text with a name in the cursor's place, says what is in scope there. Both survive broken text. The items come
//! from the tables of operators, functions and plugins, from the catalog and from the text. Everything that may stand
//! is listed: narrowing the list by what is typed is the editor's.

use std::collections::HashSet;

use crate::bind::notes::{self, Object, Scope, Use};
use crate::catalog::Catalog;
use crate::function::{FunctionId, FunctionKind};
use crate::operator::{self, OperatorSpec, ParameterSpec, ParameterValue};
use crate::parser::{Slot, Sought, seek};
use crate::plugin::{Availability, Plugin};
use crate::types::{Schema, Type};

use super::cursor::{self, OpenCall, Word, Writing};
use super::{documentation, position, quoted_name, values};

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CompletionKind {
    Operator,
    Keyword,
    Column,
    Table,
    /// A name of the text: a `let`, a parameter.
    Variable,
    LocalFunction,
    StoredFunction,
    Function,
    Aggregate,
    Plugin,
    Type,
    /// One of the values that a parameter or argument takes.
    Value,
    Parameter,
    Database,
    Chart,
    Setting,
}

impl CompletionKind {
    /// The name in answers to editors.
    pub const fn as_str(self) -> &'static str {
        match self {
            CompletionKind::Operator => "operator",
            CompletionKind::Keyword => "keyword",
            CompletionKind::Column => "column",
            CompletionKind::Table => "table",
            CompletionKind::Variable => "variable",
            CompletionKind::LocalFunction => "localFunction",
            CompletionKind::StoredFunction => "storedFunction",
            CompletionKind::Function => "function",
            CompletionKind::Aggregate => "aggregate",
            CompletionKind::Plugin => "plugin",
            CompletionKind::Type => "type",
            CompletionKind::Value => "value",
            CompletionKind::Parameter => "parameter",
            CompletionKind::Database => "database",
            CompletionKind::Chart => "chart",
            CompletionKind::Setting => "setting",
        }
    }
}

/// One proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletionItem {
    pub label: String,
    pub kind: CompletionKind,
    /// What to put in place of the span; the cursor goes to its end, or to `caret`.
    pub insert: String,
    /// The place of the cursor within `insert`, in bytes, if not its end.
    pub caret: Option<usize>,
    /// The type, the signature or the syntax.
    pub detail: String,
    /// Markdown.
    pub documentation: String,
    /// Lower comes first; items of one rank go by label.
    pub rank: u8,
}

/// Proposals for a place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// The bytes that an item replaces.
    pub start: usize,
    pub end: usize,
    /// By rank, then by label; unique by label and kind.
    pub items: Vec<CompletionItem>,
}

/// The operators used most, which come first.
const COMMON_OPERATORS: &[&str] = &[
    "where",
    "extend",
    "project",
    "summarize",
    "take",
    "count",
    "join",
    "order",
    "sort",
    "top",
    "distinct",
    "render",
];

/// Functions that the binder itself understands and the table of functions does not hold.
pub(super) const BINDER_FUNCTIONS: &[(&str, &str, &str)] = &[
    ("now", "([offset: timespan]) -> datetime", "The moment of the query, and an offset to it."),
    ("ago", "(offset: timespan) -> datetime", "The moment of the query less a span of time."),
    ("not", "(value: bool) -> bool", "True for false, and false for true."),
    (
        "column_ifexists",
        "(name: const string, otherwise) -> type of the column",
        "The column of that name, or another value where there is none.",
    ),
    ("pack_all", "([ignore_null: const bool]) -> dynamic", "A bag of all columns of the row."),
    ("current_database", "() -> string", "The name of the database of the query."),
    ("current_cluster_endpoint", "() -> string", "The address of the server."),
    ("current_principal", "() -> string", "Who asks."),
    ("toscalar", "(table) -> first column's type", "The first value of the first row of a query."),
    ("ingestion_time", "() -> datetime", "When the row was ingested."),
    ("cursor_after", "(cursor: const string) -> bool", "Whether the row was ingested after a cursor."),
];

/// Functions in the expressions of `graph-match` and `graph-shortest-paths`.
pub(super) const GRAPH_FUNCTIONS: &[(&str, &str, &str)] = &[
    (
        "all",
        "(edge, condition) -> bool",
        "Whether a condition holds for each edge, or inner node, of a path.",
    ),
    ("any", "(edge, condition) -> bool", "Whether a condition holds for an edge, or inner node, of a path."),
    (
        "map",
        "(edge, expression) -> dynamic",
        "The array of an expression for each edge, or inner node, of a path.",
    ),
    ("inner_nodes", "(edge)", "The nodes between the edges of a path, for all(), any() and map()."),
    ("labels", "([element]) -> dynamic", "The labels of a node or an edge; a graph of tables has none."),
    ("node_id", "([node]) -> string", "What identifies a node, as text."),
    ("node_degree_in", "([node]) -> long", "How many edges reach a node."),
    ("node_degree_out", "([node]) -> long", "How many edges leave a node."),
];

pub(super) const TABLE_FUNCTIONS: &[(&str, &str, &str)] = &[
    ("database", "(name: const string)", "A database, for its tables and functions."),
    ("cluster", "(name: const string)", "A server; only this one is known."),
    ("table", "(name: const string)", "The table of that name."),
    ("materialized_view", "(name: const string)", "The materialized view of that name."),
    ("external_table", "(name: const string)", "The external table of that name."),
    ("materialize", "(table)", "A table whose rows are computed once."),
];

const SETTINGS: &[(&str, &str)] = &[
    ("best_effort", "Leaves out what cannot be read."),
    ("deferpartialqueryfailures", "Reports failures with the rows found until then."),
    ("maxmemoryconsumptionperiterator", "Memory of one operator, in bytes."),
    ("max_memory_consumption_per_query_per_node", "Memory of the query, in bytes."),
    ("norequesttimeout", "Takes the longest time limit there is."),
    ("notruncation", "Lifts the limits on rows and bytes of the result."),
    ("query_datascope", "Which rows count: all, hotcache."),
    ("query_datetimescope_column", "The column of the time scope."),
    ("query_datetimescope_from", "The start of the time scope."),
    ("query_datetimescope_to", "The end of the time scope."),
    ("query_language", "The language of the text."),
    ("query_now", "What now() is."),
    ("query_results_apply_getschema", "Yields the schema instead of the rows."),
    ("query_results_cache_max_age", "How old a cached result may be."),
    ("query_take_max_records", "The most rows that are yielded."),
    ("request_app_name", "The name of the application that asks."),
    ("request_description", "A note for the log."),
    ("request_readonly", "Refuses anything that changes data."),
    ("request_user", "The user that asks."),
    ("results_progressive_enabled", "Yields rows as they are found."),
    ("servertimeout", "The time limit."),
    ("truncationmaxrecords", "The most rows of the result."),
    ("truncationmaxsize", "The most bytes of the result."),
];

/// Words between two operands: with the types of the left one, nothing for any.
pub(super) const INFIX: &[(&str, InfixClass, &str)] = &[
    ("==", InfixClass::Any, "equal"),
    ("!=", InfixClass::Any, "not equal"),
    ("<", InfixClass::Ordered, "less"),
    ("<=", InfixClass::Ordered, "less or equal"),
    (">", InfixClass::Ordered, "greater"),
    (">=", InfixClass::Ordered, "greater or equal"),
    ("in", InfixClass::Any, "one of a list"),
    ("!in", InfixClass::Any, "none of a list"),
    ("between", InfixClass::Ordered, "within a range, ends included"),
    ("!between", InfixClass::Ordered, "outside of a range"),
    ("=~", InfixClass::Text, "equal but for case"),
    ("!~", InfixClass::Text, "different even without case"),
    ("in~", InfixClass::Text, "one of a list but for case"),
    ("!in~", InfixClass::Text, "none of a list, case apart"),
    ("has", InfixClass::Text, "has the term"),
    ("!has", InfixClass::Text, "lacks the term"),
    ("has_cs", InfixClass::Text, "has the term in this case"),
    ("!has_cs", InfixClass::Text, "lacks the term in this case"),
    ("has_any", InfixClass::Text, "has one of the terms"),
    ("has_all", InfixClass::Text, "has all of the terms"),
    ("hasprefix", InfixClass::Text, "has a term with this beginning"),
    ("!hasprefix", InfixClass::Text, "has no term with this beginning"),
    ("hasprefix_cs", InfixClass::Text, "has a term with this beginning, in this case"),
    ("!hasprefix_cs", InfixClass::Text, "has no term with this beginning, in this case"),
    ("hassuffix", InfixClass::Text, "has a term with this end"),
    ("!hassuffix", InfixClass::Text, "has no term with this end"),
    ("hassuffix_cs", InfixClass::Text, "has a term with this end, in this case"),
    ("!hassuffix_cs", InfixClass::Text, "has no term with this end, in this case"),
    ("contains", InfixClass::Text, "has the text within"),
    ("!contains", InfixClass::Text, "lacks the text"),
    ("contains_cs", InfixClass::Text, "has the text within, in this case"),
    ("!contains_cs", InfixClass::Text, "lacks the text, in this case"),
    ("startswith", InfixClass::Text, "begins with the text"),
    ("!startswith", InfixClass::Text, "does not begin with the text"),
    ("startswith_cs", InfixClass::Text, "begins with the text, in this case"),
    ("!startswith_cs", InfixClass::Text, "does not begin with the text, in this case"),
    ("endswith", InfixClass::Text, "ends with the text"),
    ("!endswith", InfixClass::Text, "does not end with the text"),
    ("endswith_cs", InfixClass::Text, "ends with the text, in this case"),
    ("!endswith_cs", InfixClass::Text, "does not end with the text, in this case"),
    ("matches regex", InfixClass::Text, "matches the regular expression"),
    ("+", InfixClass::Number, "sum"),
    ("-", InfixClass::Number, "difference"),
    ("*", InfixClass::Number, "product"),
    ("/", InfixClass::Number, "quotient"),
    ("%", InfixClass::Number, "remainder"),
    ("and", InfixClass::Any, "both"),
    ("or", InfixClass::Any, "one of both"),
];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum InfixClass {
    Any,
    Ordered,
    Number,
    Text,
}

const STATEMENTS: &[(&str, &str)] = &[
    ("let", "let Name = Value: gives a value, a table or a function a name."),
    ("set", "set Option = Value: sets an option of the request."),
    (
        "declare query_parameters",
        "declare query_parameters (Name: type = Default): values that come with the request.",
    ),
    ("declare pattern", "declare pattern Name = …: names for several queries by their arguments."),
    ("alias database", "alias database Name = database('…'): another name of a database."),
    ("restrict access to", "restrict access to (Tables): limits what the query can see."),
];

/// What may be written at a byte offset of a text.
pub fn complete(text: &str, offset: usize, catalog: &dyn Catalog) -> Completion {
    let offset = position::floor(text, offset);
    let word = cursor::word_at(text, offset);
    let mut found = Collector { text, word, items: Vec::new(), seen: HashSet::new() };
    if word.writing != Writing::Nothing && !is_command(text) {
        found.collect(catalog);
    }
    let mut items = found.items;
    items.sort_by(|a, b| a.rank.cmp(&b.rank).then_with(|| a.label.cmp(&b.label)));
    Completion { start: word.start, end: word.end.max(offset), items }
}

/// Management commands have a grammar of their own.
fn is_command(text: &str) -> bool {
    text.trim_start().starts_with('.')
}

struct Collector<'a> {
    text: &'a str,
    word: Word,
    items: Vec<CompletionItem>,
    seen: HashSet<(String, CompletionKind)>,
}

impl Collector<'_> {
    fn collect(&mut self, catalog: &dyn Catalog) {
        let before = &self.text[..self.word.start];
        let call = cursor::open_call(before);
        if let Some(call) = &call {
            let values = values::values(&call.name, call.argument);
            if !values.is_empty() {
                self.argument_values(values);
                return;
            }
        }
        let sought = seek(before);
        let scope = scope_at(before, catalog);
        match self.word.writing {
            Writing::Text => self.text_values(&sought, call.as_ref(), catalog, &scope),
            Writing::Word | Writing::BracketedName => self.slots(&sought, call.as_ref(), catalog, &scope),
            Writing::Nothing => {}
        }
    }

    fn add(&mut self, item: CompletionItem) {
        if self.seen.insert((item.label.clone(), item.kind)) {
            self.items.push(item);
        }
    }

    fn plain(&mut self, label: &str, kind: CompletionKind, detail: &str, documentation: &str, rank: u8) {
        self.add(CompletionItem {
            label: label.to_string(),
            kind,
            insert: label.to_string(),
            caret: None,
            detail: detail.to_string(),
            documentation: documentation.to_string(),
            rank,
        });
    }

    /// A name as the text must write it.
    fn name(&mut self, label: &str, kind: CompletionKind, detail: String, rank: u8) {
        let mut insert = quoted_name(label);
        if self.word.writing == Writing::BracketedName && !insert.starts_with('[') {
            insert = format!("['{insert}']");
        }
        self.add(CompletionItem {
            label: label.to_string(),
            kind,
            insert,
            caret: None,
            detail,
            documentation: String::new(),
            rank,
        });
    }

    /// Something with parentheses; the cursor goes between them unless nothing belongs there.
    fn call(&mut self, name: &str, kind: CompletionKind, detail: &str, documentation: String, rank: u8) {
        let open = self.text[self.word.end..].starts_with('(');
        let empty = detail.starts_with("()");
        let insert = if open { name.to_string() } else { format!("{name}()") };
        let caret = (!open && !empty).then_some(name.len() + 1);
        self.add(CompletionItem {
            label: name.to_string(),
            kind,
            insert,
            caret,
            detail: format!("{name}{detail}"),
            documentation,
            rank,
        });
    }

    fn argument_values(&mut self, values: &[&str]) {
        for value in values {
            let label = format!("'{value}'");
            self.plain(&label, CompletionKind::Value, "", "", 0);
        }
    }

    /// Inside of quotes: names of databases, tables and columns that functions take as texts.
    fn text_values(
        &mut self,
        sought: &Sought,
        call: Option<&OpenCall>,
        catalog: &dyn Catalog,
        scope: &Scope,
    ) {
        let Some(call) = call.filter(|_| sought.slots.contains(&Slot::Operand)) else { return };
        let names = match (call.name.as_str(), call.argument) {
            ("database", 0) => catalog.databases(),
            ("table" | "materialized_view", 0) => catalog.tables(&scope.database),
            ("column_ifexists" | "columnifexists", 0) => {
                scope.columns.iter().flatten().map(|column| column.name.clone()).collect()
            }
            _ => return,
        };
        for name in names {
            let label = format!("'{}'", name.replace('\\', "\\\\").replace('\'', "\\'"));
            self.plain(&label, CompletionKind::Value, "", "", 0);
        }
    }

    fn slots(&mut self, sought: &Sought, call: Option<&OpenCall>, catalog: &dyn Catalog, scope: &Scope) {
        let operator = sought.operator.as_deref().and_then(operator::by_name);
        let has = |slot: &Slot| sought.slots.contains(slot);
        if let Some(name) = sought.slots.iter().find_map(|slot| match slot {
            Slot::ParameterValue(name) => Some(name),
            _ => None,
        }) {
            self.parameter_values(operator, name, scope);
            return;
        }
        if self.word.writing == Writing::Word {
            self.words(sought, operator);
        }
        let names_only = self.word.writing == Writing::BracketedName;
        for slot in &sought.slots {
            match slot {
                Slot::Statement => self.statements(STATEMENTS),
                Slot::Body => self.statements(&STATEMENTS[..1]),
                Slot::Operator => self.operators(OperatorSpec::may_follow_pipe),
                Slot::Source => {
                    self.sources(catalog, scope, if scope.columns.is_some() { 6 } else { 1 });
                    if !names_only && scope.columns.is_none() {
                        self.operators(OperatorSpec::may_lead);
                        for word in ["datatable", "externaldata", "inline_external_table"] {
                            self.plain(word, CompletionKind::Keyword, "", "", 4);
                        }
                    }
                }
                Slot::Table => self.sources(catalog, scope, 1),
                Slot::LetValue => {
                    for word in ["materialize", "view", "entity_group"] {
                        self.plain(word, CompletionKind::Keyword, "", "", 4);
                    }
                }
                Slot::Column => self.columns(scope.columns.as_ref(), 1),
                Slot::JoinCondition => self.join_sides(scope),
                Slot::Member => self.members(catalog, scope),
                Slot::Type => {
                    for ty in Type::ALL {
                        self.plain(ty.name(), CompletionKind::Type, "type", "", 1);
                    }
                }
                Slot::Parameter => {
                    if let Some(operator) = operator.filter(|_| !names_only) {
                        self.parameters(operator.parameters);
                    }
                }
                Slot::Plugin => self.plugins(),
                Slot::Invoked => self.local_and_stored(catalog, scope, 1, true),
                Slot::Chart => {
                    for (chart, summary) in operator::CHARTS {
                        self.plain(chart, CompletionKind::Chart, "", summary, 1);
                    }
                }
                Slot::Setting => {
                    for (setting, summary) in SETTINGS {
                        self.plain(setting, CompletionKind::Setting, "", summary, 1);
                    }
                }
                Slot::Infix => {
                    if !names_only && !has(&Slot::Operand) {
                        self.infix(scope);
                    }
                }
                Slot::Operand => {
                    let only_tables = has(&Slot::Table) || has(&Slot::Statement) || has(&Slot::JoinCondition);
                    let only_source = has(&Slot::Source)
                        && scope.columns.is_none()
                        && operator
                            .is_some_and(|operator| matches!(operator.name, "join" | "lookup" | "union"));
                    if !only_tables && !only_source {
                        self.operands(catalog, scope, call);
                    }
                }
                Slot::ParameterValue(_) | Slot::NewName => {}
            }
        }
    }

    /// Keywords that the grammar expects.
    fn words(&mut self, sought: &Sought, operator: Option<&'static OperatorSpec>) {
        let before = self.text[..self.word.start].trim_end();
        let last = before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
        let after_keyword: &[&str] = match last {
            "declare" => &["query_parameters", "pattern"],
            "alias" => &["database"],
            "restrict" => &["access to"],
            _ => &[],
        };
        for word in after_keyword {
            self.plain(word, CompletionKind::Keyword, "", "", 0);
        }
        for word in &sought.words {
            if !word.starts_with(|c: char| c.is_ascii_alphabetic())
                || word.contains(' ')
                || word.starts_with("__")
            {
                continue;
            }
            match operator.and_then(|operator| operator.property(word)) {
                Some(property) => self.parameters(std::slice::from_ref(property)),
                None if operator.is_some_and(|operator| operator.name == "render") && *word != "with" => {}
                None => self.plain(word, CompletionKind::Keyword, "", "", 0),
            }
        }
    }

    fn statements(&mut self, statements: &[(&str, &str)]) {
        for (statement, summary) in statements {
            self.plain(statement, CompletionKind::Keyword, "", summary, 3);
        }
    }

    fn operators(&mut self, fits: impl Fn(&OperatorSpec) -> bool) {
        for operator in operator::OPERATORS.iter().filter(|operator| fits(operator)) {
            for name in std::iter::once(&operator.name).chain(operator.aliases) {
                let rank = if COMMON_OPERATORS.contains(name) { 2 } else { 3 };
                let documentation = documentation::of_operator(operator);
                self.plain(name, CompletionKind::Operator, operator.syntax, &documentation, rank);
            }
        }
    }

    fn parameters(&mut self, parameters: &[ParameterSpec]) {
        for parameter in parameters {
            let detail = documentation::parameter_values(parameter);
            let assigned = self.text[self.word.end..].trim_start().starts_with('=');
            let insert = if assigned { parameter.name.to_string() } else { format!("{}=", parameter.name) };
            self.add(CompletionItem {
                label: parameter.name.to_string(),
                kind: CompletionKind::Parameter,
                insert,
                caret: None,
                detail,
                documentation: parameter.summary.to_string(),
                rank: 5,
            });
        }
    }

    fn parameter_values(&mut self, operator: Option<&'static OperatorSpec>, name: &str, scope: &Scope) {
        let parameter = operator.and_then(|operator| {
            let in_properties = matches!(operator.name, "render" | "parse-kv");
            let property = operator.property(name).filter(|_| in_properties);
            property.or_else(|| operator.parameter(name)).or_else(|| operator.property(name))
        });
        let words: &[&str] = match parameter.map(|parameter| parameter.value) {
            Some(ParameterValue::Word(words)) => words,
            Some(ParameterValue::Bool) => &["true", "false"],
            Some(ParameterValue::Column) => {
                self.columns(scope.columns.as_ref(), 0);
                &[]
            }
            _ => match name {
                "datascope" => &["all", "hotcache"],
                _ => &[],
            },
        };
        for (rank, word) in words.iter().enumerate() {
            let detail = if rank == 0 { "default" } else { "" };
            let detail = if matches!(name, "kind" | "hint.strategy") { detail } else { "" };
            self.plain(word, CompletionKind::Value, detail, "", 0);
        }
    }

    fn columns(&mut self, schema: Option<&Schema>, rank: u8) {
        for column in schema.into_iter().flatten() {
            self.name(&column.name, CompletionKind::Column, column.ty.name().to_string(), rank);
        }
    }

    /// Tables, tabular names of the text, and functions that may yield a table.
    fn sources(&mut self, catalog: &dyn Catalog, scope: &Scope, rank: u8) {
        for (name, meaning) in &scope.names {
            match meaning {
                Use::Relation(schema) => {
                    self.name(name, CompletionKind::Table, documentation::schema_text(schema), rank);
                }
                Use::Graph(nodes, _) => {
                    self.name(name, CompletionKind::Table, documentation::schema_text(nodes), rank);
                }
                Use::Database => self.name(name, CompletionKind::Database, "database".to_string(), rank + 1),
                _ => {}
            }
        }
        self.tables(catalog, &scope.database, rank);
        self.local_and_stored(catalog, scope, rank + 1, false);
        if self.word.writing == Writing::Word {
            for (name, signature, summary) in TABLE_FUNCTIONS {
                self.call(name, CompletionKind::Function, signature, (*summary).to_string(), rank + 2);
            }
        }
    }

    fn tables(&mut self, catalog: &dyn Catalog, database: &str, rank: u8) {
        for table in catalog.tables(database) {
            let schema = catalog.table(database, &table).map(|info| info.schema).unwrap_or_default();
            self.name(&table, CompletionKind::Table, documentation::schema_text(&schema), rank);
        }
    }

    /// Functions of the text and of the database. After `invoke` only those with parameters.
    fn local_and_stored(&mut self, catalog: &dyn Catalog, scope: &Scope, rank: u8, invoked: bool) {
        for (name, meaning) in &scope.names {
            if let Use::LocalFunction(parameters) = meaning
                && !(invoked && parameters == "()")
            {
                let shown = quoted_name(name);
                self.call(&shown, CompletionKind::LocalFunction, parameters, String::new(), rank);
            }
        }
        for name in catalog.functions(&scope.database) {
            if let Some(function) = catalog.function(&scope.database, &name) {
                let parameters = function.parameters.trim();
                let parameters = if parameters.is_empty() { "()" } else { parameters };
                let body = format!("```kusto\n{}\n```", function.body.trim());
                self.call(&quoted_name(&name), CompletionKind::StoredFunction, parameters, body, rank);
            }
        }
    }

    fn join_sides(&mut self, scope: &Scope) {
        if let Some((left, right)) = &scope.join {
            for column in left {
                if right.iter().any(|other| other.name == column.name) {
                    self.name(&column.name, CompletionKind::Column, column.ty.name().to_string(), 1);
                }
            }
        }
        for (side, summary) in [("$left", "The left table."), ("$right", "The right table.")] {
            self.plain(side, CompletionKind::Variable, "", summary, 2);
        }
    }

    /// What follows a dot.
    fn members(&mut self, catalog: &dyn Catalog, scope: &Scope) {
        let before = self.text[..self.word.start].trim_end();
        let object = before.strip_suffix('.').map(str::trim_end).unwrap_or(before);
        if let Some((left, right)) = &scope.join {
            if object.ends_with("$left") {
                self.columns(Some(left), 0);
            } else if object.ends_with("$right") {
                self.columns(Some(right), 0);
            }
            return;
        }
        match &scope.object {
            Some(Object::Database(database)) => {
                self.tables(catalog, database, 1);
                let scope = Scope { database: database.clone(), ..Scope::default() };
                self.local_and_stored(catalog, &scope, 2, false);
                let (name, signature, summary) = ("table", "(name: const string)", "The table of that name.");
                self.call(name, CompletionKind::Function, signature, summary.to_string(), 3);
            }
            Some(Object::Properties(schema)) => self.columns(Some(schema), 1),
            _ if object.ends_with(')') && object.contains("cluster") => {
                self.call("database", CompletionKind::Function, "(name: const string)", String::new(), 1);
            }
            _ => {}
        }
    }

    /// What may stand between two operands, by the type of the left one where it is a column.
    fn infix(&mut self, scope: &Scope) {
        let left = self.left_type(scope);
        for (word, class, summary) in INFIX {
            let fits = match (class, left) {
                (_, None | Some(Type::Dynamic)) | (InfixClass::Any, _) => true,
                (InfixClass::Text, Some(ty)) => ty == Type::String,
                (InfixClass::Number, Some(ty)) => {
                    ty.is_number() || matches!(ty, Type::DateTime | Type::TimeSpan)
                }
                (InfixClass::Ordered, Some(ty)) => !matches!(ty, Type::Bool | Type::Guid),
            };
            let logical = matches!(*word, "and" | "or");
            if fits && (!logical || left.is_none_or(|ty| ty == Type::Bool)) {
                self.plain(word, CompletionKind::Keyword, summary, "", 3);
            }
        }
    }

    fn left_type(&self, scope: &Scope) -> Option<Type> {
        let before = self.text[..self.word.start].trim_end();
        let start = before.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_').len();
        let operand = &before[start..];
        let path = before[..start].ends_with(['.', '=', '>', '<', '~', '+', '-', '*', '/']);
        let columns = scope.columns.as_ref().filter(|_| !path && !operand.is_empty())?;
        columns.iter().find(|column| column.name == operand).map(|column| column.ty)
    }

    /// The operand of an expression.
    fn operands(&mut self, catalog: &dyn Catalog, scope: &Scope, call: Option<&OpenCall>) {
        self.columns(scope.columns.as_ref(), 1);
        for (name, meaning) in &scope.names {
            if let Use::Variable(ty) = meaning {
                self.name(name, CompletionKind::Variable, ty.name().to_string(), 2);
            }
        }
        let mut in_pattern = false;
        for (name, meaning) in &scope.names {
            if let Use::GraphElement(schema) = meaning {
                in_pattern = true;
                self.name(name, CompletionKind::Variable, documentation::schema_text(schema), 1);
            }
        }
        if in_pattern && self.word.writing == Writing::Word {
            for (name, signature, summary) in GRAPH_FUNCTIONS {
                self.call(name, CompletionKind::Function, signature, (*summary).to_string(), 2);
            }
        }
        self.argument_names(catalog, scope, call);
        if scope.names.iter().any(|(_, meaning)| matches!(meaning, Use::Relation(_))) {
            // A table may be the whole list of `in`, or the argument of a function.
            for (name, meaning) in &scope.names {
                if let Use::Relation(schema) = meaning {
                    self.name(name, CompletionKind::Table, documentation::schema_text(schema), 6);
                }
            }
        }
        if self.word.writing == Writing::BracketedName {
            return;
        }
        self.local_and_stored(catalog, scope, 4, false);
        self.functions(scope.aggregates);
        if call.is_some_and(|call| call.name == "ago") {
            for span in ["30min", "1h", "1d", "7d"] {
                self.plain(span, CompletionKind::Value, "timespan", "", 0);
            }
        }
        for word in ["true", "false"] {
            self.plain(word, CompletionKind::Value, "bool", "", 5);
        }
        for ty in Type::ALL {
            if ty != Type::String && ty != Type::Bool {
                self.call(ty.name(), CompletionKind::Type, "(value)", format!("A literal of type {ty}."), 5);
            }
        }
    }

    /// `name =` of the call around the cursor.
    fn argument_names(&mut self, catalog: &dyn Catalog, scope: &Scope, call: Option<&OpenCall>) {
        let Some(call) = call.filter(|call| call.named.is_none()) else { return };
        let local = scope.names.iter().find(|(name, _)| *name == call.name);
        let parameters = match local {
            Some((_, Use::LocalFunction(parameters))) => parameters.clone(),
            _ => match (Plugin::by_name(&call.name), catalog.function(&scope.database, &call.name)) {
                (Some(plugin), _) => plugin.spec().signatures.first().copied().unwrap_or("()").to_string(),
                (None, Some(function)) => function.parameters,
                (None, None) => return,
            },
        };
        for (name, class) in super::signature::parameter_names(&parameters) {
            self.add(CompletionItem {
                label: name.clone(),
                kind: CompletionKind::Parameter,
                insert: format!("{name}="),
                caret: None,
                detail: class,
                documentation: String::new(),
                rank: 5,
            });
        }
    }

    fn functions(&mut self, aggregates: bool) {
        for function in FunctionId::all() {
            let spec = function.spec();
            let (kind, rank) = match (function, spec.kind) {
                (FunctionId::Operator(_), _) => continue,
                (_, FunctionKind::Aggregate) if aggregates => (CompletionKind::Aggregate, 2),
                (_, FunctionKind::Aggregate) => continue,
                _ => (CompletionKind::Function, 4),
            };
            let detail = spec.signatures.first().copied().unwrap_or("()");
            let documentation = documentation::of_function(function);
            for alias in spec.aliases {
                self.call(alias, kind, detail, documentation.clone(), rank + 3);
            }
            self.call(spec.name, kind, detail, documentation, rank);
        }
        for (name, signature, summary) in BINDER_FUNCTIONS {
            self.call(name, CompletionKind::Function, signature, (*summary).to_string(), 4);
        }
    }

    fn plugins(&mut self) {
        for plugin in Plugin::ALL {
            let spec = plugin.spec();
            let rank = if spec.availability == Availability::Runs { 1 } else { 6 };
            let detail = spec.signatures.first().copied().unwrap_or("(…)");
            self.call(spec.name, CompletionKind::Plugin, detail, documentation::of_plugin(*plugin), rank);
        }
    }
}

/// What is in scope at the end of a text.
fn scope_at(before: &str, catalog: &dyn Catalog) -> Scope {
    let marked = format!("{before}{}", notes::CURSOR);
    let parsed = crate::parse(&marked);
    let notes = notes::annotate(&parsed.query, &marked, catalog, Some(before.len() as u32));
    notes
        .scope
        .unwrap_or_else(|| Scope { database: catalog.default_database().to_string(), ..Scope::default() })
}
