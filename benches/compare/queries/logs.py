"""Application and HTTP logs of one day."""

from datetime import datetime

from query import Query
from shapes import SHAPES


def parameters(rows: list[dict], random) -> dict[str, str]:
    """`rows` is a sample of the data."""
    row = random.choice(rows)
    hour = random.randrange(6, 18)
    time = lambda hour: f"2024-05-01T{hour:02}:00:00"
    return {
        "trace": row["TraceId"], "host": row["Host"], "region": row["Properties"]["region"],
        "from": time(hour), "to_1h": time(hour + 1), "to_3h": time(hour + 3),
        "recent": "2024-05-01T23:00:00", "day": "2024-05-01T00:00:00", "end": "2024-05-02T00:00:00",
    }


def at(text: str):
    return datetime.fromisoformat(text)


def c(name: str):
    import polars as pl

    return pl.col(name)


def count():
    import polars as pl

    return pl.len()


def binned(step: str):
    return c("Timestamp").dt.truncate(step)


def has(term: str):
    return c("Message").str.contains(rf"(?i)\b{term}\b")


def number(path: str):
    import polars as pl

    return c("Properties").str.json_path_match(f"$.{path}").cast(pl.Float64)


def text(path: str):
    return c("Properties").str.json_path_match(f"$.{path}")


def between(t, p, start: str, end: str):
    return t.filter((c("Timestamp") >= at(p[start])) & (c("Timestamp") < at(p[end])))


COLUMNS = list(SHAPES["logs"].columns)
OTHERS = [column for column in COLUMNS if column not in ("Host", "Timestamp")]
TEAMS = {f"service-{service:02}": f"team-{service % 5}" for service in range(20)}
SLOW = r"took (\d+) ms"
ORDER = r"^Order (\d+) was created by user (\d+) with (\d+) items, total ([0-9.]+) EUR"


def percentiles(t, p):
    values = [c("DurationMs").quantile(q, "equiprobable").alias(f"p{q}") for q in (0.5, 0.95, 0.99)]
    return t.group_by("Service", binned("5m")).agg(values)


def error_rate(t, p):
    errors = (c("Status") >= 500).sum().alias("errors")
    return t.group_by("Service").agg(errors, count().alias("total")).with_columns(rate=c("errors") / c("total"))


def slow_queries(t, p):
    import polars as pl

    ms = c("Message").str.extract(SLOW, 1).cast(pl.Int64)
    return t.filter(has("rows")).select(n=ms.count(), mean=ms.mean(), most=ms.max())


def teams(t, p):
    import polars as pl

    small = pl.LazyFrame({"Service": list(TEAMS), "Team": list(TEAMS.values())})
    return t.join(small, on="Service").group_by("Team").agg(count(), c("DurationMs").mean())


def orders(t, p):
    import polars as pl

    message = c("Message").str
    total, items = message.extract(ORDER, 4).cast(pl.Float64), message.extract(ORDER, 3).cast(pl.Int64)
    rows = t.filter(message.starts_with("Order"))
    return rows.select(n=total.count(), total=total.sum(), items=items.mean())


def latest(t, p):
    newest = t.group_by("Host").agg(c("Timestamp").max())
    return t.join(newest, on=["Host", "Timestamp"], how="semi").select(["Host", "Timestamp"] + OTHERS)


QUERIES = [
    Query(
        "count per minute",
        kql="logs | summarize count() by bin(Timestamp, 1m)",
        sql="select BIN(1 minute, Timestamp) as t, count(*) from logs group by t",
        polars=lambda t, p: t.group_by(binned("1m")).agg(count()),
        victorialogs=("* | stats by (_time:1m) count() n", ["_time", "n"]),
    ),
    Query(
        "count per minute and level",
        kql="logs | summarize count() by bin(Timestamp, 1m), Level",
        sql="select BIN(1 minute, Timestamp) as t, Level, count(*) from logs group by t, Level",
        polars=lambda t, p: t.group_by(binned("1m"), "Level").agg(count()),
        victorialogs=("* | stats by (_time:1m, Level) count() n", ["_time", "Level", "n"]),
    ),
    Query(
        "recent errors by service",
        kql="logs | where Timestamp >= datetime({recent}) and Level == 'Error' | summarize count() by Service",
        sql="select Service, count(*) from logs where Timestamp >= AT({recent}) and Level = 'Error' group by Service",
        polars=lambda t, p: t.filter((c("Timestamp") >= at(p["recent"])) & (c("Level") == "Error"))
        .group_by("Service")
        .agg(count()),
        victorialogs=("_time:[{recent}Z, {end}Z) Level:=Error | stats by (Service) count() n", ["Service", "n"]),
    ),
    Query(
        "has, a common term",
        kql="logs | where Message has 'upstream' | count",
        sql="select count(*) from logs where HAS(Message, upstream)",
        polars=lambda t, p: t.filter(has("upstream")).select(count()),
        victorialogs=("i(upstream) | stats count() n", ["n"]),
    ),
    Query(
        "has, a very rare term",
        kql="logs | where Message has 'uncorrectable' | project Timestamp, Service, Message",
        sql="select Timestamp, Service, Message from logs where HAS(Message, uncorrectable)",
        polars=lambda t, p: t.filter(has("uncorrectable")).select("Timestamp", "Service", "Message"),
        victorialogs=("uncorrectable | fields _time, Service, _msg", ["_time", "Service", "_msg"]),
    ),
    Query(
        "contains",
        kql="logs | where Message contains 'set by pe' | count",
        sql="select count(*) from logs where CONTAINS(Message, set by pe)",
        polars=lambda t, p: t.filter(c("Message").str.contains("(?i)set by pe")).select(count()),
        victorialogs=('_msg:~"(?i)set by pe" | stats count() n', ["n"]),
    ),
    Query(
        "equality on a unique id",
        kql="logs | where TraceId == '{trace}' | project Timestamp, Service, Level, Message",
        sql="select Timestamp, Service, Level, Message from logs where TraceId = '{trace}'",
        polars=lambda t, p: t.filter(c("TraceId") == p["trace"]).select("Timestamp", "Service", "Level", "Message"),
        victorialogs=("TraceId:={trace} | fields _time, Service, Level, _msg", ["_time", "Service", "Level", "_msg"]),
    ),
    Query(
        "top services by count",
        kql="logs | summarize n = count() by Service | top 10 by n",
        sql="select Service, count(*) as n from logs group by Service order by n desc limit 10",
        polars=lambda t, p: t.group_by("Service").agg(n=count()).sort("n", descending=True).head(10),
        victorialogs=("* | stats by (Service) count() n | sort by (n desc) limit 10", ["Service", "n"]),
        compared=(1,),
    ),
    Query(
        "percentiles per service and 5 min",
        kql="logs | summarize percentiles(DurationMs, 50, 95, 99) by Service, bin(Timestamp, 5m)",
        own={
            "duckdb": "select Service, t, q[1], q[2], q[3] from (select Service, BIN(5 minute, Timestamp) as t,"
            " approx_quantile(DurationMs, [0.5, 0.95, 0.99]) as q from logs group by Service, t)",
            "chdb": "select Service, t, q[1], q[2], q[3] from (select Service, BIN(5 minute, Timestamp) as t,"
            " quantilesTDigest(0.5, 0.95, 0.99)(DurationMs) as q from logs group by Service, t)",
            "datafusion": "select Service, BIN(5 minute, Timestamp) as t, approx_percentile_cont(0.5) within group"
            " (order by DurationMs), approx_percentile_cont(0.95) within group (order by DurationMs),"
            " approx_percentile_cont(0.99) within group (order by DurationMs) from logs group by Service, t",
        },
        polars=percentiles,
        victorialogs=(
            "* | stats by (Service, _time:5m) quantile(0.5, DurationMs) a, quantile(0.95, DurationMs) b,"
            " quantile(0.99, DurationMs) c",
            ["Service", "_time", "a", "b", "c"],
        ),
        estimates=(2, 3, 4),
        defines_otherwise=("duckdb", "chdb", "datafusion", "victorialogs"),
    ),
    Query(
        "dcount per hour",
        kql="logs | summarize dcount(ClientIp) by bin(Timestamp, 1h)",
        sql="select BIN(1 hour, Timestamp) as t, DCOUNT(ClientIp) from logs group by t",
        polars=lambda t, p: t.group_by(binned("1h")).agg(c("ClientIp").approx_n_unique()),
        victorialogs=("* | stats by (_time:1h) count_uniq(ClientIp) n", ["_time", "n"]),
        estimates=(1,),
        defines_otherwise=("polars",),
    ),
    Query(
        "error rate by service",
        kql="logs | summarize errors = countif(Status >= 500), total = count() by Service"
        " | extend rate = todouble(errors) / total",
        sql="select Service, errors, total, cast(errors as double precision) / total from (select Service,"
        " sum(case when Status >= 500 then 1 else 0 end) as errors, count(*) as total from logs group by Service)",
        polars=error_rate,
    ),
    Query(
        "extract, summarize",
        kql="logs | where Message has 'rows' | extend ms = extract(@'took (\\d+) ms', 1, Message, typeof(long))"
        " | summarize countif(isnotnull(ms)), avg(ms), max(ms)",
        own={
            "duckdb": f"select count(ms), avg(ms), max(ms) from (select try_cast(regexp_extract(Message, '{SLOW}', 1)"
            " as bigint) as ms from logs where HAS(Message, rows))",
            "chdb": "select count(ms), avg(ms), max(ms) from (select toInt64OrNull(extract(Message,"
            " 'took (\\\\d+) ms')) as ms from logs where HAS(Message, rows))",
            "datafusion": f"select count(ms), avg(ms), max(ms) from (select cast(regexp_match(Message, '{SLOW}')[1]"
            " as bigint) as ms from logs where HAS(Message, rows))",
        },
        polars=slow_queries,
    ),
    Query(
        "group by a property",
        kql="logs | summarize count() by tostring(Properties.region)",
        sql="select JSONTEXT(Properties, region) as r, count(*) from logs group by r",
        polars=lambda t, p: t.group_by(text("region")).agg(count()),
        victorialogs=("* | stats by (Properties.region) count() n", ["Properties.region", "n"]),
    ),
    Query(
        "filter by a property, group by an optional one",
        kql="logs | where Properties.region == '{region}' | summarize count() by tostring(Properties.experiment)",
        sql="select JSONTEXT(Properties, experiment) as e, count(*) from logs"
        " where JSONTEXT(Properties, region) = '{region}' group by e",
        polars=lambda t, p: t.filter(text("region") == p["region"])
        .group_by(text("experiment").alias("e"))
        .agg(count()),
        victorialogs=(
            "Properties.region:={region} | stats by (Properties.experiment) count() n",
            ["Properties.experiment", "n"],
        ),
    ),
    Query(
        "nested numeric properties",
        kql="logs | where todouble(Properties.cart.items) >= 5"
        " | summarize count(), sum(todouble(Properties.cart.total)) by Level",
        sql="select Level, count(*), sum(JSONNUMBER(Properties, cart.total)) from logs"
        " where JSONNUMBER(Properties, cart.items) >= 5 group by Level",
        polars=lambda t, p: t.filter(number("cart.items") >= 5).group_by("Level").agg(count(), number("cart.total").sum()),
        victorialogs=(
            "Properties.cart.items:>=5 | stats by (Level) count() n, sum(Properties.cart.total) total",
            ["Level", "n", "total"],
        ),
    ),
    Query(
        "top 100 slowest, whole rows",
        kql="logs | top 100 by DurationMs desc",
        sql="select * from logs order by DurationMs desc limit 100",
        polars=lambda t, p: t.top_k(100, by="DurationMs"),
    ),
    Query(
        "last 100 events",
        kql="logs | top 100 by Timestamp desc",
        sql="select * from logs order by Timestamp desc limit 100",
        polars=lambda t, p: t.top_k(100, by="Timestamp"),
    ),
    Query(
        "join with a small table",
        kql="logs | join kind=inner (datatable(Service: string, Team: string)["
        + ", ".join(f"'{service}', '{team}'" for service, team in TEAMS.items())
        + "]) on Service | summarize count(), avg(DurationMs) by Team",
        sql="select s.Team, count(*), avg(l.DurationMs) from logs l join ("
        + " union all ".join(f"select '{service}' as Service, '{team}' as Team" for service, team in TEAMS.items())
        + ") s on l.Service = s.Service group by s.Team",
        polars=teams,
    ),
    Query(
        "make-series",
        kql="logs | make-series n = count() default = 0 on Timestamp from datetime({day}) to datetime({end}) step 1h"
        " by Level | mv-expand Timestamp to typeof(datetime), n to typeof(long) | where n > 0"
        " | project Level, Timestamp, n",
        sql="select Level, BIN(1 hour, Timestamp) as t, count(*) from logs where Timestamp >= AT({day})"
        " and Timestamp < AT({end}) group by Level, t",
        polars=lambda t, p: between(t, p, "day", "end").group_by("Level", binned("1h")).agg(count()),
    ),
    Query(
        "distinct over two columns",
        kql="logs | distinct Service, Level",
        sql="select distinct Service, Level from logs",
        polars=lambda t, p: t.select("Service", "Level").unique(),
        victorialogs=("* | uniq by (Service, Level)", ["Service", "Level"]),
    ),
    Query(
        "parse, summarize",
        kql="logs | where Message startswith 'Order' | parse Message with 'Order ' order: long"
        " ' was created by user ' user: long ' with ' items: long ' items, total ' total: real ' EUR'"
        " | summarize countif(isnotnull(total)), sum(total), avg(items)",
        own={
            "duckdb": "select count(total), sum(total), avg(items) from (select try_cast(m.total as double) as total,"
            " try_cast(m.items as bigint) as items from (select regexp_extract(Message,"
            f" '{ORDER}', ['a', 'b', 'items', 'total']) as m from logs where starts_with(Message, 'Order')))",
            "chdb": "select count(total), sum(total), avg(items) from (select toFloat64OrNull(m[4]) as total,"
            " toInt64OrNull(m[3]) as items from (select extractGroups(Message, '"
            + ORDER.replace("\\", "\\\\")
            + "') as m from logs where startsWith(Message, 'Order')))",
            "datafusion": "select count(total), sum(total), avg(items) from (select cast(m[4] as double) as total,"
            f" cast(m[3] as bigint) as items from (select regexp_match(Message, '{ORDER}') as m from logs"
            " where starts_with(Message, 'Order')))",
        },
        polars=orders,
    ),
    Query(
        "latest of each host",
        kql="logs | summarize arg_max(Timestamp, *) by Host",
        sql=f"select l.Host, l.Timestamp, {', '.join(f'l.{column}' for column in OTHERS)} from logs l join"
        " (select Host, max(Timestamp) as newest from logs group by Host) n"
        " on l.Host = n.Host and l.Timestamp = n.newest",
        polars=latest,
    ),
    Query(
        "one host, 1 h",
        kql="logs | where Host == '{host}' and Timestamp >= datetime({from}) and Timestamp < datetime({to_1h})"
        " | project Timestamp, Level, Status, DurationMs, Message",
        sql="select Timestamp, Level, Status, DurationMs, Message from logs"
        " where Host = '{host}' and Timestamp >= AT({from}) and Timestamp < AT({to_1h})",
        polars=lambda t, p: between(t, p, "from", "to_1h")
        .filter(c("Host") == p["host"])
        .select("Timestamp", "Level", "Status", "DurationMs", "Message"),
        victorialogs=(
            "_time:[{from}Z, {to_1h}Z) Host:={host} | fields _time, Level, Status, DurationMs, _msg",
            ["_time", "Level", "Status", "DurationMs", "_msg"],
        ),
    ),
    Query(
        "group by two columns",
        kql="logs | summarize count(), avg(DurationMs) by Level, Method",
        sql="select Level, Method, count(*), avg(DurationMs) from logs group by Level, Method",
        polars=lambda t, p: t.group_by("Level", "Method").agg(count(), c("DurationMs").mean()),
        victorialogs=("* | stats by (Level, Method) count() n, avg(DurationMs) a", ["Level", "Method", "n", "a"]),
    ),
    Query(
        "top paths, 3 h",
        kql="logs | where Timestamp >= datetime({from}) and Timestamp < datetime({to_3h})"
        " | summarize n = count() by Path | top 10 by n",
        sql="select Path, count(*) as n from logs where Timestamp >= AT({from}) and Timestamp < AT({to_3h})"
        " group by Path order by n desc limit 10",
        polars=lambda t, p: between(t, p, "from", "to_3h")
        .group_by("Path")
        .agg(n=count())
        .sort("n", descending=True)
        .head(10),
        victorialogs=(
            "_time:[{from}Z, {to_3h}Z) | stats by (Path) count() n | sort by (n desc) limit 10",
            ["Path", "n"],
        ),
        compared=(1,),
    ),
    Query(
        "term and column, per 10 min",
        kql="logs | where Message has 'timeout' and Level == 'Error' | summarize count() by bin(Timestamp, 10m)",
        sql="select BIN(10 minute, Timestamp) as t, count(*) from logs"
        " where HAS(Message, timeout) and Level = 'Error' group by t",
        polars=lambda t, p: t.filter(has("timeout") & (c("Level") == "Error")).group_by(binned("10m")).agg(count()),
        victorialogs=("i(timeout) Level:=Error | stats by (_time:10m) count() n", ["_time", "n"]),
    ),
]
