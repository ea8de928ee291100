// The rows that a table shows: filtered and sorted, as indexes into the result. Knows no elements.

import type { Column, ResultTable } from "../server/query";
import { cellText, isNumeric, sortKey } from "./cell";

export interface ColumnFilter {
  operator: "contains" | "!contains" | "==" | "!=" | ">" | ">=" | "<" | "<=";
  value: string;
}

export interface Sorting {
  column: number;
  descending: boolean;
}

export class RowView {
  sorting: Sorting | null = null;
  search = "";
  readonly filters = new Map<number, ColumnFilter>();
  /** Indexes of the rows shown, in order. */
  shown: Uint32Array;

  constructor(readonly table: ResultTable) {
    this.shown = Uint32Array.from(table.rows.keys());
  }

  /** Filters and sorts anew. */
  update(): void {
    const { rows, columns } = this.table;
    const needle = this.search.trim().toLowerCase();
    const tests = [...this.filters].flatMap(([index, filter]) => {
      const column = columns[index];
      return column ? [testOf(column, index, filter)] : [];
    });
    const kept: number[] = [];
    rows.forEach((row, at) => {
      for (const test of tests) if (!test(row)) return;
      if (needle !== "" && !row.some((value) => cellText(value).toLowerCase().includes(needle))) return;
      kept.push(at);
    });
    if (this.sorting) this.sort(kept, this.sorting);
    this.shown = Uint32Array.from(kept);
  }

  private sort(kept: number[], sorting: Sorting): void {
    const type = this.table.columns[sorting.column]?.type ?? "string";
    const keys = this.table.rows.map((row) => sortKey(row[sorting.column] ?? null, type));
    const sign = sorting.descending ? -1 : 1;
    kept.sort((left, right) => {
      const first = keys[left] ?? null;
      const second = keys[right] ?? null;
      if (first === null || second === null) return Number(first === null) - Number(second === null) || left - right;
      return first < second ? -sign : first > second ? sign : left - right;
    });
  }

  /** The most frequent values of a column among all rows. */
  topValues(column: number, most: number): [text: string, count: number][] {
    const counts = new Map<string, number>();
    for (const row of this.table.rows) {
      const text = cellText(row[column] ?? null);
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }
    return [...counts].sort((left, right) => right[1] - left[1]).slice(0, most);
  }
}

function testOf(column: Column, index: number, filter: ColumnFilter): (row: ResultTable["rows"][number]) => boolean {
  const { operator, value } = filter;
  const wanted = value.toLowerCase();
  const ordered = isNumeric(column.type) && value.trim() !== "" && Number.isFinite(Number(value));
  const key = (row: ResultTable["rows"][number]): number | string =>
    ordered ? Number(row[index] ?? Number.NaN) : cellText(row[index] ?? null).toLowerCase();
  const limit = ordered ? Number(value) : wanted;
  switch (operator) {
    case "contains":
      return (row) =>
        cellText(row[index] ?? null)
          .toLowerCase()
          .includes(wanted);
    case "!contains":
      return (row) =>
        !cellText(row[index] ?? null)
          .toLowerCase()
          .includes(wanted);
    case "==":
      return (row) => key(row) === limit;
    case "!=":
      return (row) => key(row) !== limit;
    case ">":
      return (row) => key(row) > limit;
    case ">=":
      return (row) => key(row) >= limit;
    case "<":
      return (row) => key(row) < limit;
    case "<=":
      return (row) => key(row) <= limit;
  }
}
