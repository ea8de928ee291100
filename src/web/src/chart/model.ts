// A result as curves: one series for each combination of series values and each value column.

import type { ChosenColumns } from "./choice";
import type { Visualization } from "./properties";
import { expandArrays, numberOf, textOf, type ChartTable } from "./values";

export type XKind = "time" | "number" | "category";

export interface Curve {
  name: string;
  /** Which value column it shows: panels part by it. */
  column: string;
  points: [x: number, y: number | null][];
  /** Places of points that are anomalies. */
  anomalies: number[];
}

export interface CurveModel {
  table: ChartTable;
  chosen: ChosenColumns;
  xKind: XKind;
  xName: string;
  /** The labels of a category axis; the x of points are indexes of it. */
  categories: string[];
  curves: Curve[];
  /** There were more curves than can be told apart. */
  dropped: number;
}

const MOST_CURVES = 60;

/** The table with the arrays of the chosen columns as rows. */
export function expanded(table: ChartTable, chosen: ChosenColumns): ChartTable {
  const ends = [chosen.x, chosen.xEnd].filter((index) => index !== null);
  return expandArrays(table, [...chosen.y, ...chosen.anomalies, ...ends]);
}

export function buildCurves(table: ChartTable, chosen: ChosenColumns, wish: Visualization): CurveModel {
  const x = chosen.x;
  const xColumn = x === null ? { name: "Row", type: "long" } : table.columns[x];
  const bars = wish.Visualization === "barchart" || wish.Visualization === "columnchart";
  const xType = xColumn?.type ?? "string";
  let xKind: XKind =
    xType === "datetime"
      ? "time"
      : xType === "string" || xType === "guid" || xType === "bool" || xType === "dynamic"
        ? "category"
        : "number";
  if (bars) xKind = "category";
  const categories: string[] = [];
  const categoryAt = new Map<string, number>();
  const curves = new Map<string, Curve>();
  let dropped = 0;
  // Bars over time or numbers stand in order, as on an axis.
  const rows =
    bars && x !== null && xType !== "string"
      ? [...table.rows].sort(
          (left, right) => (numberOf(left[x] ?? null, xType) ?? 0) - (numberOf(right[x] ?? null, xType) ?? 0),
        )
      : table.rows;
  for (const [rowNumber, row] of rows.entries()) {
    let place: number | null;
    if (x === null) {
      place = rowNumber;
      if (bars) categories.push(String(rowNumber + 1));
    } else if (xKind === "category") {
      const label = textOf(row[x] ?? null);
      place = categoryAt.get(label) ?? null;
      if (place === null) {
        place = categories.length;
        categories.push(label);
        categoryAt.set(label, place);
      }
    } else {
      place = numberOf(row[x] ?? null, xType);
      if (place === null) continue;
    }
    const group = chosen.series.map((index) => textOf(row[index] ?? null)).join(", ");
    for (const y of chosen.y) {
      const column = table.columns[y];
      if (!column) continue;
      const key = `${group}\u0000${y}`;
      let curve = curves.get(key);
      if (!curve) {
        if (curves.size >= MOST_CURVES) {
          dropped += 1;
          continue;
        }
        const name = group === "" ? column.name : chosen.y.length > 1 ? `${group}: ${column.name}` : group;
        curve = { name, column: column.name, points: [], anomalies: [] };
        curves.set(key, curve);
      }
      curve.points.push([place, numberOf(row[y] ?? null, column.type)]);
      // The first anomaly column is of the first value column, and so on.
      const marker = chosen.anomalies[chosen.y.indexOf(y)];
      if (marker !== undefined && (numberOf(row[marker] ?? null, "real") ?? 0) !== 0)
        curve.anomalies.push(curve.points.length - 1);
    }
  }
  const list = [...curves.values()];
  for (const curve of list) finishCurve(curve, wish);
  return { table, chosen, xKind, xName: xColumn?.name ?? "", categories, curves: list, dropped };
}

/** Sorts along the axis, with the anomalies, and adds up if asked to. */
function finishCurve(curve: Curve, wish: Visualization): void {
  if (wish.Visualization !== "scatterchart") {
    const order = curve.points.map((_point, index) => index);
    order.sort((left, right) => (curve.points[left]?.[0] ?? 0) - (curve.points[right]?.[0] ?? 0));
    const marked = new Set(curve.anomalies);
    curve.anomalies = order.flatMap((from, to) => (marked.has(from) ? [to] : []));
    curve.points = order.map((index) => curve.points[index] as [number, number | null]);
  }
  if (wish.Accumulate) {
    let sum = 0;
    for (const point of curve.points) {
      sum += point[1] ?? 0;
      point[1] = sum;
    }
  }
}

export function countPoints(model: CurveModel): number {
  return model.curves.reduce((sum, curve) => sum + curve.points.length, 0);
}
