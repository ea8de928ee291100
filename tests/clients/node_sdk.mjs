// The Kusto SDK for Node against a running server: queries, commands, errors, streaming ingestion.
//
//     node node_sdk.mjs http://127.0.0.1:8080
//
// Needs azure-kusto-data and azure-kusto-ingest where node finds them (NODE_MODULES names the folder). Exits
// non-zero at the first thing that is not as it should be.
import { createRequire } from "node:module";
import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import path from "node:path";

const require = createRequire(path.join(process.env.NODE_MODULES ?? path.join(process.cwd(), "node_modules"), "x"));
const { Client, KustoConnectionStringBuilder, ClientRequestProperties } = require("azure-kusto-data");
const { StreamingIngestClient, IngestionProperties, DataFormat, StreamDescriptor } = require("azure-kusto-ingest");

const url = process.argv[2];
const client = new Client(new KustoConnectionStringBuilder(url));
const database = "NetDefaultDB";
const table = "Node_" + randomUUID().slice(0, 8);

function check(condition, what) {
    if (!condition) {
        console.error("node SDK:", what);
        process.exit(1);
    }
}

async function expectError(part, call) {
    try {
        await call();
    } catch (error) {
        const text = String(error.response?.data?.error?.["@message"] ?? error.message ?? error);
        check(text.includes(part), `the error should say '${part}': ${text}`);
        return error;
    }
    check(false, `no error that says '${part}'`);
}

let answer = await client.execute(database, `print b = true, l = 42, r = 2.5, t = datetime(2024-01-01), d = timespan(1.00:00:01),
    s = "é", o = dynamic({"a": [1, "x"]}), n = int(null)`);
let row = [...answer.primaryResults[0].rows()][0].toJSON();
check(row.b === true && row.l === 42 && row.r === 2.5 && row.s === "é" && row.n === null, JSON.stringify(row));
check(new Date(row.t).getTime() === Date.UTC(2024, 0, 1), JSON.stringify(row));
check(row.o.a[1] === "x", JSON.stringify(row));

const properties = new ClientRequestProperties();
properties.setParameter("n", 3);
properties.setParameter("s", "O'Brien");
properties.setTimeout(30_500);
answer = await client.execute(database, "declare query_parameters(n:long, s:string); range x from 1 to n step 1 | extend s", properties);
check(answer.primaryResults[0]._rows.length === 3, "three rows");

answer = await client.executeQueryV1(database, "print 1");
check(answer.primaryResults.length === 1, "v1 has one primary result");

await expectError("Semantic error:", () => client.execute(database, "NoSuchTable | take 1"));
const small = new ClientRequestProperties();
small.setOption("truncationmaxrecords", 5);
await expectError("E_QUERY_RESULT_SET_TOO_LARGE", () => client.execute(database, "range x from 1 to 10 step 1", small));

answer = await client.executeMgmt(database, ".show databases");
check(answer.primaryResults[0].columns[0].name === "DatabaseName", "databases");
await client.executeMgmt(database, `.create table ${table} (Name:string, Value:long)`);

const ingest = new StreamingIngestClient(new KustoConnectionStringBuilder(url), new IngestionProperties({
    database, table, format: DataFormat.CSV,
}));
await ingest.ingestFromStream(new StreamDescriptor(Readable.from(["a,1\n", "b,2\n"])));
answer = await client.execute(database, `${table} | summarize Count = count(), Sum = sum(Value)`);
row = [...answer.primaryResults[0].rows()][0].toJSON();
check(row.Count === 2 && row.Sum === 3, JSON.stringify(row));
await client.executeMgmt(database, `.drop table ${table}`);
console.log("node SDK: all as it should be");
process.exit(0);
