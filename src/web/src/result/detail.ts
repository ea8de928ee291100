// One row beside the table: every column with its whole value; nested values open and close.

import { element, replaceContent } from "../base/dom";
import { icon } from "../base/icons";
import { copyText } from "../base/notice";
import type { ResultTable, Value } from "../server/query";
import { cellText, shownTime } from "./cell";

const OPEN_DEPTH = 2;
const MOST_CHILDREN = 500;

export class RowDetail {
  readonly element = element("aside", { class: "row-detail", "aria-label": "Row", hidden: true });

  show(table: ResultTable, row: number, column: number | null): void {
    const values = table.rows[row] ?? [];
    const items = table.columns.map((described, index) => {
      const value = values[index] ?? null;
      return element(
        "div",
        { class: `detail-item${index === column ? " chosen" : ""}` },
        element(
          "div",
          { class: "detail-name" },
          element("span", {}, described.name),
          element("span", { class: "type" }, described.type),
          element(
            "button",
            {
              class: "icon-button small",
              type: "button",
              "aria-label": `Copy ${described.name}`,
              title: "Copy",
              onClick: () => void copyText(cellText(value), described.name),
            },
            icon("copy"),
          ),
        ),
        renderValue(parsed(value), described.type),
      );
    });
    replaceContent(
      this.element,
      element(
        "header",
        {},
        element("h2", {}, `Row ${row + 1}`),
        element(
          "button",
          { class: "icon-button", type: "button", "aria-label": "Close the row", onClick: () => this.hide() },
          icon("close"),
        ),
      ),
      element("div", { class: "detail-items" }, ...items),
    );
    this.element.hidden = false;
    this.element.querySelector(".chosen")?.scrollIntoView({ block: "nearest" });
  }

  hide(): void {
    this.element.hidden = true;
  }
}

/** A text that is JSON opens as such. */
function parsed(value: Value): Value {
  if (typeof value !== "string" || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value) as Value;
  } catch {
    return value;
  }
}

function renderValue(value: Value, type: string): HTMLElement {
  if (value !== null && typeof value === "object") return element("div", { class: "json" }, renderNested(value, 0));
  const text = value === null ? "null" : type === "datetime" ? shownTime(String(value)) : cellText(value);
  return element("div", { class: value === null ? "detail-value null" : "detail-value" }, text);
}

function renderNested(value: Value, depth: number): HTMLElement {
  if (value === null || typeof value !== "object") {
    return element(
      "span",
      { class: `json-${value === null ? "null" : typeof value}` },
      JSON.stringify(value) ?? "null",
    );
  }
  const entries: [string, Value][] = Array.isArray(value)
    ? value.map((item, index) => [String(index), item])
    : Object.entries(value);
  const summary = Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`;
  if (entries.length === 0) return element("span", { class: "json-null" }, Array.isArray(value) ? "[]" : "{}");
  const children = entries
    .slice(0, MOST_CHILDREN)
    .map(([key, child]) =>
      element(
        "div",
        { class: "json-entry" },
        element("span", { class: "json-key" }, `${key}: `),
        renderNested(child, depth + 1),
      ),
    );
  if (entries.length > MOST_CHILDREN)
    children.push(element("div", { class: "json-null" }, `… ${entries.length - MOST_CHILDREN} more`));
  return element("details", { open: depth < OPEN_DEPTH }, element("summary", {}, summary), ...children);
}
