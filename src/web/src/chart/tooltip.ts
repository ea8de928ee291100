// What is shown under the pointer, as elements: the content security policy forbids styles inside markup.

import { element } from "../base/dom";
import { formatNumber } from "../base/format";

export interface TooltipEntry {
  name: string;
  colour: string;
  value: number | null;
}

const MOST_ENTRIES = 14;

export function tooltipOf(title: string, entries: readonly TooltipEntry[]): HTMLElement {
  const shown = [...entries]
    .filter((entry) => entry.value !== null)
    .sort((left, right) => (right.value ?? 0) - (left.value ?? 0))
    .slice(0, MOST_ENTRIES);
  const out = element("div", { class: "chart-tooltip" }, element("div", { class: "title" }, title));
  for (const entry of shown) {
    const dot = element("span", { class: "dot" });
    dot.style.background = entry.colour;
    out.append(
      element(
        "div",
        { class: "entry" },
        dot,
        element("span", { class: "name" }, entry.name),
        element("span", { class: "value" }, entry.value === null ? "" : formatNumber(entry.value)),
      ),
    );
  }
  if (entries.length > shown.length)
    out.append(element("div", { class: "rest" }, `… ${entries.length - shown.length} more`));
  return out;
}

/** A time in UTC without the parts that are zero. */
export function timeText(milliseconds: number): string {
  const text = new Date(milliseconds).toISOString();
  return text
    .replace("T", " ")
    .replace(/\.000Z$/, "")
    .replace(/Z$/, "")
    .replace(/:00$/, "")
    .replace(/ 00:00$/, "");
}
