#!/usr/bin/env python3
"""The Kusto SDK for Python against a running server: queries, commands, errors, streaming ingestion.

    python_sdk.py http://127.0.0.1:8080

Needs azure-kusto-data and azure-kusto-ingest. Exits non-zero at the first thing that is not as it should be.
"""
import datetime
import io
import math
import sys
import uuid

from azure.kusto.data import ClientRequestProperties, KustoClient, KustoConnectionStringBuilder
from azure.kusto.data.data_format import DataFormat
from azure.kusto.data.exceptions import KustoApiError, KustoMultiApiError
from azure.kusto.ingest import IngestionProperties, KustoStreamingIngestClient, StreamDescriptor

url = sys.argv[1]
client = KustoClient(KustoConnectionStringBuilder(url))
table = "Python_" + uuid.uuid4().hex[:8]
database = "NetDefaultDB"


def check(condition, what):
    if not condition:
        raise SystemExit(f"python SDK: {what}")


def expect_error(kind, part, call):
    try:
        call()
    except kind as error:
        check(part in str(error), f"the error should say {part!r}: {error}")
        return error
    raise SystemExit(f"python SDK: no error that says {part!r}")


# Values of every type, in v2.
answer = client.execute(
    database,
    """print b = true, i = int(-1), l = 9223372036854775807, r = 2.0, nan = real(nan), c = decimal(12.5),
    t = datetime(2024-01-01T00:00:00.0000001Z), d = timespan(-1.00:00:01), s = "a\\"é", g = guid(74be27de-1e4e-49d9-b579-fe0b331d3642),
    o = dynamic({"a": [1, 2.5, "x"]}), n = long(null)""",
)
row = answer.primary_results[0][0]
check(row["b"] is True and row["i"] == -1 and row["l"] == 9223372036854775807, row.to_dict())
check(row["r"] == 2.0 and math.isnan(float(row["nan"])), row.to_dict())
check(row["t"].year == 2024 and row["d"] == datetime.timedelta(days=-1, seconds=-1), row.to_dict())
check(row["s"] == 'a"é' and row["o"] == {"a": [1, 2.5, "x"]} and row["n"] is None, row.to_dict())
check(str(row["g"]) == "74be27de-1e4e-49d9-b579-fe0b331d3642", row["g"])

# Several results, data frames, parameters, options.
answer = client.execute(database, "print a = 1; range x from 1 to 3 step 1")
check([len(result) for result in answer.primary_results] == [1, 3], answer.primary_results)
properties = ClientRequestProperties()
properties.set_parameter("n", 3)
properties.set_parameter("s", "O'Brien \"x\"")
properties.set_option("servertimeout", datetime.timedelta(minutes=1))
properties.client_request_id = "python;" + uuid.uuid4().hex
answer = client.execute(
    database, "declare query_parameters(n:long, s:string); range x from 1 to n step 1 | extend s", properties
)
rows = [tuple(row) for row in answer.primary_results[0]]
check(rows == [(x, "O'Brien \"x\"") for x in (1, 2, 3)], rows)

# The streaming reader.
total = 0
for primary in client.execute_streaming_query(database, "range x from 1 to 20000 step 1").iter_primary_results():
    total += sum(row["x"] for row in primary)
check(total == 20000 * 20001 // 2, total)

# Errors: before the first row, and after it.
error = expect_error(KustoApiError, "Semantic error:", lambda: client.execute(database, "NoSuchTable | take 1"))
check(error.get_api_error().permanent, "a semantic error is permanent")
expect_error(KustoApiError, "Syntax error:", lambda: client.execute(database, "print |"))
expect_error(KustoApiError, "was not found", lambda: client.execute("NoSuchDatabase", "print 1"))
properties = ClientRequestProperties()
properties.set_option("truncationmaxrecords", 5)
expect_error(
    (KustoMultiApiError, KustoApiError),
    "E_QUERY_RESULT_SET_TOO_LARGE",
    lambda: client.execute(database, "range x from 1 to 10 step 1", properties),
)
properties.set_option("deferpartialqueryfailures", True)
answer = client.execute(database, "range x from 1 to 10 step 1", properties)
check(len(answer.primary_results[0]) == 5 and answer.errors_count == 1, answer.get_exceptions())

# Commands.
version = client.execute_mgmt(database, ".show version").primary_results[0][0]
check(version["ServiceType"] == "Engine", version.to_dict())
client.execute_mgmt(database, f".create table {table} (Timestamp:datetime, Name:string, Value:long, Extra:dynamic)")
names = client.execute(database, ".show tables | project TableName").primary_results[0]
check(table in [row["TableName"] for row in names], "the table is listed")
client.execute_mgmt(
    database,
    f".create-or-alter table {table} ingestion json mapping 'm' "
    """'[{"column":"Timestamp","path":"$.t"},{"column":"Name","path":"$.n"},{"column":"Value","Properties":{"Path":"$.v"}}]'""",
)
expect_error(KustoApiError, "Syntax error:", lambda: client.execute_mgmt(database, ".show nonsense"))

# Streaming ingestion, gzip as the SDK does it.
ingest = KustoStreamingIngestClient(KustoConnectionStringBuilder(url))
properties = IngestionProperties(database=database, table=table, data_format=DataFormat.CSV)
csv = b'2024-01-01T00:00:00Z,"a, b",1,"{""k"":1}"\n2024-01-02T00:00:00Z,c,2,\n'
ingest.ingest_from_stream(StreamDescriptor(io.BytesIO(csv)), properties)
properties = IngestionProperties(
    database=database, table=table, data_format=DataFormat.MULTIJSON, ingestion_mapping_reference="m"
)
ingest.ingest_from_stream(
    StreamDescriptor(io.BytesIO(b'{"t":"2024-01-03T00:00:00Z","n":"d","v":3}{"t":"2024-01-04","n":"e","v":4}')), properties
)
answer = client.execute(database, f"{table} | summarize Count = count(), Sum = sum(Value), K = take_any(tolong(Extra.k))")
row = answer.primary_results[0][0]
check((row["Count"], row["Sum"]) == (4, 10), row.to_dict())
properties = IngestionProperties(database=database, table="NoSuchTable", data_format=DataFormat.CSV)
error = expect_error(
    KustoApiError, "NoSuchTable", lambda: ingest.ingest_from_stream(StreamDescriptor(io.BytesIO(b"1\n")), properties)
)
check(error.get_api_error().permanent, "an unknown table is a permanent error")

client.execute_mgmt(database, f".drop table {table}")
print("python SDK: all as it should be")
