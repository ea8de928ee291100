"""A wide clickstream of one month (ClickBench)."""

from query import Query


def parameters(rows: list[dict], random) -> dict[str, str]:
    """`rows` is a sample of the data."""
    row = random.choice(rows)
    counters = [row["CounterID"] for row in rows]
    return {
        "user": str(row["UserID"]),
        "counter": str(max(set(counters), key=counters.count)),
        "from": "2024-05-05T00:00:00", "to": "2024-05-15T00:00:00", "to_2d": "2024-05-07T00:00:00",
    }


def c(name: str):
    import polars as pl

    return pl.col(name)


def count():
    import polars as pl

    return pl.len()


def top(t, keys: list[str], *more):
    return t.group_by(keys).agg(count().alias("n"), *more).sort("n", descending=True).head(10)


def between(t, p, end: str):
    from datetime import datetime

    at = datetime.fromisoformat
    return t.filter((c("EventTime") >= at(p["from"])) & (c("EventTime") < at(p[end])) & (c("CounterID") == int(p["counter"])))


def top_query(name: str, keys: str, phrases: bool = False) -> Query:
    """The ten most frequent groups; ties at the end make the groups themselves a matter of choice."""
    kql_where = "| where isnotempty(SearchPhrase) " if phrases else ""
    sql_where = " where SearchPhrase <> ''" if phrases else ""
    columns = [key.strip() for key in keys.split(",")]

    def polars(t, p):
        t = t.filter(c("SearchPhrase") != "") if phrases else t
        return top(t, columns)

    return Query(
        name,
        kql=f"hits {kql_where}| summarize n = count() by {keys} | top 10 by n",
        sql=f"select {keys}, count(*) as n from hits{sql_where} group by {keys} order by n desc limit 10",
        polars=polars,
        compared=(len(columns),),
    )


def dcount_query(name: str, column: str) -> Query:
    return Query(
        name,
        kql=f"hits | summarize dcount({column})",
        sql=f"select DCOUNT({column}) from hits",
        polars=lambda t, p: t.select(c(column).approx_n_unique()),
        estimates=(0,),
        defines_otherwise=("polars",),
    )


def having_lengths(t, p):
    groups = t.filter(c("URL") != "").group_by("CounterID").agg(c("URL").str.len_chars().mean().alias("l"), count().alias("n"))
    return groups.filter(c("n") > 100).sort("l", descending=True).head(25)


QUERIES = [
    Query(
        "count of a condition",
        kql="hits | where AdvEngineID != 0 | count",
        sql="select count(*) from hits where AdvEngineID <> 0",
        polars=lambda t, p: t.filter(c("AdvEngineID") != 0).select(count()),
    ),
    Query(
        "sum, count, avg",
        kql="hits | summarize sum(AdvEngineID), count(), avg(ResolutionWidth)",
        sql="select sum(AdvEngineID), count(*), avg(ResolutionWidth) from hits",
        polars=lambda t, p: t.select(c("AdvEngineID").sum(), count(), c("ResolutionWidth").mean()),
    ),
    Query(
        "avg of a wide integer",
        kql="hits | summarize avg(todouble(UserID))",
        sql="select avg(cast(UserID as double precision)) from hits",
        polars=lambda t, p: t.select(c("UserID").cast(float).mean()),
    ),
    Query(
        "min, max of time",
        kql="hits | summarize min(EventTime), max(EventTime)",
        sql="select min(EventTime), max(EventTime) from hits",
        polars=lambda t, p: t.select(c("EventTime").min().alias("a"), c("EventTime").max().alias("b")),
    ),
    dcount_query("dcount of users", "UserID"),
    dcount_query("dcount of phrases", "SearchPhrase"),
    Query(
        "group by a low-cardinality integer",
        kql="hits | where AdvEngineID != 0 | summarize count() by AdvEngineID",
        sql="select AdvEngineID, count(*) from hits where AdvEngineID <> 0 group by AdvEngineID",
        polars=lambda t, p: t.filter(c("AdvEngineID") != 0).group_by("AdvEngineID").agg(count()),
    ),
    Query(
        "dcount of users by region",
        kql="hits | summarize users = dcount(UserID) by RegionID | top 10 by users",
        sql="select RegionID, DCOUNT(UserID) as users from hits group by RegionID order by users desc limit 10",
        polars=lambda t, p: t.group_by("RegionID")
        .agg(users=c("UserID").approx_n_unique())
        .sort("users", descending=True)
        .head(10),
        estimates=(1,),
        defines_otherwise=("polars",),
        compared=(1,),
    ),
    Query(
        "several aggregates by region",
        kql="hits | summarize sum(AdvEngineID), n = count(), avg(ResolutionWidth), dcount(UserID) by RegionID"
        " | top 10 by n",
        sql="select RegionID, sum(AdvEngineID), count(*) as n, avg(ResolutionWidth), DCOUNT(UserID) from hits"
        " group by RegionID order by n desc limit 10",
        polars=lambda t, p: t.group_by("RegionID")
        .agg(c("AdvEngineID").sum(), count().alias("n"), c("ResolutionWidth").mean(), c("UserID").approx_n_unique())
        .sort("n", descending=True)
        .head(10),
        estimates=(4,),
        compared=(2,),
    ),
    Query(
        "users of a phone model",
        kql="hits | where isnotempty(MobilePhoneModel) | summarize dcount(UserID) by MobilePhoneModel",
        sql="select MobilePhoneModel, DCOUNT(UserID) from hits where MobilePhoneModel <> '' group by MobilePhoneModel",
        polars=lambda t, p: t.filter(c("MobilePhoneModel") != "")
        .group_by("MobilePhoneModel")
        .agg(c("UserID").approx_n_unique()),
        estimates=(1,),
        defines_otherwise=("polars",),
    ),
    top_query("top phrases", "SearchPhrase", phrases=True),
    top_query("top engines and phrases", "SearchEngineID, SearchPhrase", phrases=True),
    top_query("top users", "UserID"),
    top_query("top users and phrases", "UserID, SearchPhrase"),
    top_query("top URLs", "URL"),
    top_query("top of four columns", "RegionID, OS, UserAgent, TraficSourceID"),
    Query(
        "one user",
        kql="hits | where UserID == {user} | project EventTime, URL",
        sql="select EventTime, URL from hits where UserID = {user}",
        polars=lambda t, p: t.filter(c("UserID") == int(p["user"])).select("EventTime", "URL"),
    ),
    Query(
        "substring, count",
        kql="hits | where URL contains 'section/17/' | count",
        sql="select count(*) from hits where CONTAINS(URL, section/17/)",
        polars=lambda t, p: t.filter(c("URL").str.contains("(?i)section/17/")).select(count()),
    ),
    Query(
        "substring, then group",
        kql="hits | where Title contains 'section 7 ' and isnotempty(SearchPhrase)"
        " | summarize n = count(), dcount(UserID) by SearchPhrase | top 10 by n",
        sql="select SearchPhrase, count(*) as n, DCOUNT(UserID) from hits"
        " where CONTAINS(Title, section 7) and Title like '%section 7 %' and SearchPhrase <> ''"
        " group by SearchPhrase order by n desc limit 10",
        polars=lambda t, p: top(
            t.filter(c("Title").str.contains("(?i)section 7 ") & (c("SearchPhrase") != "")),
            ["SearchPhrase"],
            c("UserID").approx_n_unique(),
        ),
        compared=(1,),
    ),
    Query(
        "average length, having",
        kql="hits | where isnotempty(URL) | summarize l = avg(strlen(URL)), n = count() by CounterID"
        " | where n > 100 | top 25 by l",
        sql="select CounterID, avg(LENGTH(URL)) as l, count(*) as n from hits where URL <> '' group by CounterID"
        " having count(*) > 100 order by l desc limit 25",
        polars=having_lengths,
        compared=(1,),
    ),
    Query(
        "page views by URL",
        kql="hits | where CounterID == {counter} and EventTime >= datetime({from}) and EventTime < datetime({to})"
        " and DontCountHits == 0 and IsRefresh == 0 | summarize n = count() by URL | top 10 by n",
        sql="select URL, count(*) as n from hits where CounterID = {counter} and EventTime >= AT({from})"
        " and EventTime < AT({to}) and DontCountHits = 0 and IsRefresh = 0 group by URL order by n desc limit 10",
        polars=lambda t, p: top(between(t, p, "to").filter((c("DontCountHits") == 0) & (c("IsRefresh") == 0)), ["URL"]),
        compared=(1,),
    ),
    Query(
        "page views per minute",
        kql="hits | where CounterID == {counter} and EventTime >= datetime({from}) and EventTime < datetime({to_2d})"
        " and DontCountHits == 0 | summarize count() by bin(EventTime, 1m)",
        sql="select BIN(1 minute, EventTime) as t, count(*) from hits where CounterID = {counter}"
        " and EventTime >= AT({from}) and EventTime < AT({to_2d}) and DontCountHits = 0 group by t",
        polars=lambda t, p: between(t, p, "to_2d")
        .filter(c("DontCountHits") == 0)
        .group_by(c("EventTime").dt.truncate("1m"))
        .agg(count()),
    ),
]
