//! The logical plan: what a query means, typed and resolved.
//!
//! Plain data, serialisable, independent of any executor: a plan can be printed, cached by fingerprint, cut
//! in two or sent to another machine. Expressions refer to columns of their operator's input by position.

pub mod graph;

use serde::{Deserialize, Serialize};

use self::graph::{GraphBuild, GraphHash, GraphPlan, GraphSearch};
use crate::function::FunctionId;
use crate::plugin::Plugin;
use crate::types::{Schema, Type};
use crate::value::Value;

/// Everything a query text asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueryPlan {
    /// One per tabular statement, or per leg of `fork`/`facet`.
    pub results: Vec<ResultPlan>,
    /// Request options set in the text (`set notruncation;`), in order.
    pub options: Vec<(String, Value)>,
}

/// One result table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResultPlan {
    /// The name given with `as` or by the fork leg, else `PrimaryResult`.
    pub name: String,
    pub plan: Plan,
    pub visualization: Option<Visualization>,
}

/// What `render` asks the client to draw. Names of properties as in the reference, lower case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visualization {
    pub kind: String,
    pub properties: Vec<(String, String)>,
    /// The rendered rows came sorted.
    pub is_query_sorted: bool,
}

/// A relational operator together with the columns it yields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub operator: Box<Operator>,
    pub schema: Schema,
}

/// A scalar expression over the columns of one input row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Expr {
    pub kind: ExprKind,
    pub ty: Type,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ExprKind {
    /// Position in the schema of the operator's input.
    Column(usize),
    Constant(Value),
    /// A value that the operator around the subquery gives it: the same in all rows of one run.
    Parameter(u32),
    /// Arguments have exactly the types the resolved signature asks for: the binder inserted conversions.
    Call {
        function: FunctionId,
        arguments: Vec<Expr>,
    },
    /// `toscalar(plan)`: first column of the first row, or null. Never correlated.
    ScalarSubquery(Box<Plan>),
    /// `toscalar(plan)` that depends on the row: the values its parameters have there. The binder puts it into
    /// an operator of its own ([`Operator::ScalarApply`]).
    CorrelatedSubquery {
        plan: Box<Plan>,
        parameters: Vec<(u32, Expr)>,
    },
    /// `value in (plan)`: whether the first column of the plan holds the value.
    InSubquery {
        value: Box<Expr>,
        plan: Box<Plan>,
        negated: bool,
        ignore_case: bool,
    },
}

/// One aggregate call of a `summarize` or `make-series`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Aggregate {
    /// Always of kind aggregate.
    pub function: FunctionId,
    pub arguments: Vec<Expr>,
    /// Rows for which this is not true do not take part (`countif`, `sumif` …).
    pub condition: Option<Expr>,
    /// Types of the columns it yields: one, except for arg_max/arg_min, percentiles and the like.
    pub outputs: Vec<Type>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SortKey {
    pub expression: Expr,
    pub descending: bool,
    pub nulls_first: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JoinKind {
    /// Left rows first reduced to one per key.
    InnerUnique,
    Inner,
    LeftOuter,
    RightOuter,
    FullOuter,
    LeftSemi,
    RightSemi,
    LeftAnti,
    RightAnti,
}

/// One column that `mv-expand` or `mv-apply` unfolds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Expansion {
    /// Dynamic value to unfold.
    pub source: Expr,
    /// Type of the yielded column (`to typeof(…)`); dynamic if not said.
    pub ty: Type,
    /// The input column this one replaces, or `None`: the column is appended.
    pub replaces: Option<usize>,
}

/// How `mv-expand` shows property bags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BagExpansion {
    /// Each property becomes a bag of one property.
    Bag,
    /// Each property becomes the array `[key, value]`.
    Array,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParseKind {
    Simple,
    Regex,
    Relaxed,
}

/// One piece of a `parse` pattern.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ParseSegment {
    /// `*`: skip as little as possible.
    Star,
    /// Text (or a regular expression, by kind) that must follow.
    Text(String),
    /// Captures into the n-th yielded column.
    Capture { output: usize },
}

/// One series of `make-series`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Over the outputs of the operator's aggregates.
    pub value: Expr,
    /// Constant for bins without rows.
    pub default: Expr,
}

/// How `reduce` groups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reduction {
    /// Part of all rows that a word or a group must have, from 0 to 1.
    pub threshold: f64,
    /// Characters between words, if not all but letters and digits.
    pub characters: Option<String>,
}

/// One step of `scan`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScanStep {
    pub name: String,
    /// A sequence may go on without it.
    pub optional: bool,
    pub output: ScanOutput,
    pub condition: Expr,
    /// Position in the record, and its value in rows that match.
    pub assignments: Vec<(usize, Expr)>,
}

/// Which of the rows that match a step are yielded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScanOutput {
    All,
    /// Only the last before the sequence goes on or ends.
    Last,
    None,
}

/// How `union` treats columns; only for printing, the inputs are aligned already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UnionKind {
    Inner,
    Outer,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Operator {
    /// Rows of a stored table. `columns` are names of the table's columns in the order of the schema.
    /// `predicate`, over the yielded columns, must hold for every row that leaves the scan.
    Scan {
        database: String,
        table: String,
        columns: Vec<String>,
        predicate: Option<Expr>,
    },
    /// Rows of files outside of the store; their columns are those of the schema.
    External(ExternalSource),
    /// Constant rows (`datatable`, `print` of constants, `getschema` …).
    Values {
        rows: Vec<Vec<Value>>,
    },
    /// `range`: from, from + step, … up to and including `to`. All three are without columns.
    Range {
        from: Expr,
        to: Expr,
        step: Expr,
    },
    Filter {
        input: Plan,
        predicate: Expr,
    },
    /// extend, project and family, print: one expression per yielded column. Expressions may hold window
    /// functions (row_number, prev, next, row_cumsum …), then the input's order is kept.
    Project {
        input: Plan,
        expressions: Vec<Expr>,
    },
    /// Yields the keys, then the outputs of each aggregate in order. No keys: exactly one row.
    /// No aggregates: distinct keys.
    Summarize {
        input: Plan,
        keys: Vec<Expr>,
        aggregates: Vec<Aggregate>,
    },
    /// Stable.
    Sort {
        input: Plan,
        keys: Vec<SortKey>,
    },
    Top {
        input: Plan,
        keys: Vec<SortKey>,
        limit: Expr,
    },
    Take {
        input: Plan,
        limit: Expr,
    },
    /// Yields left columns then right columns; semi and anti kinds yield the columns of their side.
    /// Keys are pairwise of one type; a null key matches nothing, as in Kusto a null matches a null only
    /// where the reference says so.
    Join {
        kind: JoinKind,
        left: Plan,
        right: Plan,
        left_keys: Vec<Expr>,
        right_keys: Vec<Expr>,
    },
    /// Inputs all have the schema of the union.
    Union {
        inputs: Vec<Plan>,
        kind: UnionKind,
    },
    /// Yields the input's columns (replaced where an expansion says so), appended expansions, then the
    /// zero-based item index if asked for. Rows per input row = longest expansion, at most `row_limit`.
    MvExpand {
        input: Plan,
        expansions: Vec<Expansion>,
        bag_expansion: BagExpansion,
        with_item_index: bool,
        row_limit: Option<u64>,
    },
    /// Expands as mv-expand does and runs `subquery` over the rows of each input row. The subquery's leaf
    /// is `Argument`. Yields the untouched input columns, then the subquery's.
    MvApply {
        input: Plan,
        expansions: Vec<Expansion>,
        with_item_index: bool,
        row_limit: Option<u64>,
        /// Input columns that are repeated beside each row of the subquery's result.
        kept: Vec<usize>,
        subquery: Plan,
    },
    /// The rows given to a subquery (mv-apply, partition).
    Argument,
    /// Appends `outputs` columns captured from `source`. `filter`: rows that do not match are dropped
    /// (parse-where), else they get nulls.
    Parse {
        input: Plan,
        source: Expr,
        kind: ParseKind,
        /// Regular expression flags (`flags=` of the operator), e.g. `U` or `i`.
        flags: String,
        segments: Vec<ParseSegment>,
        outputs: Vec<Type>,
        filter: bool,
    },
    /// Appends one column per key of a key/value text.
    ParseKv {
        input: Plan,
        source: Expr,
        keys: Vec<(String, Type)>,
        options: ParseKvOptions,
    },
    /// Yields the keys, one array per series, then the array of axis values.
    MakeSeries {
        input: Plan,
        aggregates: Vec<Aggregate>,
        series: Vec<Series>,
        axis: Expr,
        from: Option<Expr>,
        to: Option<Expr>,
        step: Expr,
        keys: Vec<Expr>,
    },
    /// Marks the input's order as meaningful; yields the input.
    Serialize {
        input: Plan,
    },
    /// Runs once per query however often it occurs with this id (`materialize`, `as`).
    Shared {
        id: u32,
        input: Plan,
    },
    Sample {
        input: Plan,
        count: Expr,
    },
    SampleDistinct {
        input: Plan,
        count: Expr,
        of: Expr,
    },
    /// Appends a column: for each row the first value of the subquery, or null. The subquery sees values of the
    /// row as parameters.
    ScalarApply {
        input: Plan,
        parameters: Vec<(u32, Expr)>,
        subquery: Plan,
    },
    /// Groups texts that are alike. Yields pattern, count and representative of each group; with `annotate`
    /// the rows, with those of their group behind them.
    Reduce {
        input: Plan,
        source: Expr,
        reduction: Reduction,
        annotate: bool,
    },
    /// `scan`: matches rows in order against steps, per partition. Yields the columns of the input, one column
    /// per default, then the number of the match if asked for. Expressions of steps see a record (the columns
    /// of the input and the declared ones, these with their defaults) for the current row, then one for each
    /// step: what it matched last in the sequence at hand.
    ScanSteps {
        input: Plan,
        partition: Vec<Expr>,
        defaults: Vec<Value>,
        steps: Vec<ScanStep>,
        with_match_id: bool,
    },
    /// Runs the subquery once per distinct key; yields all results. Its leaf is `Argument`, or it has sources
    /// of its own and sees the key as a parameter. More keys than `keys_max` are an error.
    Partition {
        input: Plan,
        key: Expr,
        parameter: Option<u32>,
        keys_max: Option<u64>,
        subquery: Plan,
    },
    /// Rows that a plugin of `evaluate` computes from all rows of its inputs. What the inputs' columns and the
    /// options stand for is said where the plugin is bound.
    Plugin {
        plugin: Plugin,
        inputs: Vec<Plan>,
        options: Vec<Value>,
    },
    /// `graph-match` and `graph-shortest-paths`.
    GraphSearch(Box<GraphSearch>),
    /// The nodes or the edges of a graph with their properties; `hashes` of identifiers come first.
    GraphTable {
        graph: GraphPlan,
        nodes: bool,
        hashes: Vec<GraphHash>,
    },
    /// Builds a graph for each value of a column and runs the subquery over it. The column's position in the
    /// edges and, if there are properties of nodes, in the nodes.
    GraphPartition {
        build: GraphBuild,
        edge_key: usize,
        node_key: Option<usize>,
        subquery: Plan,
    },
}

/// Files outside of the store and how they hold rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalSource {
    /// Paths and addresses as written.
    pub addresses: Vec<String>,
    /// The name of a format; `None`: by the names of the files.
    pub format: Option<String>,
    pub skip_first_record: bool,
    /// An ingestion mapping as JSON.
    pub mapping: Option<String>,
    /// Addresses may be folders; the names of the files that are read begin and end like this.
    pub folder: Option<(String, String)>,
}

/// How `parse-kv` splits its text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParseKvOptions {
    pub pair_delimiter: Option<String>,
    pub kv_delimiter: Option<String>,
    pub quotes: Vec<String>,
    pub escape: Option<String>,
    pub greedy: bool,
    pub regex: Option<String>,
}

impl Plan {
    pub fn new(operator: Operator, schema: Schema) -> Plan {
        Plan { operator: Box::new(operator), schema }
    }

    /// Whether the plan is a subquery that depends on what the operator around it gives it: rows or values.
    pub fn depends_on_outer(&self) -> bool {
        self.reads_outer(true)
    }

    /// `rows`: rows given to the plan count as such, not only values.
    fn reads_outer(&self, rows: bool) -> bool {
        let argument = match &*self.operator {
            Operator::Argument => true,
            Operator::GraphSearch(search) => search.graph.is_argument(),
            Operator::GraphTable { graph, .. } => graph.is_argument(),
            _ => false,
        };
        let mut found = rows && argument;
        crate::optimise::tree::visit_expressions(&self.operator, &mut |expression| {
            found |= expression.reads_outer(rows);
        });
        found
            || match &*self.operator {
                // The rows within are their own; values may come from further out.
                Operator::MvApply { input, subquery, .. }
                | Operator::Partition { input, subquery, parameter: None, .. } => {
                    input.reads_outer(rows) || subquery.reads_outer(false)
                }
                Operator::GraphPartition { build, subquery, .. } => {
                    build.inputs().into_iter().any(|input| input.reads_outer(rows))
                        || subquery.reads_outer(false)
                }
                other => crate::explain::inputs(other).into_iter().any(|input| input.reads_outer(rows)),
            }
    }
}

impl Expr {
    pub fn column(position: usize, ty: Type) -> Expr {
        Expr { kind: ExprKind::Column(position), ty }
    }

    pub fn constant(value: Value) -> Expr {
        let ty = value.ty();
        Expr { kind: ExprKind::Constant(value), ty }
    }

    fn reads_outer(&self, rows: bool) -> bool {
        match &self.kind {
            ExprKind::Parameter(_) => true,
            ExprKind::Column(_) | ExprKind::Constant(_) => false,
            ExprKind::Call { arguments, .. } => arguments.iter().any(|argument| argument.reads_outer(rows)),
            ExprKind::ScalarSubquery(plan) => plan.reads_outer(rows),
            ExprKind::CorrelatedSubquery { .. } => true,
            ExprKind::InSubquery { value, plan, .. } => value.reads_outer(rows) || plan.reads_outer(rows),
        }
    }

    pub fn call(function: FunctionId, arguments: Vec<Expr>, ty: Type) -> Expr {
        Expr { kind: ExprKind::Call { function, arguments }, ty }
    }
}
