//! The one table of the plugins of `evaluate`: name, signature, documentation.
//!
//! The binder, completion, hover help and the generated reference read this table. A plugin is bound by a file
//! of `bind/operator/evaluate/`, which lowers it to plain operators where it can, and else yields
//! [`crate::plan::Operator::Plugin`], for which the executor has a kernel. Nothing here knows how one is computed.
//!
//! # Signatures
//!
//! ```text
//! (Id: column, Start: const datetime|timespan, Weight: const string = null, Dimensions: column...)
//! ```
//!
//! A parameter is `name: kind`, with `= null` where it may be left out and `...` where it may stand any number
//! of times, not at all among them. Kinds: `column` (a column of the input), `expression` (a scalar over the
//! input's columns), `const` (comes to a constant), `table` (a tabular expression), `key` (a column of that table),
//! `aggregate`; after the first three and `key` may follow the types that are taken, joined by `|`. The value `'~'` stands for a left-out constant in
//! the plugins that say so. Of several signatures the first whose count of arguments fits is taken.

use serde::{Deserialize, Serialize};

use crate::function::Example;

/// Whether a plugin runs here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    Runs,
    /// It calls code or a service outside of the server. The words say what.
    Disabled(&'static str),
}

/// One entry of the table.
#[derive(Clone, Copy, Debug)]
pub struct PluginSpec {
    pub name: &'static str,
    pub signatures: &'static [&'static str],
    pub summary: &'static str,
    pub examples: &'static [Example],
    pub availability: Availability,
}

impl PluginSpec {
    const fn new(name: &'static str, signatures: &'static [&'static str], summary: &'static str) -> Self {
        PluginSpec { name, signatures, summary, examples: &[], availability: Availability::Runs }
    }

    const fn outside(name: &'static str, what: &'static str) -> Self {
        PluginSpec {
            name,
            signatures: &[],
            summary: what,
            examples: &[],
            availability: Availability::Disabled(what),
        }
    }

    const fn examples(mut self, examples: &'static [Example]) -> Self {
        self.examples = examples;
        self
    }
}

macro_rules! plugins {
    ($($variant:ident => $spec:expr,)*) => {
        /// A plugin of the table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Plugin { $($variant,)* }

        impl Plugin {
            pub const ALL: &'static [Plugin] = &[$(Plugin::$variant,)*];

            const SPECS: &'static [PluginSpec] = &[$($spec,)*];
        }
    };
}

plugins! {
    ActiveUsersCount => PluginSpec::new(
        "active_users_count",
        &[
            "(IdColumn: column, TimelineColumn: column datetime|timespan|int|long|real|decimal, Start: const, End: const, LookbackWindow: const, Period: const, ActivePeriods: const, Step: const, Dimension: column...)",
        ],
        "Counts, in each period, the users that were active in enough shorter periods of a look back.",
    )
    .examples(&[Example {
        query: "datatable(u:string, t:long)['a',1, 'a',2, 'b',2, 'a',5] | evaluate active_users_count(u, t, 0, 9, 3, 1, 2, 5)",
        answer: "0,1",
    }]),
    ActivityCountsMetrics => PluginSpec::new(
        "activity_counts_metrics",
        &[
            "(IdColumn: column, TimelineColumn: column datetime|timespan|int|long|real|decimal, Start: const, End: const, Step: const, Dimension: column...)",
        ],
        "Counts rows, users, new users and all users so far of each period.",
    )
    .examples(&[Example {
        query: "datatable(u:string, t:long)['a',1, 'b',1, 'a',2, 'c',2] | evaluate activity_counts_metrics(u, t, 1, 2, 1)",
        answer: "1,2,2,2,2\n2,2,2,1,3",
    }]),
    ActivityEngagement => PluginSpec::new(
        "activity_engagement",
        &[
            "(IdColumn: column, TimelineColumn: column datetime|timespan|int|long|real|decimal, Start: const, End: const, InnerActivityWindow: const, OuterActivityWindow: const, Dimension: column...)",
            "(IdColumn: column, TimelineColumn: column datetime|timespan|int|long|real|decimal, InnerActivityWindow: const, OuterActivityWindow: const, Dimension: column...)",
        ],
        "Divides the users of each period by those of a longer window that ends with it.",
    )
    .examples(&[Example {
        query: "datatable(u:string, t:long)['a',1, 'b',2] | evaluate activity_engagement(u, t, 1, 2, 1, 2)",
        answer: "1,1,1,1.0\n2,1,2,0.5",
    }]),
    ActivityMetrics => PluginSpec::new(
        "activity_metrics",
        &[
            "(IdColumn: column, TimelineColumn: column datetime|timespan|int|long|real|decimal, Start: const, End: const, Step: const, Dimension: column...)",
            "(IdColumn: column, TimelineColumn: column datetime|timespan|int|long|real|decimal, Step: const, Dimension: column...)",
        ],
        "Compares the users of each period with those of the period before: new, retained, lost.",
    )
    .examples(&[Example {
        query: "datatable(u:string, t:long)['a',1, 'b',1, 'a',2, 'c',2] | evaluate activity_metrics(u, t, 1, 2, 1)",
        answer: "1,2,2,NaN,NaN\n2,2,1,0.5,0.5",
    }]),
    Autocluster => PluginSpec::new(
        "autocluster",
        &["(SizeWeight: const = null, WeightColumn: expression = null, NumSeeds: const = null, CustomWildcard: const...)"],
        "Finds a few patterns of values that many rows share.",
    )
    .examples(&[Example {
        query: "datatable(a:string, b:string)['x','1','x','1','x','1','y','2'] | evaluate autocluster() | project Count, a, b",
        answer: "3,x,1\n1,y,2",
    }]),
    BagUnpack => PluginSpec::new(
        "bag_unpack",
        &["(column: column dynamic, OutputColumnPrefix: const string = null, columnsConflict: const string = null, ignoredProperties: const dynamic = null)"],
        "Makes a column of each property of a column of bags.",
    )
    .examples(&[Example { query: "datatable(d:dynamic)[dynamic({'a':1})] | evaluate bag_unpack(d)", answer: "1" }]),
    Basket => PluginSpec::new(
        "basket",
        &["(Threshold: const = null, WeightColumn: expression = null, MaxDimensions: const = null, CustomWildcard: const...)"],
        "Finds all patterns of values that a part of the rows has.",
    )
    .examples(&[Example {
        query: "datatable(a:string, b:long)['x',1,'x',1,'x',2,'y',3] | evaluate basket(0.5) | project Count, Percent, a, b",
        answer: "2,50.0,x,1\n3,75.0,x,",
    }]),
    DcountIntersect => PluginSpec::new(
        "dcount_intersect",
        &["(hll: expression dynamic...)"],
        "How many distinct values sets have in common: the first, the first two, and so on.",
    )
    .examples(&[Example {
        query: "range x from 1 to 100 step 1 | summarize a=hll(iff(x % 2 == 0, x, 2)), b=hll(iff(x % 3 == 0, x, 3)) | evaluate dcount_intersect(a, b) | project s0, s1",
        answer: "50,16",
    }]),
    Diffpatterns => PluginSpec::new(
        "diffpatterns",
        &["(SplitColumn: column, SplitValueA: expression, SplitValueB: expression, WeightColumn: expression = null, Threshold: const = null, MaxDimensions: const = null, CustomWildcard: const...)"],
        "Finds patterns of values that tell two sets of rows apart.",
    )
    .examples(&[Example {
        query: "datatable(ok:bool, host:string)[true,'a',true,'a',true,'b',false,'b'] | evaluate diffpatterns(ok, 'true', 'false') | project CountA, CountB, PercentDiffAB, host | order by PercentDiffAB desc, host asc",
        answer: "2,0,66.67,a\n1,1,66.67,b",
    }]),
    DiffpatternsText => PluginSpec::new(
        "diffpatterns_text",
        &["(TextColumn: column string, BooleanCondition: expression bool, MinTokens: const = null, Threshold: const = null, MaxTokens: const = null)"],
        "Finds patterns of words that tell two sets of texts apart.",
    )
    .examples(&[Example {
        query: "datatable(ok:bool, t:string)[true,'all went well',true,'all is well',false,'it broke'] | evaluate diffpatterns_text(t, ok) | project Count_of_True, Pattern",
        answer: "2,all * well\n0,it broke",
    }]),
    EstimateRowsCount => PluginSpec::new("estimate_rows_count", &["()"], "How many rows there are.")
        .examples(&[Example { query: "range x from 1 to 5 step 1 | evaluate estimate_rows_count()", answer: "5" }]),
    FunnelSequence => PluginSpec::new(
        "funnel_sequence",
        &[
            "(IdColumn: column, TimelineColumn: column datetime|timespan|int|long|real|decimal, Start: const, End: const, MaxWindowSizeBetweenSteps: const, Step: const, StateColumn: column, Sequence: const dynamic)",
        ],
        "Counts the users that went through a sequence of states, by the states before and after it.",
    )
    .examples(&[Example {
        query: "datatable(u:string, t:long, s:string)['a',1,'x', 'a',2,'y', 'a',3,'z'] | evaluate funnel_sequence(u, t, 0, 9, 5, 10, s, dynamic(['y'])) | project t, prev, next, dcount",
        answer: "0,x,z,1",
    }]),
    FunnelSequenceCompletion => PluginSpec::new(
        "funnel_sequence_completion",
        &[
            "(IdColumn: column, TimelineColumn: column datetime|timespan|int|long|real|decimal, Start: const, End: const, BinSize: const, StateColumn: column, Sequence: const dynamic, MaxSequencePeriods: const dynamic)",
        ],
        "Counts the users that came to each state of a sequence within some lengths of time.",
    )
    .examples(&[Example {
        query: "datatable(u:string, t:timespan, s:string)['a',1h,'x', 'a',3h,'y', 'b',1h,'x'] | evaluate funnel_sequence_completion(u, t, 0h, 9h, 10h, s, dynamic(['x','y']), dynamic([1h, 4h]))",
        answer: "00:00:00,x,01:00:00,2\n00:00:00,y,01:00:00,0\n00:00:00,x,04:00:00,2\n00:00:00,y,04:00:00,1",
    }]),
    GeoLineLookup => PluginSpec::new(
        "geo_line_lookup",
        &["(LookupTable: table, LookupLineKey: key dynamic, SourceLongitude: column real|int|long|decimal, SourceLatitude: column real|int|long|decimal, radius: const real, return_unmatched: const bool = null, lookup_area_radius: const real = null, return_lookup_key: const bool = null)"],
        "Joins points with the lines that are not farther away than a radius in meters.",
    )
    .examples(&[Example {
        query: "let roads = datatable(road:string, line:dynamic)['equator', dynamic({'type':'LineString','coordinates':[[0,0],[10,0]]})]; datatable(x:real, y:real)[5.0, 0.001, 5.0, 1.0] | evaluate geo_line_lookup(roads, line, x, y, 200)",
        answer: "5.0,0.001,equator",
    }]),
    GeoPolygonLookup => PluginSpec::new(
        "geo_polygon_lookup",
        &["(LookupTable: table, LookupPolygonKey: key dynamic, SourceLongitude: column real|int|long|decimal, SourceLatitude: column real|int|long|decimal, radius: const real = null, return_unmatched: const bool = null, lookup_area_radius: const real = null, return_lookup_key: const bool = null)"],
        "Joins points with the polygons that they lie in, or not farther away from than a radius in meters.",
    )
    .examples(&[Example {
        query: "let areas = datatable(area:string, polygon:dynamic)['corner', dynamic({'type':'Polygon','coordinates':[[[0,0],[10,0],[0,10],[0,0]]]})]; datatable(x:real, y:real)[1.0, 1.0, 50.0, 1.0] | evaluate geo_polygon_lookup(areas, polygon, x, y)",
        answer: "1.0,1.0,corner",
    }]),
    Identity => PluginSpec::new("identity", &["()"], "The rows as they are.")
        .examples(&[Example { query: "print x=1 | evaluate identity()", answer: "1" }]),
    IdentityV3 => PluginSpec::new(
        "identity_v3",
        &["(mode: const, exceptionText: const string)"],
        "The rows as they are.",
    ),
    InferStorageSchema => PluginSpec::new(
        "infer_storage_schema",
        &["(Options: const dynamic)"],
        "The columns of files that externaldata may read, as the text of a schema; stands at the start of a query.",
    ),
    Ipv4Lookup => PluginSpec::new(
        "ipv4_lookup",
        &["(LookupTable: table, SourceIPv4Key: column string, IPv4LookupKey: key string, ExtraKey: column..., return_unmatched: const bool = null)"],
        "Joins IPv4 addresses with the networks that they are in.",
    )
    .examples(&[Example {
        query: "let networks = datatable(network:string, country:string)['2.20.183.0/24', 'GB']; datatable(ip:string)['2.20.183.12', '9.9.9.9'] | evaluate ipv4_lookup(networks, ip, network)",
        answer: "2.20.183.12,2.20.183.0/24,GB",
    }]),
    Ipv6Lookup => PluginSpec::new(
        "ipv6_lookup",
        &["(LookupTable: table, SourceIPv6Key: column string, IPv6LookupKey: key string, return_unmatched: const bool = null)"],
        "Joins IPv6 addresses with the networks that they are in.",
    )
    .examples(&[Example {
        query: "let networks = datatable(network:string, country:string)['2001:db8::/32', 'US']; datatable(ip:string)['2001:db8::1'] | evaluate ipv6_lookup(networks, ip, network)",
        answer: "2001:db8::/32,US,2001:db8::1",
    }]),
    Narrow => PluginSpec::new("narrow", &["()"], "Makes a row of each value: row number, column name, value as text.")
        .examples(&[Example { query: "print a=1, b='x' | evaluate narrow()", answer: "0,a,1\n0,b,x" }]),
    NewActivityMetrics => PluginSpec::new(
        "new_activity_metrics",
        &[
            "(IdColumn: column, TimelineColumn: column datetime|timespan|int|long|real|decimal, Start: const, End: const, Window: const, Cohort: const = null, Dimension: column..., lookback: table = null)",
        ],
        "Follows the users that are new in a period through all later ones.",
    )
    .examples(&[Example {
        query: "datatable(u:string, t:long)['a',1, 'b',1, 'a',2, 'c',2] | evaluate new_activity_metrics(u, t, 1, 2, 1)",
        answer: "1,1,2,2,0,1.0,0.0\n1,2,1,1,1,0.5,0.5\n2,2,1,1,0,1.0,0.0",
    }]),
    Pivot => PluginSpec::new(
        "pivot",
        &["(pivotColumn: column, aggregateFunction: aggregate = null, columns: column...)"],
        "Makes a column of each value of a column, with an aggregate of the rows that have it.",
    )
    .examples(&[Example {
        query: "datatable(k:string, v:string)['a','x','a','y','b','x'] | evaluate pivot(v) | order by k asc",
        answer: "a,1,1\nb,1,0",
    }]),
    Preview => PluginSpec::new(
        "preview",
        &["(NumberOfRows: const long|int)"],
        "The first rows, and how many there are, as two results.",
    )
    .examples(&[Example { query: "range x from 1 to 3 step 1 | evaluate preview(1)", answer: "1" }]),
    RollingPercentile => PluginSpec::new(
        "rolling_percentile",
        &["(ValueColumn: column int|long|real|decimal|datetime|timespan, Percentile: const int|long|real, IndexColumn: column int|long|real|datetime|timespan, BinSize: const int|long|real|timespan, BinsPerWindow: const int|long, Dimension: column...)"],
        "A percentile of the values in a window of bins, for each bin.",
    )
    .examples(&[Example {
        query: "range i from 0 to 5 step 1 | evaluate rolling_percentile(i, 50, i, 2, 2) | order by i asc",
        answer: "0,0\n2,1\n4,3",
    }]),
    RowsNear => PluginSpec::new(
        "rows_near",
        &["(Condition: expression bool, NumRows: const int|long, NumRowsAfter: const int|long = null)"],
        "The rows that are near one that a condition holds for.",
    )
    .examples(&[Example {
        query: "range x from 1 to 9 step 1 | evaluate rows_near(x == 5, 1, 2)",
        answer: "4\n5\n6\n7",
    }]),
    SchemaMerge => PluginSpec::new(
        "schema_merge",
        &["(PreserveOrder: const bool = null)"],
        "One schema of several, as 'getschema' yields them.",
    )
    .examples(&[Example {
        query: "union (datatable(a:int)[] | getschema), (datatable(a:long, b:string)[] | getschema) | evaluate schema_merge() | project ColumnName, ColumnOrdinal, ColumnType",
        answer: "a,0,long\nb,1,string",
    }]),
    SequenceDetect => PluginSpec::new(
        "sequence_detect",
        &[
            "(TimelineColumn: column datetime|timespan|int|long|real|decimal, MaxSequenceStepWindow: const, MaxSequenceSpan: const, First: expression bool, Expr: expression bool..., Dimension: column...)",
        ],
        "Finds the times at which conditions held one after the other.",
    )
    .examples(&[Example {
        query: "datatable(t:timespan, s:string)[1h,'x', 2h,'y', 9h,'y'] | evaluate sequence_detect(t, 2h, 5h, a=(s == 'x'), b=(s == 'y'))",
        answer: "01:00:00,02:00:00,01:00:00",
    }]),
    SessionCount => PluginSpec::new(
        "session_count",
        &[
            "(IdColumn: column, TimelineColumn: column datetime|timespan|int|long|real|decimal, Start: const, End: const, Bin: const, LookBackWindow: const, Dimension: column...)",
        ],
        "Counts the sessions of each period; one ends where its user is not seen for a look back.",
    )
    .examples(&[Example {
        query: "datatable(u:string, t:long)['a',1, 'a',2, 'a',8, 'b',3] | evaluate session_count(u, t, 0, 9, 10, 2)",
        answer: "0,3",
    }]),
    SlidingWindowCounts => PluginSpec::new(
        "sliding_window_counts",
        &[
            "(IdColumn: column, TimelineColumn: column datetime|timespan|int|long|real|decimal, Start: const, End: const, LookBackWindow: const, Step: const, Dimension: column...)",
        ],
        "Counts rows and users of each period together with those before it in a look back.",
    )
    .examples(&[Example {
        query: "datatable(u:string, t:long)['a',1, 'b',2, 'a',2] | evaluate sliding_window_counts(u, t, 1, 3, 2, 1)",
        answer: "1,1,1\n2,3,2\n3,2,2",
    }]),

    AiChatCompletion => PluginSpec::outside("ai_chat_completion", "Asks a language model of an outside service."),
    AiChatCompletionPrompt => PluginSpec::outside("ai_chat_completion_prompt", "Asks a language model of an outside service."),
    AiEmbeddings => PluginSpec::outside("ai_embeddings", "Asks an outside service for embeddings."),
    AiEmbedText => PluginSpec::outside("ai_embed_text", "Asks an outside service for embeddings."),
    AzureDigitalTwins => PluginSpec::outside("azure_digital_twins_query_request", "Asks Azure Digital Twins."),
    CosmosDb => PluginSpec::outside("cosmosdb_sql_request", "Asks Azure Cosmos DB."),
    CSharp => PluginSpec::outside("csharp", "Runs a C# script."),
    Dax => PluginSpec::outside("dax_request", "Asks a DAX endpoint."),
    ExecuteQuery => PluginSpec::outside("execute_query", "Asks another cluster."),
    ExecuteShowCommand => PluginSpec::outside("execute_show_command", "Asks another cluster."),
    ExternalDatatable => PluginSpec::outside("external_datatable", "Reads data outside of the server."),
    HttpRequest => PluginSpec::outside("http_request", "Sends an HTTP GET request."),
    HttpRequestPost => PluginSpec::outside("http_request_post", "Sends an HTTP POST request."),
    InferStorageSchemaWithSuggestions => PluginSpec::outside(
        "infer_storage_schema_with_suggestions",
        "Reads files outside of the server.",
    ),
    MySql => PluginSpec::outside("mysql_request", "Asks a MySQL server."),
    PostgreSql => PluginSpec::outside("postgresql_request", "Asks a PostgreSQL server."),
    Python => PluginSpec::outside("python", "Runs a Python script."),
    R => PluginSpec::outside("r", "Runs an R script."),
    Sql => PluginSpec::outside("sql_request", "Asks a SQL server."),
}

impl Plugin {
    /// The specification of the plugin.
    pub fn spec(self) -> &'static PluginSpec {
        &Self::SPECS[self as usize]
    }

    /// The plugin of that name (case-sensitive, as in Kusto).
    pub fn by_name(name: &str) -> Option<Plugin> {
        Self::ALL.iter().copied().find(|plugin| plugin.spec().name == name)
    }
}
