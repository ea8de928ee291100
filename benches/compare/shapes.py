"""The tables of the three workloads: columns with their Kusto types, and what peers call those types."""

from dataclasses import dataclass, field

CPU_TAGS = [
    "hostname", "region", "datacenter", "rack", "os", "arch", "team", "service", "service_version", "service_environment",
]
CPU_USAGES = [
    f"usage_{name}"
    for name in ("user", "system", "idle", "nice", "iowait", "irq", "softirq", "steal", "guest", "guest_nice")
]


@dataclass(frozen=True)
class Shape:
    table: str
    columns: dict[str, str]
    # Text columns with few values, for engines that must be told.
    low_cardinality: frozenset[str] = field(default_factory=frozenset)
    # The column the rows are ordered by.
    time: str = "Timestamp"
    # Further ClickHouse table elements.
    chdb_indexes: tuple[str, ...] = ()


SHAPES = {
    "cpu": Shape(
        "cpu",
        {"Timestamp": "datetime"} | dict.fromkeys(CPU_TAGS, "string") | dict.fromkeys(CPU_USAGES, "real"),
        frozenset(CPU_TAGS),
    ),
    "logs": Shape(
        "logs",
        {
            "Timestamp": "datetime", "Level": "string", "Service": "string", "Host": "string", "TraceId": "string",
            "Method": "string", "Path": "string", "Status": "int", "DurationMs": "real", "BytesSent": "long",
            "ClientIp": "string", "UserAgent": "string", "Message": "string", "Properties": "dynamic",
        },
        frozenset({"Level", "Service", "Host", "Method", "UserAgent"}),
        chdb_indexes=(
            "index trace TraceId type bloom_filter",
            "index message lower(Message) type tokenbf_v1(32768, 3, 0)",
        ),
    ),
    "hits": Shape(
        "hits",
        {
            "WatchID": "long", "EventTime": "datetime", "EventDate": "datetime", "CounterID": "int", "ClientIP": "long",
            "RegionID": "int", "UserID": "long", "OS": "int", "UserAgent": "int", "URL": "string", "Referer": "string",
            "Title": "string", "IsRefresh": "int", "ResolutionWidth": "int", "ResolutionHeight": "int",
            "MobilePhone": "int", "MobilePhoneModel": "string", "TraficSourceID": "int", "SearchEngineID": "int",
            "SearchPhrase": "string", "AdvEngineID": "int", "WindowClientWidth": "int", "WindowClientHeight": "int",
            "IsLink": "int", "IsDownload": "int", "DontCountHits": "int", "URLHash": "long",
        },
        frozenset({"MobilePhoneModel"}),
        time="EventTime",
    ),
}

DUCKDB_TYPES = {
    "datetime": "TIMESTAMP", "string": "VARCHAR", "real": "DOUBLE", "long": "BIGINT", "int": "INTEGER", "dynamic": "JSON",
}
CHDB_TYPES = {
    "datetime": "DateTime64(7, 'UTC')", "string": "String", "real": "Float64", "long": "Int64", "int": "Int32",
    "dynamic": "JSON",
}
