//! Commands against a store: what users rely on, table by table.

use std::sync::Arc;

use conshelf_storage::{Store, StoreOptions};
use uuid::Uuid;

use super::*;
use crate::engine::context::QueryLimits;
use crate::response::{Completion, Format, ResponseWriter, ResultLimits};

struct Fixture {
    _directory: tempfile::TempDir,
    store: Store,
    activity: Activity,
    query: Arc<QueryContext>,
}

impl Fixture {
    fn new() -> Fixture {
        let directory = tempfile::tempdir().expect("a directory");
        let options = StoreOptions { background: false, ..StoreOptions::default() };
        let store = Store::open(directory.path(), options).expect("a store");
        let query = QueryContext::new(QueryLimits::default(), crate::machine::now_ticks());
        Fixture { _directory: directory, store, activity: Activity::default(), query }
    }

    fn context(&self, read_only: bool) -> CommandContext<'_> {
        CommandContext {
            store: &self.store,
            activity: &self.activity,
            database: "",
            read_only,
            activity_id: Uuid::nil(),
            user: "",
            query: &self.query,
            started_ticks: 0,
        }
    }

    fn run(&self, text: &str) -> Result<CommandOutput> {
        execute(&self.context(false), text)
    }

    /// The answer as CSV.
    fn csv(&self, text: &str) -> String {
        let output = self.run(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let encoder = Format::Csv.friendly_encoder().expect("csv");
        let mut sink = |_: Vec<u8>| Ok(());
        let mut writer =
            ResponseWriter::new(encoder, output.results, ResultLimits::default(), &mut sink).expect("begin");
        for (index, batch) in &output.batches {
            assert!(writer.rows(*index, batch, Vec::new()).is_ok());
        }
        let (bytes, _) = writer.finish(Completion::default(), None).expect("finish");
        String::from_utf8(bytes).expect("text").replace("\r\n", "\n")
    }

    /// The answer as CSV without its header.
    fn rows(&self, text: &str) -> String {
        self.csv(text).split_once('\n').map(|(_, rows)| rows.to_owned()).unwrap_or_default()
    }
}

#[test]
fn a_table_is_created_shown_altered_and_dropped() {
    let fixture = Fixture::new();
    let created = fixture.csv(".create table T (a:int, ['b c']:string) with (folder='f', docstring=\"d\")");
    assert!(created.starts_with("TableName,Schema,DatabaseName,Folder,DocString\n"), "{created}");
    assert_eq!(fixture.rows(".show tables"), "T,NetDefaultDB,f,d\n");
    assert_eq!(fixture.rows(".show table T cslschema"), "T,\"a:int,['b c']:string\",NetDefaultDB,f,d\n");
    assert_eq!(
        fixture.rows(".create table T (x:long)"),
        fixture.rows(".show table T schema as json"),
        "creating an existing table changes nothing"
    );
    fixture.csv(".create-merge table T (a:int, d:datetime)");
    fixture.csv(".alter-merge table T (e:dynamic) ;");
    assert!(fixture.rows(".show table T cslschema").contains("a:int,['b c']:string,d:datetime,e:dynamic"));
    fixture.csv(".rename column T.a to z");
    fixture.csv(".alter column T.z type=long");
    fixture.csv(".drop column T.['b c']");
    fixture.csv(".alter table T docstring 'new'");
    fixture.csv(".alter table T column-docstrings (z:'the z')");
    let schema = fixture.rows(".show table T cslschema");
    assert_eq!(schema, "T,\"z:long,d:datetime,e:dynamic\",NetDefaultDB,f,new\n");
    fixture.csv(".create table U based-on T");
    fixture.csv(".rename table U to V");
    assert_eq!(fixture.rows(".show tables (V)"), "V,NetDefaultDB,f,new\n");
    fixture.csv(".create tables A (x:int), B (y:int)");
    fixture.csv(".drop tables (A, B, Nothing) ifexists");
    assert_eq!(fixture.rows(".drop table V"), "T,NetDefaultDB,f,new\n");
    assert!(matches!(fixture.run(".drop table V"), Err(CommandError::NotFound { .. })));
    fixture.csv(".drop table V ifexists");
}

#[test]
fn databases_come_and_go() {
    let fixture = Fixture::new();
    fixture.csv(".create database D persist (@'a', @'b') ifnotexists");
    fixture.csv(".create database D ifnotexists");
    assert!(matches!(fixture.run(".create database d"), Err(CommandError::AlreadyExists { .. })));
    let names: Vec<String> = fixture
        .rows(".show databases")
        .lines()
        .map(|line| line.split(',').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(names, ["D", "NetDefaultDB"]);
    for command in [
        ".show databases details",
        ".show database D",
        ".show database d details",
        ".show database details",
        ".show databases policies",
        ".show databases datastats",
        ".show databases entities",
        ".show database D identity",
        ".show databases schema",
        ".show database D schema",
        ".show database D schema as csl script",
        ".show database cslschema script",
        ".show cluster databases",
        ".show database D policy retention",
        ".show database D principals",
        ".show database D ingestion mappings",
        ".show database D extents",
        ".show schema as json",
    ] {
        fixture.csv(command);
    }
    fixture.csv(".alter database D prettyname 'Pretty'");
    assert!(fixture.rows(".show database D").contains(",Pretty,"));
    fixture.csv(".drop database D");
    assert!(matches!(fixture.run(".show database D"), Err(CommandError::NotFound { .. })));
}

#[test]
fn schema_json_is_what_editors_read() {
    let fixture = Fixture::new();
    fixture.csv(".create table T (Id:long, P:dynamic)");
    fixture.csv(".create-or-alter function with (folder='x', skipvalidation=true) f(n:long, s:string='a', T:(a:int, *)) { T | take n }");
    let output = fixture.run(".show database NetDefaultDB schema as json").expect("schema");
    let cells = crate::response::columns::Cells::of_batch(&output.results[0].columns, &output.batches[0].1)
        .expect("cells");
    let json: serde_json::Value =
        serde_json::from_str(cells[0].string_at(0).expect("text")).expect("the schema is JSON");
    let database = &json["Databases"]["NetDefaultDB"];
    for member in ["Tables", "ExternalTables", "MaterializedViews", "Functions", "EntityGroups"] {
        assert!(database[member].is_object(), "{member}");
    }
    assert_eq!(database["Tables"]["T"]["OrderedColumns"][1]["CslType"], "dynamic");
    let parameters = &database["Functions"]["f"]["InputParameters"];
    assert_eq!(parameters[0]["Type"], "System.Int64");
    assert_eq!(parameters[1]["CslDefaultValue"], "\"a\"");
    assert_eq!(parameters[2]["Columns"][0]["Name"], "a");
}

#[test]
fn functions_keep_their_text() {
    let fixture = Fixture::new();
    let created = fixture.csv(".create function with (docstring='d', folder='x', skipvalidation=true) f ( n : long , s:string = \"x\" ) { print n // }\n }");
    assert_eq!(
        created,
        "Name,Parameters,Body,Folder,DocString\nf,\"(n:long, s:string=\"\"x\"\")\",\"{ print n // }\n }\",x,d\n"
    );
    let again = ".create function with (skipvalidation=true) f() { print 1 }";
    assert!(matches!(fixture.run(again), Err(CommandError::AlreadyExists { .. })));
    fixture.csv(".create function ifnotexists with (skipvalidation=true) f() { print 1 }");
    fixture.csv(".create-or-alter function with (skipvalidation=true) f() { print 2 }");
    assert_eq!(fixture.rows(".show function f"), "f,(),{ print 2 },x,d\n");
    fixture.csv(".alter function f docstring 'other'");
    assert_eq!(fixture.rows(".show functions"), "f,(),{ print 2 },x,other\n");
    assert_eq!(fixture.rows(".drop function f"), "");
}

#[test]
fn mappings_and_policies_are_kept() {
    let fixture = Fixture::new();
    fixture.csv(".create table T (a:int)");
    fixture.csv(
        ".create-or-alter table ['T'] ingestion json mapping 'm' '[{\"column\":\"a\",' '\"path\":\"$.a\"}]'",
    );
    let shown = fixture.rows(".show table T ingestion json mapping 'm'");
    assert!(shown.starts_with("m,Json,"), "{shown}");
    assert!(matches!(
        fixture.run(".show table T ingestion json mapping 'n'"),
        Err(CommandError::NotFound { .. })
    ));
    assert!(fixture.run(".create table T ingestion json mapping 'x' 'nonsense'").is_err());
    assert_eq!(fixture.rows(".drop table T ingestion json mapping 'm'"), "");
    let rows = fixture.rows(".alter table T policy retention softdelete = 10d recoverability = disabled");
    assert!(rows.contains("\"\"SoftDeletePeriod\"\":\"\"10.00:00:00\"\""), "{rows}");
    let rows = fixture.rows(".alter-merge table T policy retention '{\"Recoverability\":\"Enabled\"}'");
    assert!(rows.contains("10.00:00:00") && rows.contains("Enabled"), "{rows}");
    fixture.csv(".delete table T policy retention");
    assert!(fixture.rows(".show table T policy retention").contains(",null,"));
    for command in [
        ".alter table T policy caching hot = 3d",
        ".alter table T policy streamingingestion enable",
        ".alter database NetDefaultDB policy streamingingestion '{\"IsEnabled\":true}'",
        ".alter table T policy update @'[{\"IsEnabled\":true,\"Source\":\"S\",\"Query\":\"f()\"}]'",
        ".alter table T policy row_level_security enable \"T\"",
        ".alter table T policy roworder (a asc)",
        ".alter tables (T) policy restricted_view_access true",
        ".alter column T.a policy encoding type='Identifier'",
        ".show table * policy caching",
        ".show tables details",
        ".show table T details",
        ".show cluster policy caching",
    ] {
        fixture.csv(command);
    }
    assert!(fixture.run(".alter table T policy retention '{\"SoftDeletePeriod\":\"soon\"}'").is_err());
    assert!(fixture.run(".alter table T policy nonsense '{}'").is_err());
}

#[test]
fn rows_come_in_inline() {
    let fixture = Fixture::new();
    fixture.csv(".create table T (a:int, b:string)");
    fixture.csv(".ingest inline into table T <|\n1,x\n2,\"y, z\"\n");
    fixture.csv(".ingest inline into table T [3,'w']");
    fixture.csv(".ingest inline into table T with (format='json') <| {\"a\":4,\"b\":\"v\"}");
    let details = fixture.rows(".show table T details");
    assert!(details.contains(",4,"), "{details}");
    let missing = fixture.run(".ingest inline into table Missing <| 1");
    assert!(matches!(missing, Err(CommandError::Ingestion { .. })));
    assert!(fixture.rows(".show ingestion failures").contains("Missing"));
    fixture.csv(".clear table T data");
    assert!(!fixture.rows(".show table T details").contains(",4,"));
}

#[test]
fn the_bytes_of_columns_add_up_to_those_of_the_files() {
    let fixture = Fixture::new();
    fixture.csv(".create table T (time:datetime, a:long, b:string, c:dynamic)");
    assert!(fixture.rows(".show table T data statistics").contains("b,string,"));
    for _ in 0..3 {
        fixture.csv(".ingest inline into table T <|\n2024-01-01,1,x,{}\n2024-01-02,2,yy,5\n");
        fixture.store.seal(None).expect("seals");
    }
    let sizes = |text: &str| {
        let lines = fixture.rows(text);
        let field = |line: &str, at: usize| line.split(',').nth(at).and_then(|f| f.parse::<u64>().ok());
        let columns: Vec<(u64, u64, u64)> = lines
            .lines()
            .filter_map(|line| Some((field(line, 4)?, field(line, 7)?, field(line, 11)?)))
            .collect();
        assert_eq!(columns.len(), 4, "{lines}");
        (columns.iter().map(|column| column.0).sum::<u64>() + columns[0].1, columns[0].2)
    };
    let entry = fixture.store.table("NetDefaultDB", "T").expect("is there");
    let data = fixture.store.snapshot().table_data(entry.id).expect("is there");
    let files: u64 = data.extents().iter().map(|extent| extent.file_bytes).sum();
    assert_eq!(sizes(".show table T data statistics"), (files, 6));
    assert_eq!(sizes(".show table T data statistics with (scope='all', samplepercent=80)"), (files, 6));
    assert_eq!(sizes(".show table T data statistics with (from=datetime(2200-01-01))"), (0, 0));
    assert!(fixture.run(".show table T data statistics with (to='no time')").is_err());
}

#[test]
fn what_is_asked_while_connecting_is_answered() {
    let fixture = Fixture::new();
    let version = fixture.csv(".show version");
    assert!(version.starts_with("BuildVersion,BuildTime,ServiceType,ProductVersion"), "{version}");
    assert!(version.contains(",Engine,"));
    for command in [
        ".show cluster",
        ".show cluster details",
        ".show capacity",
        ".show capacity ingestions",
        ".show diagnostics",
        ".show queries",
        ".show running queries",
        ".show commands",
        ".show commands-and-queries",
        ".show operations",
        ".show ingestion failures",
        ".show journal",
        ".show plugins",
        ".show materialized-views",
        ".show external tables",
        ".show extents",
        ".show principal roles",
        ".show principal access with (principal='aadapp=x;y', accesstype='ingest', database='D', table='T')",
        ".cancel query 'nothing'",
    ] {
        fixture.csv(command);
    }
}

#[test]
fn errors_are_of_the_right_kind() {
    let fixture = Fixture::new();
    for text in [
        ".",
        ".sho",
        ".show tabels",
        ".show",
        ".create",
        ".create table",
        ".create table T",
        ".create table T (",
        ".create table T (a)",
        ".create table T (a:nothing)",
        ".create table T (a:int, a:int)",
        ".drop",
        ".drop tabel T",
        ".show tables extra",
        ".show table",
        ".rename table A B",
        ".create function f() { ",
        ".ingest inline into T",
        ".alter table T policy",
        ".cancel",
        ".show version extra | x",
        ".set T",
        "..",
        ".create table 'x' (a:int",
    ] {
        let error = fixture.run(text).expect_err(text);
        assert!(
            matches!(error, CommandError::Syntax { .. } | CommandError::NotFound { .. }),
            "{text}: {error:?}"
        );
    }
    for text in
        [".get ingestion resources", ".export to csv", ".add database D users ('x')", ".purge table T"]
    {
        assert!(matches!(fixture.run(text), Err(CommandError::NotSupported(_))), "{text}");
    }
    let refused = execute(&fixture.context(true), ".create table T (a:int)");
    assert!(matches!(refused, Err(CommandError::Forbidden(_))));
    assert!(execute(&fixture.context(true), ".show tables").is_ok());
}

#[test]
fn scripts_run_command_by_command() {
    let fixture = Fixture::new();
    let rows = fixture.rows(
        ".execute database script <|\n.create table T (a:int)\n\n// then\n.ingest inline into table T <|\n1\n2\n.drop table Nothing\n.create table U (a:int)\n",
    );
    let results: Vec<&str> =
        ["Completed", "Failed", "Skipped"].into_iter().filter(|word| rows.contains(word)).collect();
    assert_eq!(results, ["Completed", "Failed", "Skipped"]);
    assert_eq!(fixture.rows(".show tables"), "T,NetDefaultDB,,\n");
}

#[test]
fn command_types_are_named() {
    assert_eq!(command_type(".show tables"), "TablesShow");
    assert_eq!(command_type(".create-merge table T (a:int)"), "TableCreateMerge");
    assert_eq!(command_type(".set-or-append T <| x"), "TableSetOrAppend");
    assert_eq!(command_type("x"), "Unknown");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    /// Words of commands in any order: refused or done, never a panic.
    #[test]
    fn any_row_of_words_is_refused_or_done(words in proptest::collection::vec(proptest::sample::select(WORDS), 1..12)) {
        let fixture = Fixture::new();
        let text = format!(".{}", words.join(" "));
        let _ = execute(&fixture.context(true), &text);
        let _ = command_type(&text);
    }
}

const WORDS: &[&str] = &[
    "show",
    "create",
    "alter",
    "alter-merge",
    "create-merge",
    "create-or-alter",
    "drop",
    "rename",
    "delete",
    "set",
    "append",
    "ingest",
    "inline",
    "into",
    "execute",
    "database",
    "databases",
    "script",
    "table",
    "tables",
    "column",
    "columns",
    "function",
    "functions",
    "mapping",
    "ingestion",
    "json",
    "policy",
    "retention",
    "caching",
    "extents",
    "details",
    "schema",
    "as",
    "csl",
    "queries",
    "running",
    "cancel",
    "query",
    "principal",
    "access",
    "T",
    "['a b']",
    "'text'",
    "\"x\"",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    ".",
    "=",
    "|",
    "<|",
    ";",
    "3d",
    "1.5h",
    "-",
    "to",
    "with",
    "long",
    "string",
    "(a:long)",
    "where",
    "tags",
    "has",
    "older",
    "from",
    "days",
    "ifexists",
    "'",
    "`",
    "//",
    "\n",
    "é",
    "| count",
    "| take 1",
];
