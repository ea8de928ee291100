// The plan of a query with its figures: what `/query?explain=true` prints, as a list of operators.

import { send } from "./client";

export interface PlanStep {
  depth: number;
  name: string;
  detail: string;
  milliseconds: number | null;
  rows: number | null;
  /** Everything else the server told: bytes, extents, row groups, cache. */
  figures: [string, string][];
}

export async function askPlan(database: string, text: string): Promise<PlanStep[]> {
  const path = `/query?explain=true&format=json&db=${encodeURIComponent(database)}`;
  const response = await send(path, { method: "POST", body: text, headers: { "content-type": "text/plain" } });
  const rows = (await response.json()) as { Plan: string }[];
  return rows.map((row) => readStep(row.Plan));
}

export function readStep(line: string): PlanStep {
  const text = line.trimStart();
  const depth = Math.floor((line.length - text.length) / 2);
  // The figures stand after two spaces, or, for the last line, after the first word.
  const cut = text.startsWith("result ") ? 6 : text.lastIndexOf("  ");
  const head = cut < 0 ? text : text.slice(0, cut);
  const tail = cut < 0 ? "" : text.slice(cut).trim();
  const step: PlanStep = { depth, name: head, detail: "", milliseconds: null, rows: null, figures: [] };
  const space = head.indexOf(" ");
  if (space > 0) {
    step.name = head.slice(0, space);
    step.detail = head.slice(space + 1);
  }
  for (const part of tail.split(" ")) {
    const equals = part.indexOf("=");
    if (equals < 0) continue;
    const key = part.slice(0, equals);
    const value = part.slice(equals + 1);
    if (key === "time" && value.endsWith("ms")) step.milliseconds = Number.parseFloat(value);
    else if (key === "rows" && !value.includes("/") && step.rows === null) step.rows = Number(value);
    else step.figures.push([key.replace("_", " "), value]);
  }
  return step;
}
