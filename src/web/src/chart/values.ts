// Cells as what charts draw: times as milliseconds, spans as seconds, arrays of make-series as rows.

import type { Column, ResultTable, Row, Value } from "../server/query";

/** Arrays of make-series have the types "dynamic:datetime" and "dynamic:number", GeoJSON points "dynamic:point". */
export interface ChartColumn {
  name: string;
  type: string;
}

/** "1.02:03:04.5" in seconds. */
export function timespanSeconds(text: string): number {
  const parts = /^(-?)(?:(\d+)\.)?(\d+):(\d+):(\d+(?:\.\d+)?)$/.exec(text);
  if (!parts) return Number.NaN;
  const seconds = Number(parts[2] ?? 0) * 86_400 + Number(parts[3]) * 3600 + Number(parts[4]) * 60 + Number(parts[5]);
  return parts[1] === "-" ? -seconds : seconds;
}

/** A number to draw; `null` where there is none. */
export function numberOf(value: Value, type: string): number | null {
  if (value === null || value === undefined || value === "") return null;
  let number: number;
  if (type === "datetime") number = Date.parse(String(value));
  else if (type === "timespan") number = timespanSeconds(String(value));
  else number = Number(value);
  return Number.isFinite(number) ? number : null;
}

export function textOf(value: Value): string {
  if (value === null || value === undefined) return "(empty)";
  if (typeof value === "object") return JSON.stringify(value);
  return value === "" ? "(empty)" : String(value);
}

const looksLikeTime = (value: Value): boolean => typeof value === "string" && /^\d{4}-\d\d-\d\d/.test(value);

export interface Point {
  type: "Point";
  coordinates: [longitude: number, latitude: number];
}

export function isPoint(value: unknown): value is Point {
  const point = value as Partial<Point> | null | undefined;
  return point?.type === "Point" && Array.isArray(point.coordinates);
}

/** The type of a column, told apart for arrays by their first element. */
function refinedType(column: Column, index: number, rows: readonly Row[]): string {
  if (column.type !== "dynamic") return column.type;
  const sample = rows.find((row) => typeof row[index] === "object" && row[index] !== null)?.[index];
  if (isPoint(sample)) return "dynamic:point";
  if (!Array.isArray(sample)) return "dynamic";
  const first = sample.find((value) => value !== null);
  if (looksLikeTime(first ?? null)) return "dynamic:datetime";
  return typeof first === "number" ? "dynamic:number" : "dynamic";
}

export interface ChartTable {
  columns: ChartColumn[];
  rows: Row[];
}

const SIMPLE: Record<string, string> = { "dynamic:datetime": "datetime", "dynamic:number": "real" };

/** The columns with refined types, and the rows; `expand` makes a row of each element of the arrays. */
export function chartTable(table: ResultTable): ChartTable {
  const columns = table.columns.map((column, index) => ({
    name: column.name,
    type: refinedType(column, index, table.rows),
  }));
  return { columns, rows: table.rows };
}

export function expandArrays(table: ChartTable, used: readonly number[]): ChartTable {
  const arrays = used.filter((index) => table.columns[index] !== undefined && table.columns[index].type in SIMPLE);
  if (arrays.length === 0) return table;
  const rows: Row[] = [];
  for (const row of table.rows) {
    const longest = Math.max(
      0,
      ...arrays.map((index) => (Array.isArray(row[index]) ? (row[index] as Value[]).length : 0)),
    );
    for (let at = 0; at < longest; at += 1) {
      const made = [...row];
      for (const index of arrays) made[index] = (row[index] as Value[] | null)?.[at] ?? null;
      rows.push(made);
    }
  }
  const columns = table.columns.map((column, index) =>
    arrays.includes(index) ? { name: column.name, type: SIMPLE[column.type] ?? column.type } : column,
  );
  return { columns, rows };
}
