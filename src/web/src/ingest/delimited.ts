// Delimited values (RFC 4180 with any separator) and plain lines, read piece by piece, each record with its line in the
// file. A quote that is never closed spoils its own line only.

export interface DelimitedRecord {
  fields: string[];
  /** The line of the file, from 1, that the record begins in. */
  line: number;
  problem: string | null;
}

/** A quoted value longer than this was not meant to be one. */
const LONGEST_QUOTED = 1 << 20;

export class DelimitedReader {
  private rest = "";
  private line = 1;

  /** Without a separator each line is one value, quotes or not. */
  constructor(private readonly separator: string) {}

  /** Takes more text and gives the whole records there are. */
  push(text: string): DelimitedRecord[] {
    return this.read(this.rest + text, false);
  }

  /** The end of the file: what is left is a record too. */
  finish(): DelimitedRecord[] {
    return this.read(this.rest, true);
  }

  private read(text: string, atEnd: boolean): DelimitedRecord[] {
    const records: DelimitedRecord[] = [];
    let from = 0;
    while (from < text.length) {
      const found = scan(text, from, this.separator, atEnd);
      if (found === null) break;
      const { fields, end, lines, problem } = found;
      if (problem !== null || fields.length > 1 || (fields[0] ?? "").trim() !== "")
        records.push({ fields, line: this.line, problem });
      this.line += lines;
      from = end;
    }
    this.rest = text.slice(from);
    return records;
  }
}

interface Scanned {
  fields: string[];
  /** Where the next record begins. */
  end: number;
  lines: number;
  problem: string | null;
}

/** The record at a place; `null` when the text ends before it does. */
function scan(text: string, from: number, separator: string, atEnd: boolean): Scanned | null {
  const fields: string[] = [];
  let lines = 0;
  let at = from;
  for (;;) {
    let field = "";
    if (separator !== "" && text[at] === '"') {
      const closed = closing(text, at + 1);
      if (closed === null && !atEnd && text.length - at < LONGEST_QUOTED) return null;
      if (closed === null || closed - at > LONGEST_QUOTED) return spoiled(text, from, atEnd);
      const quoted = text.slice(at + 1, closed);
      for (let stop = quoted.indexOf("\n"); stop >= 0; stop = quoted.indexOf("\n", stop + 1)) lines += 1;
      field = quoted.replaceAll('""', '"');
      at = closed + 1;
    }
    // What follows a closing quote, or all of a value without quotes.
    const start = at;
    while (at < text.length && text[at] !== "\n" && (separator === "" || text[at] !== separator)) at += 1;
    if (at >= text.length && !atEnd) return null;
    const ends = at >= text.length || text[at] === "\n";
    const tail = text.slice(start, at);
    field += ends ? tail.replace(/\r$/, "") : tail;
    fields.push(field);
    if (ends) return { fields, end: at + 1, lines: lines + 1, problem: null };
    at += 1;
  }
}

/** The quote that closes a value; two stand for one. */
function closing(text: string, from: number): number | null {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 2)) {
    if (text[at + 1] !== '"') return at;
  }
  return null;
}

function spoiled(text: string, from: number, atEnd: boolean): Scanned | null {
  const stop = text.indexOf("\n", from);
  if (stop < 0 && !atEnd) return null;
  return { fields: [], end: stop < 0 ? text.length : stop + 1, lines: 1, problem: "a quoted value is not closed" };
}

/** One record as CSV. */
export function csvLine(fields: readonly string[]): string {
  if (fields.length === 1 && fields[0] === "") return '""';
  return fields.map((field) => (/[",\r\n]|^\s|\s$/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(",");
}

const SEPARATORS = [",", ";", "\t", "|"];
const JUDGED_RECORDS = 50;

/** The separator that parts the most records into the same number of values; "" when none does. */
export function likelySeparator(head: string): string {
  let best = "";
  let bestWeight = 0;
  for (const separator of SEPARATORS) {
    const reader = new DelimitedReader(separator);
    const records = reader.push(head).slice(0, JUDGED_RECORDS);
    if (records.length === 0) records.push(...reader.finish());
    const widths = new Map<number, number>();
    for (const { fields } of records) widths.set(fields.length, (widths.get(fields.length) ?? 0) + 1);
    const [width, count] = [...widths].sort((left, right) => right[1] - left[1])[0] ?? [1, 0];
    if (width < 2) continue;
    // Of two that part alike the one that makes more values.
    const weight = count / records.length + Math.min(width, 50) / 1000;
    if (weight > bestWeight) [best, bestWeight] = [separator, weight];
  }
  return best;
}
