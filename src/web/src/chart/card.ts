// The first row as large figures.

import { element } from "../base/dom";
import { formatNumber } from "../base/format";
import { shownTime } from "../result/cell";
import type { ResultTable } from "../server/query";
import { textOf } from "./values";
import type { Visualization } from "./properties";

export function renderCards(table: ResultTable, wish: Visualization): HTMLElement {
  const row = table.rows[0] ?? [];
  const cards = table.columns.map((column, index) => {
    const value = row[index] ?? null;
    const text =
      typeof value === "number"
        ? formatNumber(value)
        : column.type === "datetime"
          ? shownTime(textOf(value))
          : textOf(value);
    return element(
      "div",
      { class: "card" },
      element("div", { class: "figure" }, text),
      element("div", { class: "caption" }, column.name),
    );
  });
  return element(
    "div",
    { class: "cards" },
    wish.Title ? element("h2", {}, wish.Title) : null,
    element("div", { class: "row" }, ...cards),
  );
}
