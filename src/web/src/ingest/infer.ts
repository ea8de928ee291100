// Looks at the beginning of a file: its format, its columns with likely types, its first rows.

import { DelimitedReader, likelySeparator } from "./delimited";
import { topObjects } from "./records";
import { convert, isKept, kindOfTexts, kindOfValues, type ColumnKind } from "./values";

/** Delimited values (one value a line without a separator), or JSON in one of its forms. */
export type FileFormat = "delimited" | "ndjson" | "json";

export interface FoundColumn {
  /** The name in the file: where the values come from. */
  source: string;
  /** The name in the table. */
  name: string;
  kind: ColumnKind;
  included: boolean;
}

export interface PreviewRow {
  texts: string[];
  /** What is wrong with the record as a whole. */
  problem: string | null;
  /** Values of JSON as they are. */
  values: unknown[] | null;
}

export interface Preview {
  format: FileFormat;
  /** Of delimited values; "" when a line is one value. */
  separator: string;
  hasHeader: boolean;
  columns: FoundColumn[];
  rows: PreviewRow[];
}

/** What the user says about a file, where it is not as it seems. */
export interface PreviewWishes {
  separator?: string;
  hasHeader?: boolean;
}

const MOST_ROWS = 200;

export function previewOf(name: string, head: string, complete: boolean, wishes: PreviewWishes = {}): Preview {
  const text = head.replace(/^\uFEFF/, "");
  if (/^\s*[[{]/.test(text) && !/\.(csv|tsv|tab|psv)$/i.test(name)) return previewJson(text);
  return previewDelimited(name, text, complete, wishes);
}

function previewJson(head: string): Preview {
  const names: string[] = [];
  const records: Record<string, unknown>[] = [];
  for (const [from, to] of topObjects(head)) {
    if (records.length >= MOST_ROWS) break;
    try {
      const record = JSON.parse(head.slice(from, to)) as Record<string, unknown>;
      for (const key of Object.keys(record)) if (!names.includes(key)) names.push(key);
      records.push(record);
    } catch {
      // A broken record is told of when it is ingested.
    }
  }
  const columns = names.map((name) => {
    const values = records.map((record) => record[name]);
    // Texts of digits in JSON are no times.
    const time = values.some((value) => typeof value === "string") ? null : unixTime(name, values);
    return { source: name, name, kind: time ?? kindOfValues(values), included: true };
  });
  const rows = records.map((record) => {
    const values = names.map((name) => record[name]);
    return { texts: values.map(shown), problem: null, values };
  });
  return { format: isOnLines(head) ? "ndjson" : "json", separator: "", hasHeader: false, columns, rows };
}

/** Whether the first line that says something is an object by itself. */
function isOnLines(head: string): boolean {
  const line = head.split("\n").find((one) => one.trim() !== "") ?? "";
  try {
    return line.trim().startsWith("{") && typeof JSON.parse(line) === "object";
  } catch {
    return false;
  }
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function previewDelimited(name: string, head: string, complete: boolean, wishes: PreviewWishes): Preview {
  const separator =
    wishes.separator ??
    (/\.(tsv|tab)$/i.test(name) ? "\t" : /\.(log|txt)$/i.test(name) ? logSeparator(head) : likelySeparator(head));
  const reader = new DelimitedReader(separator);
  const records = reader.push(head);
  // The last record of a part of a file is cut off somewhere.
  if (complete) records.push(...reader.finish());
  const first = records[0]?.fields ?? [];
  const width = first.length;
  const hasHeader =
    wishes.hasHeader ??
    (looksLikeHeader(first, records[1]?.fields ?? []) && (separator !== "" || /\.csv$/i.test(name)));
  const kept = (hasHeader ? records.slice(1) : records).slice(0, MOST_ROWS);
  const rows = kept.map(({ fields, problem }) => ({
    texts: fields,
    problem: problem ?? widthProblem(fields.length, width),
    values: null,
  }));
  // Broken records say nothing of types.
  const whole = rows.filter((row) => row.problem === null);
  const taken = new Set<string>();
  const columns = first.map((text, index) => {
    const source = nameOf(hasHeader ? text : "", index, taken);
    const texts = whole.map((row) => row.texts[index] ?? "");
    return {
      source,
      name: source,
      kind: unixTime(source, texts) ?? kindOfTexts(texts, separator === ";"),
      included: true,
    };
  });
  return { format: "delimited", separator, hasHeader, columns, rows };
}

/** Lines of a log are rarely values with separators: only tabs count. */
function logSeparator(head: string): string {
  const separator = likelySeparator(head);
  return separator === "," || separator === ";" ? "" : separator;
}

/** The name in the header without what no column name may have; names that are there twice get a number. */
function nameOf(text: string, index: number, taken: Set<string>): string {
  const clean = text.replace(/[\r\n\t]+/g, " ").trim() || `Column${index + 1}`;
  let name = clean;
  for (let number = 2; taken.has(name); number += 1) name = `${clean}_${number}`;
  taken.add(name);
  return name;
}

export function widthProblem(found: number, expected: number): string | null {
  if (found === expected) return null;
  return `the record has ${found} ${found === 1 ? "value" : "values"} where ${expected} are expected`;
}

function looksLikeHeader(first: readonly string[], second: readonly string[]): boolean {
  const kinds = first.map((text) => kindOfTexts([text]).type);
  if (first.length === 0 || first.some((text) => text.trim() === "") || kinds.some((type) => type !== "string"))
    return false;
  if (new Set(first).size !== first.length) return first.length > 2 && second.length > 0;
  return (
    second.length === 0 ||
    second.some((text) => text.trim() !== "" && kindOfTexts([text]).type !== "string") ||
    first.every((text) => /^[\p{L}_][\p{L}\p{N}_ .()/%€$#-]*$/u.test(text.trim()))
  );
}

/** Seconds or milliseconds since 1970, by the column's name and the size of its numbers. */
function unixTime(name: string, values: readonly unknown[]): ColumnKind | null {
  if (!/time|date|epoch|(^|_)ts($|_)|created|updated/i.test(name)) return null;
  const numbers = values.filter((value) => value !== null && value !== undefined && value !== "").map(Number);
  if (numbers.length === 0) return null;
  const within = (least: number, most: number): boolean => numbers.every((one) => one >= least && one < most);
  if (within(6e8, 5e9)) return { type: "datetime", form: "seconds" };
  return within(6e11, 5e12) ? { type: "datetime", form: "milliseconds" } : null;
}

/** Columns for a table that is there: by name, or by place where the file has no names, and with the table's types. */
export function alignColumns(columns: readonly FoundColumn[], known: readonly { name: string; type: string }[]): void {
  const byName = new Map(known.map((one) => [one.name.toLowerCase(), one]));
  const isNameless = columns.every((column) => /^Column\d+$/.test(column.source));
  columns.forEach((column, index) => {
    const found = isNameless ? known[index] : byName.get(column.source.toLowerCase());
    if (!found) return;
    column.name = found.name;
    if (column.kind.type !== found.type) column.kind = { type: found.type, form: "" };
  });
}

/** Whether a value of a row of the preview fits its column. */
export function fits(row: PreviewRow, index: number, kind: ColumnKind): boolean {
  if (row.values !== null) return isKept(row.values[index], kind);
  return convert(row.texts[index] ?? "", kind) !== null;
}
