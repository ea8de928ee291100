//! The `name=value` parameters after the keyword of an operator. Knows their names and how each is written; what they
//! mean is the binder's.

use crate::ast::{Expr, ExprKind, OperatorParameter};
use crate::token::TokenKind;

use super::{ListRule, Parser, Slot};

/// How the value of a parameter is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ValueForm {
    /// A literal or a name.
    Plain,
    /// An expression without operators, such as a call.
    Path,
    /// `a, b`
    Columns,
}

/// The parameters of one operator.
pub(super) struct Parameters {
    /// Names that count only here.
    own: &'static [(&'static str, ValueForm)],
    /// Names that any operator takes, too.
    common: bool,
    /// A name is a parameter only with `=` after it; else it always is.
    needs_equals: bool,
    /// Keywords that are values although they are no names.
    words: &'static [&'static str],
}

use ValueForm::{Columns, Path, Plain};

impl Parameters {
    /// Of an operator whose operand could be mistaken for a parameter.
    pub(super) const COMMON: Self = Self { own: &[], common: true, needs_equals: true, words: &[] };
    /// Of an operator with a keyword after its parameters.
    pub(super) const COMMON_ALWAYS: Self = Self { needs_equals: false, ..Self::COMMON };
    pub(super) const UNION: Self = Self { own: &[("best_effort", Plain)], ..Self::COMMON };
    pub(super) const PARSE: Self =
        Self { own: &[("flags", Plain)], words: &["simple", "relaxed"], ..Self::COMMON };
    pub(super) const REDUCE: Self =
        Self { own: &[("threshold", Plain), ("characters", Plain)], ..Self::COMMON_ALWAYS };
    pub(super) const GRAPH_PATHS: Self = Self { own: &[("output", Plain)], ..Self::COMMON };
    pub(super) const GRAPH_COMPONENTS: Self = Self { own: &[("with_component_id", Plain)], ..Self::COMMON };
    pub(super) const GRAPH_EDGES: Self =
        Self { own: &[("with_source_id", Plain), ("with_target_id", Plain)], ..Self::COMMON };
    pub(super) const GRAPH_NODES: Self = Self { own: &[("with_node_id", Plain)], ..Self::COMMON };
    pub(super) const WRAPPED: Self =
        Self { own: &[("kind", Plain)], common: false, needs_equals: true, words: &["nooptimization"] };
    pub(super) const KIND: Self =
        Self { own: &[("kind", Plain)], common: false, needs_equals: true, words: &["csl"] };
    pub(super) const PARSE_KV: Self = Self {
        own: &[
            ("pair_delimiter", Plain),
            ("kv_delimiter", Plain),
            ("regex", Plain),
            ("quote", Plain),
            ("escape", Plain),
            ("greedy", Plain),
        ],
        common: false,
        needs_equals: false,
        words: &[],
    };
    pub(super) const RENDER: Self = Self {
        own: &[
            ("kind", Plain),
            ("title", Path),
            ("accumulate", Plain),
            ("xcolumn", Plain),
            ("ycolumns", Columns),
            ("anomalycolumns", Columns),
            ("series", Columns),
            ("xtitle", Path),
            ("ytitle", Path),
            ("xaxis", Plain),
            ("yaxis", Plain),
            ("legend", Plain),
            ("ysplit", Plain),
            ("ymin", Plain),
            ("ymax", Plain),
            ("xmin", Plain),
            ("xmax", Plain),
        ],
        common: false,
        needs_equals: false,
        words: &[],
    };
    pub(super) const RENDER_OLD: Self = Self {
        own: &[("kind", Plain), ("title", Path), ("accumulate", Plain)],
        common: false,
        needs_equals: true,
        words: &[],
    };

    fn form(&self, name: &str) -> ValueForm {
        self.own.iter().find(|(own, _)| *own == name).map_or(Plain, |(_, form)| *form)
    }

    fn has_own(&self, name: &str) -> bool {
        self.own.iter().any(|(own, _)| *own == name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.own.iter().map(|(name, _)| *name)
    }
}

/// Parameters that every operator takes, though few heed them.
const COMMON_NAMES: &[&str] = &[
    "__crossCluster",
    "__crossDB",
    "__id",
    "__isFuzzy",
    "__noWithSource",
    "__packedColumn",
    "__sourceColumnIndex",
    "bagexpansion",
    "bin_legacy",
    "cycles",
    "decodeblocks",
    "expandoutput",
    "force_remote",
    "hint.concurrency",
    "hint.distribution",
    "hint.materialized",
    "hint.num_partitions",
    "hint.progressive_top",
    "hint.remote",
    "hint.shufflekey",
    "hint.spread",
    "hint.strategy",
    "isfuzzy",
    "kind",
    "with_itemindex",
    "with_match_id",
    "with_source",
    "with_step_name",
    "withsource",
];

/// Such that are several tokens.
const COMMON_JOINED_NAMES: &[&str] = &["hint.pass_filters", "hint.pass_filters_column"];

impl Parser<'_> {
    /// All parameters that come next.
    pub(super) fn parameters(&mut self, rule: &Parameters) -> Vec<OperatorParameter> {
        let mut found = Vec::new();
        while let Some(parameter) = self.parameter(rule) {
            found.push(parameter);
        }
        found
    }

    /// Parameters with commas between them.
    pub(super) fn parameter_list(&mut self, rule: &'static Parameters) -> Vec<OperatorParameter> {
        self.list(
            ListRule::ANY,
            Self::at_list_end,
            |parser| {
                let found = parser.parameter(rule);
                if found.is_none() {
                    rule.names().for_each(|name| parser.note_expected(name));
                }
                found
            },
            |parser| parser.missing_parameter(rule),
        )
    }

    pub(super) fn missing_parameter(&mut self, rule: &Parameters) -> OperatorParameter {
        for name in rule.names() {
            self.note_expected(name);
        }
        self.report_missing("parameter (name = value)");
        let name = self.missing_name();
        OperatorParameter { span: name.span, value: self.missing(), name }
    }

    pub(super) fn parameter(&mut self, rule: &Parameters) -> Option<OperatorParameter> {
        self.seek(Slot::Parameter);
        let count = self.scan_parameter_name(rule, 0);
        if count == 0 {
            return None;
        }
        let start = self.start();
        self.position += count;
        let span = self.span_from(start);
        let text = span.text(self.text);
        let name = crate::ast::Name { text: text.to_owned(), style: crate::ast::NameStyle::Plain, span };
        self.expect(TokenKind::Assign, "=");
        self.seek(Slot::ParameterValue(text.to_owned()));
        let value = match rule.form(text) {
            Plain => self.parameter_value(rule.words),
            Path => self.path(),
            Columns => Some(self.parameter_columns(rule)),
        };
        let value = match value {
            Some(value) => value,
            None => {
                self.report_missing("value");
                self.missing()
            }
        };
        Some(OperatorParameter { name, value, span: self.span_from(start) })
    }

    /// The number of tokens of the parameter name that starts `ahead`; 0 if none does.
    fn scan_parameter_name(&self, rule: &Parameters, ahead: usize) -> usize {
        let kind = self.kind_at(ahead);
        let mut count = 0;
        if kind == TokenKind::Identifier || kind.is_keyword() {
            let text = self.text_at(ahead);
            if rule.has_own(text) || (rule.common && COMMON_NAMES.contains(&text)) {
                count = 1;
            }
        }
        if count == 0 && rule.common {
            count = COMMON_JOINED_NAMES.iter().map(|name| self.joined(ahead, name)).max().unwrap_or(0);
        }
        if rule.needs_equals && self.kind_at(ahead + count) != TokenKind::Assign {
            return 0;
        }
        count
    }

    /// True if a parameter of any operator starts `ahead`, with or without `=` after it.
    pub(super) fn at_common_parameter(&self, ahead: usize) -> bool {
        self.scan_parameter_name(&Parameters::COMMON_ALWAYS, ahead) > 0
    }

    /// A literal or a name; `words` are keywords that will do as well.
    pub(super) fn parameter_value(&mut self, words: &[&str]) -> Option<Expr> {
        if self.kind().is_keyword() && words.contains(&self.text_at(0)) {
            let name = self.word_name();
            return Some(Self::name_expression(name));
        }
        match self.literal() {
            None => self.name_reference(),
            found => found,
        }
    }

    /// `a, b` up to the next parameter of the list.
    fn parameter_columns(&mut self, rule: &Parameters) -> Expr {
        let start = self.start();
        let mut names = Vec::new();
        loop {
            let is_parameter = self.scan_parameter_name(rule, 0) > 0 && self.kind_at(1) == TokenKind::Assign;
            match if is_parameter { None } else { self.declared_name() } {
                Some(name) => names.push(name),
                None => {
                    names.push(self.missing_name());
                    break;
                }
            }
            let comma_ends = self.scan_parameter_name(rule, 1) > 0 || self.at_list_end_after_comma();
            if self.kind() != TokenKind::Comma || comma_ends {
                break;
            }
            self.bump();
        }
        Expr { kind: ExprKind::NameList(names), span: self.span_from(start) }
    }

    fn at_list_end_after_comma(&self) -> bool {
        use TokenKind::*;
        matches!(self.kind_at(1), CloseParen | CloseBracket | CloseBrace | Pipe | Semicolon | End)
    }
}
