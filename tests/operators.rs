//! Answers of the tabular operators: queries that carry their own rows, with all result tables they yield.
//! What is expected was checked against the reference page of each operator.

use conshelf::engine::context::QueryLimits;
use conshelf::engine::{Engine, EngineError, QueryContext, QueryRequest};
use conshelf::response::delimited::DelimitedEncoder;
use conshelf::response::{Encoder, ResultHeader};
use conshelf::storage::{DEFAULT_DATABASE, Store, StoreOptions};

/// All tables of a query: columns with their types, then the rows as CSV.
fn answer(engine: &Engine, text: &str) -> Result<String, EngineError> {
    let request = QueryRequest {
        text: text.to_owned(),
        database: DEFAULT_DATABASE.to_owned(),
        parameters: Vec::new(),
        context: QueryContext::new(QueryLimits::default(), 638_000_000_000_000_000),
    };
    let tables = engine.query_collect(&request)?;
    let mut out = String::new();
    for table in &tables {
        if tables.len() > 1 {
            out.push_str(&format!("-- {}\n", table.description.name));
        }
        let columns: Vec<String> =
            table.description.schema.iter().map(|column| format!("{}:{}", column.name, column.ty)).collect();
        out.push_str(&format!("[{}]\n", columns.join(", ")));
        let header = ResultHeader::primary(table.description.schema.clone());
        let mut encoder = DelimitedEncoder::csv();
        let mut bytes = Vec::new();
        for batch in &table.batches {
            encoder
                .rows(&header, batch, &mut bytes)
                .map_err(|error| EngineError::Internal(error.to_string()))?;
        }
        out.push_str(&String::from_utf8_lossy(&bytes).replace("\r\n", "\n"));
    }
    Ok(out)
}

fn answers(queries: &[&str]) -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let store = Store::open(directory.path(), StoreOptions::default()).expect("an empty store");
    let engine = Engine::new(store).with_workers(1);
    let mut out = String::new();
    for query in queries {
        let found = answer(&engine, query).unwrap_or_else(|error| format!("{error}\n"));
        out.push_str(&format!("> {query}\n{found}\n"));
    }
    out
}

macro_rules! golden_answers {
    ($($name:ident: [$($query:expr),* $(,)?],)*) => {
        $(#[test]
        fn $name() {
            insta::with_settings!({ omit_expression => true }, {
                insta::assert_snapshot!(stringify!($name), answers(&[$($query),*]));
            });
        })*
    };
}

golden_answers! {
    scan: [
        "range x from 1 to 4 step 1 | scan declare (sum:long=0) with (step s: true => sum = x + s.sum;)",
        // A column that is named without a step has its default.
        "range x from 1 to 3 step 1 | scan declare (sum:long=7) with (step s: true => sum = x + sum;)",
        // An assignment may replace a column of the rows.
        "datatable(x:long, s:string)[1, 'a', 2, '', 3, 'c'] | sort by x asc \
         | scan with (step f: true => s = iff(isempty(s), f.s, s);)",
        // The walk of the reference: a sequence moves on and makes room for the next.
        "datatable(t:long, e:string)[0,'A', 1,'Start', 2,'B', 3,'D', 4,'Stop', 6,'C', 8,'Start', 11,'E', 12,'Stop'] \
         | sort by t asc | scan with_match_id=m with (step s1: e == 'Start'; \
         step s2: e != 'Start' and e != 'Stop' and t - s1.t <= 5; step s3: e == 'Stop' and t - s1.t <= 5;)",
        "datatable(t:long, e:string)[1,'a', 2,'a', 3,'b', 4,'b', 5,'c', 6,'a'] | sort by t asc \
         | scan with_match_id=m with (step a output=last: e == 'a'; step b output=last: e == 'b'; step c: e == 'c';)",
        "datatable(t:long, e:string)[1,'a', 2,'b', 3,'c'] | sort by t asc \
         | scan declare (from:long) with (step a output=none: e == 'a'; step b output=none: e == 'b'; \
         step c: e == 'c' => from = a.t;)",
        // Without an optional step the sequence goes on from the one before it.
        "datatable(t:long, e:string)[1,'a', 2,'c', 3,'a', 4,'b', 5,'c'] | sort by t asc \
         | scan with_match_id=m with (step a: e == 'a'; step b optional: e == 'b'; step c: e == 'c';)",
        "datatable(k:string, x:long)['a', 1, 'b', 10, 'a', 2, 'b', 20, 'a', 3] \
         | scan order by x asc partition by k declare (sum:long=0) with (step s: true => sum = x + s.sum;)",
        "datatable(k:string, x:long)['a', 1, 'b', 10, 'a', 2, 'b', 20] | partition by k \
         (sort by x asc | scan with_match_id=m declare (sum:long=0) with (step s: true => sum = x + s.sum;)) | sort by k asc, x asc",
        "datatable(x:long)[] | scan declare (y:string='d', z:dynamic) with (step s: x > 1;)",
        "range x from 1 to 2 step 1 | scan declare (y:real=1, z:dynamic, d:datetime) with (step s: x > 0 => z = s.z;)",
        "range x from 1 to 2 step 1 | scan with (step s: x > 0 => q = 1;)",
        "range x from 1 to 2 step 1 | scan with (step s: s.q > 0;)",
    ],
    partition: [
        "datatable(k:string, x:long)['a', 1, 'b', 5, 'a', 3, 'b', 4] | partition by k (top 1 by x)",
        "datatable(k:string, x:long)['a', 1, 'b', 5, 'a', 3] | partition hint.strategy=native by k (summarize s = sum(x), n = count())",
        // The key within a body of its own source, as such and through toscalar.
        "let T = datatable(x:long)[1, 2, 3, 4]; range k from 2 to 3 step 1 | partition by k { T | where x >= k | summarize n = count() by k = toscalar(k) }",
        "let T = datatable(x:long, s:string)[1, 'a', 2, 'b']; T | partition hint.strategy=legacy by s { print s, twice = strcat(s, s) }",
        "let T = datatable(k:string, x:long)['a', 1, 'b', 5, 'c', 3]; T | partition by k in dynamic(['a', 'c', 'z']) { T | where k == 'a' | extend c = 1 }",
        // What `as` names is of one partition.
        "datatable(k:string, x:real)['a', 1.0, 'b', 5.0, 'a', 3.0] | partition by k (as Part | extend share = x / toscalar(Part | summarize sum(x))) | sort by k asc, x asc",
        "datatable(k:string, x:long)['a', 1, 'b', 5, 'a', 3] | partition by k (top-nested 1 of x by max(x)) | sort by x asc",
        "range x from 1 to 65 step 1 | partition by x (take 1) | count",
        "range x from 1 to 65 step 1 | partition hint.strategy=shuffle by x (take 1) | count",
        "datatable(k:dynamic)[1] | partition by k (take 1)",
        "range x from 1 to 2 step 1 | partition by x (fork (take 1) (take 2))",
        "range x from 1 to 2 step 1 | partition by x (as Q) | count; Q | count",
        "datatable(k:string, x:long)[] | partition by k (count)",
    ],
    top_nested: [
        "datatable(c:string, s:string, v:long)['a','x',10, 'a','y',20, 'b','x',30, 'b','z',5, 'c','w',100] \
         | top-nested 2 of c by sum(v), top-nested 1 of s by m = max(v)",
        "datatable(c:string, s:string, v:long)['a','x',10, 'a','y',20, 'b','x',30, 'b','z',5, 'c','w',100] \
         | top-nested 1 of c with others = 'rest' by sum(v)",
        "datatable(c:string, s:string, v:long)['a','x',10, 'a','y',20, 'b','x',30, 'b','z',5, 'c','w',100] \
         | top-nested 2 of c with others = 'all else' by sum(v), top-nested 1 of s by sum(v)",
        "datatable(c:string, s:string, v:long)['a','x',10, 'a','y',20, 'b','x',30, 'b','z',5, 'c','w',100] \
         | top-nested 2 of c with others = 'else' by sum(v), top-nested 1 of s with others = 'more' by sum(v) + 1",
        "datatable(c:string, s:string, v:long)['a','x',10, 'a','y',20] | top-nested of c with others = 'none' by sum(v)",
        // Nulls are a value as any other.
        "datatable(k:long, v:long)[1, 10, long(null), 20, long(null), 5, 2, 1] | top-nested 2 of k with others = -1 by sum(v), top-nested of v by count()",
        "datatable(c:string, v:long)[] | top-nested 2 of c with others = 'o' by sum(v)",
        "datatable(c:string, v:long)['a',1,'b',2,'c',3] | top-nested 2 of c by sum(v) asc",
    ],
    top_hitters: [
        "datatable(g:string, v:long)['a',10, 'b',20, 'c',30, 'd',1] | top-hitters 2 of g",
        "datatable(g:string, v:real)['a',1.5, 'b',2.0, 'a',1.0] | top-hitters 1 of g by v",
        "datatable(g:string, v:int)['a',1, 'b',2, 'a',3] | top-hitters 5 of g by v",
    ],
    reduce: [
        "range x from 1 to 10 step 1 | project s = strcat('foo', 'Z', tostring(x)) | reduce by s",
        "range x from 1 to 10 step 1 | project s = strcat('foo', 'Z', tostring(x)) | reduce by s with characters='Z'",
        "range x from 0 to 999 step 1 | project s = strcat('MachineLearningX', tostring(x % 10)) | reduce by s with threshold=0.001, characters='X'",
        "datatable(s:string)['San Diego', 'San Jose', 'San Bernard', 'Moscow', 'Moscow', 'Paris', 'user a logged in', 'user b logged in'] | reduce by s with threshold=0.2",
        "datatable(s:string, n:long)['user a logged in', 1, 'user b logged in', 2, 'odd', 3] | reduce kind=source by s",
        "datatable(s:string)[] | reduce by s",
        "datatable(s:string)['only'] | reduce by s",
        "datatable(s:string)['a b'] | reduce by s with threshold=2",
        "datatable(s:long)[1] | reduce by s",
    ],
    subqueries: [
        // Operators that may begin a query take the rows given, too.
        "datatable(x:long, d:dynamic)[1, dynamic([2, 3])] | mv-apply e = d on (union (print z = x))",
        "datatable(x:long, d:dynamic)[1, dynamic([2, 3])] | mv-apply e = d to typeof(long) on (union (print z = 7) | count)",
        // What stands within takes its own rows.
        "datatable(x:long, d:dynamic)[1, dynamic([2, 3])] | mv-apply e = d to typeof(long) on (extend n = toscalar(print 5))",
        // A draw in it is one for all rows.
        "let g = toscalar(rand()); range x from 1 to 3 step 1 | extend y = g | summarize count() by y | project count_",
        "datatable(x:long, d:dynamic)[1, dynamic([2, 3]), 2, dynamic([5])] | mv-apply e = d to typeof(long) on (as Q | extend total = toscalar(Q | summarize sum(e)))",
        "datatable(x:long, d:dynamic)[3, dynamic([1, 3]), 5, dynamic([5])] | mv-apply with_itemindex = i e = d to typeof(long) limit 1 on (where e <= x | project i, e)",
        "datatable(x:long)[1, 2] | fork (count) big = (where x > 1) (as Named)",
        "datatable(x:long)[1, 2] | fork (join (print x = 1) on x)",
        "datatable(x:long, y:string)[1, 'a', 2, 'a'] | facet by y with (summarize s = sum(x) by y)",
    ],
    make_series: [
        "range x from 0 to 3 step 1 | make-series n = count() + 1, r = round(avg(x) / 2, 1) default = -1 on x from 0 to 6 step 2",
        "range x from 0 to 3 step 1 | extend s = strcat('s', x) | make-series arg_max(x, s) on t = x from 0 to 4 step 2",
        "range x from 0 to 3 step 1 | make-series (a, b) = percentiles(x, 1, 99) on t = x from 0 to 4 step 4",
    ],
    columns: [
        "print a = 1, b = 'x' | getschema kind=csl",
        "datatable(t:datetime, k:string)[datetime(2020-01-01 01:00), 'a', datetime(2020-01-01 02:00), 'a'] | summarize count() by k, t bin=1d",
        "print a = 1, ab = 2 | project-away z*",
        "print a = 1 | project-rename a = a",
        "print a = 1 | sample-distinct 3 of a + 1",
    ],
    several_results: [
        "let T = datatable(x:long)[1, 2]; union (T | fork (count)), T",
        "let T = datatable(x:long)[1, 2]; T | where x in (T | facet by x)",
        "let f = () { datatable(x:long)[1, 2] | fork (count) (take 1) }; f()",
        "datatable(x:long, d:dynamic)[1, dynamic('b'), 2, dynamic('a')] | top 1 by d asc",
        "range x from 1 to 2 step 1 | scan declare (a:long=null) with (step s: true => a = s['x'];)",
    ],
    windows: [
        "range x from 1 to 4 step 1 | where x % 2 == 0 or prev(x) == 2",
        "datatable(x:long)[1, 1, 2, 2, 1] | serialize | where x != prev(x)",
        "datatable(x:long)[1, 1, 2, 2, 1] | serialize | summarize n = count() by p = prev(x, 1, -1) | sort by p asc",
        "datatable(x:long)[1, 5, 2] | serialize | top 1 by row_cumsum(x)",
        "datatable(x:long)[1, 5, 2] | serialize | sort by prev(x) asc",
    ],
    searches: [
        "let a = view() { print x = 1, s = 'alpha beta' }; let b = view() { print y = 'beta', s = 'c' }; union * | sort by s asc",
        "let T = print s = 'alpha beta', n = 7, d = dynamic({'k': 'gamma'}); search in (T) 'beta' and n == 7",
        "let T = print s = 'alpha beta', n = 7, d = dynamic({'k': 'gamma'}); search in (T) d:'gamma' and s:'alph*'",
        "let T = print s = 'Alpha'; search kind=case_sensitive in (T) 'alpha'",
        "let T = print s = '7', n = 7; search in (T) n:7",
        "let T = print s = 'a', k = 'a'; T | where s:k",
        "let T = print s = 'a', k = 'b'; find in (T) where s == 'a' project s, pack(*)",
        "let T = print s = 'a'; T | search in (T) 'a'",
    ],
    joins: [
        "print x = 1, y = 'l' | join kind=inner (print x = 1, y = 'r') where x == x",
        "print x = 1, y = 'l' | join kind=leftantisemi (print x = 2) on x",
        "print x = 1, y = 'l' | join kind=rightantisemi (print x = 2, z = 3) on x",
        "datatable(x:int, y:long)[1, 2] | join kind=fullouter (datatable(x:int, z:long)[1, 3, 4, 5]) on $left.x == $right.x",
        "datatable(x:int, y:long)[1, 2, 5, 6] | lookup (datatable(k:int, z:long)[1, 3, 1, 4]) on $left.x == $right.k",
    ],
    correlated: [
        // The subquery takes a value of the row through an argument of the function.
        "let T = datatable(v:long)[1, 2, 3]; let upto = (n:long) { toscalar(T | where v <= n | summarize sum(v)) }; \
         datatable(x:long)[1, 3, 3, long(null)] | project x, s = upto(x) + 1",
        "let T = datatable(v:long)[1, 2, 3]; let upto = (n:long) { toscalar(T | where v <= n | count) }; \
         range x from 0 to 3 step 1 | where upto(x) == 2 or x == 0 | extend n = upto(x), m = upto(x + 1)",
        "let twice = (n:long) { toscalar(n * 2) }; print x = 2 | extend y = twice(x)",
        "let T = datatable(v:long)[1, 2]; let f = (n:long) { toscalar(T | where v == n | project v) }; range x from 1 to 3 step 1 | summarize total = sum(f(x))",
    ],
}
