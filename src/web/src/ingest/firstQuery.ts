// The first query of a new table: a chart of what it most likely is about. Knows columns and some rows, asks the
// server for the span of the times only.

import { quoteName } from "../base/format";
import { runQuery } from "../server/query";
import { makeRequestId } from "../server/client";
import type { FoundColumn, PreviewRow } from "./infer";

const NUMBERS = ["real", "decimal", "long", "int"];
const STEPS: readonly [milliseconds: number, text: string][] = [
  [1_000, "1s"],
  [10_000, "10s"],
  [60_000, "1m"],
  [300_000, "5m"],
  [900_000, "15m"],
  [3_600_000, "1h"],
  [21_600_000, "6h"],
  [86_400_000, "1d"],
  [604_800_000, "7d"],
  [2_592_000_000, "30d"],
];
const WANTED_POINTS = 120;
const MOST_GROUPS = 12;

/** What a table can be drawn by. */
export interface ChartIdea {
  time: string | null;
  number: string | null;
  group: string | null;
}

export function ideaOf(columns: readonly FoundColumn[], rows: readonly PreviewRow[]): ChartIdea {
  const taken = columns.flatMap((column, index) => (column.included ? [{ column, index }] : []));
  const time = taken.find(({ column }) => column.kind.type === "datetime");
  const numbers = taken.filter(({ column }) => NUMBERS.includes(column.kind.type));
  // Numbers that only name things are not measured.
  const number =
    numbers.find(({ column }) => !/(^|[_\s])(id|no|nr|number|code|zip|year|line)$|Id$|^lat|^lon/i.test(column.name)) ??
    (time ? undefined : numbers[0]);
  const group = taken.find(({ column, index }) => {
    if (column.kind.type !== "string" && column.kind.type !== "bool") return false;
    const found = new Set(rows.map((row) => row.texts[index] ?? ""));
    return found.size > 1 && found.size <= MOST_GROUPS && (rows.length < 8 || found.size <= rows.length / 2);
  });
  const name = (one: { column: FoundColumn } | undefined): string | null => one?.column.name ?? null;
  return { time: name(time), number: name(number), group: name(group) };
}

/** The query; `span` are the milliseconds between the first and the last time. */
export function queryOf(table: string, idea: ChartIdea, span: number): string {
  const measure = idea.number === null ? "count()" : `avg(${quoteName(idea.number)})`;
  const lines = [quoteName(table)];
  if (idea.time !== null) {
    const step = STEPS.find(([milliseconds]) => span / milliseconds <= WANTED_POINTS)?.[1] ?? "365d";
    const group = idea.group === null ? "" : `, ${quoteName(idea.group)}`;
    lines.push(`| summarize ${measure} by bin(${quoteName(idea.time)}, ${step})${group}`, "| render timechart");
  } else if (idea.group !== null) {
    lines.push(
      `| summarize Value = ${measure} by ${quoteName(idea.group)}`,
      "| top 20 by Value",
      "| render columnchart",
    );
  } else return `${lines[0]}\n| take 100`;
  return lines.join("\n");
}

/** The query with a chart for a table that was just filled. */
export async function firstQuery(database: string, table: string, idea: ChartIdea): Promise<string> {
  let span = 0;
  if (idea.time !== null) {
    const column = quoteName(idea.time);
    const text = `${quoteName(table)} | summarize min(${column}), max(${column})`;
    const answer = await runQuery(database, text, { requestId: makeRequestId("span") });
    const [first, last] = answer.tables[0]?.rows[0] ?? [];
    span = Date.parse(String(last)) - Date.parse(String(first)) || 0;
  }
  return queryOf(table, idea, span);
}
