// Results as files: CSV and JSON from the rows shown, Parquet and Arrow from the server.

import { download } from "../base/notice";
import { quoteName } from "../base/format";
import { send } from "../server/client";
import type { Column, Row, Value } from "../server/query";
import { cellText, isNumeric } from "./cell";

function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

export function asCsv(columns: readonly Column[], rows: readonly Row[]): string {
  const lines = [columns.map((column) => csvField(column.name)).join(",")];
  for (const row of rows) lines.push(row.map((value) => csvField(cellText(value))).join(","));
  return `${lines.join("\r\n")}\r\n`;
}

/** Whole numbers beyond what JavaScript holds are kept as texts in memory; in the file they are numbers again. */
function jsonValue(value: Value, type: string): string {
  return type === "long" && typeof value === "string" ? value : JSON.stringify(value ?? null);
}

export function asJson(columns: readonly Column[], rows: readonly Row[]): string {
  const lines = rows.map(
    (row) =>
      `{${columns.map((column, index) => `${JSON.stringify(column.name)}:${jsonValue(row[index] ?? null, column.type)}`).join(",")}}`,
  );
  return `[${lines.join(",\n")}]\n`;
}

function literal(value: Value, type: string): string {
  if (type === "string") return JSON.stringify(cellText(value));
  if (value === null || value === undefined) return `${type}(null)`;
  if (type === "dynamic") return `dynamic(${JSON.stringify(value)})`;
  if (isNumeric(type) && type !== "decimal" && Number.isFinite(Number(value))) return String(value);
  return type === "bool" ? String(value) : `${type}(${cellText(value)})`;
}

/** A `datatable` that gives the same rows. */
export function asDatatable(columns: readonly Column[], rows: readonly Row[]): string {
  const head = columns.map((column) => `${quoteName(column.name)}:${column.type}`).join(", ");
  const body = rows.map(
    (row) => `    ${columns.map((column, index) => literal(row[index] ?? null, column.type)).join(", ")}`,
  );
  return `datatable(${head})\n[\n${body.join(",\n")}\n]`;
}

export function saveText(name: string, type: string, text: string): void {
  download(name, new Blob([text], { type }));
}

/** Runs the query again for the binary form. */
export async function saveFromServer(name: string, format: string, database: string, text: string): Promise<void> {
  const path = `/query?format=${format}&notruncation=true&db=${encodeURIComponent(database)}`;
  const response = await send(path, { method: "POST", body: text, headers: { "content-type": "text/plain" } });
  download(name, await response.blob());
}
