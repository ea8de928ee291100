//! Random queries made from the grammar and the function table: whatever is asked, the engine answers or says
//! what is wrong, in time, with columns of the types it announced; the optimiser changes no answer's shape.
//!
//! `CONSHELF_RANDOM_QUERIES=100000` runs more than the default; `CONSHELF_RANDOM_SEED` other ones.

use std::time::{Duration, Instant};

use conshelf::engine::batch::arrow_type;
use conshelf::engine::context::QueryLimits;
use conshelf::engine::{Engine, EngineError, QueryContext, QueryRequest};
use conshelf::storage::{DEFAULT_DATABASE, Store, StoreOptions};
use conshelf_kql::function::signature::{Class, Form, Return, Signature, signatures};
use conshelf_kql::function::{FunctionId, FunctionKind};
use conshelf_kql::{Column, Schema, Type};

/// Rows of every type, nulls and ends of ranges among them.
const TABLE: &str = r#"let T = datatable(b:bool, i:int, l:long, r:real, m:decimal, d:datetime, s:timespan, t:string, g:guid, j:dynamic)[
    true, 1, 10, 0.5, decimal(1.25), datetime(2024-02-29T12:30:45.1234567Z), 1h, 'alpha beta', guid(74be27de-1e4e-49d9-b579-fe0b331d3642), dynamic({"a":1,"b":[1,2,{"c":"x"}]}),
    false, -7, -10, -1.5e300, decimal(-0.0001), datetime(0001-01-01), -2d, '', guid(00000000-0000-0000-0000-000000000000), dynamic([1,2.5,"three",null]),
    bool(null), int(null), long(null), real(null), decimal(null), datetime(null), timespan(null), '192.168.1.1', guid(null), dynamic(null),
    true, 2147483647, 9223372036854775807, real(nan), decimal(99999999999999999999999999999999), datetime(9999-12-31T23:59:59.9999999Z), 10675199d, '{"k": "v", "n": 5}', guid(ffffffff-ffff-ffff-ffff-ffffffffffff), dynamic("text"),
    true, -2147483648, -9223372036854775808, real(+inf), decimal(0), datetime(1970-01-01), 0s, 'Ünï©ode ☃ key=value; https://example.com/p?q=1', guid(null), dynamic({"type":"Point","coordinates":[10,20]}),
    false, 1, 10, 0.5, decimal(1.25), datetime(2024-02-29T12:31:45Z), 1tick, 'alpha beta', guid(74be27de-1e4e-49d9-b579-fe0b331d3642), dynamic([[1,2],[3,4]])
];
"#;

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % sides.max(1) as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.roll(choices.len())]
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.roll(100) < percent
    }
}

/// A function with one of its signatures.
type Overload = (FunctionId, &'static Signature);

/// What expressions are made of.
struct Grammar {
    scalars: Vec<Overload>,
    windows: Vec<Overload>,
    aggregates: Vec<Overload>,
}

impl Grammar {
    fn new() -> Grammar {
        let of = |kind: FunctionKind| {
            FunctionId::all()
                .filter(|function| {
                    !matches!(function, FunctionId::Operator(_)) && function.spec().kind == kind
                })
                .flat_map(|function| signatures(function).iter().map(move |signature| (function, signature)))
                .collect()
        };
        Grammar {
            scalars: of(FunctionKind::Scalar),
            windows: of(FunctionKind::Window),
            aggregates: of(FunctionKind::Aggregate),
        }
    }
}

struct Query<'a> {
    grammar: &'a Grammar,
    dice: &'a mut Dice,
    schema: Schema,
}

fn quoted(name: &str) -> String {
    format!("['{}']", name.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn literal(dice: &mut Dice, ty: Type) -> String {
    let choices: &[&str] = match ty {
        Type::Bool => &["true", "false", "bool(null)"],
        Type::Int => &["int(0)", "int(3)", "int(-1)", "int(2147483647)", "int(null)"],
        Type::Long => &["0", "1", "2", "7", "-3", "100", "9223372036854775807", "long(null)"],
        Type::Real => &["0.0", "1.5", "-2.25", "1e308", "real(nan)", "real(-inf)", "real(null)", "0.95"],
        Type::Decimal => &["decimal(1.5)", "decimal(-3)", "decimal(1e-20)", "decimal(null)"],
        Type::DateTime => &[
            "datetime(2024-02-29)",
            "datetime(1970-01-01 01:02:03)",
            "datetime(null)",
            "now()",
            "datetime(9999-12-31)",
        ],
        Type::TimeSpan => &["1h", "30s", "-1d", "0s", "time(1.02:03:04.5)", "timespan(null)", "1tick"],
        Type::String => &[
            "'a'",
            "''",
            "'alpha'",
            "'%Y-%m'",
            "'(a+)(b*)'",
            "'yyyy-MM-dd HH'",
            "'$.a.b[0]'",
            "'10.0.0.1/8'",
            "'Europe/Berlin'",
            "'day'",
            "','",
            "'POINT (1 2)'",
            "h'Ünï'",
            "'2024-01-01'",
            "'12.5'",
        ],
        Type::Guid => &["guid(74be27de-1e4e-49d9-b579-fe0b331d3642)", "guid(null)"],
        Type::Dynamic => &[
            "dynamic([1,2,3])",
            "dynamic({'a':{'b':[1]}})",
            "dynamic(null)",
            "dynamic(['x','y','x'])",
            "dynamic([1.5,2.5,null,4,100,3,2,1])",
            "dynamic([])",
            "dynamic({\"type\":\"Polygon\",\"coordinates\":[[[0,0],[10,0],[10,10],[0,10],[0,0]]]})",
            "dynamic({\"type\":\"LineString\",\"coordinates\":[[0,0],[10,5]]})",
            "dynamic(5)",
        ],
    };
    dice.pick(choices).to_owned()
}

impl Query<'_> {
    fn any_type(&mut self) -> Type {
        Type::ALL[self.dice.roll(Type::ALL.len())]
    }

    fn column(&mut self, ty: Option<Type>) -> Option<String> {
        let fitting: Vec<&Column> =
            self.schema.iter().filter(|column| ty.is_none_or(|ty| column.ty == ty)).collect();
        (!fitting.is_empty()).then(|| quoted(&fitting[self.dice.roll(fitting.len())].name))
    }

    fn arguments(&mut self, signature: &Signature, common: Type, depth: usize) -> Vec<String> {
        let mut arguments = Vec::new();
        for parameter in &signature.parameters {
            if parameter.default.is_some() && self.dice.chance(50) {
                break;
            }
            let repeats = if parameter.repeated { 1 + self.dice.roll(3) } else { 1 };
            for _ in 0..repeats {
                let ty = match parameter.class {
                    Class::Common => common,
                    Class::Shaped(_) => Type::Dynamic,
                    Class::Types(types) | Class::Converted(types, _) => {
                        let types: Vec<Type> = types.types().collect();
                        types[self.dice.roll(types.len())]
                    }
                };
                arguments.push(match parameter.form != Form::Expression {
                    true => literal(self.dice, ty),
                    false => self.scalar(ty, depth.saturating_sub(1)),
                });
            }
        }
        arguments
    }

    fn returns(signature: &Signature, ty: Type) -> bool {
        match signature.result {
            Return::Type(result) => result == ty,
            Return::Shaped(_) => ty == Type::Dynamic,
            Return::Common | Return::Rule | Return::First => true,
            Return::Promoted => ty.is_number(),
        }
    }

    fn call(&mut self, from: &[Overload], ty: Type, depth: usize) -> Option<String> {
        for _ in 0..20 {
            let (function, signature) = *from.get(self.dice.roll(from.len()))?;
            if Self::returns(signature, ty) {
                let arguments = self.arguments(signature, ty, depth);
                return Some(format!("{}({})", function.spec().name, arguments.join(", ")));
            }
        }
        None
    }

    fn scalar(&mut self, ty: Type, depth: usize) -> String {
        if depth == 0 || self.dice.chance(25) {
            return match self.column(Some(ty)) {
                Some(column) if self.dice.chance(70) => column,
                _ => literal(self.dice, ty),
            };
        }
        if self.dice.chance(40) {
            let operand = |query: &mut Self, ty| query.scalar(ty, depth - 1);
            match ty {
                Type::Bool => {
                    let of = self.any_type();
                    let (left, right) = (operand(self, of), operand(self, of));
                    return match self.dice.roll(6) {
                        0 => format!(
                            "({left} {} {right})",
                            self.dice.pick(&["==", "!=", "<", "<=", ">", ">="])
                        ),
                        1 => {
                            let words = [
                                "has",
                                "!has",
                                "contains",
                                "!contains_cs",
                                "startswith",
                                "endswith_cs",
                                "hasprefix",
                                "hassuffix",
                                "=~",
                                "!~",
                                "has_cs",
                            ];
                            let (left, right) = (operand(self, Type::String), operand(self, Type::String));
                            format!("({left} {} {right})", self.dice.pick(&words))
                        }
                        2 => format!(
                            "({left} {} ({right}, {}))",
                            self.dice.pick(&["in", "!in"]),
                            operand(self, of)
                        ),
                        3 => format!(
                            "({left} {} ({right} .. {}))",
                            self.dice.pick(&["between", "!between"]),
                            operand(self, of)
                        ),
                        4 => format!(
                            "({} {} {})",
                            operand(self, Type::Bool),
                            self.dice.pick(&["and", "or"]),
                            operand(self, Type::Bool)
                        ),
                        _ => format!("isnull({left})"),
                    };
                }
                Type::Int | Type::Long | Type::Real | Type::Decimal => {
                    let (left, right) = (operand(self, ty), operand(self, ty));
                    return format!("({left} {} {right})", self.dice.pick(&["+", "-", "*", "/", "%"]));
                }
                Type::TimeSpan => {
                    return match self.dice.roll(3) {
                        0 => {
                            format!("({} - {})", operand(self, Type::DateTime), operand(self, Type::DateTime))
                        }
                        1 => format!("({} * {})", operand(self, Type::TimeSpan), operand(self, Type::Real)),
                        _ => {
                            format!("({} + {})", operand(self, Type::TimeSpan), operand(self, Type::TimeSpan))
                        }
                    };
                }
                Type::DateTime => {
                    let (at, by) = (operand(self, Type::DateTime), operand(self, Type::TimeSpan));
                    return format!("({at} {} {by})", self.dice.pick(&["+", "-"]));
                }
                Type::Dynamic => {
                    let object = operand(self, Type::Dynamic);
                    return match self.dice.roll(3) {
                        0 => format!("{object}[{}]", self.dice.pick(&["0", "-1", "'a'", "1"])),
                        1 => format!("todynamic({object})"),
                        _ => format!("parse_json({})", operand(self, Type::String)),
                    };
                }
                Type::String => {
                    return format!(
                        "strcat({}, {})",
                        operand(self, Type::String),
                        operand(self, Type::String)
                    );
                }
                Type::Guid => {}
            }
        }
        if self.dice.chance(8) {
            let (left, right) = (self.scalar(ty, depth - 1), self.scalar(ty, depth - 1));
            return format!("iff({}, {left}, {right})", self.scalar(Type::Bool, depth - 1));
        }
        let grammar = self.grammar;
        match self.call(&grammar.scalars, ty, depth) {
            Some(call) => call,
            None => literal(self.dice, ty),
        }
    }

    fn anything(&mut self, depth: usize) -> String {
        let ty = self.any_type();
        self.scalar(ty, depth)
    }

    fn aggregate(&mut self) -> String {
        let grammar = self.grammar;
        let ty = self.any_type();
        let call = self.call(&grammar.aggregates, ty, 2).unwrap_or_else(|| "count()".to_owned());
        if self.dice.chance(30) { format!("a{} = {call}", self.dice.roll(9)) } else { call }
    }

    fn columns(&mut self) -> String {
        let count = 1 + self.dice.roll(3);
        let names: Vec<String> = (0..count).filter_map(|_| self.column(None)).collect();
        names.join(", ")
    }

    fn operator(&mut self) -> String {
        let depth = 1 + self.dice.roll(3);
        let number = self.dice.roll(30);
        let column = self.column(None).unwrap_or_else(|| "Missing".to_owned());
        let limit = self.dice.roll(5);
        match self.dice.roll(36) {
            0 | 1 => format!("where {}", self.scalar(Type::Bool, depth)),
            2..=5 => format!("extend x{number} = {}", self.anything(depth)),
            6 => format!("extend {}", self.anything(depth)),
            7 | 8 => format!(
                "project {}, y{number} = {}, {}",
                self.columns(),
                self.anything(depth),
                self.anything(depth)
            ),
            9..=11 => format!("summarize {}, {} by {}", self.aggregate(), self.aggregate(), self.anything(1)),
            12 => format!("summarize {}", self.aggregate()),
            13 => format!("distinct {}", self.columns()),
            14 => format!(
                "sort by {column} {} nulls {}",
                self.dice.pick(&["asc", "desc"]),
                self.dice.pick(&["first", "last"])
            ),
            15 => format!("top {limit} by {}", self.anything(1)),
            16 => format!("take {limit}"),
            17 => format!("mv-expand {} limit 4", self.column(Some(Type::Dynamic)).unwrap_or(column)),
            18 => format!(
                "mv-expand e{number} = {} to typeof({}) limit 50",
                self.scalar(Type::Dynamic, depth),
                self.any_type()
            ),
            19 => format!(
                "join kind={} (T | project {}) on {}",
                self.dice.pick(&[
                    "inner",
                    "innerunique",
                    "leftouter",
                    "rightouter",
                    "fullouter",
                    "leftanti",
                    "leftsemi",
                    "rightanti",
                    "rightsemi"
                ]),
                "l, t, d",
                self.dice.pick(&["l", "t", "$left.l == $right.l", "d"])
            ),
            20 => format!(
                "union {} (T | take {limit})",
                self.dice.pick(&["", "kind=inner", "kind=outer", "withsource=Origin"])
            ),
            21 => {
                let grammar = self.grammar;
                let ty = self.any_type();
                let call = self.call(&grammar.windows, ty, 1).unwrap_or_default();
                format!("serialize w{number} = {call}")
            }
            22 => format!(
                "make-series {} on d from datetime(2024-02-29) to datetime(2024-03-01) step 6h by {column}",
                self.aggregate()
            ),
            23 => format!(
                "parse {} with * 'a' p{number}:{} 'b' *",
                self.column(Some(Type::String)).unwrap_or(column),
                self.any_type()
            ),
            24 => format!(
                "mv-apply q{number} = {} on (summarize {})",
                self.scalar(Type::Dynamic, 1),
                self.aggregate()
            ),
            25 => format!("lookup (T | project l, extra{number} = t) on l"),
            26 => format!("top-nested {limit} of {column} by {}", self.aggregate()),
            27 => format!("partition by {column} (top {limit} by {})", self.anything(1)),
            28 => format!("project-away {column}"),
            29 => format!("sample {limit}"),
            30 => format!(
                "parse-kv {} as (k1:string, k2:{}) with (pair_delimiter=';', kv_delimiter='=')",
                self.column(Some(Type::String)).unwrap_or(column),
                self.any_type()
            ),
            _ => self
                .dice
                .pick(&[
                    "count",
                    "getschema",
                    "evaluate narrow()",
                    "evaluate bag_unpack(j)",
                    "consume",
                    "reduce by t",
                    "facet by t",
                    "where 'a'",
                    "nonsense by x",
                    "scan declare (n:long = 0) with (step first: true => n = first.n + 1; step second: l > 0 => n = first.n;)",
                    "sort by d asc | scan with_match_id=m with (step a output=last: b; step z: not(b) => i = a.i;)",
                    "make-graph t --> t | graph-match (a)-[e]->(c) project from = a.t, to = c.t, size = strlen(e.t)",
                    "make-graph t --> t with_node_id=node | graph-match cycles=none (a)-[e*1..3]->(c) where a.node != c.node project a.node, steps = array_length(map(e, i))",
                    "make-graph l --> i | graph-to-table nodes",
                    "make-graph l --> i with_node_id=node | graph-shortest-paths (a)-[e*1..4]->(c) project a.node, c.node",
                    "make-graph t --> t with_node_id=node | graph-mark-components | graph-to-table nodes",
                    "top-hitters 3 of t by l",
                    "top-nested 2 of t with others = 'rest' by max(l), top-nested 1 of i by count()",
                    "partition hint.strategy=native by t { where b | take 2 }",
                    "evaluate autocluster()",
                    "evaluate basket(0.2)",
                    "evaluate diffpatterns(t, 'alpha beta', '192.168.1.1')",
                    "evaluate rows_near(b, 1)",
                    "evaluate preview(2)",
                    "evaluate pivot(t)",
                    "evaluate pivot(t, sum(l), i)",
                    "evaluate rolling_percentile(l, 50, d, 1d, 3)",
                    "evaluate session_count(t, d, datetime(2024-02-28), datetime(2024-03-02), 1h, 2h)",
                    "evaluate sliding_window_counts(t, d, datetime(2024-02-28), datetime(2024-03-02), 1d, 6h)",
                    "evaluate activity_counts_metrics(t, d, datetime(2024-02-28), datetime(2024-03-02), 1d)",
                    "evaluate activity_metrics(t, d, datetime(2024-02-28), datetime(2024-03-02), 1d)",
                    "evaluate funnel_sequence_completion(t, d, datetime(2024-02-28), datetime(2024-03-02), 1d, t, dynamic(['alpha beta','']), dynamic([1m,1h]))",
                    "evaluate sequence_detect(d, 1h, 1d, a=(b), z=(not(b)), t)",
                    "evaluate dcount_intersect(hll)",
                    "evaluate python(typeof(*), 'x')",
                    "project-by-names 'l', dynamic(['t*'])",
                    "project-reorder t, l desc",
                    "search 'alpha'",
                    "as Named | union Named",
                    "fork (take 1) (count)",
                    "macro-expand entity_group [T] as X (X | count)",
                    "invoke Missing()",
                    "render timechart with (title='x', ysplit=axes)",
                    "extend",
                ])
                .to_owned(),
        }
    }
}

fn request(text: &str) -> QueryRequest {
    let limits =
        QueryLimits { timeout: Duration::from_secs(10), memory_bytes: 256 << 20, ..QueryLimits::default() };
    QueryRequest {
        text: text.to_owned(),
        database: DEFAULT_DATABASE.to_owned(),
        parameters: Vec::new(),
        context: QueryContext::new(limits, 638_000_000_000_000_000),
    }
}

/// Runs a query; what is wrong with the answer, if anything.
fn complaint(engine: &Engine, text: &str) -> Option<String> {
    let started = Instant::now();
    let complaint = match engine.query_collect(&request(text)) {
        Ok(tables) => tables.iter().find_map(|table| {
            table.batches.iter().find_map(|batch| {
                let types = batch.columns.iter().zip(&table.description.schema);
                let wrong = types.into_iter().find(|(array, column)| {
                    let expected = arrow_type(column.ty);
                    let found = array.data_type();
                    let dictionary = matches!(found, arrow_schema::DataType::Dictionary(_, _))
                        && column.ty == Type::String;
                    *found != expected && !dictionary
                });
                match wrong {
                    Some((array, column)) => Some(format!(
                        "'{}' is announced as {} and comes as {}",
                        column.name,
                        column.ty,
                        array.data_type()
                    )),
                    None if batch.columns.len() != table.description.schema.len() => Some(format!(
                        "{} columns, {} announced",
                        batch.columns.len(),
                        table.description.schema.len()
                    )),
                    None => None,
                }
            })
        }),
        Err(EngineError::Internal(message)) => Some(format!("internal error: {message}")),
        Err(EngineError::Timeout { .. }) => Some("hangs".to_owned()),
        Err(_) => None,
    };
    complaint.or_else(|| (started.elapsed() > Duration::from_secs(30)).then(|| "took too long".to_owned()))
}

#[test]
fn every_query_is_answered_or_refused() {
    let setting = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let count = setting("CONSHELF_RANDOM_QUERIES").unwrap_or(400);
    let mut dice = Dice(setting("CONSHELF_RANDOM_SEED").unwrap_or(11));
    let directory = tempfile::tempdir().expect("directory");
    let options = StoreOptions { background: false, ..StoreOptions::default() };
    let store = Store::open(directory.path(), options).expect("store");
    let engine = Engine::new(store).with_workers(2);
    let grammar = Grammar::new();
    let mut complaints = Vec::new();
    let mut answered = 0;
    for _ in 0..count {
        let mut text = format!("{TABLE}T");
        let (_, schema) = engine.check(&request(&text));
        let mut schema = schema.unwrap_or_default();
        for _ in 0..1 + dice.roll(5) {
            let mut query = Query { grammar: &grammar, dice: &mut dice, schema: schema.clone() };
            let longer = format!("{text}\n| {}", query.operator());
            let (diagnostics, after) = engine.check(&request(&longer));
            let wrong = diagnostics.iter().any(|diagnostic| diagnostic.is_error());
            // Most wrong steps are only checked, a few stay.
            if wrong && dice.chance(97) {
                continue;
            }
            text = longer;
            schema = after.unwrap_or_default();
            if wrong || schema.is_empty() {
                break;
            }
        }
        if let Some(complaint) = complaint(&engine, &text) {
            complaints.push(format!("{complaint}\n{}", &text[TABLE.len()..]));
        }
        answered += 1;
    }
    assert_eq!(answered, count);
    assert!(complaints.is_empty(), "{} complaints:\n\n{}", complaints.len(), complaints.join("\n\n"));
}
