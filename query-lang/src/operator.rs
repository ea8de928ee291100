//! The one table of the operators of a pipeline: words, syntax, parameters with their values, documentation.
//!
//! The parser's suggestions, completion, hover help and the generated reference read it. How an operator is
//! parsed, bound or run is not known here.

use crate::function::Example;

/// Where an operator may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Only after a pipe.
    Piped,
    /// Only at the start of a query.
    Leading,
    /// Both.
    Anywhere,
}

/// What the value of a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterValue {
    /// One of these words.
    Word(&'static [&'static str]),
    Bool,
    Number,
    Text,
    /// A column of the input.
    Column,
    /// A new name.
    Name,
}

/// `name=value` of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParameterSpec {
    pub name: &'static str,
    pub value: ParameterValue,
    pub summary: &'static str,
}

const fn parameter(name: &'static str, value: ParameterValue, summary: &'static str) -> ParameterSpec {
    ParameterSpec { name, value, summary }
}

/// One entry of the table.
#[derive(Clone, Copy, Debug)]
pub struct OperatorSpec {
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    pub place: Place,
    /// Without the pipe before it; `[…]` may be left out, `…` repeats.
    pub syntax: &'static str,
    pub summary: &'static str,
    /// Parameters after the keyword.
    pub parameters: &'static [ParameterSpec],
    /// Properties in the parentheses of `with (…)`.
    pub properties: &'static [ParameterSpec],
    pub examples: &'static [Example],
}

impl OperatorSpec {
    const fn piped(name: &'static str, syntax: &'static str, summary: &'static str) -> Self {
        OperatorSpec {
            name,
            aliases: &[],
            place: Place::Piped,
            syntax,
            summary,
            parameters: &[],
            properties: &[],
            examples: &[],
        }
    }

    const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    const fn place(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    const fn parameters(mut self, parameters: &'static [ParameterSpec]) -> Self {
        self.parameters = parameters;
        self
    }

    const fn properties(mut self, properties: &'static [ParameterSpec]) -> Self {
        self.properties = properties;
        self
    }

    const fn examples(mut self, examples: &'static [Example]) -> Self {
        self.examples = examples;
        self
    }

    /// Whether a pipe may stand before it.
    pub fn may_follow_pipe(&self) -> bool {
        self.place != Place::Leading
    }

    /// Whether a query may start with it.
    pub fn may_lead(&self) -> bool {
        self.place != Place::Piped
    }

    /// The parameter or property of that name.
    pub fn parameter(&self, name: &str) -> Option<&'static ParameterSpec> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// The property of that name.
    pub fn property(&self, name: &str) -> Option<&'static ParameterSpec> {
        self.properties.iter().find(|property| property.name == name)
    }
}

/// The operator of that name or alias.
pub fn by_name(name: &str) -> Option<&'static OperatorSpec> {
    OPERATORS.iter().find(|operator| operator.name == name || operator.aliases.contains(&name))
}

/// All names, aliases included.
pub fn names() -> impl Iterator<Item = &'static str> {
    OPERATORS
        .iter()
        .flat_map(|operator| std::iter::once(operator.name).chain(operator.aliases.iter().copied()))
}

/// The charts of `render` that are offered; the parser takes a few more.
pub const CHARTS: &[(&str, &str)] = &[
    ("table", "The rows as a table."),
    ("list", "The rows as a list."),
    ("barchart", "Horizontal bars, one a row."),
    ("piechart", "Shares of a whole: first column the names, second the values."),
    ("ladderchart", "Spans of time: the last two columns are start and end."),
    ("timechart", "Lines over a column of datetimes."),
    ("linechart", "Lines over the first column."),
    ("anomalychart", "A time chart with the anomalies that series_decompose_anomalies() found."),
    ("pivotchart", "A pivot table and chart."),
    ("areachart", "Areas over the first column."),
    ("stackedareachart", "Areas upon one another."),
    ("scatterchart", "Points."),
    ("timepivot", "Events on a time line, by a hierarchy of columns."),
    ("columnchart", "Vertical bars, one a row."),
    ("timeline", "Events on a time line."),
    ("card", "The first row's values, large."),
    ("treemap", "Nested rectangles by size."),
    ("plotly", "A chart described by Plotly's JSON."),
];

use ParameterValue::{Bool, Column, Name, Number, Text, Word};

const SHUFFLE_KEY: ParameterSpec =
    parameter("hint.shufflekey", Column, "Spreads the work over nodes by the values of this column.");
const PARTITIONS: ParameterSpec =
    parameter("hint.num_partitions", Number, "Number of parts that the work is cut into.");
const STRATEGY: ParameterSpec = parameter(
    "hint.strategy",
    Word(&["auto", "broadcast", "centralized", "shuffle"]),
    "How the work is spread over nodes.",
);
const REMOTE: ParameterSpec = parameter(
    "hint.remote",
    Word(&["auto", "left", "local", "right", "unresolved"]),
    "Where the work between clusters is done.",
);
const CONCURRENCY: ParameterSpec = parameter(
    "hint.concurrency",
    Word(&["auto", "left", "local", "right", "unresolved"]),
    "How many parts run at the same time.",
);
const SPREAD: ParameterSpec =
    parameter("hint.spread", Word(&["auto", "local"]), "How many nodes take part in the work.");
const MATERIALIZED: ParameterSpec =
    parameter("hint.materialized", Bool, "Keeps the rows, so that they are computed once.");
const IS_FUZZY: ParameterSpec =
    parameter("isfuzzy", Bool, "Leaves out tables that do not exist instead of failing.");
const BEST_EFFORT: ParameterSpec =
    parameter("best_effort", Bool, "Leaves out tables that do not exist or cannot be read.");
const WITH_SOURCE: ParameterSpec =
    parameter("withsource", Name, "Adds a column of this name with the table each row is from.");
const WITH_ITEM_INDEX: ParameterSpec =
    parameter("with_itemindex", Name, "Adds a column of this name with the position in the array, from 0.");
const PARSE_PARAMETERS: &[ParameterSpec] = &[
    parameter("kind", Word(&["simple", "regex", "relaxed"]), "How the pattern is read; simple by default."),
    parameter("flags", Text, "Flags of the regular expression: U, m, s, i or several."),
];
const PARTITION_PARAMETERS: &[ParameterSpec] = &[
    CONCURRENCY,
    SPREAD,
    MATERIALIZED,
    SHUFFLE_KEY,
    parameter("hint.strategy", Word(&["shuffle", "native", "legacy"]), "How the partitions are worked on."),
];

/// Every operator, by name.
pub const OPERATORS: &[OperatorSpec] = &[
    OperatorSpec::piped("as", "as [hint.materialized=bool] Name", "Gives the rows so far a name, for later parts of the query and for the result.")
        .parameters(&[MATERIALIZED])
        .examples(&[Example { query: "range x from 1 to 3 step 1 | as T | where x == toscalar(T | count)", answer: "3" }]),
    OperatorSpec::piped("assert-schema", "assert-schema (Name: type, …)", "Fails unless the rows have exactly these columns.")
        .examples(&[Example { query: "print x = 1 | assert-schema (x: long)", answer: "1" }]),
    OperatorSpec::piped("consume", "consume [decodeblocks=bool]", "Reads all rows and yields none: for measuring.")
        .parameters(&[parameter("decodeblocks", Bool, "Decodes all columns as well.")])
        .examples(&[Example { query: "range x from 1 to 3 step 1 | consume", answer: "" }]),
    OperatorSpec::piped("count", "count [as Name]", "Yields one row with the number of rows.")
        .examples(&[Example { query: "range x from 1 to 3 step 1 | count", answer: "3" }]),
    OperatorSpec::piped("distinct", "distinct Column, … | *", "Yields each combination of values once.")
        .parameters(&[SHUFFLE_KEY, STRATEGY, PARTITIONS])
        .examples(&[Example { query: "datatable(a:string)['x','y','x'] | distinct a | order by a asc", answer: "x\ny" }]),
    OperatorSpec::piped("evaluate", "evaluate [hint.distribution=…] plugin(arguments) [: (Name: type, …)]", "Calls a plugin with the rows.")
        .place(Place::Anywhere)
        .parameters(&[
            parameter("hint.distribution", Word(&["single", "per_node", "per_shard", "default"]), "Where the plugin runs."),
            parameter("hint.remote", Word(&["auto", "local"]), "Whether it may run on another cluster."),
        ])
        .examples(&[Example { query: "print d = dynamic({'a': 1, 'b': 'x'}) | evaluate bag_unpack(d)", answer: "1,x" }]),
    OperatorSpec::piped("extend", "extend [Name =] Expression, …", "Adds columns, or replaces those of the same name.")
        .examples(&[Example { query: "range x from 1 to 2 step 1 | extend twice = x * 2", answer: "1,2\n2,4" }]),
    OperatorSpec::piped("facet", "facet by Column, … [with (subquery)]", "Yields a result for each column with the counts of its values, and one of the subquery.")
        .examples(&[Example { query: "datatable(a:string)['x','y','x'] | facet by a", answer: "x,2\ny,1" }]),
    OperatorSpec::piped("find", "find [withsource=Name] [in (Tables)] [where] Predicate [project Columns | project-smart]", "Finds the rows that satisfy a predicate in many tables.")
        .place(Place::Anywhere)
        .parameters(&[WITH_SOURCE])
        .examples(&[Example { query: "let T = datatable(a:long)[1, 2]; find in (T) where a > 1 project a | project a", answer: "2" }]),
    OperatorSpec::piped("fork", "fork [Name =] (subquery) …", "Runs several subqueries over the same rows, a result each.")
        .examples(&[Example { query: "range x from 1 to 4 step 1 | fork (where x > 2) (count)", answer: "3\n4" }]),
    OperatorSpec::piped("getschema", "getschema [kind=csl]", "Yields the columns of the rows with their types.")
        .parameters(&[parameter("kind", Word(&["csl"]), "Yields the schema as one text.")])
        .examples(&[Example { query: "print x = 1 | getschema", answer: "x,0,System.Int64,long" }]),
    OperatorSpec::piped("graph-mark-components", "graph-mark-components [kind=weak|strong] [with_component_id=Name]", "Numbers the connected components of a graph, as a property of its nodes.")
        .parameters(&[
            parameter("kind", Word(&["weak", "strong"]), "Whether the direction of edges counts; weak by default."),
            parameter("with_component_id", Name, "The property that takes the number; ComponentId by default."),
        ])
        .examples(&[Example { query: "let nodes = datatable(id:string, age:long)['a',1, 'b',2, 'c',3]; let edges = datatable(s:string, t:string)['a','b', 'b','c']; edges | make-graph s --> t with nodes on id | graph-mark-components with_component_id=component | graph-to-table nodes | distinct component", answer: "0" }]),
    OperatorSpec::piped("graph-match", "graph-match [cycles=…] (a)-[e]->(b) … [where Predicate] [project …]", "Finds all occurrences of a pattern of nodes and edges in a graph.")
        .parameters(&[parameter("cycles", Word(&["none", "all", "unique_edges"]), "Which cycles a match may have; unique_edges by default.")])
        .examples(&[Example { query: "let nodes = datatable(id:string, age:long)['a',1, 'b',2, 'c',3]; let edges = datatable(s:string, t:string)['a','b', 'b','c']; edges | make-graph s --> t with nodes on id | graph-match (x)-[e]->(y) where x.age > 1 project x.id, y.id", answer: "b,c" }]),
    OperatorSpec::piped("graph-shortest-paths", "graph-shortest-paths [output=any|all] (a)-[e*1..5]->(b) [where Predicate] [project …]", "Finds the shortest paths between nodes of a graph.")
        .parameters(&[parameter("output", Word(&["any", "all"]), "One path for each pair of nodes, or all of the least length.")])
        .examples(&[Example { query: "let nodes = datatable(id:string, age:long)['a',1, 'b',2, 'c',3]; let edges = datatable(s:string, t:string)['a','b', 'b','c']; edges | make-graph s --> t with nodes on id | graph-shortest-paths (x)-[e*1..5]->(y) where x.id == 'a' and y.id == 'c' project hops = array_length(e)", answer: "2" }]),
    OperatorSpec::piped("graph-to-table", "graph-to-table nodes [as Name] [with_node_id=Name] | edges [as Name] [with_source_id=Name] [with_target_id=Name]", "Yields the nodes or the edges of a graph as a table.")
        .parameters(&[
            parameter("with_node_id", Name, "Adds a column with the hash of the node's identifier."),
            parameter("with_source_id", Name, "Adds a column with the hash of the source's identifier."),
            parameter("with_target_id", Name, "Adds a column with the hash of the target's identifier."),
        ])
        .examples(&[Example { query: "let nodes = datatable(id:string, age:long)['a',1, 'b',2, 'c',3]; let edges = datatable(s:string, t:string)['a','b', 'b','c']; edges | make-graph s --> t with nodes on id | graph-to-table nodes | count", answer: "3" }]),
    OperatorSpec::piped("graph-where-edges", "graph-where-edges Predicate", "Keeps the edges of a graph that satisfy a predicate."),
    OperatorSpec::piped("graph-where-nodes", "graph-where-nodes Predicate", "Keeps the nodes of a graph that satisfy a predicate."),
    OperatorSpec::piped("invoke", "invoke function(arguments)", "Calls a function whose first parameter is a table with the rows.")
        .examples(&[Example { query: "let twice = (T: (x: long)) { T | extend y = x * 2 }; print x = 3 | invoke twice()", answer: "3,6" }]),
    OperatorSpec::piped("join", "join [kind=…] [hints] (Right) on Column, … | $left.A == $right.B", "Joins the rows with those of another table that have equal keys.")
        .parameters(&[
            parameter(
                "kind",
                Word(&["innerunique", "inner", "leftouter", "rightouter", "fullouter", "leftsemi", "rightsemi", "leftanti", "rightanti", "anti", "leftantisemi", "rightantisemi"]),
                "Which rows without a partner stay; innerunique by default, which takes each key of the left side once.",
            ),
            REMOTE,
            SHUFFLE_KEY,
            STRATEGY,
            PARTITIONS,
        ])
        .examples(&[Example { query: "datatable(k:long, a:string)[1,'x',2,'y'] | join kind=inner (datatable(k:long, b:string)[2,'z']) on k", answer: "2,y,2,z" }]),
    OperatorSpec::piped("lookup", "lookup [kind=leftouter|inner] (Right) on Column, …", "Adds the columns of a dimension table; its key columns are not repeated.")
        .parameters(&[parameter("kind", Word(&["leftouter", "inner"]), "Whether rows without a partner stay; leftouter by default.")])
        .examples(&[Example { query: "datatable(k:long)[1, 2] | lookup (datatable(k:long, b:string)[2,'z']) on k | order by k asc", answer: "1,\n2,z" }]),
    OperatorSpec::piped("macro-expand", "macro-expand [isfuzzy=bool] Group as Name (statements)", "Runs statements for each entity of a group and unites the results.")
        .place(Place::Leading)
        .parameters(&[parameter("force_remote", Bool, "Runs each on its own cluster."), IS_FUZZY, BEST_EFFORT])
        .examples(&[Example { query: "macro-expand entity_group [database('NetDefaultDB')] as X (print database = 'one')", answer: "one" }]),
    OperatorSpec::piped("make-graph", "make-graph Source --> Target [with Nodes on Key | with_node_id=Name] [partitioned-by Column (subquery)]", "Builds a graph of edges, and of nodes where they are given.")
        .parameters(&[parameter("hint.strategy", Word(&["shuffle", "native"]), "How a partitioned graph is worked on.")])
        .examples(&[Example { query: "let nodes = datatable(id:string, age:long)['a',1, 'b',2, 'c',3]; let edges = datatable(s:string, t:string)['a','b', 'b','c']; edges | make-graph s --> t with nodes on id | graph-to-table edges | count", answer: "2" }]),
    OperatorSpec::piped("make-series", "make-series [kind=nonempty] [Name =] Aggregate [default=Value], … on Axis [from Start] [to End] step Step [by Column, …]", "Aggregates into arrays over the regular steps of an axis.")
        .parameters(&[SHUFFLE_KEY, parameter("kind", Word(&["nonempty"]), "Yields a series even when there are no rows.")])
        .examples(&[Example { query: "datatable(t:long, v:long)[0,1, 2,5] | make-series s = sum(v) default=0 on t from 0 to 3 step 1", answer: "\"[1,0,5]\",\"[0,1,2]\"" }]),
    OperatorSpec::piped("mv-apply", "mv-apply [with_itemindex=Name] [Name =] Array [to typeof(type)], … [limit N] on (subquery)", "Runs a subquery over the elements of the arrays of each row.")
        .aliases(&["mvapply"])
        .parameters(&[WITH_ITEM_INDEX])
        .examples(&[Example { query: "print a = dynamic([1, 5, 3]) | mv-apply a to typeof(long) on (top 1 by a)", answer: "5" }]),
    OperatorSpec::piped("mv-expand", "mv-expand [kind=bag|array] [with_itemindex=Name] [Name =] Array [to typeof(type)], … [limit N]", "Makes a row of each element of arrays or bags.")
        .aliases(&["mvexpand"])
        .parameters(&[
            parameter("kind", Word(&["bag", "array"]), "How a bag is expanded: to bags of one property, or to [name, value]."),
            parameter("bagexpansion", Word(&["bag", "array"]), "The same as kind."),
            WITH_ITEM_INDEX,
        ])
        .examples(&[Example { query: "print a = dynamic([1, 2]) | mv-expand a to typeof(long)", answer: "1\n2" }]),
    OperatorSpec::piped("parse", "parse [kind=… [flags=…]] Expression with [*] \"text\" Name[: type] …", "Makes columns of a text by a pattern; what does not fit stays, with empty columns.")
        .parameters(PARSE_PARAMETERS)
        .examples(&[Example { query: "print s = 'id=7 name=x' | parse s with 'id=' id: long ' name=' name | project id, name", answer: "7,x" }]),
    OperatorSpec::piped("parse-kv", "parse-kv Expression as (Name: type, …) [with (pair_delimiter=…, kv_delimiter=…, quote=…)]", "Makes columns of the keys and values in a text.")
        .properties(&[
            parameter("pair_delimiter", Text, "What stands between pairs; a blank by default."),
            parameter("kv_delimiter", Text, "What stands between key and value; '=' by default."),
            parameter("quote", Text, "The quotes around values, one text or two."),
            parameter("escape", Text, "The character that takes a quote's meaning away."),
            parameter("greedy", Bool, "Values without quotes run up to the next known key."),
            parameter("regex", Text, "A regular expression with a group for the key and one for the value."),
        ])
        .examples(&[Example { query: "print s = 'a=1,b=x' | parse-kv s as (a: long, b: string) with (pair_delimiter=',') | project a, b", answer: "1,x" }]),
    OperatorSpec::piped("parse-where", "parse-where [kind=… [flags=…]] Expression with [*] \"text\" Name[: type] …", "As parse, but rows that do not fit the pattern are left out.")
        .parameters(PARSE_PARAMETERS)
        .examples(&[Example { query: "datatable(s:string)['id=7', 'none'] | parse-where s with 'id=' id: long | project id", answer: "7" }]),
    OperatorSpec::piped("partition", "partition [hint.strategy=…] by Column (subquery)", "Runs a subquery over the rows of each value of a column and unites the results.")
        .parameters(PARTITION_PARAMETERS)
        .examples(&[Example { query: "datatable(k:string, v:long)['a',1, 'a',3, 'b',2] | partition by k (top 1 by v) | order by k asc", answer: "a,3\nb,2" }]),
    OperatorSpec::piped("print", "print [Name =] Expression, …", "Yields one row of expressions.")
        .place(Place::Leading)
        .examples(&[Example { query: "print x = 1, y = strcat('a', 'b')", answer: "1,ab" }]),
    OperatorSpec::piped("project", "project [Name =] Expression, …", "Yields just these columns, in this order.")
        .examples(&[Example { query: "print a = 1, b = 2 | project b, c = a + b", answer: "2,3" }]),
    OperatorSpec::piped("project-away", "project-away Column, wild*, …", "Leaves columns out.")
        .examples(&[Example { query: "print a1 = 1, a2 = 2, b = 3 | project-away a*", answer: "3" }]),
    OperatorSpec::piped("project-by-names", "project-by-names Expression, …", "Yields the columns that constant texts or arrays name.")
        .examples(&[Example { query: "print a = 1, b = 2, c = 3 | project-by-names 'c', dynamic(['a'])", answer: "3,1" }]),
    OperatorSpec::piped("project-keep", "project-keep Column, wild*, …", "Keeps columns, in the order they have.")
        .examples(&[Example { query: "print a1 = 1, b = 2, a2 = 3 | project-keep a*", answer: "1,3" }]),
    OperatorSpec::piped("project-rename", "project-rename New = Old, …", "Gives columns other names; their order stays.")
        .examples(&[Example { query: "print a = 1, b = 2 | project-rename c = a", answer: "1,2" }]),
    OperatorSpec::piped("project-reorder", "project-reorder Column, wild* [asc | desc | granny-asc | granny-desc], …", "Brings columns to the front, in this order.")
        .examples(&[Example { query: "print a = 1, b = 2, c = 3 | project-reorder c", answer: "3,1,2" }]),
    OperatorSpec::piped("range", "range Name from Start to Stop step Step", "Yields a row for each step between two values.")
        .place(Place::Leading)
        .examples(&[Example { query: "range x from 1 to 5 step 2", answer: "1\n3\n5" }]),
    OperatorSpec::piped("reduce", "reduce [kind=source] by Expression [with threshold=…, characters=…]", "Groups texts that are alike and yields the pattern of each group.")
        .parameters(&[parameter("kind", Word(&["source"]), "Adds the pattern to each row instead.")])
        .properties(&[
            parameter("threshold", Number, "How much of a text may differ, between 0 and 1; 0.1 by default."),
            parameter("characters", Text, "Characters that separate words besides blanks."),
        ])
        .examples(&[Example { query: "datatable(s:string)['open file 1', 'open file 2', 'open file 3'] | reduce by s | project Count", answer: "3" }]),
    OperatorSpec::piped("render", "render chart [with (property=value, …)]", "Tells the client how to show the result; the rows stay as they are.")
        .properties(&[
            parameter("title", Text, "The title of the chart."),
            parameter("kind", Word(&["default", "unstacked", "stacked", "stacked100", "map"]), "The variant of the chart."),
            parameter("xcolumn", Column, "The column of the x-axis."),
            parameter("ycolumns", Column, "The columns of the y-axis."),
            parameter("series", Column, "The columns whose values name a series."),
            parameter("anomalycolumns", Column, "The columns of anomalies of an anomaly chart."),
            parameter("xtitle", Text, "The title of the x-axis."),
            parameter("ytitle", Text, "The title of the y-axis."),
            parameter("xaxis", Word(&["linear", "log"]), "The scale of the x-axis."),
            parameter("yaxis", Word(&["linear", "log"]), "The scale of the y-axis."),
            parameter("legend", Word(&["visible", "hidden"]), "Whether the legend is shown."),
            parameter("ysplit", Word(&["none", "axes", "panels"]), "Whether each y column has an axis or a panel of its own."),
            parameter("accumulate", Bool, "Adds each value to those before it."),
            parameter("xmin", Number, "The least value of the x-axis."),
            parameter("xmax", Number, "The greatest value of the x-axis."),
            parameter("ymin", Number, "The least value of the y-axis."),
            parameter("ymax", Number, "The greatest value of the y-axis."),
        ])
        .examples(&[Example { query: "range x from 1 to 2 step 1 | render linechart with (title='x')", answer: "1\n2" }]),
    OperatorSpec::piped("sample", "sample N", "Yields some rows, chosen at random.")
        .examples(&[Example { query: "range x from 1 to 9 step 1 | sample 2 | count", answer: "2" }]),
    OperatorSpec::piped("sample-distinct", "sample-distinct N of Column", "Yields some distinct values of a column.")
        .examples(&[Example { query: "datatable(a:string)['x','x'] | sample-distinct 5 of a", answer: "x" }]),
    OperatorSpec::piped("scan", "scan [with_match_id=Name] [declare (Name: type = Default, …)] with (step Name [output=all|last|none]: Condition [=> Column = Value, …]; …)", "Goes through ordered rows and matches sequences of steps, carrying values along.")
        .parameters(&[
            parameter("kind", Word(&["partial", "full"]), "Whether unfinished matches are yielded."),
            parameter("with_match_id", Name, "Adds a column with the number of the match."),
        ])
        .examples(&[Example { query: "range x from 1 to 3 step 1 | scan declare (sum: long = 0) with (step s: true => sum = x + s.sum;)", answer: "1,1\n2,3\n3,6" }]),
    OperatorSpec::piped("search", "search [kind=…] [in (Tables)] Predicate", "Finds a term or predicate in any column, of the rows or of many tables.")
        .place(Place::Anywhere)
        .parameters(&[parameter("kind", Word(&["default", "case_insensitive", "case_sensitive"]), "Whether case counts; it does not by default.")])
        .examples(&[Example { query: "let T = datatable(a:string, b:string)['one','two', 'three','four']; T | search 'two' | project a", answer: "one" }]),
    OperatorSpec::piped("serialize", "serialize [Name = Expression, …]", "Gives the order of the rows a meaning, for window functions.")
        .examples(&[Example { query: "range x from 1 to 2 step 1 | serialize n = row_number()", answer: "1,1\n2,2" }]),
    OperatorSpec::piped("sort", "sort by Expression [asc | desc] [nulls first | nulls last], …", "Sorts the rows; descending by default.")
        .aliases(&["order"])
        .parameters(&[parameter("hint.strategy", Word(&["splitBlock", "multipleBlocks"]), "How the sorting is spread.")])
        .examples(&[Example { query: "datatable(a:long)[2, 1, 3] | sort by a asc", answer: "1\n2\n3" }]),
    OperatorSpec::piped("summarize", "summarize [Name =] Aggregate, … [by [Name =] Expression, …]", "Aggregates the rows of each combination of keys.")
        .parameters(&[SHUFFLE_KEY, parameter("hint.strategy", Word(&["shuffle"]), "How the work is spread over nodes."), PARTITIONS])
        .examples(&[Example { query: "datatable(k:string, v:long)['a',1, 'a',3, 'b',2] | summarize n = count(), sum(v) by k | order by k asc", answer: "a,2,4\nb,1,2" }]),
    OperatorSpec::piped("take", "take N", "Yields up to so many rows, whichever.")
        .aliases(&["limit"])
        .examples(&[Example { query: "range x from 1 to 9 step 1 | take 2 | count", answer: "2" }]),
    OperatorSpec::piped("top", "top N by Expression [asc | desc] [nulls first | nulls last]", "Yields the first rows in an order; descending by default.")
        .parameters(&[parameter("hint.progressive_top", Bool, "Works from the ends of the data.")])
        .examples(&[Example { query: "range x from 1 to 9 step 1 | top 2 by x", answer: "9\n8" }]),
    OperatorSpec::piped("top-hitters", "top-hitters N of Expression [by Weight]", "Approximates the most frequent values, or those of the greatest weight.")
        .examples(&[Example { query: "datatable(a:string)['x','y','x'] | top-hitters 1 of a", answer: "x,2" }]),
    OperatorSpec::piped("top-nested", "top-nested [N] of Expression [with others=Value] by Aggregate [asc | desc], …", "The greatest values of a level, and within each of those the greatest of the next.")
        .examples(&[Example { query: "datatable(k:string, v:long)['a',1, 'a',3, 'b',2] | top-nested 1 of k by total = sum(v)", answer: "a,4" }]),
    OperatorSpec::piped("union", "union [kind=inner|outer] [withsource=Name] [isfuzzy=bool] Table, wild*, (query), …", "Takes the rows of several tables together.")
        .place(Place::Anywhere)
        .parameters(&[
            parameter("kind", Word(&["inner", "outer"]), "Only the columns common to all, or all; outer by default."),
            WITH_SOURCE,
            IS_FUZZY,
            BEST_EFFORT,
            CONCURRENCY,
            SPREAD,
        ])
        .examples(&[Example { query: "union (print x = 1), (print x = 2) | order by x asc", answer: "1\n2" }]),
    OperatorSpec::piped("where", "where Predicate", "Keeps the rows that satisfy a predicate.")
        .aliases(&["filter"])
        .examples(&[Example { query: "range x from 1 to 5 step 1 | where x > 3", answer: "4\n5" }]),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a text is free of syntax errors.
    fn parses(text: &str) -> bool {
        !crate::parse(text).has_errors()
    }

    #[test]
    fn names_are_sorted_and_unique() {
        let names: Vec<&str> = OPERATORS.iter().map(|operator| operator.name).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(names, sorted);
    }

    #[test]
    fn examples_parse() {
        for operator in OPERATORS {
            for example in operator.examples {
                assert!(parses(example.query), "{}", example.query);
                assert!(names().any(|name| example.query.contains(name)));
            }
        }
    }

    #[test]
    fn parameters_are_known_to_the_parser() {
        let text = |parameter: &ParameterSpec| match parameter.value {
            Word(words) => words[0].to_string(),
            Bool => "true".to_string(),
            Number => "1".to_string(),
            Text => "'x'".to_string(),
            Column | Name => "x".to_string(),
        };
        let rest = |name: &str| match name {
            "as" | "invoke" | "macro-expand" | "graph-to-table" | "make-graph" => None,
            "distinct" | "project" | "extend" => Some("a"),
            "evaluate" => Some("narrow()"),
            "find" => Some("where a > 1"),
            "graph-match" | "graph-shortest-paths" => Some("(a)-->(b) project a"),
            "join" | "lookup" => Some("(U) on a"),
            "make-series" => Some("count() on a from 1 to 2 step 1"),
            "mv-apply" => Some("a on (count)"),
            "parse" | "parse-where" => Some("a with b"),
            "partition" => Some("by a (count)"),
            "reduce" | "sort" => Some("by a"),
            "scan" => Some("with (step s: true;)"),
            "search" => Some("'x'"),
            "summarize" => Some("count()"),
            "top" => Some("1 by a"),
            "union" => Some("T"),
            "mv-expand" => Some("a"),
            _ => Some(""),
        };
        for operator in OPERATORS {
            let Some(rest) = rest(operator.name) else { continue };
            for parameter in operator.parameters {
                let query = format!("T | {} {}={} {rest}", operator.name, parameter.name, text(parameter));
                assert!(parses(&query), "{query}");
            }
            for property in operator.properties {
                let head = match operator.name {
                    "parse-kv" => "parse-kv a as (b: long) with (",
                    "reduce" => "reduce by a with ",
                    _ => "render timechart with (",
                };
                let close = if head.ends_with('(') { ")" } else { "" };
                let query = format!("T | {head}{}={}{close}", property.name, text(property));
                assert!(parses(&query), "{query}");
            }
        }
    }
}
