// Sends a file in pieces of whole records; each piece is stored once, however often it is sent.

import { quoteName } from "../base/format";
import { headersWith, makeRequestId, postJson, ServerError } from "../server/client";
import type { FoundColumn } from "./infer";
import { RecordCutter, type FileFormat } from "./records";

export interface UploadPlan {
  database: string;
  table: string;
  format: FileFormat;
  hasHeader: boolean;
  columns: FoundColumn[];
  skipBad: boolean;
}

export interface UploadState {
  bytesSent: number;
  bytesTotal: number;
  rows: number;
  skipped: number;
  errors: { line: number; message: string }[];
}

interface Report {
  rows: number;
  skipped: number;
  errors?: { line: number; message: string }[];
}

interface Refusal {
  error?: { message?: string; line?: number | null };
  report?: Report;
}

const PIECE_BYTES = 2 * 1024 * 1024;
const MOST_ERRORS = 200;
const TRIES = 5;

export async function createTable(plan: UploadPlan): Promise<void> {
  const columns = plan.columns
    .filter((column) => column.included)
    .map((column) => `${quoteName(column.name)}:${column.type}`)
    .join(", ");
  await postJson("/v1/rest/mgmt", {
    db: plan.database,
    csl: `.create-merge table ${quoteName(plan.table)} (${columns})`,
  });
}

/** The columns by their place or path in the file. */
function mappingOf(plan: UploadPlan): string {
  const entries = plan.columns.flatMap((column, index) => {
    if (!column.included) return [];
    const properties =
      plan.format === "json"
        ? { Path: `$['${column.source.replace(/\\/g, "\\\\").replace(/'/g, "\\'")}']` }
        : { Ordinal: String(index) };
    return [{ Column: column.name, Properties: properties }];
  });
  return JSON.stringify(entries);
}

export async function upload(
  file: File,
  plan: UploadPlan,
  onState: (state: UploadState) => void,
  signal: AbortSignal,
): Promise<UploadState> {
  const state: UploadState = { bytesSent: 0, bytesTotal: file.size, rows: 0, skipped: 0, errors: [] };
  const key = makeRequestId("ingest");
  const cutter = new RecordCutter(plan.format);
  const decoder = new TextDecoder();
  const mapping = mappingOf(plan);
  let pieces = 0;
  for (let from = 0; from < file.size || from === 0; from += PIECE_BYTES) {
    const bytes = await file.slice(from, from + PIECE_BYTES).arrayBuffer();
    const last = from + PIECE_BYTES >= file.size;
    const text = decoder.decode(bytes, { stream: !last });
    const found = [cutter.push(text)];
    if (last) found.push(cutter.finish());
    for (const piece of found) {
      if (piece.text.trim() === "") continue;
      signal.throwIfAborted();
      const first = pieces === 0;
      const report = await sendPiece(plan, mapping, piece.text, piece.line, first, `${key}-${pieces}`, signal);
      pieces += 1;
      state.rows += report.rows;
      state.skipped += report.skipped;
      for (const error of report.errors ?? []) {
        if (state.errors.length < MOST_ERRORS)
          state.errors.push({ line: error.line + piece.line - 1, message: error.message });
      }
    }
    state.bytesSent = Math.min(file.size, from + PIECE_BYTES);
    onState(state);
    if (file.size === 0) break;
  }
  return state;
}

async function sendPiece(
  plan: UploadPlan,
  mapping: string,
  text: string,
  line: number,
  first: boolean,
  key: string,
  signal: AbortSignal,
): Promise<Report> {
  const options = new URLSearchParams({ format: plan.format, mapping, onError: plan.skipBad ? "skip" : "abort" });
  if (plan.format === "csv" || plan.format === "tsv")
    options.set("header", first && plan.hasHeader ? "ignore" : "false");
  const path = `/ingest/${encodeURIComponent(plan.database)}/${encodeURIComponent(plan.table)}?${options.toString()}`;
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(path, {
      method: "POST",
      body: text,
      headers: headersWith({ "idempotency-key": key }),
      signal,
    });
    if (response.ok) return (await response.json()) as Report;
    const busy = response.status === 429 || response.status === 503;
    if (!busy || attempt >= TRIES) throw refusal(response.status, await response.text(), line);
    const seconds = Number(response.headers.get("retry-after") ?? "1");
    await new Promise((resolve) => window.setTimeout(resolve, 1000 * Math.max(1, seconds)));
  }
}

function refusal(status: number, text: string, line: number): ServerError {
  try {
    const body = JSON.parse(text) as Refusal;
    const at = body.error?.line ? body.error.line + line - 1 : null;
    const message = body.error?.message ?? text;
    return new ServerError(at === null ? message : `Line ${at}: ${message}`, status, "", at);
  } catch {
    return new ServerError(text, status);
  }
}
