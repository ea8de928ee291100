// The panel that filters a column: a comparison, or one of its most frequent values.

import { element } from "../base/dom";
import { formatNumber } from "../base/format";
import { closePanel, openPanel } from "../base/menu";
import type { ColumnFilter, RowView } from "./rows";

const OPERATORS: ColumnFilter["operator"][] = ["contains", "!contains", "==", "!=", ">", ">=", "<", "<="];
const MOST_VALUES = 12;

export function openFilter(anchor: HTMLElement, view: RowView, column: number, changed: () => void): void {
  const name = view.table.columns[column]?.name ?? "";
  const current = view.filters.get(column);
  const operator = element(
    "select",
    { "aria-label": "Comparison" },
    ...OPERATORS.map((text) => element("option", { value: text }, text)),
  );
  operator.value = current?.operator ?? "contains";
  const value = element("input", { type: "text", "aria-label": `Value of ${name}`, placeholder: "value" });
  value.value = current?.value ?? "";
  const set = (filter: ColumnFilter | null): void => {
    if (filter === null) view.filters.delete(column);
    else view.filters.set(column, filter);
    closePanel();
    changed();
  };
  const form = element(
    "form",
    { class: "filter-form" },
    operator,
    value,
    element("button", { class: "button small primary", type: "submit" }, "Filter"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    set(value.value === "" ? null : { operator: operator.value as ColumnFilter["operator"], value: value.value });
  });
  const values = view
    .topValues(column, MOST_VALUES)
    .map(([text, count]) =>
      element(
        "button",
        { class: "menu-item", type: "button", onClick: () => set({ operator: "==", value: text }) },
        element("span", { class: "clip" }, text === "" ? "(empty)" : text),
        element("span", { class: "detail" }, formatNumber(count)),
      ),
    );
  const clear = current
    ? element("button", { class: "menu-item", type: "button", onClick: () => set(null) }, "Remove the filter")
    : null;
  const panel = openPanel(
    anchor,
    "dialog",
    `Filter ${name}`,
    element("div", { class: "popup-title" }, name),
    form,
    clear,
    element("div", { class: "popup-caption" }, "Frequent values"),
    ...values,
  );
  if (panel) value.focus();
}
