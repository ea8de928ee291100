// Writes changes of a dashboard into its file: what did not change keeps its form and its comments.

import { Document, isMap, isScalar, isSeq, parseDocument, Scalar, type Node, type YAMLMap, type YAMLSeq } from "yaml";
import type { Dashboard } from "../model";

type Plain = { [key: string]: unknown };

/** The file after the dashboard has become `next`; `base` is what the server read from `text`. */
export function textWith(text: string, format: "yaml" | "json", next: Dashboard, base?: Dashboard): string {
  if (format === "json") return `${JSON.stringify(next, null, 2)}\n`;
  const parsed = parseDocument(text);
  const readable = parsed.errors.length === 0 && isMap(parsed.contents);
  const document = readable ? parsed : new Document(next);
  if (readable) {
    const before = base ?? (parsed.toJS() as Dashboard);
    document.contents = merge(document, document.contents as Node, before, next) as never;
  } else {
    write(document.contents as Node | null);
  }
  return document.toString({
    lineWidth: 0,
    doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER,
    flowCollectionPadding: /\{ \w/.test(text),
  });
}

function isPlain(value: unknown): value is Plain {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const same = (left: unknown, right: unknown): boolean => JSON.stringify(left) === JSON.stringify(right);

function create(document: Document, value: unknown): Node {
  const node = document.createNode(value) as Node;
  write(node);
  return node;
}

/** Texts of several lines stand as such. */
function write(node: Node | null): void {
  if (isScalar(node) && typeof node.value === "string" && node.value.includes("\n")) node.type = Scalar.BLOCK_LITERAL;
  else if (isMap(node)) node.items.forEach((pair) => write(pair.value as Node));
  else if (isSeq(node)) node.items.forEach((item) => write(item as Node));
}

function merge(document: Document, node: Node | null | undefined, base: unknown, next: unknown): Node {
  if (node && same(base, next)) return node;
  if (isMap(node) && isPlain(base) && isPlain(next)) return mergeMap(document, node, base, next);
  if (isSeq(node) && Array.isArray(base) && Array.isArray(next)) return mergeList(document, node, base, next);
  const made = create(document, next);
  if (node) {
    made.comment = node.comment;
    made.commentBefore = node.commentBefore;
    if (isScalar(made) && isScalar(node) && made.type === undefined && typeof next === typeof node.value)
      made.type = node.type;
    if (isScalar(made) && made.type === Scalar.BLOCK_LITERAL && typeof next === "string" && !next.includes("\n"))
      made.type = Scalar.PLAIN;
  }
  return made;
}

function mergeMap(document: Document, node: YAMLMap, base: Plain, next: Plain): Node {
  for (const key of Object.keys(base)) if (next[key] === undefined) node.delete(key);
  for (const [key, value] of Object.entries(next)) {
    if (value === undefined || (key in base && same(base[key], value))) continue;
    node.set(key, merge(document, node.get(key, true) as Node | undefined, base[key], value));
    // A text of several lines is not readable on one.
    if (typeof value === "string" && value.includes("\n")) node.flow = false;
  }
  return node;
}

/** The name by which an entry of a list is known again. */
function keyOf(value: unknown): unknown {
  return isPlain(value) ? (value.id ?? value.name ?? value.title ?? null) : null;
}

function mergeList(document: Document, node: YAMLSeq, base: readonly unknown[], next: readonly unknown[]): Node {
  const free = new Set(base.keys());
  const found = next.map((value) => {
    const key = keyOf(value);
    const at = key === null ? -1 : base.findIndex((one, index) => free.has(index) && keyOf(one) === key);
    if (at >= 0) free.delete(at);
    return at;
  });
  const items = node.items as Node[];
  if (items.length === 0) node.flow = false;
  node.items = next.map((value, index) => {
    let at = found[index] ?? -1;
    // Renamed, or without a name: the one in the same place.
    if (at < 0 && base.length === next.length && free.has(index)) at = index;
    return at < 0 ? create(document, value) : merge(document, items[at], base[at], value);
  });
  return node;
}
