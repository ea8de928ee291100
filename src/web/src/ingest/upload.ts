// Sends a file in pieces of whole records; each piece is stored once, however often it is sent. Delimited values are
// checked and written anew here, as the server takes them; JSON goes as it is, and the server reads it.

import { quoteName } from "../base/format";
import { headersWith, makeRequestId, postJson, ServerError } from "../server/client";
import { csvLine, DelimitedReader, type DelimitedRecord } from "./delimited";
import { widthProblem, type FileFormat, type FoundColumn } from "./infer";
import { countLines, RecordCutter, type JsonForm, type RecordPiece } from "./records";
import { convert, isKept, labelOf } from "./values";

export interface UploadPlan {
  database: string;
  table: string;
  format: FileFormat;
  separator: string;
  hasHeader: boolean;
  /** The name of the text's encoding, as TextDecoder takes it. */
  encoding: string;
  columns: FoundColumn[];
  /** Leaves out broken records and makes null of values that do not fit; else the first of either stops all. */
  goOn: boolean;
}

export interface UploadError {
  line: number;
  field: string | null;
  message: string;
}

export interface UploadState {
  bytesSent: number;
  bytesTotal: number;
  rows: number;
  skipped: number;
  /** Values that did not fit and became null. */
  nulled: number;
  errors: UploadError[];
}

interface Report {
  rows: number;
  skipped: number;
  errors?: { line: number; message: string }[];
}

interface Refusal {
  error?: { message?: string; line?: number | null; field?: string | null };
  report?: Report;
}

const PIECE_BYTES = 2 * 1024 * 1024;
const MOST_ERRORS = 200;
const TRIES = 5;
const SHOWN_LETTERS = 60;

export async function createTable(plan: UploadPlan): Promise<void> {
  const columns = plan.columns
    .filter((column) => column.included)
    .map((column) => `${quoteName(column.name)}:${column.kind.type}`)
    .join(", ");
  await postJson("/v1/rest/mgmt", {
    db: plan.database,
    csl: `.create-merge table ${quoteName(plan.table)} (${columns})`,
  });
}

const TRANSFORMS: Record<string, string> = {
  seconds: "DateTimeFromUnixSeconds",
  milliseconds: "DateTimeFromUnixMilliseconds",
};

/** The columns by their place in the records that are sent, or by their path. */
function mappingOf(plan: UploadPlan): string {
  const included = plan.columns.filter((column) => column.included);
  const entries = included.map((column, index) => {
    if (plan.format === "delimited") return { Column: column.name, Properties: { Ordinal: String(index) } };
    const path = `$['${column.source.replace(/\\/g, "\\\\").replace(/'/g, "\\'")}']`;
    const transform = TRANSFORMS[column.kind.form];
    return { Column: column.name, Properties: transform ? { Path: path, Transform: transform } : { Path: path } };
  });
  return JSON.stringify(entries);
}

/** A body to send, and the line of the file that each of its lines is from. */
interface Body {
  text: string;
  lineOf: (line: number) => number;
}

/** Makes bodies of the pieces of a file, noting what is wrong with it. */
interface Maker {
  take(text: string, last: boolean): Body[];
}

export async function upload(
  file: File,
  plan: UploadPlan,
  onState: (state: UploadState) => void,
  signal: AbortSignal,
): Promise<UploadState> {
  const state: UploadState = { bytesSent: 0, bytesTotal: file.size, rows: 0, skipped: 0, nulled: 0, errors: [] };
  const note = (error: UploadError): void => {
    if (!plan.goOn) throw new ServerError(sentence(error), 0, "", error.line);
    if (state.errors.length < MOST_ERRORS) state.errors.push(error);
  };
  const key = makeRequestId("ingest");
  const maker =
    plan.format === "delimited" ? delimitedMaker(plan, state, note) : jsonMaker(plan, plan.format, state, note);
  const decoder = new TextDecoder(plan.encoding);
  const mapping = mappingOf(plan);
  let pieces = 0;
  for (let from = 0; from < file.size; from += PIECE_BYTES) {
    const bytes = await file.slice(from, from + PIECE_BYTES).arrayBuffer();
    const last = from + PIECE_BYTES >= file.size;
    for (const body of maker.take(decoder.decode(bytes, { stream: !last }), last)) {
      if (body.text.trim() === "") continue;
      signal.throwIfAborted();
      const report = await sendBody(plan, mapping, body, `${key}-${pieces}`, signal);
      pieces += 1;
      state.rows += report.rows;
      state.skipped += report.skipped;
      for (const error of report.errors ?? [])
        note({ line: body.lineOf(error.line), field: null, message: error.message });
    }
    state.bytesSent = Math.min(file.size, from + PIECE_BYTES);
    onState(state);
  }
  state.errors.sort((left, right) => left.line - right.line);
  return state;
}

export function sentence(error: UploadError): string {
  return `Line ${error.line}${error.field === null ? "" : `, ${error.field}`}: ${error.message}`;
}

function misfit(shown: string, column: FoundColumn): string {
  const text = shown.length > SHOWN_LETTERS ? `${shown.slice(0, SHOWN_LETTERS)}…` : shown;
  return `'${text}' is no ${labelOf(column.kind)}`;
}

/** Reads, checks and writes delimited records. */
export function delimitedMaker(
  plan: Pick<UploadPlan, "separator" | "hasHeader" | "columns">,
  state: Pick<UploadState, "skipped" | "nulled">,
  note: (error: UploadError) => void,
): Maker {
  const reader = new DelimitedReader(plan.separator);
  let isHeader = plan.hasHeader;
  const write = (record: DelimitedRecord): string | null => {
    const { fields, line } = record;
    const problem = record.problem ?? widthProblem(fields.length, plan.columns.length);
    if (problem !== null) {
      state.skipped += 1;
      note({ line, field: null, message: problem });
      return null;
    }
    const values: string[] = [];
    plan.columns.forEach((column, index) => {
      if (!column.included) return;
      const text = fields[index] ?? "";
      const value = convert(text, column.kind);
      if (value === null) {
        state.nulled += 1;
        note({ line, field: column.name, message: misfit(text, column) });
      }
      values.push(value ?? "");
    });
    return csvLine(values);
  };
  return {
    take(text, last) {
      const records = reader.push(text);
      if (last) records.push(...reader.finish());
      const lines: string[] = [];
      const places: number[] = [];
      for (const record of records) {
        if (isHeader) {
          isHeader = false;
          continue;
        }
        const line = write(record);
        if (line === null) continue;
        lines.push(line);
        for (let count = countLines(line); count >= 0; count -= 1) places.push(record.line);
      }
      return [{ text: lines.join("\n"), lineOf: (line) => places[line - 1] ?? line }];
    },
  };
}

/** Cuts JSON into whole objects and tells which of their values the server will not keep. */
function jsonMaker(plan: UploadPlan, form: JsonForm, state: UploadState, note: (error: UploadError) => void): Maker {
  const cutter = new RecordCutter(form);
  const known = new Set(plan.columns.map((column) => column.source));
  const strange = new Set<string>();
  const check = (piece: RecordPiece): void => {
    let line = piece.line;
    let counted = 0;
    for (const [from, to] of piece.objects) {
      line += countLines(piece.text.slice(counted, from));
      counted = from;
      let record: Record<string, unknown>;
      try {
        record = JSON.parse(piece.text.slice(from, to)) as Record<string, unknown>;
      } catch {
        // The server says what is wrong with it.
        continue;
      }
      for (const column of plan.columns) {
        const value = record[column.source];
        if (!column.included || isKept(value, column.kind)) continue;
        state.nulled += 1;
        note({ line, field: column.name, message: misfit(JSON.stringify(value), column) });
      }
      for (const name of Object.keys(record)) {
        if (known.has(name) || strange.has(name) || !plan.goOn) continue;
        strange.add(name);
        note({ line, field: name, message: "the first rows have no such field: it is not taken" });
      }
    }
  };
  return {
    take(text, last) {
      const pieces = [cutter.push(text)];
      if (last) pieces.push(cutter.finish());
      return pieces.map((piece) => {
        check(piece);
        return { text: piece.text, lineOf: (line) => line + piece.line - 1 };
      });
    },
  };
}

async function sendBody(
  plan: UploadPlan,
  mapping: string,
  body: Body,
  key: string,
  signal: AbortSignal,
): Promise<Report> {
  // The table is as it was chosen: values that do not fit must not change its types.
  const options = new URLSearchParams({ mapping, onError: plan.goOn ? "skip" : "abort", create: "false" });
  if (plan.format === "delimited") {
    options.set("format", "csv");
    options.set("header", "false");
  } else options.set("format", "json");
  const path = `/ingest/${encodeURIComponent(plan.database)}/${encodeURIComponent(plan.table)}?${options.toString()}`;
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(path, {
      method: "POST",
      body: body.text,
      headers: headersWith({ "idempotency-key": key }),
      signal,
    });
    if (response.ok) return (await response.json()) as Report;
    const busy = response.status === 429 || response.status === 503;
    if (!busy || attempt >= TRIES) throw refusal(response.status, await response.text(), body);
    const seconds = Number(response.headers.get("retry-after") ?? "1");
    await new Promise((resolve) => window.setTimeout(resolve, 1000 * Math.max(1, seconds)));
  }
}

function refusal(status: number, text: string, body: Body): ServerError {
  try {
    const found = (JSON.parse(text) as Refusal).error;
    const message = found?.message ?? text;
    if (!found?.line) return new ServerError(message, status);
    const line = body.lineOf(found.line);
    return new ServerError(sentence({ line, field: found.field ?? null, message }), status, "", line);
  } catch {
    return new ServerError(text, status);
  }
}
