// Looks at the beginning of a file: its format, its columns with likely types, its first rows.

import type { FileFormat } from "./records";

export interface FoundColumn {
  /** The name in the file: where the values come from. */
  source: string;
  /** The name in the table. */
  name: string;
  type: string;
  included: boolean;
}

export interface Preview {
  format: FileFormat;
  hasHeader: boolean;
  columns: FoundColumn[];
  /** Texts of the values, by column. */
  rows: string[][];
}

export const TYPES = ["string", "long", "real", "datetime", "bool", "dynamic", "timespan", "guid", "int", "decimal"];
const MOST_ROWS = 200;

export function previewOf(name: string, head: string, complete: boolean): Preview {
  const format = formatOf(name, head);
  return format === "json" ? previewJson(head) : previewLines(head, format, complete);
}

function formatOf(name: string, head: string): FileFormat {
  const start = head.replace(/^\uFEFF/, "").trimStart();
  if (/^[[{]/.test(start) && !/\.(csv|tsv)$/i.test(name)) return "json";
  if (/\.(tsv|tab)$/i.test(name)) return "tsv";
  if (/\.csv$/i.test(name)) return "csv";
  const first = start.split("\n", 1)[0] ?? "";
  if (first.split("\t").length > first.split(",").length) return "tsv";
  return first.includes(",") ? "csv" : "txt";
}

function previewJson(head: string): Preview {
  const names: string[] = [];
  const records: Record<string, unknown>[] = [];
  for (const text of objectsOf(head)) {
    if (records.length >= MOST_ROWS) break;
    try {
      const record = JSON.parse(text) as Record<string, unknown>;
      for (const key of Object.keys(record)) if (!names.includes(key)) names.push(key);
      records.push(record);
    } catch {
      // A broken record is told of when it is ingested.
    }
  }
  const columns = names.map((name) => ({
    source: name,
    name,
    type: typeOf(records.map((record) => record[name])),
    included: true,
  }));
  const rows = records.map((record) => names.map((name) => shown(record[name])));
  return { format: "json", hasHeader: false, columns, rows };
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function* objectsOf(text: string): Generator<string> {
  let depth = 0;
  let start = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at];
    if (quoted) {
      if (letter === "\\") at += 1;
      else if (letter === '"') quoted = false;
    } else if (letter === '"') quoted = true;
    else if (letter === "{" && depth++ === 0) start = at;
    else if (letter === "}" && --depth === 0) yield text.slice(start, at + 1);
  }
}

function previewLines(head: string, format: FileFormat, complete: boolean): Preview {
  const separator = format === "tsv" ? "\t" : format === "csv" ? "," : "";
  const records = parseLines(head.replace(/^\uFEFF/, ""), separator);
  // The last record of a part of a file is cut off somewhere.
  if (!complete && records.length > 1) records.pop();
  const first = records[0] ?? [];
  const hasHeader = format !== "txt" && looksLikeHeader(first, records[1] ?? []);
  const rows = (hasHeader ? records.slice(1) : records).slice(0, MOST_ROWS);
  // Records with too few or too many values are broken: they say nothing of types.
  const whole = rows.filter((row) => row.length === first.length);
  const columns = first.map((text, index) => {
    const source = hasHeader && text.trim() !== "" ? text.trim() : `Column${index + 1}`;
    return { source, name: source, type: typeOf(whole.map((row) => guess(row[index] ?? ""))), included: true };
  });
  return { format, hasHeader, columns, rows };
}

function looksLikeHeader(first: string[], second: string[]): boolean {
  if (first.length === 0 || first.some((text) => text.trim() === "" || typeof guess(text) !== "string")) return false;
  if (new Set(first).size !== first.length) return false;
  return (
    second.length === 0 ||
    second.some((text) => typeof guess(text) !== "string" || isTime(text)) ||
    first.every((text) => /^[A-Za-z_][\w .-]*$/.test(text.trim()))
  );
}

export function parseLines(text: string, separator: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  let field = "";
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at] ?? "";
    if (quoted) {
      if (letter !== '"') field += letter;
      else if (text[at + 1] === '"') field += text[(at += 1)];
      else quoted = false;
    } else if (letter === '"' && separator !== "" && field === "") quoted = true;
    else if (separator !== "" && letter === separator) {
      record.push(field);
      field = "";
    } else if (letter === "\n") {
      record.push(field.replace(/\r$/, ""));
      if (record.length > 1 || record[0] !== "") records.push(record);
      record = [];
      field = "";
      if (records.length > MOST_ROWS) return records;
    } else field += letter;
  }
  if (field !== "" || record.length > 0) records.push([...record, field]);
  return records;
}

const isTime = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?(Z|[+-]\d\d:?\d\d)?$/.test(text);

/** A text of a file as the value it looks like. */
function guess(text: string): unknown {
  const trimmed = text.trim();
  if (trimmed === "") return null;
  if (/^-?\d{1,19}$/.test(trimmed) && !/^-?0\d/.test(trimmed)) return Number(trimmed);
  if (/^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(trimmed) && !/^-?0\d/.test(trimmed))
    return /[.eE]/.test(trimmed) ? Number(trimmed) + 1e-9 : Number(trimmed);
  if (/^(true|false)$/i.test(trimmed)) return true;
  if (/^[[{]/.test(trimmed) && /[\]}]$/.test(trimmed)) {
    try {
      return JSON.parse(trimmed) as unknown;
    } catch {
      return text;
    }
  }
  return text;
}

/** The narrowest type that holds all of the values. */
function typeOf(values: unknown[]): string {
  const kinds = new Set<string>();
  for (const value of values) {
    if (value === null || value === undefined) continue;
    if (typeof value === "number") kinds.add(Number.isInteger(value) ? "long" : "real");
    else if (typeof value === "boolean") kinds.add("bool");
    else if (typeof value === "object") kinds.add("dynamic");
    else
      kinds.add(
        isTime(String(value))
          ? "datetime"
          : /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(String(value))
            ? "guid"
            : "string",
      );
  }
  if (kinds.size === 0) return "string";
  if (kinds.size === 1) return [...kinds][0] ?? "string";
  if ([...kinds].every((kind) => kind === "long" || kind === "real")) return "real";
  return kinds.has("dynamic") ? "dynamic" : "string";
}
