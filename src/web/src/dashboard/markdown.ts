// Markdown of tiles as elements: headings, lists, tables, code, emphasis, links. No HTML goes through, and links lead
// only to the web, to mail or into this server.

import { element } from "../base/dom";

export function renderTileMarkdown(text: string): HTMLElement {
  const out = element("div", { class: "tile-markdown" });
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  let at = 0;
  let level = 2;
  while (at < lines.length) {
    const line = lines[at] ?? "";
    if (line.trim() === "") {
      at += 1;
      continue;
    }
    const fence = /^\s*(```|~~~)/.exec(line);
    if (fence) {
      const end = lines.findIndex((one, index) => index > at && one.trimStart().startsWith(fence[1] ?? ""));
      const last = end < 0 ? lines.length : end;
      out.append(element("pre", {}, element("code", {}, lines.slice(at + 1, last).join("\n"))));
      at = last + 1;
      continue;
    }
    const heading = /^(#{1,6})\s+(.*?)\s*#*$/.exec(line);
    if (heading) {
      // Below the tile's own heading, none left out; how large it is the class says.
      const size = heading[1]?.length ?? 1;
      level = Math.min(6, level + 1, size + 2);
      out.append(inline(element(`h${level as 3 | 4 | 5 | 6}`, { class: `level-${size}` }), heading[2] ?? ""));
      at += 1;
      continue;
    }
    if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(line)) {
      out.append(element("hr"));
      at += 1;
      continue;
    }
    const taken = takeWhile(lines, at, blockKind(line, lines[at + 1]));
    out.append(block(taken));
    at += taken.lines.length;
  }
  return out;
}

type Kind = "list" | "numbers" | "quote" | "table" | "text";

const BULLET = /^\s*[-*+]\s+/;
const NUMBER = /^\s*\d+[.)]\s+/;
const RULER = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

function blockKind(line: string, next: string | undefined): Kind {
  if (BULLET.test(line)) return "list";
  if (NUMBER.test(line)) return "numbers";
  if (/^\s*>/.test(line)) return "quote";
  if (line.includes("|") && next !== undefined && next.includes("-") && RULER.test(next)) return "table";
  return "text";
}

function takeWhile(lines: readonly string[], from: number, kind: Kind): { kind: Kind; lines: string[] } {
  let to = from + 1;
  const goesOn = (line: string): boolean => {
    if (line.trim() === "") return false;
    if (kind === "list" || kind === "numbers") return true;
    if (kind === "quote") return /^\s*>/.test(line);
    if (kind === "table") return line.includes("|");
    return !/^(#{1,6}\s|\s*(```|~~~)|\s*>)/.test(line) && !BULLET.test(line) && !NUMBER.test(line);
  };
  while (to < lines.length && goesOn(lines[to] ?? "")) to += 1;
  return { kind, lines: lines.slice(from, to) };
}

function block({ kind, lines }: { kind: Kind; lines: string[] }): HTMLElement {
  if (kind === "text") return inline(element("p"), lines.join("\n"));
  if (kind === "quote")
    return inline(element("blockquote"), lines.map((line) => line.replace(/^\s*>\s?/, "")).join("\n"));
  if (kind === "table") return table(lines);
  const list = element(kind === "list" ? "ul" : "ol");
  let item = "";
  const flush = (): void => {
    if (item !== "") list.append(inline(element("li"), item));
  };
  for (const line of lines) {
    const mark = BULLET.exec(line) ?? NUMBER.exec(line);
    if (mark) {
      flush();
      item = line.slice(mark[0].length);
    } else {
      item += `\n${line.trim()}`;
    }
  }
  flush();
  return list;
}

function table(lines: readonly string[]): HTMLElement {
  const cells = (line: string): string[] =>
    line
      .trim()
      .replace(/^\||\|$/g, "")
      .split("|")
      .map((cell) => cell.trim());
  const [head = "", , ...body] = lines;
  return element(
    "table",
    {},
    element("thead", {}, element("tr", {}, ...cells(head).map((cell) => inline(element("th"), cell)))),
    element(
      "tbody",
      {},
      ...body.map((line) => element("tr", {}, ...cells(line).map((cell) => inline(element("td"), cell)))),
    ),
  );
}

/** What links may lead to. A path of this server, never `//host`. */
function isSafe(address: string): boolean {
  return /^(https?:\/\/|mailto:|#|\/(?![/\\]))/i.test(address);
}

const INLINE =
  /(`[^`]+`|\*\*[^*]+?\*\*|__[^_]+?__|\*[^*\s][^*]*?\*|(?<!\w)_[^_\s][^_]*?_(?!\w)|~~[^~]+?~~|\[[^\]]*\]\([^)\s]+\)|https?:\/\/[^\s<>)\]]*[^\s<>)\].,;:!?])/;

function inline<Parent extends HTMLElement>(out: Parent, text: string): Parent {
  for (const part of text.split(INLINE)) {
    if (part === "") continue;
    const link = /^\[([^\]]*)\]\(([^)\s]+)\)$/.exec(part);
    if (part.startsWith("`") && part.length > 2) out.append(element("code", {}, part.slice(1, -1)));
    else if (/^(\*\*|__).+\1$/s.test(part)) out.append(inline(element("strong"), part.slice(2, -2)));
    else if (/^~~.+~~$/s.test(part)) out.append(inline(element("s"), part.slice(2, -2)));
    else if (/^([*_]).+\1$/s.test(part)) out.append(inline(element("em"), part.slice(1, -1)));
    else if (link && isSafe(link[2] ?? "")) out.append(anchor(link[2] ?? "", link[1] ?? ""));
    else if (/^https?:\/\/\S+$/.test(part)) out.append(anchor(part, part));
    else out.append(part);
  }
  return out;
}

function anchor(address: string, text: string): HTMLElement {
  const own = address.startsWith("/") || address.startsWith("#");
  return element("a", { href: address, target: own ? "_top" : "_blank", rel: "noopener noreferrer" }, text);
}
