// Runs a query or a command and reads its tables. Knows the wire form of answers, nothing of how they are shown.

import { errorOf, postJson, send, ServerError } from "./client";
import { parseExact } from "./exactNumbers";
import type { Visualization } from "../chart/properties";

export type Value = string | number | boolean | null | Value[] | { [key: string]: Value };
export type Row = Value[];

export interface Column {
  name: string;
  type: string;
}

export interface ResultTable {
  name: string;
  columns: Column[];
  rows: Row[];
  visualization: Visualization | null;
}

/** What a query took, as far as the server told. */
export interface Statistics {
  serverMilliseconds: number | null;
  cpu: string | null;
  memoryBytes: number | null;
  cacheHitBytes: number | null;
  cacheMissBytes: number | null;
  extentsScanned: number | null;
  extentsTotal: number | null;
  rowsScanned: number | null;
  rowsTotal: number | null;
  resultBytes: number | null;
  transferredBytes: number;
}

export interface Answer {
  tables: ResultTable[];
  statistics: Statistics;
  /** Errors after the first rows: the tables may be cut short. */
  problem: ServerError | null;
}

interface Frame {
  FrameType: string;
  TableId?: number;
  TableKind?: string;
  TableName?: string;
  Columns?: { ColumnName: string; ColumnType: string }[];
  Rows?: (Row | { OneApiErrors: { error: object }[] })[];
  OneApiErrors?: { error: object }[];
}

interface OldAnswer {
  Tables: { TableName: string; Columns: { ColumnName: string; ColumnType: string }[]; Rows: Row[] }[];
}

export interface RunOptions {
  requestId: string;
  signal?: AbortSignal;
}

/** Whether the text is a management command: its first word that is not a comment begins with a dot. */
export function isCommand(text: string): boolean {
  return text.replace(/^(\s+|\/\/[^\n]*(\n|$))*/, "").startsWith(".");
}

export async function runQuery(database: string, text: string, options: RunOptions): Promise<Answer> {
  const response = await send("/query?format=kusto-v2", {
    method: "POST",
    body: JSON.stringify({ db: database, csl: text }),
    headers: { "content-type": "application/json", "x-ms-client-request-id": options.requestId },
    signal: options.signal,
  });
  return readAnswer(await response.text());
}

/** What `/v2/rest/query` and its kin answer. */
export function readAnswer(body: string): Answer {
  const parsed = parseExact(body) as Frame[] | OldAnswer;
  return Array.isArray(parsed) ? readFrames(parsed, body.length) : readOld(parsed, body.length);
}

/** Rows of a command as objects. */
export async function runCommand<Shape>(database: string, text: string): Promise<Shape[]> {
  const answer = await postJson<OldAnswer>("/v1/rest/mgmt", { db: database, csl: text });
  const table = answer.Tables[0];
  if (!table) return [];
  const names = table.Columns.map((column) => column.ColumnName);
  return table.Rows.map((row) => Object.fromEntries(names.map((name, index) => [name, row[index]])) as Shape);
}

export async function cancelQuery(database: string, requestId: string): Promise<void> {
  await runCommand(database, `.cancel query '${requestId}'`);
}

export interface RunningState {
  seconds: number;
  rowsScanned: number;
  bytesScanned: number;
  extentsScanned: number;
  extentsTotal: number;
  /** Pieces of the scans begun so far, and all of them. */
  partsDone: number;
  partsTotal: number;
  memoryPeakBytes: number;
}

/** How far a running query has come; `null` when the server does not know it (any more). */
export async function askProgress(requestId: string): Promise<RunningState | null> {
  const response = await send(`/v1/queries/${encodeURIComponent(requestId)}`, {});
  return (await response.json()) as RunningState;
}

function emptyStatistics(transferredBytes: number): Statistics {
  return {
    serverMilliseconds: null,
    cpu: null,
    memoryBytes: null,
    cacheHitBytes: null,
    cacheMissBytes: null,
    extentsScanned: null,
    extentsTotal: null,
    rowsScanned: null,
    rowsTotal: null,
    resultBytes: null,
    transferredBytes,
  };
}

function readColumns(columns: { ColumnName: string; ColumnType: string }[]): Column[] {
  return columns.map((column) => ({ name: column.ColumnName, type: column.ColumnType }));
}

function readOld(answer: OldAnswer, bytes: number): Answer {
  const tables = answer.Tables.map((table) => ({
    name: table.TableName,
    columns: readColumns(table.Columns),
    rows: table.Rows,
    visualization: null,
  }));
  return { tables, statistics: emptyStatistics(bytes), problem: null };
}

function readFrames(frames: Frame[], bytes: number): Answer {
  const answer: Answer = { tables: [], statistics: emptyStatistics(bytes), problem: null };
  const visualizations = new Map<number, Visualization>();
  const ids: number[] = [];
  const report = (errors: { error: object }[] | undefined): void => {
    const first = errors?.[0];
    if (first && answer.problem === null) answer.problem = errorOf(first.error, 200);
  };
  for (const frame of frames) {
    report(frame.OneApiErrors);
    if (frame.FrameType !== "DataTable") continue;
    const rows: Row[] = [];
    for (const row of frame.Rows ?? []) {
      if (Array.isArray(row)) rows.push(row);
      else report(row.OneApiErrors);
    }
    if (frame.TableKind === "QueryProperties") {
      for (const [id, key, value] of rows) {
        if (key === "Visualization") visualizations.set(Number(id), readJson<Visualization>(value));
      }
    } else if (frame.TableKind === "PrimaryResult") {
      ids.push(frame.TableId ?? 0);
      answer.tables.push({
        name: frame.TableName ?? "",
        columns: readColumns(frame.Columns ?? []),
        rows,
        visualization: null,
      });
    } else if (frame.TableKind === "QueryCompletionInformation") {
      readCompletion(frame.Columns ?? [], rows, answer.statistics);
    }
  }
  answer.tables.forEach((table, index) => {
    const found = visualizations.get(ids[index]);
    table.visualization = found?.Visualization ? found : null;
  });
  return answer;
}

function readJson<Shape>(value: Value): Shape {
  return (typeof value === "string" ? JSON.parse(value) : value) as Shape;
}

interface Consumption {
  ExecutionTime?: number;
  resource_usage?: {
    cache?: { shards?: { hot?: { hitbytes?: number; missbytes?: number } } };
    cpu?: { "total cpu"?: string };
    memory?: { peak_per_node?: number };
  };
  input_dataset_statistics?: {
    extents?: { total?: number; scanned?: number };
    rows?: { total?: number; scanned?: number };
  };
  dataset_statistics?: { table_size?: number }[];
}

function readCompletion(columns: { ColumnName: string }[], rows: Row[], statistics: Statistics): void {
  const kind = columns.findIndex((column) => column.ColumnName === "EventTypeName");
  const payload = columns.findIndex((column) => column.ColumnName === "Payload");
  const row = rows.find((candidate) => candidate[kind] === "QueryResourceConsumption");
  if (!row) return;
  const used = readJson<Consumption>(row[payload] ?? "{}");
  statistics.serverMilliseconds = used.ExecutionTime === undefined ? null : used.ExecutionTime * 1000;
  statistics.cpu = used.resource_usage?.cpu?.["total cpu"] ?? null;
  statistics.memoryBytes = used.resource_usage?.memory?.peak_per_node ?? null;
  statistics.cacheHitBytes = used.resource_usage?.cache?.shards?.hot?.hitbytes ?? null;
  statistics.cacheMissBytes = used.resource_usage?.cache?.shards?.hot?.missbytes ?? null;
  statistics.extentsScanned = used.input_dataset_statistics?.extents?.scanned ?? null;
  statistics.extentsTotal = used.input_dataset_statistics?.extents?.total ?? null;
  statistics.rowsScanned = used.input_dataset_statistics?.rows?.scanned ?? null;
  statistics.rowsTotal = used.input_dataset_statistics?.rows?.total ?? null;
  statistics.resultBytes = used.dataset_statistics?.reduce((sum, table) => sum + (table.table_size ?? 0), 0) ?? null;
}
