// A pivot of a result: columns are chosen for its lines, its columns and its values, and shown as a table or a chart.

import { element, replaceContent } from "../base/dom";
import { formatNumber } from "../base/format";
import type { ResultTable, Row, Value } from "../server/query";
import type { Chart, ChartView } from "./chart";
import { plainVisualization, type ChartKind } from "./properties";
import { numberOf, textOf } from "./values";

export type Measure = "count" | "sum" | "avg" | "min" | "max";

export interface PivotWish {
  rows: number;
  /** `null`: one column of values. */
  columns: number | null;
  /** `null` counts rows. */
  values: number | null;
  measure: Measure;
}

interface Cell {
  count: number;
  sum: number;
  least: number;
  most: number;
}

export interface Pivot {
  rows: string[];
  columns: string[];
  /** By line and column; `null` where there is nothing. */
  cells: (number | null)[][];
  rowTotals: (number | null)[];
  columnTotals: (number | null)[];
  total: number | null;
  /** The values of the lines, of their own type. */
  rowValues: Value[];
}

const MEASURES: Measure[] = ["sum", "avg", "min", "max", "count"];
const NUMBERS = ["int", "long", "real", "decimal", "timespan"];
const DRAWN: ("table" | ChartKind)[] = [
  "table",
  "columnchart",
  "barchart",
  "linechart",
  "stackedareachart",
  "piechart",
];
const MOST_ROWS = 1000;
const MOST_COLUMNS = 60;

const emptyCell = (): Cell => ({ count: 0, sum: 0, least: Infinity, most: -Infinity });

function figure(cell: Cell | undefined, measure: Measure): number | null {
  if (!cell || cell.count === 0) return null;
  if (measure === "count") return cell.count;
  if (measure === "sum") return cell.sum;
  if (measure === "avg") return cell.sum / cell.count;
  return measure === "min" ? cell.least : cell.most;
}

/** What is likely meant: lines by the first text, columns by the second, values the first number. */
export function likelyWish(result: ResultTable): PivotWish {
  const numbers = result.columns.flatMap((column, index) => (NUMBERS.includes(column.type) ? [index] : []));
  const others = result.columns.flatMap((column, index) =>
    NUMBERS.includes(column.type) || column.type === "dynamic" ? [] : [index],
  );
  const values = numbers[0] ?? null;
  return {
    rows: others[0] ?? 0,
    columns: others[1] ?? null,
    values,
    measure: values === null ? "count" : "sum",
  };
}

export function pivotOf(result: ResultTable, wish: PivotWish): Pivot {
  const rowAt = new Map<string, number>();
  const columnAt = new Map<string, number>();
  const rowValues: Value[] = [];
  const cells: Cell[][] = [];
  const rowSums: Cell[] = [];
  const columnSums: Cell[] = [];
  const whole = emptyCell();
  const type = wish.values === null ? "long" : (result.columns[wish.values]?.type ?? "real");
  const add = (cell: Cell, value: number): void => {
    cell.count += 1;
    cell.sum += value;
    cell.least = Math.min(cell.least, value);
    cell.most = Math.max(cell.most, value);
  };
  for (const row of result.rows) {
    const value = wish.values === null ? 1 : numberOf(row[wish.values] ?? null, type);
    if (value === null) continue;
    const line = placeOf(rowAt, textOf(row[wish.rows] ?? null), MOST_ROWS);
    const column = placeOf(columnAt, wish.columns === null ? "" : textOf(row[wish.columns] ?? null), MOST_COLUMNS);
    if (line === null || column === null) continue;
    rowValues[line] ??= row[wish.rows] ?? null;
    const list = (cells[line] ??= []);
    for (const cell of [
      (list[column] ??= emptyCell()),
      (rowSums[line] ??= emptyCell()),
      (columnSums[column] ??= emptyCell()),
      whole,
    ])
      add(cell, value);
  }
  const columns = [...columnAt.keys()];
  return {
    rows: [...rowAt.keys()],
    columns,
    cells: cells.map((list) => columns.map((_column, at) => figure(list[at], wish.measure))),
    rowTotals: rowSums.map((cell) => figure(cell, wish.measure)),
    columnTotals: columnSums.map((cell) => figure(cell, wish.measure)),
    total: figure(whole, wish.measure),
    rowValues,
  };
}

function placeOf(places: Map<string, number>, key: string, most: number): number | null {
  const known = places.get(key);
  if (known !== undefined) return known;
  if (places.size >= most) return null;
  places.set(key, places.size);
  return places.size - 1;
}

export class PivotView implements ChartView {
  readonly element: HTMLElement;
  readonly points: number;
  private readonly wish: PivotWish;
  private drawnAs: "table" | ChartKind = "table";
  private readonly content = element("div", { class: "pivot-content" });
  private chart: Chart | null = null;

  constructor(
    private readonly result: ResultTable,
    private readonly makeChart: () => Chart,
  ) {
    this.wish = likelyWish(result);
    this.points = result.rows.length;
    const names = result.columns.map((column, index): [string, string] => [String(index), column.name]);
    const numbers = names.filter(([index]) => NUMBERS.includes(result.columns[Number(index)]?.type ?? ""));
    const number = (text: string): number | null => (text === "" ? null : Number(text));
    this.element = element(
      "div",
      { class: "pivot", role: "region", "aria-label": "Pivot" },
      element(
        "div",
        { class: "pivot-bar" },
        this.choice("Rows", names, String(this.wish.rows), (value) => {
          this.wish.rows = Number(value);
        }),
        this.choice("Columns", [["", "none"], ...names], String(this.wish.columns ?? ""), (value) => {
          this.wish.columns = number(value);
        }),
        this.choice("Values", [["", "rows"], ...numbers], String(this.wish.values ?? ""), (value) => {
          this.wish.values = number(value);
        }),
        this.choice(
          "Measure",
          MEASURES.map((one) => [one, one]),
          this.wish.measure,
          (value) => {
            this.wish.measure = value as Measure;
          },
        ),
        this.choice(
          "Shown as",
          DRAWN.map((one) => [one, one]),
          this.drawnAs,
          (value) => {
            this.drawnAs = value as "table" | ChartKind;
          },
        ),
      ),
      this.content,
    );
    this.paint();
  }

  /** A table needs no drawing; a chart follows its size by itself. */
  draw(): void {}

  resetZoom(): void {
    this.chart?.resetZoom();
  }

  private choice(
    label: string,
    options: readonly (readonly [value: string, text: string])[],
    chosen: string,
    take: (value: string) => void,
  ): HTMLElement {
    const select = element(
      "select",
      {},
      ...options.map(([value, text]) => element("option", { value, selected: value === chosen }, text)),
    );
    select.addEventListener("change", () => {
      take(select.value);
      this.paint();
    });
    return element("label", {}, label, select);
  }

  private paint(): void {
    this.chart?.dispose();
    this.chart = null;
    const pivot = pivotOf(this.result, this.wish.values === null ? { ...this.wish, measure: "count" } : this.wish);
    if (this.drawnAs === "table") {
      replaceContent(this.content, this.table(pivot));
      return;
    }
    this.chart = this.makeChart();
    replaceContent(this.content, this.chart.element);
    void this.chart.show(this.asResult(pivot), plainVisualization(this.drawnAs));
  }

  private get rowsName(): string {
    return this.result.columns[this.wish.rows]?.name ?? "";
  }

  private table(pivot: Pivot): HTMLElement {
    const measured =
      this.wish.values === null
        ? "count"
        : `${this.wish.measure} of ${this.result.columns[this.wish.values]?.name ?? ""}`;
    const largest = pivot.cells.flat().reduce<number>((most, one) => Math.max(most, Math.abs(one ?? 0)), 0) || 1;
    const cell = (value: number | null, shaded: boolean): HTMLElement => {
      const made = element("td", {}, value === null ? "" : formatNumber(value));
      if (shaded && value !== null)
        made.style.setProperty("--heat", `${Math.round((35 * Math.abs(value)) / largest)}%`);
      return made;
    };
    const hasColumns = this.wish.columns !== null;
    const head = element(
      "tr",
      {},
      element("th", { scope: "col" }, this.rowsName),
      ...(hasColumns ? pivot.columns.map((name) => element("th", { scope: "col" }, name)) : []),
      element("th", { scope: "col" }, hasColumns ? `Total (${measured})` : measured),
    );
    const lines = pivot.rows.map((name, at) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, name),
        ...(hasColumns ? (pivot.cells[at] ?? []).map((value) => cell(value, true)) : []),
        cell(pivot.rowTotals[at] ?? null, !hasColumns),
      ),
    );
    const foot = element(
      "tr",
      {},
      element("th", { scope: "row" }, "Total"),
      ...(hasColumns ? pivot.columnTotals.map((value) => cell(value, false)) : []),
      cell(pivot.total, false),
    );
    return element(
      "div",
      { class: "pivot-scroll", tabindex: 0, role: "region", "aria-label": "Pivot table" },
      element(
        "table",
        { class: "pivot-table" },
        element("thead", {}, head),
        element("tbody", {}, ...lines),
        element("tfoot", {}, foot),
      ),
    );
  }

  private asResult(pivot: Pivot): ResultTable {
    const type = this.result.columns[this.wish.rows]?.type ?? "string";
    const group =
      this.wish.columns === null ? [] : [{ name: this.result.columns[this.wish.columns]?.name ?? "", type: "string" }];
    const rows = pivot.rows.flatMap((_name, line) =>
      pivot.columns.flatMap((column, at): Row[] => {
        const value = pivot.cells[line]?.[at] ?? null;
        return value === null ? [] : [[pivot.rowValues[line] ?? null, ...(group.length > 0 ? [column] : []), value]];
      }),
    );
    const columns = [{ name: this.rowsName, type }, ...group, { name: this.wish.measure, type: "real" }];
    return { name: "Pivot", columns, rows, visualization: null };
  }
}
