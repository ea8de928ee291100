//! The operators of a pipeline, a node each with all of its parts.

use super::*;

/// `name = value` after an operator's keyword: `kind=inner`, `hint.strategy=shuffle`, `withsource=T`. The value is a
/// name, literal or parenthesised list as written; hint names keep their dots.
#[derive(Debug, Clone, PartialEq)]
pub struct OperatorParameter {
    pub name: Name,
    pub value: Expr,
    pub span: Span,
}

/// One operator of a pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Operator {
    pub kind: OperatorKind,
    /// The keyword alone, for messages about the operator.
    pub keyword_span: Span,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum OperatorKind {
    As(As),
    AssertSchema(RowSchema),
    Consume(Consume),
    Count(Count),
    Distinct(Distinct),
    Evaluate(Evaluate),
    ExecuteAndCache,
    Extend(Vec<Expr>),
    Facet(Facet),
    Find(Find),
    Fork(Fork),
    GetSchema(GetSchema),
    GraphMarkComponents(Vec<OperatorParameter>),
    GraphMatch(GraphMatch),
    GraphShortestPaths(GraphMatch),
    GraphToTable(Vec<GraphTable>),
    GraphWhereEdges(Expr),
    GraphWhereNodes(Expr),
    /// `invoke f(arguments)`
    Invoke(Expr),
    Join(Join),
    Lookup(Join),
    MacroExpand(MacroExpand),
    MakeGraph(MakeGraph),
    MakeSeries(MakeSeries),
    MvApply(MvApply),
    MvExpand(MvExpand),
    Parse(Parse),
    ParseKv(ParseKv),
    ParseWhere(Parse),
    Partition(Partition),
    /// `__partitionby`
    PartitionBy(PartitionBy),
    Print(Vec<Expr>),
    Project(Vec<Expr>),
    /// Names and wildcard names.
    ProjectAway(Vec<Expr>),
    ProjectByNames(Vec<Expr>),
    ProjectKeep(Vec<Expr>),
    /// [`ExprKind::Named`] and plain names.
    ProjectRename(Vec<Expr>),
    ProjectReorder(Vec<ReorderKey>),
    Range(Range),
    Reduce(Reduce),
    Render(Render),
    Sample(Sample),
    SampleDistinct(SampleDistinct),
    Scan(Scan),
    Search(Search),
    Serialize(Serialize),
    Sort(Sort),
    Summarize(Summarize),
    Take(Take),
    Top(Top),
    TopHitters(TopHitters),
    TopNested(Vec<TopNestedClause>),
    Union(Union),
    Where(Where),
    /// Something after a pipe that is no operator (reported); its text is skipped up to the next pipe.
    Unknown(String),
}

/// `as [hint.materialized=…] name`
#[derive(Debug, Clone, PartialEq)]
pub struct As {
    pub parameters: Vec<OperatorParameter>,
    pub name: Name,
}

/// `consume [decodeblocks=…]`
#[derive(Debug, Clone, PartialEq)]
pub struct Consume {
    pub parameters: Vec<OperatorParameter>,
}

/// `count [as name]`
#[derive(Debug, Clone, PartialEq)]
pub struct Count {
    pub parameters: Vec<OperatorParameter>,
    pub name: Option<Name>,
}

/// `distinct *` or `distinct a, b`
#[derive(Debug, Clone, PartialEq)]
pub struct Distinct {
    pub parameters: Vec<OperatorParameter>,
    pub expressions: Vec<Expr>,
}

/// `evaluate plugin(arguments) [: (columns)]`
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluate {
    pub parameters: Vec<OperatorParameter>,
    /// An [`ExprKind::Call`], or missing.
    pub call: Expr,
    pub schema: Option<RowSchema>,
}

/// `facet by a, b [with (pipeline)]`
#[derive(Debug, Clone, PartialEq)]
pub struct Facet {
    pub columns: Vec<Expr>,
    pub with: Option<Expr>,
}

/// `find [withsource=T] [in (tables)] [where] predicate [project … | project-smart | project-away …]`
#[derive(Debug, Clone, PartialEq)]
pub struct Find {
    pub parameters: Vec<OperatorParameter>,
    pub tables: Vec<Expr>,
    pub predicate: Expr,
    pub projection: Option<FindProjection>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct FindProjection {
    pub kind: FindProjectionKind,
    /// Names, wildcard names, `*`, [`ExprKind::TypedName`] and the call `pack(*)` or `pack_all()`.
    pub columns: Vec<Expr>,
    pub span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FindProjectionKind {
    Project,
    ProjectAway,
    ProjectSmart,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Fork {
    pub branches: Vec<ForkBranch>,
}

/// `[name =] (pipeline)`
#[derive(Debug, Clone, PartialEq)]
pub struct ForkBranch {
    pub name: Option<Name>,
    pub body: Expr,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct GetSchema {
    pub parameters: Vec<OperatorParameter>,
}

/// `make-graph source --> target [with …] [partitioned-by column (pipeline)]`
#[derive(Debug, Clone, PartialEq)]
pub struct MakeGraph {
    pub parameters: Vec<OperatorParameter>,
    pub source: Name,
    pub directed: bool,
    pub target: Name,
    pub with: Option<MakeGraphWith>,
    pub partitioned_by: Option<GraphPartition>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum MakeGraphWith {
    /// `with_node_id=name`
    NodeId(Name),
    /// `with table on column, table on column`
    Nodes(Vec<GraphNodes>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct GraphNodes {
    pub table: Expr,
    pub key: Name,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct GraphPartition {
    pub column: Name,
    pub body: Box<Expr>,
}

/// `graph-match [cycles=…] pattern, pattern [where predicate] [project …]`, and `graph-shortest-paths`.
#[derive(Debug, Clone, PartialEq)]
pub struct GraphMatch {
    pub parameters: Vec<OperatorParameter>,
    pub patterns: Vec<GraphPattern>,
    pub predicate: Option<Expr>,
    pub projection: Option<Vec<Expr>>,
}

/// Nodes and edges in turn: `(a)-[e]->(b)<--(c)`
#[derive(Debug, Clone, PartialEq)]
pub struct GraphPattern {
    pub elements: Vec<GraphElement>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum GraphElement {
    /// `(name)`
    Node { name: Option<Name>, span: Span },
    /// `-[name*low..high]->`
    Edge(GraphEdge),
}

#[derive(Debug, Clone, PartialEq)]
pub struct GraphEdge {
    pub name: Option<Name>,
    pub direction: GraphDirection,
    /// `*low..high`
    pub range: Option<(Box<Expr>, Box<Expr>)>,
    pub span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GraphDirection {
    /// `-->`
    Forward,
    /// `<--`
    Backward,
    /// `--`
    Any,
}

/// `nodes as name with_node_id=column` of `graph-to-table`
#[derive(Debug, Clone, PartialEq)]
pub struct GraphTable {
    /// True for `nodes`, false for `edges`.
    pub nodes: bool,
    pub name: Option<Name>,
    pub parameters: Vec<OperatorParameter>,
    pub span: Span,
}

/// `join kind=… right on …`, and `lookup`.
#[derive(Debug, Clone, PartialEq)]
pub struct Join {
    pub parameters: Vec<OperatorParameter>,
    pub right: Box<Expr>,
    pub condition: JoinCondition,
}

#[derive(Debug, Clone, PartialEq)]
pub enum JoinCondition {
    /// `on a, $left.b == $right.c`
    On(Vec<Expr>),
    /// `where predicate`
    Where(Box<Expr>),
    None,
}

/// `macro-expand [kind=…] group as name (statements)`
#[derive(Debug, Clone, PartialEq)]
pub struct MacroExpand {
    pub parameters: Vec<OperatorParameter>,
    pub entity_group: Box<Expr>,
    pub name: Option<Name>,
    pub body: Vec<Statement>,
}

/// `make-series [kind=…] aggregates on axis from … to … step … [by …]`
#[derive(Debug, Clone, PartialEq)]
pub struct MakeSeries {
    pub parameters: Vec<OperatorParameter>,
    pub aggregates: Vec<SeriesAggregate>,
    pub axis: Box<Expr>,
    pub range: SeriesRange,
    pub by: Vec<Expr>,
}

/// `[name =] aggregate [default = value]`
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesAggregate {
    pub expression: Expr,
    pub default: Option<Expr>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum SeriesRange {
    /// `[from start] [to stop] step step`
    FromToStep { from: Option<Box<Expr>>, to: Option<Box<Expr>>, step: Box<Expr> },
    /// `in range(start, stop, step)`
    InRange { start: Box<Expr>, stop: Box<Expr>, step: Box<Expr> },
}

/// `mv-apply [with_itemindex=i] columns [limit n] [id guid] on (pipeline)`
#[derive(Debug, Clone, PartialEq)]
pub struct MvApply {
    pub parameters: Vec<OperatorParameter>,
    pub columns: Vec<ExpandColumn>,
    pub limit: Option<Box<Expr>>,
    pub context: Option<Box<Expr>>,
    pub body: Box<Expr>,
}

/// `mv-expand [kind=…] [with_itemindex=i] columns [limit n]`
#[derive(Debug, Clone, PartialEq)]
pub struct MvExpand {
    pub parameters: Vec<OperatorParameter>,
    pub columns: Vec<ExpandColumn>,
    pub limit: Option<Box<Expr>>,
}

/// `[name =] expression [to typeof(type)]`
#[derive(Debug, Clone, PartialEq)]
pub struct ExpandColumn {
    pub expression: Expr,
    pub to_type: Option<TypeName>,
    pub span: Span,
}

/// `parse [kind=… [flags=…]] expression with pattern`, and `parse-where`.
#[derive(Debug, Clone, PartialEq)]
pub struct Parse {
    pub parameters: Vec<OperatorParameter>,
    pub expression: Box<Expr>,
    pub pattern: Vec<ParsePiece>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ParsePiece {
    /// `*`
    Skip(Span),
    Text {
        value: String,
        span: Span,
    },
    /// `name[:type]`
    Column {
        name: Name,
        type_name: Option<TypeName>,
        span: Span,
    },
}

/// `parse-kv expression as (columns) [with (properties)]`
#[derive(Debug, Clone, PartialEq)]
pub struct ParseKv {
    pub parameters: Vec<OperatorParameter>,
    pub expression: Box<Expr>,
    pub columns: RowSchema,
    pub properties: Vec<OperatorParameter>,
}

/// `partition [hint…] by column (pipeline)` or `… { statements }`
#[derive(Debug, Clone, PartialEq)]
pub struct Partition {
    pub parameters: Vec<OperatorParameter>,
    pub by: Box<Expr>,
    /// `in (expression)`: the values of the legacy form.
    pub scope: Option<Box<Expr>>,
    pub body: PartitionBody,
}

#[derive(Debug, Clone, PartialEq)]
pub enum PartitionBody {
    /// `(pipeline)` that takes the rows of its partition.
    Subquery(Box<Expr>),
    /// `{ query }` that names its own source.
    Query(FunctionBody),
}

/// `__partitionby [hint…] column [id guid] (pipeline)`
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionBy {
    pub parameters: Vec<OperatorParameter>,
    pub column: Box<Expr>,
    pub context: Option<Box<Expr>>,
    pub body: Box<Expr>,
}

/// A column of `project-reorder`: `a*  asc`, `granny-asc` …
#[derive(Debug, Clone, PartialEq)]
pub struct ReorderKey {
    pub expression: Expr,
    /// `asc`, `desc`, `granny-asc` or `granny-desc`, as written.
    pub order: Option<String>,
    pub span: Span,
}

/// `range name from … to … step …`
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    pub name: Name,
    pub from: Box<Expr>,
    pub to: Box<Expr>,
    pub step: Box<Expr>,
}

/// `reduce [kind=…] by expression [with threshold=…, characters=…]`
#[derive(Debug, Clone, PartialEq)]
pub struct Reduce {
    pub parameters: Vec<OperatorParameter>,
    pub expression: Box<Expr>,
    pub properties: Vec<OperatorParameter>,
}

/// `render chart [with (properties)]`, and the old form without `with`.
#[derive(Debug, Clone, PartialEq)]
pub struct Render {
    pub chart: Name,
    pub properties: Vec<OperatorParameter>,
}

/// `sample n`
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub parameters: Vec<OperatorParameter>,
    pub count: Box<Expr>,
}

/// `sample-distinct n of expression`
#[derive(Debug, Clone, PartialEq)]
pub struct SampleDistinct {
    pub parameters: Vec<OperatorParameter>,
    pub count: Box<Expr>,
    pub of: Box<Expr>,
}

/// `scan [with_match_id=id] [order by …] [partition by …] [declare (…)] with (steps)`
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    pub parameters: Vec<OperatorParameter>,
    pub order_by: Vec<SortKey>,
    pub partition_by: Vec<Expr>,
    pub declare: Vec<Parameter>,
    pub steps: Vec<ScanStep>,
}

/// `step name [optional] [output = …]: condition [=> column = value, …];`
#[derive(Debug, Clone, PartialEq)]
pub struct ScanStep {
    pub name: Name,
    pub optional: bool,
    /// `all`, `last` or `none`, as written.
    pub output: Option<Name>,
    pub condition: Expr,
    /// [`ExprKind::Named`]
    pub assignments: Vec<Expr>,
    pub span: Span,
}

/// `search [kind=…] [in (tables)] predicate`
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    pub parameters: Vec<OperatorParameter>,
    pub tables: Vec<Expr>,
    pub predicate: Box<Expr>,
}

/// `serialize [name = expression, …]`
#[derive(Debug, Clone, PartialEq)]
pub struct Serialize {
    pub parameters: Vec<OperatorParameter>,
    pub expressions: Vec<Expr>,
}

/// `sort by keys`, `order by keys`
#[derive(Debug, Clone, PartialEq)]
pub struct Sort {
    pub parameters: Vec<OperatorParameter>,
    pub keys: Vec<SortKey>,
}

/// `expression [asc | desc] [nulls first | nulls last]`
#[derive(Debug, Clone, PartialEq)]
pub struct SortKey {
    pub expression: Expr,
    pub direction: Option<SortDirection>,
    pub nulls: Option<NullsOrder>,
    pub span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SortDirection {
    Ascending,
    Descending,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NullsOrder {
    First,
    Last,
}

/// `summarize aggregates [by keys [bin = value]]`
#[derive(Debug, Clone, PartialEq)]
pub struct Summarize {
    pub parameters: Vec<OperatorParameter>,
    pub aggregates: Vec<Expr>,
    /// Present as soon as `by` is written.
    pub by: Option<Vec<Expr>>,
    /// The old form `by … bin = value`.
    pub bin: Option<Box<Expr>>,
}

/// `take n`, `limit n`
#[derive(Debug, Clone, PartialEq)]
pub struct Take {
    pub parameters: Vec<OperatorParameter>,
    pub count: Box<Expr>,
}

/// `top n by key`
#[derive(Debug, Clone, PartialEq)]
pub struct Top {
    pub parameters: Vec<OperatorParameter>,
    pub count: Box<Expr>,
    pub key: SortKey,
}

/// `top-hitters n of expression [by weight]`
#[derive(Debug, Clone, PartialEq)]
pub struct TopHitters {
    pub parameters: Vec<OperatorParameter>,
    pub count: Box<Expr>,
    pub of: Box<Expr>,
    pub by: Option<Box<Expr>>,
}

/// `top-nested [n] of expression [with others = value] by aggregate`
#[derive(Debug, Clone, PartialEq)]
pub struct TopNestedClause {
    pub count: Option<Expr>,
    pub of: Expr,
    pub with_others: Option<Expr>,
    pub by: SortKey,
    pub span: Span,
}

/// `union [kind=…] [withsource=…] [isfuzzy=…] tables`
#[derive(Debug, Clone, PartialEq)]
pub struct Union {
    pub parameters: Vec<OperatorParameter>,
    pub tables: Vec<Expr>,
}

/// `where predicate`, `filter predicate`
#[derive(Debug, Clone, PartialEq)]
pub struct Where {
    pub parameters: Vec<OperatorParameter>,
    pub predicate: Box<Expr>,
}
