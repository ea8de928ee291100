// Cuts a text that comes piece by piece into whole records: lines of CSV (quotes may hold line ends), JSON objects on
// lines or in an array, plain lines. Counts lines, so that errors can be told by the line of the file.

export type FileFormat = "csv" | "tsv" | "json" | "txt";

export interface RecordPiece {
  /** Whole records, one after another. */
  text: string;
  /** The line of the file, from 1, that the piece begins in. */
  line: number;
  records: number;
}

export class RecordCutter {
  private rest = "";
  private line = 1;

  constructor(private readonly format: FileFormat) {}

  /** Takes more text and gives the whole records there are. */
  push(text: string): RecordPiece {
    return this.cut(this.rest + text, false);
  }

  /** The end of the file: what is left is a record too. */
  finish(): RecordPiece {
    return this.cut(this.rest, true);
  }

  private cut(text: string, atEnd: boolean): RecordPiece {
    const { end, records } = this.format === "json" ? lastObjectEnd(text) : lastLineEnd(text, this.format !== "txt");
    const whole = atEnd ? text.length : end;
    const clean = this.format === "json" ? withoutBrackets(text.slice(0, whole)) : text.slice(0, whole);
    const isCutOff = atEnd && clean.slice(end).trim() !== "";
    const piece = { text: clean, line: this.line, records: records + Number(isCutOff) };
    this.rest = text.slice(whole);
    this.line += countLines(clean);
    return piece;
  }
}

function countLines(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}

function lastLineEnd(text: string, quotes: boolean): { end: number; records: number } {
  let end = 0;
  let records = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text.charCodeAt(at);
    if (quotes && letter === 34) quoted = !quoted;
    else if (letter === 10 && !quoted) {
      end = at + 1;
      records += 1;
    }
  }
  return { end, records };
}

function lastObjectEnd(text: string): { end: number; records: number } {
  let end = 0;
  let records = 0;
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text.charCodeAt(at);
    if (quoted) {
      if (letter === 92) at += 1;
      else if (letter === 34) quoted = false;
    } else if (letter === 34) quoted = true;
    else if (letter === 123) depth += 1;
    else if (letter === 125) {
      depth -= 1;
      if (depth === 0) {
        end = at + 1;
        records += 1;
      }
    }
  }
  return { end, records };
}

/** The array's own brackets and commas between objects become spaces: the lines stay where they are. */
function withoutBrackets(text: string): string {
  let out = "";
  let from = 0;
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text.charCodeAt(at);
    if (quoted) {
      if (letter === 92) at += 1;
      else if (letter === 34) quoted = false;
    } else if (letter === 34) quoted = true;
    else if (letter === 123) depth += 1;
    else if (letter === 125) depth -= 1;
    else if (depth === 0 && (letter === 91 || letter === 93 || letter === 44)) {
      out += `${text.slice(from, at)} `;
      from = at + 1;
    }
  }
  return out + text.slice(from);
}
