//! The kinds of tokens a query text is made of, and the words of the language.
//! Knows no grammar: only which words are keywords and where they may serve as names.

use std::sync::LazyLock;

use crate::span::Span;

/// A piece of the text. All tokens of a text, trivia included, cover it without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    pub kind: TokenKind,
    pub span: Span,
    /// What is missing at the end of it: the closing quote of a string, the `)` of a typed literal.
    pub unclosed: Option<&'static str>,
}

impl Token {
    pub fn text(self, source: &str) -> &str {
        self.span.text(source)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    Whitespace,
    Comment,
    /// `#…` to the end of the line: meant for a client tool.
    Directive,
    Identifier,
    /// A word of the language, the longest that fits: `mv-expand`, `!has_cs` and `matches regex` are one.
    Keyword(KeywordClass),
    /// `'…'`, `"…"`, `@'…'`, `h'…'`, ```` ```…``` ````, `~~~…~~~`
    String,
    Bool,
    Long,
    Int,
    Real,
    Decimal,
    Datetime,
    Timespan,
    Guid,
    /// A guid without `guid(…)` around it.
    RawGuid,
    OpenParen,
    CloseParen,
    OpenBracket,
    CloseBracket,
    OpenBrace,
    CloseBrace,
    Pipe,
    /// `<|`
    LessPipe,
    Plus,
    Minus,
    Star,
    Slash,
    Percent,
    Dot,
    DotDot,
    Bang,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    /// `=`
    Assign,
    /// `==`
    Equal,
    /// `!=` and `<>`
    NotEqual,
    /// `=~`
    EqualTilde,
    /// `!~`
    BangTilde,
    /// `=>`
    FatArrow,
    Colon,
    Semicolon,
    Comma,
    At,
    Question,
    /// A character that the language does not know.
    Bad,
    /// After the last token; empty.
    End,
}

impl TokenKind {
    /// White space and comments: they separate tokens and mean nothing else.
    pub const fn is_trivia(self) -> bool {
        matches!(self, TokenKind::Whitespace | TokenKind::Comment)
    }

    pub const fn is_keyword(self) -> bool {
        matches!(self, TokenKind::Keyword(_))
    }

    pub const fn is_literal(self) -> bool {
        use TokenKind::*;
        matches!(self, String | Bool | Long | Int | Real | Decimal | Datetime | Timespan | Guid | RawGuid)
    }
}

/// Where a keyword may stand as a name without `['…']` around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeywordClass {
    /// Wherever a name may.
    Anywhere,
    /// Where a name is declared: `name = value`, `name: type`.
    Declared,
    Never,
}

/// Keywords that are names as well wherever the grammar leaves no doubt.
const ANYWHERE: &[&str] = &[
    "__partitionby",
    "access",
    "alias",
    "best_effort",
    "bin",
    "bool",
    "consume",
    "count",
    "database",
    "dataformat",
    "datetime_pattern",
    "declare",
    "default",
    "distinct",
    "edges",
    "entity_group",
    "evaluate",
    "extend",
    "facet",
    "filter",
    "fork",
    "from",
    "getschema",
    "graph",
    "guid",
    "id",
    "inline_external_table",
    "join",
    "let",
    "limit",
    "lookup",
    "mvapply",
    "mvexpand",
    "nodes",
    "null",
    "nulls",
    "on",
    "optional",
    "order",
    "output",
    "pack",
    "parse",
    "partition",
    "pattern",
    "plotly",
    "query_parameters",
    "range",
    "reduce",
    "regex",
    "render",
    "restrict",
    "scan",
    "serialize",
    "sort",
    "step",
    "summarize",
    "take",
    "top",
    "typeof",
    "uuid",
    "view",
    "with",
    "with_node_id",
];

/// Keywords that are names only where one is declared.
const DECLARED: &[&str] = &[
    "accumulate",
    "as",
    "by",
    "contains",
    "datatable",
    "earliest",
    "externaldata",
    "find",
    "has",
    "in",
    "invoke",
    "latest",
    "materialize",
    "mdm",
    "of",
    "print",
    "sample",
    "sample-distinct",
    "search",
    "set",
    "sql",
    "title",
    "to",
    "top-hitters",
    "top-nested",
    "toscalar",
    "totable",
    "verbose",
    "viewers",
    "where",
];

/// Keywords that need brackets to be names.
const NEVER: &[&str] = &[
    "!between",
    "!contains",
    "!contains_cs",
    "!endswith",
    "!endswith_cs",
    "!has",
    "!has_cs",
    "!hasprefix",
    "!hasprefix_cs",
    "!hassuffix",
    "!hassuffix_cs",
    "!in",
    "!in~",
    "!startswith",
    "!startswith_cs",
    "3Dchart",
    "__contextual_datatable",
    "__crossCluster",
    "__crossDB",
    "__executeAndCache",
    "__id",
    "__isFuzzy",
    "__noWithSource",
    "__packedColumn",
    "__projectAway",
    "__sourceColumnIndex",
    "and",
    "anomalychart",
    "areachart",
    "asc",
    "assert-schema",
    "bagexpansion",
    "barchart",
    "between",
    "bin_legacy",
    "boolean",
    "byte",
    "cachingpolicy",
    "callout",
    "cancel",
    "card",
    "char",
    "columnchart",
    "commands-and-queries",
    "contains_cs",
    "containscs",
    "cycles",
    "dataexport",
    "datascope",
    "date",
    "datetime",
    "decimal",
    "decodeblocks",
    "desc",
    "double",
    "dynamic",
    "encodingpolicy",
    "endswith",
    "endswith_cs",
    "expandoutput",
    "extent_tags_retention",
    "external_data",
    "first",
    "flags",
    "float",
    "force_remote",
    "granny-asc",
    "granny-desc",
    "graph-mark-components",
    "graph-match",
    "graph-shortest-paths",
    "graph-to-table",
    "graph-where-edges",
    "graph-where-nodes",
    "harddelete",
    "hardretention",
    "has_all",
    "has_any",
    "has_cs",
    "hasprefix",
    "hasprefix_cs",
    "hassuffix",
    "hassuffix_cs",
    "hint.concurrency",
    "hint.distribution",
    "hint.materialized",
    "hint.num_partitions",
    "hint.progressive_top",
    "hint.remote",
    "hint.shufflekey",
    "hint.spread",
    "hint.strategy",
    "hotcache",
    "int",
    "int16",
    "int32",
    "int64",
    "int8",
    "in~",
    "isfuzzy",
    "journal",
    "kind",
    "ladderchart",
    "last",
    "like",
    "likecs",
    "linechart",
    "long",
    "macro-expand",
    "make-graph",
    "make-series",
    "matches regex",
    "materialized-view-combine",
    "materialized-views",
    "missing",
    "mv-apply",
    "mv-expand",
    "nooptimization",
    "notcontains",
    "notcontainscs",
    "notlike",
    "notlikecs",
    "or",
    "others",
    "parse-kv",
    "parse-where",
    "partitioned-by",
    "pathformat",
    "piechart",
    "pivotchart",
    "project",
    "project-away",
    "project-by-names",
    "project-keep",
    "project-rename",
    "project-reorder",
    "project-smart",
    "queries",
    "query_results",
    "real",
    "relaxed",
    "restricted_view_access",
    "row_level_security",
    "rowstore",
    "rowstore_references",
    "rowstore_sealinfo",
    "rowstorepolicy",
    "rowstores",
    "scatterchart",
    "seal",
    "seals",
    "set-or-append",
    "set-or-replace",
    "shards",
    "simple",
    "softdelete",
    "softretention",
    "stackedareachart",
    "startswith",
    "startswith_cs",
    "statistics",
    "storedqueryresultcontainers",
    "string",
    "tablepurge",
    "time",
    "timechart",
    "timeline",
    "timepivot",
    "timespan",
    "treemap",
    "uint",
    "uint16",
    "uint32",
    "uint64",
    "uint8",
    "ulong",
    "union",
    "uniqueid",
    "unrestrictedviewers",
    "views",
    "with_itemindex",
    "with_match_id",
    "with_source",
    "with_step_name",
    "withsource",
    "writeaheadlog",
];

type Bucket = Vec<(&'static str, KeywordClass)>;

/// The keywords by their first byte, longest first.
static BY_FIRST_BYTE: LazyLock<Vec<Bucket>> = LazyLock::new(|| {
    let mut buckets: Vec<Bucket> = vec![Vec::new(); 128];
    for (words, class) in
        [(ANYWHERE, KeywordClass::Anywhere), (DECLARED, KeywordClass::Declared), (NEVER, KeywordClass::Never)]
    {
        for word in words {
            buckets[usize::from(word.as_bytes()[0])].push((*word, class));
        }
    }
    for bucket in &mut buckets {
        bucket.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
    }
    buckets
});

/// The longest keyword that `text` begins with. What follows it is not looked at.
pub fn longest_keyword(text: &str) -> Option<(&'static str, KeywordClass)> {
    let first = *text.as_bytes().first()?;
    let bucket = BY_FIRST_BYTE.get(usize::from(first))?;
    bucket.iter().find(|(word, _)| text.starts_with(word)).copied()
}

/// The class of a word if it is a keyword as a whole.
pub fn keyword_class(word: &str) -> Option<KeywordClass> {
    longest_keyword(word).filter(|(found, _)| *found == word).map(|(_, class)| class)
}

/// The type that a word names, aliases included.
pub fn type_keyword(word: &str) -> Option<crate::ast::TypeKeyword> {
    use crate::ast::TypeKeyword::*;
    Some(match word {
        "bool" | "boolean" => Bool,
        "int" | "int32" | "uint" | "uint32" | "int8" | "uint8" | "int16" | "uint16" => Int,
        "long" | "int64" | "ulong" | "uint64" => Long,
        "real" | "double" | "float" => Real,
        "decimal" => Decimal,
        "datetime" | "date" => Datetime,
        "timespan" | "time" => Timespan,
        "string" => String,
        "guid" | "uuid" | "uniqueid" => Guid,
        "dynamic" => Dynamic,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longest_word_wins() {
        assert_eq!(longest_keyword("project-away x").map(|(word, _)| word), Some("project-away"));
        assert_eq!(longest_keyword("in~(").map(|(word, _)| word), Some("in~"));
        assert_eq!(longest_keyword("zzz"), None);
        assert_eq!(longest_keyword(""), None);
        assert_eq!(keyword_class("count"), Some(KeywordClass::Anywhere));
        assert_eq!(keyword_class("first"), Some(KeywordClass::Never));
        assert_eq!(keyword_class("counter"), None);
    }
}
