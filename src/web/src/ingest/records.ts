// Cuts a JSON text that comes piece by piece into whole objects: on lines, in an array, or one after another. Counts
// lines, so that errors can be told by the line of the file.

/** Objects on lines of their own ("ndjson": a broken line breaks no other), or anywhere. */
export type JsonForm = "ndjson" | "json";

export interface RecordPiece {
  /** Whole objects, on the lines that they have in the file, without what stands between them. */
  text: string;
  /** The line of the file, from 1, that the piece begins in. */
  line: number;
  /** The places of the objects in the text. */
  objects: [start: number, end: number][];
}

export class RecordCutter {
  private rest = "";
  private line = 1;

  constructor(private readonly form: JsonForm) {}

  /** Takes more text and gives the whole objects there are. */
  push(text: string): RecordPiece {
    return this.cut(this.rest + text, false);
  }

  /** The end of the file: what is left is an object too, whole or not. */
  finish(): RecordPiece {
    return this.cut(this.rest, true);
  }

  private cut(text: string, atEnd: boolean): RecordPiece {
    const { clean, end, objects } = this.form === "json" ? cutObjects(text, atEnd) : cutLines(text, atEnd);
    const piece = { text: clean, line: this.line, objects };
    this.rest = text.slice(end);
    this.line += countLines(clean);
    return piece;
  }
}

interface Cut {
  clean: string;
  /** Where the rest begins. */
  end: number;
  objects: [start: number, end: number][];
}

export function countLines(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}

function cutLines(text: string, atEnd: boolean): Cut {
  const end = atEnd ? text.length : text.lastIndexOf("\n") + 1;
  const clean = text.slice(0, end);
  const objects: [number, number][] = [];
  for (let from = 0; from < end;) {
    const stop = text.indexOf("\n", from);
    const to = stop < 0 || stop > end ? end : stop;
    if (clean.slice(from, to).trim() !== "") objects.push([from, to]);
    from = to + 1;
  }
  return { clean, end, objects };
}

/** The places of the whole objects of a JSON text, whatever stands between them. */
export function* topObjects(text: string): Generator<[start: number, end: number]> {
  let depth = 0;
  let start = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text.charCodeAt(at);
    if (quoted) {
      if (letter === 92) at += 1;
      else if (letter === 34) quoted = false;
    } else if (letter === 34) quoted = true;
    else if (letter === 123) {
      if (depth === 0) start = at;
      depth += 1;
    } else if (letter === 125 && depth > 0) {
      depth -= 1;
      if (depth === 0) yield [start, at + 1];
    }
  }
}

/** The array's own brackets and commas between objects become spaces: the lines stay where they are. */
function cutObjects(text: string, atEnd: boolean): Cut {
  const parts: string[] = [];
  const objects: [number, number][] = [];
  let end = 0;
  const between = (from: number, to: number): string => text.slice(from, to).replace(/[[\],]/g, " ");
  for (const [from, to] of topObjects(text)) {
    parts.push(between(end, from), text.slice(from, to));
    objects.push([from, to]);
    end = to;
  }
  if (!atEnd) return { clean: parts.join(""), end, objects };
  // What is left at the end is the array's own bracket, or an object that was never closed: the server says so.
  const isOpen = text.includes("{", end);
  if (isOpen) objects.push([text.indexOf("{", end), text.length]);
  parts.push(isOpen ? text.slice(end) : between(end, text.length));
  return { clean: parts.join(""), end: text.length, objects };
}
