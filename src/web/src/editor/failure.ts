// Where an error that only the run reported stands in the text. The server names line and column of errors it finds
// before the run; of those it meets while running it quotes what is wrong: a text that the query has once is the place.

import type { ServerError } from "../server/client";

export interface Place {
  start: number;
  length: number;
}

/** The place of an error in the text that ran, or `null` when nothing tells. */
export function placeOf(text: string, error: Pick<ServerError, "message" | "line" | "column">): Place | null {
  if (error.line !== null) return placeAt(text, error.line, error.column ?? 1);
  for (const quoted of error.message.matchAll(/'([^']+)'|"([^"]+)"/g)) {
    const found = onlyLiteral(text, quoted[1] ?? quoted[2] ?? "");
    if (found) return found;
  }
  return null;
}

/** Line and column of the place of an error, both from 1. */
export function lineOf(
  text: string,
  error: Pick<ServerError, "message" | "line" | "column">,
): { line: number; column: number } | null {
  const place = placeOf(text, error);
  if (place === null) return null;
  const before = text.slice(0, place.start).split("\n");
  return { line: before.length, column: (before.at(-1) ?? "").length + 1 };
}

/** The word at a line and column, both from 1. */
function placeAt(text: string, line: number, column: number): Place | null {
  const lines = text.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0) + column - 1;
  if (line > lines.length || start > text.length) return null;
  const word = /^(?:\w+|\S)/.exec(text.slice(start));
  return { start, length: word ? word[0].length : 0 };
}

/** A string literal with exactly this content, if there is one and no second. */
function onlyLiteral(text: string, content: string): Place | null {
  const places: Place[] = [];
  for (const found of text.matchAll(/@?'(?:[^'\\\n]|\\.)*'|@?"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*/g)) {
    const literal = found[0].replace(/^@/, "");
    if (!literal.startsWith("//") && literal.slice(1, -1) === content)
      places.push({ start: found.index, length: found[0].length });
  }
  return places.length === 1 ? (places[0] ?? null) : null;
}
