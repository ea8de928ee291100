"""Metrics of hosts (TSBS, cpu only): the kinds of queries and their names are those of TSBS."""

from datetime import datetime

from query import Query
from shapes import CPU_TAGS, CPU_USAGES


def parameters(rows: list[dict], random) -> dict[str, str]:
    """`rows` is a sample of the data."""
    hosts = sorted({row["hostname"] for row in rows})
    some = random.sample(hosts, min(8, len(hosts)))
    hour = random.randrange(0, 12)
    at = lambda hour: f"2024-05-0{1 + hour // 24}T{hour % 24:02}:00:00"
    return {
        "host": some[0],
        "hosts": ", ".join(f"'{host}'" for host in some),
        "from": at(hour), "to_1h": at(hour + 1), "to_8h": at(hour + 8), "to_12h": at(hour + 12),
    }


def at(text: str):
    return datetime.fromisoformat(text)


def window(to: str) -> tuple[str, str]:
    """The same time window in KQL and in SQL."""
    return (
        f"Timestamp >= datetime({{from}}) and Timestamp < datetime({{{to}}})",
        f"Timestamp >= AT({{from}}) and Timestamp < AT({{{to}}})",
    )


def polars_window(t, p, to: str):
    import polars as pl

    return t.filter((pl.col("Timestamp") >= at(p["from"])) & (pl.col("Timestamp") < at(p[to])))


def hosts_of(p) -> list[str]:
    return [host.strip().strip("'") for host in p["hosts"].split(",")]


def grouped(name: str, function: str, metrics: int, hosts: int, to: str, unit: str, by_host: bool = False) -> Query:
    """`function` of some metrics of some hosts (0: all) per minute or hour."""
    columns = CPU_USAGES[:metrics]
    kql_when, sql_when = window(to)
    if hosts:
        condition = "hostname == '{host}'" if hosts == 1 else "hostname in ({hosts})"
        sql_condition = "hostname = '{host}'" if hosts == 1 else condition
        kql_when, sql_when = f"{condition} and {kql_when}", f"{sql_condition} and {sql_when}"
    values = ", ".join(f"{function}({column})" for column in columns)
    step = {"minute": "1m", "hour": "1h"}[unit]

    def polars(t, p):
        import polars as pl

        t = polars_window(t, p, to)
        if hosts:
            t = t.filter(pl.col("hostname").is_in([p["host"]] if hosts == 1 else hosts_of(p)))
        keys = (["hostname"] if by_host else []) + [pl.col("Timestamp").dt.truncate(step)]
        aggregate = {"max": lambda c: pl.col(c).max(), "avg": lambda c: pl.col(c).mean()}[function]
        return t.group_by(keys).agg([aggregate(column) for column in columns])

    first = "hostname, " if by_host else ""
    return Query(
        name,
        kql=f"cpu | where {kql_when} | summarize {values} by {first}bin(Timestamp, {step})",
        sql=f"select {first}BIN(1 {unit}, Timestamp) as t, {values} from cpu where {sql_when} group by {first}t",
        polars=polars,
    )


def high(name: str, one: bool) -> Query:
    kql_when, sql_when = window("to_12h")
    host = "hostname {} '{{host}}' and " if one else ""

    def polars(t, p):
        import polars as pl

        t = polars_window(t, p, "to_12h").filter(pl.col("usage_user") > 90.0)
        return t.filter(pl.col("hostname") == p["host"]) if one else t

    return Query(
        name,
        kql=f"set notruncation; cpu | where {host.format('==')}{kql_when} and usage_user > 90.0",
        sql=f"select * from cpu where {host.format('=')}{sql_when} and usage_user > 90.0",
        polars=polars,
    )


def lastpoint(t, p):
    import polars as pl

    newest = t.group_by("hostname").agg(pl.col("Timestamp").max())
    rest = CPU_TAGS[1:] + CPU_USAGES
    return t.join(newest, on=["hostname", "Timestamp"], how="semi").select(["hostname", "Timestamp"] + rest)


def newest_minutes(t, p):
    import polars as pl

    return (
        t.filter(pl.col("Timestamp") < at(p["to_12h"]))
        .group_by(pl.col("Timestamp").dt.truncate("1m"))
        .agg(pl.col("usage_user").max())
        .sort("Timestamp", descending=True)
        .head(5)
    )


def fleet(t, p, keys=()):
    import polars as pl

    user = pl.col("usage_user")
    values = [user.min().alias("low"), user.max().alias("high"), user.mean().alias("mean")]
    return t.group_by(keys).agg(values) if keys else t.select(values)


def per_minute(t, p):
    import polars as pl

    return t.group_by(pl.col("Timestamp").dt.truncate("1m")).agg(pl.len())


OTHERS = ", ".join(f"c.{column}" for column in CPU_TAGS[1:] + CPU_USAGES)

QUERIES = [
    grouped("single-groupby-1-1-1", "max", 1, 1, "to_1h", "minute"),
    grouped("single-groupby-1-8-1", "max", 1, 8, "to_1h", "minute"),
    grouped("single-groupby-1-1-12", "max", 1, 1, "to_12h", "minute"),
    grouped("single-groupby-5-8-1", "max", 5, 8, "to_1h", "minute"),
    grouped("single-groupby-5-1-12", "max", 5, 1, "to_12h", "minute"),
    grouped("cpu-max-all-1", "max", 10, 1, "to_8h", "hour"),
    grouped("cpu-max-all-8", "max", 10, 8, "to_8h", "hour"),
    grouped("double-groupby-1", "avg", 1, 0, "to_12h", "hour", by_host=True),
    grouped("double-groupby-5", "avg", 5, 0, "to_12h", "hour", by_host=True),
    grouped("double-groupby-all", "avg", 10, 0, "to_12h", "hour", by_host=True),
    high("high-cpu-1", one=True),
    high("high-cpu-all", one=False),
    Query(
        "lastpoint",
        kql="cpu | summarize arg_max(Timestamp, *) by hostname",
        sql=f"select c.hostname, c.Timestamp, {OTHERS} from cpu c join (select hostname, max(Timestamp) as newest"
        " from cpu group by hostname) n on c.hostname = n.hostname and c.Timestamp = n.newest",
        polars=lastpoint,
    ),
    Query(
        "groupby-orderby-limit",
        kql="cpu | where Timestamp < datetime({to_12h}) | summarize max(usage_user) by bin(Timestamp, 1m)"
        " | top 5 by Timestamp desc",
        sql="select BIN(1 minute, Timestamp) as t, max(usage_user) from cpu where Timestamp < AT({to_12h})"
        " group by t order by t desc limit 5",
        polars=newest_minutes,
    ),
    Query(
        "fleet min, max, avg",
        kql="cpu | summarize min(usage_user), max(usage_user), avg(usage_user)",
        sql="select min(usage_user), max(usage_user), avg(usage_user) from cpu",
        polars=fleet,
    ),
    Query(
        "fleet min, max, avg by region",
        kql="cpu | summarize min(usage_user), max(usage_user), avg(usage_user) by region",
        sql="select region, min(usage_user), max(usage_user), avg(usage_user) from cpu group by region",
        polars=lambda t, p: fleet(t, p, ["region"]),
    ),
    Query(
        "fleet count per minute",
        kql="cpu | summarize count() by bin(Timestamp, 1m)",
        sql="select BIN(1 minute, Timestamp) as t, count(*) from cpu group by t",
        polars=per_minute,
    ),
]
