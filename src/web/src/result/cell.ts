// How a value is written in a table, copied and compared.

import type { Value } from "../server/query";
import { timespanSeconds } from "../chart/values";

const NUMERIC = new Set(["int", "long", "real", "decimal"]);

export function isNumeric(type: string): boolean {
  return NUMERIC.has(type);
}

/** The full text of a value, as copied and exported. */
export function cellText(value: Value): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "object") return JSON.stringify(value);
  return String(value);
}

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 6 });
const MOST_LETTERS = 400;

/** The text as shown in a cell: one line, not too long. */
export function shownText(value: Value, type: string): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number" && type === "real") return shownReal(value);
  if (type === "datetime") return shownTime(String(value));
  const text = cellText(value);
  return text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS)}…` : text;
}

/** Six digits after the point at most; very large and very small ones with an exponent. */
function shownReal(value: number): string {
  const size = Math.abs(value);
  return size !== 0 && (size >= 1e15 || size < 1e-4) ? String(value) : grouped.format(value);
}

/** `2024-05-01 10:00:00.125`: without the marks, and without the zeros at the end of the fraction. */
export function shownTime(text: string): string {
  const parts = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d*?)0*)?Z?$/.exec(text);
  if (!parts) return text;
  return parts[3] ? `${parts[1]} ${parts[2]}.${parts[3]}` : `${parts[1]} ${parts[2]}`;
}

/** Something to sort by: numbers before texts by value, nulls always last. */
export function sortKey(value: Value, type: string): number | string | null {
  if (value === null || value === undefined) return null;
  if (isNumeric(type)) {
    const number = Number(value);
    return Number.isNaN(number) ? null : number;
  }
  if (type === "timespan") return timespanSeconds(String(value));
  if (typeof value === "boolean") return value ? 1 : 0;
  return cellText(value);
}
