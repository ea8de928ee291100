//! The syntax tree: what was written, as plain data, nothing resolved. Every node has the span of its text and
//! every name its own. Whether an expression is tabular or scalar is the binder's business: both are [`Expr`].
//! A tree of a broken text is complete too; what is missing stands there as [`ExprKind::Missing`].

mod operator;

pub use operator::*;

use crate::span::Span;

/// A whole query text: statements separated by `;`. The tabular expression statements among them are its results.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    /// Client directives (`#connect …`) before the query, as written.
    pub directives: Vec<Directive>,
    pub statements: Vec<Statement>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Directive {
    pub text: String,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    pub kind: StatementKind,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum StatementKind {
    Let(LetStatement),
    Set(SetStatement),
    /// `declare query_parameters (name: type = default, …)`
    DeclareQueryParameters(Vec<Parameter>),
    /// `declare pattern name [= (parameters)[path] { cases }]`
    DeclarePattern(PatternStatement),
    Alias(AliasStatement),
    Restrict(RestrictStatement),
    /// A tabular or scalar expression.
    Expression(Expr),
}

/// `let name = value`
#[derive(Debug, Clone, PartialEq)]
pub struct LetStatement {
    pub name: Name,
    pub value: LetValue,
}

#[derive(Debug, Clone, PartialEq)]
pub enum LetValue {
    Expression(Expr),
    /// `(parameters) { body }`, with or without `view`.
    Function(FunctionDeclaration),
}

#[derive(Debug, Clone, PartialEq)]
pub struct FunctionDeclaration {
    /// Declared with `view`, which makes it answer to wildcards of `union` and `search`.
    pub view: bool,
    pub parameters: Vec<Parameter>,
    pub body: FunctionBody,
    pub span: Span,
}

/// `{ statements; expression }`. `result` is the last expression; absent only in broken text or an empty body.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionBody {
    pub statements: Vec<Statement>,
    pub result: Option<Box<Expr>>,
    pub span: Span,
}

/// A parameter of a function, of a pattern or of the query.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    pub name: Name,
    pub kind: ParameterKind,
    pub default: Option<Expr>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ParameterKind {
    Scalar(TypeName),
    /// `T: (a: long, b: string)` or `T: (*)`
    Tabular(RowSchema),
}

/// `(a: long, b: string)`, or `(*)` for any columns. Where a plugin or `typeof` adds columns both: `(*, a: long)`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RowSchema {
    pub columns: Vec<ColumnDeclaration>,
    pub any: bool,
    pub span: Span,
}

/// `name: type`
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnDeclaration {
    pub name: Name,
    pub type_name: TypeName,
    pub span: Span,
}

/// The name of a type as written, and the type it stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct TypeName {
    pub keyword: TypeKeyword,
    pub text: String,
    pub span: Span,
}

/// The scalar types of the language (aliases such as `date` and `int64` folded).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TypeKeyword {
    Bool,
    Int,
    Long,
    Real,
    Decimal,
    Datetime,
    Timespan,
    String,
    Guid,
    Dynamic,
    /// A word where a type must stand that names none of them (reported).
    Unknown,
}

impl TypeKeyword {
    pub const fn as_str(self) -> &'static str {
        match self {
            TypeKeyword::Bool => "bool",
            TypeKeyword::Int => "int",
            TypeKeyword::Long => "long",
            TypeKeyword::Real => "real",
            TypeKeyword::Decimal => "decimal",
            TypeKeyword::Datetime => "datetime",
            TypeKeyword::Timespan => "timespan",
            TypeKeyword::String => "string",
            TypeKeyword::Guid => "guid",
            TypeKeyword::Dynamic => "dynamic",
            TypeKeyword::Unknown => "unknown",
        }
    }
}

/// `set name [= value]`
#[derive(Debug, Clone, PartialEq)]
pub struct SetStatement {
    pub name: Name,
    pub value: Option<Expr>,
}

/// `alias database name = cluster(…).database(…)`
#[derive(Debug, Clone, PartialEq)]
pub struct AliasStatement {
    pub name: Name,
    pub value: Expr,
}

/// `restrict access to (entities) [with (properties)]`: names, wildcard names and paths.
#[derive(Debug, Clone, PartialEq)]
pub struct RestrictStatement {
    pub entities: Vec<Expr>,
    /// `with (name = value, …)`
    pub properties: Vec<OperatorParameter>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct PatternStatement {
    pub name: Name,
    /// Absent: declared only (`declare pattern app;`).
    pub definition: Option<PatternDefinition>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct PatternDefinition {
    pub parameters: Vec<Parameter>,
    /// `[name: type]`
    pub path: Option<Parameter>,
    pub cases: Vec<PatternCase>,
}

/// `(values)[.[path]] = { body }`
#[derive(Debug, Clone, PartialEq)]
pub struct PatternCase {
    pub arguments: Vec<Expr>,
    pub path: Option<Expr>,
    pub body: FunctionBody,
    pub span: Span,
}

/// A name, decoded: `['x y']` has the text `x y`.
#[derive(Debug, Clone, PartialEq)]
pub struct Name {
    pub text: String,
    pub style: NameStyle,
    pub span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameStyle {
    /// `name`
    Plain,
    /// `['name']`
    Bracketed,
    /// `{name}`: a parameter that a client tool would fill in.
    Braced,
    /// The name is absent from broken text; its text is empty.
    Missing,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    Name(Name),
    /// A name with `*` in it (`a*`, `*b`, `T*x`), as written.
    Wildcard(String),
    /// `[a*]`: a name with `*` in it between brackets, without them.
    BracketedWildcard(String),
    /// `a, b` where one operator parameter takes several columns (`ycolumns=a, b`).
    NameList(Vec<Name>),
    /// `table datascope=all`
    DataScope {
        source: Box<Expr>,
        scope: Name,
    },
    /// `*`
    Star,
    Literal(LiteralValue),
    /// `typeof(long)` or `typeof(a: long, b: string)`
    TypeOf(TypeOf),
    Unary {
        operator: UnaryOperator,
        operand: Box<Expr>,
    },
    /// Long chains of one associative operator (`and`, `or`) are built balanced, so that the tree stays shallow;
    /// the operands read from left to right all the same.
    Binary {
        operator: BinaryOperator,
        operator_span: Span,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    /// `value in (list)`, `value has_any (list)` …; one tabular expression may be the whole list.
    Membership {
        operator: MembershipOperator,
        operator_span: Span,
        value: Box<Expr>,
        list: Vec<Expr>,
    },
    /// `value between (low .. high)`
    Between {
        negated: bool,
        value: Box<Expr>,
        low: Box<Expr>,
        high: Box<Expr>,
    },
    Call(Call),
    /// `object.name`, `object['name']` written as `object.['name']`
    Member {
        object: Box<Expr>,
        name: Name,
    },
    /// `object[index]`
    Element {
        object: Box<Expr>,
        index: Box<Expr>,
    },
    /// `name = value`, where an operator or a call takes named values.
    Named {
        name: Name,
        value: Box<Expr>,
    },
    /// `(a, b) = value`
    NamedTuple {
        names: Vec<Name>,
        value: Box<Expr>,
    },
    /// `name: type` where an operator takes a declared column among its expressions.
    TypedName(ColumnDeclaration),
    /// `(expression)`
    Parenthesized(Box<Expr>),
    Pipeline(Pipeline),
    DataTable(DataTable),
    /// `contextual_datatable` and `__contextual_datatable` forms that name a table given with the request.
    ContextualDataTable(ContextualDataTable),
    ExternalData(Box<ExternalData>),
    InlineExternalTable(Box<InlineExternalTable>),
    /// `toscalar(pipeline)`
    ToScalar(Wrapped),
    /// `totable(pipeline)`
    ToTable(Wrapped),
    /// `materialize(pipeline)`
    Materialize(Wrapped),
    /// `materialized-view-combine(name) base (…) delta (…) aggregates (…)`
    MaterializedViewCombine(MaterializedViewCombine),
    /// `entity_group [entities]`
    EntityGroup(Vec<Expr>),
    /// What is absent from broken text (a diagnostic stands at its place).
    Missing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnaryOperator {
    Plus,
    Minus,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryOperator {
    Or,
    And,
    Equal,
    NotEqual,
    /// `=~`
    EqualIgnoreCase,
    /// `!~`
    NotEqualIgnoreCase,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Contains,
    NotContains,
    ContainsCs,
    NotContainsCs,
    Has,
    NotHas,
    HasCs,
    NotHasCs,
    HasPrefix,
    NotHasPrefix,
    HasPrefixCs,
    NotHasPrefixCs,
    HasSuffix,
    NotHasSuffix,
    HasSuffixCs,
    NotHasSuffixCs,
    StartsWith,
    NotStartsWith,
    StartsWithCs,
    NotStartsWithCs,
    EndsWith,
    NotEndsWith,
    EndsWithCs,
    NotEndsWithCs,
    Like,
    NotLike,
    LikeCs,
    NotLikeCs,
    MatchesRegex,
    /// `column: term` of `search` and `find`
    SearchTerm,
}

impl BinaryOperator {
    pub const fn as_str(self) -> &'static str {
        use BinaryOperator::*;
        match self {
            Or => "or",
            And => "and",
            Equal => "==",
            NotEqual => "!=",
            EqualIgnoreCase => "=~",
            NotEqualIgnoreCase => "!~",
            Less => "<",
            LessOrEqual => "<=",
            Greater => ">",
            GreaterOrEqual => ">=",
            Add => "+",
            Subtract => "-",
            Multiply => "*",
            Divide => "/",
            Modulo => "%",
            Contains => "contains",
            NotContains => "!contains",
            ContainsCs => "contains_cs",
            NotContainsCs => "!contains_cs",
            Has => "has",
            NotHas => "!has",
            HasCs => "has_cs",
            NotHasCs => "!has_cs",
            HasPrefix => "hasprefix",
            NotHasPrefix => "!hasprefix",
            HasPrefixCs => "hasprefix_cs",
            NotHasPrefixCs => "!hasprefix_cs",
            HasSuffix => "hassuffix",
            NotHasSuffix => "!hassuffix",
            HasSuffixCs => "hassuffix_cs",
            NotHasSuffixCs => "!hassuffix_cs",
            StartsWith => "startswith",
            NotStartsWith => "!startswith",
            StartsWithCs => "startswith_cs",
            NotStartsWithCs => "!startswith_cs",
            EndsWith => "endswith",
            NotEndsWith => "!endswith",
            EndsWithCs => "endswith_cs",
            NotEndsWithCs => "!endswith_cs",
            Like => "like",
            NotLike => "notlike",
            LikeCs => "likecs",
            NotLikeCs => "notlikecs",
            MatchesRegex => "matches regex",
            SearchTerm => ":",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MembershipOperator {
    In,
    /// `in~`
    InIgnoreCase,
    NotIn,
    /// `!in~`
    NotInIgnoreCase,
    HasAny,
    HasAll,
}

impl MembershipOperator {
    pub const fn as_str(self) -> &'static str {
        match self {
            MembershipOperator::In => "in",
            MembershipOperator::InIgnoreCase => "in~",
            MembershipOperator::NotIn => "!in",
            MembershipOperator::NotInIgnoreCase => "!in~",
            MembershipOperator::HasAny => "has_any",
            MembershipOperator::HasAll => "has_all",
        }
    }
}

/// `name(arguments)`, or `object.name(arguments)`: `database('x').f(1)`. Arguments may be [`ExprKind::Named`],
/// [`ExprKind::Star`] and pipelines.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub object: Option<Box<Expr>>,
    pub name: Name,
    pub arguments: Vec<Expr>,
}

/// The value of a literal. Typed literals keep their type; a text that the type cannot take is `Invalid`.
#[derive(Debug, Clone, PartialEq)]
pub enum LiteralValue {
    Bool(bool),
    Int(i32),
    Long(i64),
    Real(f64),
    /// The digits as written.
    Decimal(String),
    String(StringLiteral),
    /// 100 ns ticks since 0001-01-01T00:00:00Z.
    Datetime(i64),
    /// 100 ns ticks, signed.
    Timespan(i64),
    /// Bytes in the order of the text form.
    Guid([u8; 16]),
    Dynamic(DynamicLiteral),
    /// `long(null)`, and so on.
    Null(TypeKeyword),
    /// `datetime(nonsense)`: what stood between the parentheses.
    Invalid {
        keyword: TypeKeyword,
        text: String,
    },
}

/// A string, decoded, with what matters of how it was written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StringLiteral {
    pub value: String,
    /// `h'…'`: not to be logged.
    pub obfuscated: bool,
}

/// What stands in `dynamic(…)`: JSON, with typed literals (`datetime(…)`, `1d`, `guid(…)`) allowed inside.
#[derive(Debug, Clone, PartialEq)]
pub enum DynamicLiteral {
    Null,
    Array(Vec<DynamicLiteral>),
    /// In the order written; a name may occur twice.
    Bag(Vec<(String, DynamicLiteral)>),
    /// Any other literal than `Dynamic`.
    Scalar(Box<LiteralValue>),
}

#[derive(Debug, Clone, PartialEq)]
pub enum TypeOf {
    /// `typeof(long)`
    Scalar(TypeName),
    /// `typeof(a: long, b: string)`, `typeof(*, a: long)`
    Row(RowSchema),
}

/// `source | operator | operator`. Without a source the first operator is one itself (`print`, `range`, `union`,
/// `find`, `search`, `evaluate` …), or the pipeline takes its rows from around it (`mv-apply`, `fork`, `facet`,
/// `partition` bodies).
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    pub source: Option<Box<Expr>>,
    pub operators: Vec<Operator>,
}

/// `keyword [kind=…](pipeline)`
#[derive(Debug, Clone, PartialEq)]
pub struct Wrapped {
    pub parameters: Vec<OperatorParameter>,
    pub pipeline: Box<Expr>,
}

/// `datatable (columns) [values]`, values row after row.
#[derive(Debug, Clone, PartialEq)]
pub struct DataTable {
    pub parameters: Vec<OperatorParameter>,
    pub schema: RowSchema,
    pub values: Vec<Expr>,
}

/// `__contextual_datatable('id', (columns))`
#[derive(Debug, Clone, PartialEq)]
pub struct ContextualDataTable {
    pub id: Box<Expr>,
    pub schema: RowSchema,
}

/// `externaldata (columns) [uris] with (properties)`
#[derive(Debug, Clone, PartialEq)]
pub struct ExternalData {
    pub parameters: Vec<OperatorParameter>,
    pub schema: RowSchema,
    pub uris: Vec<Expr>,
    pub properties: Vec<OperatorParameter>,
}

/// `inline_external_table (columns) kind=… [partition by (…) [pathformat=(…)]] dataformat=… (uris) [with (…)]`
#[derive(Debug, Clone, PartialEq)]
pub struct InlineExternalTable {
    pub schema: RowSchema,
    /// `kind`, `dataformat`
    pub parameters: Vec<OperatorParameter>,
    pub partitions: Vec<ExternalPartition>,
    /// Pieces of `pathformat`: string literals, column names and `datetime_pattern(…)` calls.
    pub path_format: Vec<Expr>,
    pub uris: Vec<Expr>,
    pub properties: Vec<OperatorParameter>,
}

/// `name: type [= expression]`
#[derive(Debug, Clone, PartialEq)]
pub struct ExternalPartition {
    pub column: ColumnDeclaration,
    pub value: Option<Expr>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct MaterializedViewCombine {
    pub view: Box<Expr>,
    pub base: Box<Expr>,
    pub delta: Box<Expr>,
    /// A pipeline of one `summarize` without a source.
    pub aggregates: Box<Expr>,
}
