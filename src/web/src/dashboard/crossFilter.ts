// Clicks on points, rows and legend entries, and drags over the x axis, as values for parameters.

import type { Chart } from "../chart/chart";
import type { CurveModel } from "../chart/model";
import type { Visualization } from "../chart/properties";
import { numberOf, textOf } from "../chart/values";
import type { ResultGrid } from "../result/grid";
import type { ResultTable, Row } from "../server/query";
import type { CrossFilter, Scalar } from "./model";

export interface CrossTarget {
  /** `add` when the value joins those that are chosen (with Ctrl, Shift or Cmd). */
  pick(filter: CrossFilter, value: Scalar, add: boolean): void;
  range(filter: CrossFilter, from: number, to: number): void;
}

interface Clicked {
  seriesName?: string;
  name?: string;
  value?: unknown;
  seriesType?: string;
  treePathInfo?: { name: string }[];
  event?: { event?: MouseEvent };
}

interface DrawnSeries {
  type?: string;
  name?: string;
  stack?: string;
  data?: ([number, number | null] | undefined)[];
}

/** How far from a point a click still means it, in pixels. */
const REACH = 28;
const SHORTEST_DRAG = 6;
/** A hand is not still while it clicks. */
const MOST_SHAKE = 5;

/** The value of a column of a row, where it is one that a parameter can take. */
function valueOf(table: Pick<ResultTable, "columns">, row: Row, column: string): Scalar | undefined {
  const value = row[table.columns.findIndex((one) => one.name === column)];
  return value === undefined || (typeof value === "object" && value !== null) ? undefined : value;
}

const isJoining = (event: MouseEvent | KeyboardEvent | undefined): boolean =>
  event !== undefined && (event.ctrlKey || event.metaKey || event.shiftKey);

export function wireGrid(
  grid: ResultGrid,
  table: ResultTable,
  filters: readonly CrossFilter[],
  target: CrossTarget,
): void {
  const columns = filters.filter((one) => one.column !== undefined);
  if (columns.length === 0) return;
  grid.element.classList.add("is-choosable");
  const rowUnder = (event: PointerEvent): string | null =>
    document.elementFromPoint(event.clientX, event.clientY)?.closest<HTMLElement>("[data-row]")?.dataset.row ?? null;
  // The grid makes its cells anew when one is pressed, so the browser sees no click.
  grid.element.addEventListener("pointerdown", (pressed) => {
    const shown = rowUnder(pressed);
    if (shown === null || pressed.button !== 0) return;
    const release = (released: PointerEvent): void => {
      window.removeEventListener("pointerup", release);
      window.removeEventListener("pointercancel", release);
      const distance = Math.hypot(released.clientX - pressed.clientX, released.clientY - pressed.clientY);
      if (released.type !== "pointerup" || distance > MOST_SHAKE || rowUnder(released) !== shown) return;
      const index = grid.view.shown[Number(shown)];
      const row = index === undefined ? undefined : table.rows[index];
      if (row) pickFrom(table, row, columns, target, isJoining(released));
    };
    window.addEventListener("pointerup", release);
    window.addEventListener("pointercancel", release);
  });
}

/** What Enter on a row does. */
export function pickFrom(
  table: Pick<ResultTable, "columns">,
  row: Row,
  filters: readonly CrossFilter[],
  target: CrossTarget,
  add: boolean,
): void {
  for (const filter of filters) {
    if (filter.column === undefined) continue;
    const value = valueOf(table, row, filter.column);
    if (value !== undefined) target.pick(filter, value, add);
  }
}

/** The different values of the columns that can be clicked: the way of the keyboard. */
export function choosable(
  table: ResultTable,
  filters: readonly CrossFilter[],
): { filter: CrossFilter; value: Scalar }[] {
  const found: { filter: CrossFilter; value: Scalar }[] = [];
  for (const filter of filters) {
    if (filter.column === undefined) continue;
    const seen = new Set<string>();
    for (const row of table.rows) {
      const value = valueOf(table, row, filter.column);
      const key = JSON.stringify(value);
      if (value === undefined || value === null || seen.has(key)) continue;
      seen.add(key);
      found.push({ filter, value });
    }
  }
  return found;
}

/** Call when the chart is drawn. */
export function wireChart(
  chart: Chart,
  wish: Visualization,
  filters: readonly CrossFilter[],
  target: CrossTarget,
): void {
  const drawing = chart.canvas;
  if (!drawing || filters.length === 0) return;
  const clicks = filters.filter((one) => one.column !== undefined);
  const drag = filters.find((one) => one.drag === "x");
  if (!chart.drawn) return;
  const { table, chosen, model } = chart.drawn;
  const groupOf = (row: Row): string => chosen.series.map((index) => textOf(row[index] ?? null)).join(", ");
  const pickRow = (row: Row | undefined, event: MouseEvent | undefined): void => {
    if (row) pickFrom(table, row, clicks, target, isJoining(event));
  };

  if (clicks.length > 0) {
    // A legend entry chooses instead of hiding its series.
    drawing.on("legendselectchanged", (asked) => {
      const { name } = asked as { name: string };
      drawing.dispatchAction({ type: "legendSelect", name });
      const row = table.rows.find((one) => isOf(model, groupOf(one), name));
      const seriesOnly = clicks.filter((one) =>
        chosen.series.some((index) => table.columns[index]?.name === one.column),
      );
      if (row) pickFrom(table, row, seriesOnly, target, false);
    });
    drawing.on("click", (asked) => {
      const clicked = asked as Clicked;
      if (isLine(clicked.seriesType)) return;
      pickRow(rowOf(clicked), clicked.event?.event);
    });
    drawing.getZr().on("click", (clicked) => {
      const at: [number, number] = [clicked.offsetX, clicked.offsetY];
      const point = model ? nearest(at) : null;
      if (point && model) pickRow(rowAt(model, point.name, point.x), clicked.event as unknown as MouseEvent);
    });
  }
  if (drag && model) wireDrag(chart, model, (from, to) => target.range(drag, from, to));

  function rowOf(clicked: Clicked): Row | undefined {
    const name = clicked.name ?? "";
    if (clicked.seriesType === "pie") return table.rows.find((row) => groupOf(row) === name);
    if (clicked.seriesType === "treemap") {
      const path = (clicked.treePathInfo ?? []).slice(1).map((one) => one.name);
      return table.rows.find((row) =>
        path.every((part, depth) => textOf(row[chosen.series[depth] ?? -1] ?? null) === part),
      );
    }
    if (!model || !Array.isArray(clicked.value)) return undefined;
    const flat = wish.Visualization === "barchart";
    return rowAt(model, clicked.seriesName ?? "", Number(clicked.value[flat ? 1 : 0]));
  }

  function rowAt(curves: CurveModel, name: string, x: number): Row | undefined {
    const column = curves.chosen.x;
    if (column === null) return undefined;
    const type = curves.table.columns[column]?.type ?? "string";
    return curves.table.rows.find((row) => {
      const value = row[column] ?? null;
      const place = curves.xKind === "category" ? curves.categories.indexOf(textOf(value)) : numberOf(value, type);
      return place === x && isOf(curves, groupOf(row), name);
    });
  }

  /** Of lines, areas and points the one next to a place: their shapes are too thin to be hit. */
  function nearest(at: [number, number]): { name: string; x: number } | null {
    const drawn = (drawing?.getOption() as { series?: DrawnSeries[] }).series ?? [];
    const sums = new Map<string, number>();
    let best: { name: string; x: number; distance: number } | null = null;
    drawn.forEach((series, seriesIndex) => {
      if (!isLine(series.type)) return;
      for (const point of series.data ?? []) {
        if (!point || point[1] === null) continue;
        const key = `${series.stack} ${point[0]}`;
        const y = series.stack ? (sums.get(key) ?? 0) + point[1] : point[1];
        if (series.stack) sums.set(key, y);
        const pixel = drawing?.convertToPixel({ seriesIndex }, [point[0], y]) as unknown as
          [number, number] | undefined;
        if (!pixel) continue;
        const distance = Math.hypot(pixel[0] - at[0], pixel[1] - at[1]);
        if (distance < REACH && (best === null || distance < best.distance)) {
          best = { name: (series.name ?? "").replace(/ anomalies$/, ""), x: point[0], distance };
        }
      }
    });
    return best;
  }
}

const isLine = (type: string | undefined): boolean => type === "line" || type === "scatter";

/** Whether the curve of that name shows a group. */
function isOf(model: CurveModel | null, group: string, name: string): boolean {
  return (
    group === "" || group === name || (model !== null && model.chosen.y.length > 1 && name.startsWith(`${group}: `))
  );
}

const dragStarts = new WeakMap<HTMLElement, (event: PointerEvent) => void>();

/** A drag over the drawing area marks a range of the x axis. */
function wireDrag(chart: Chart, model: CurveModel, done: (from: number, to: number) => void): void {
  const host = chart.element;
  const drawing = chart.canvas;
  if (!drawing) return;
  host.classList.add("is-draggable");
  const start = (event: PointerEvent): void => {
    const box = host.getBoundingClientRect();
    const inside = (at: PointerEvent): [number, number] => [at.clientX - box.left, at.clientY - box.top];
    const from = inside(event);
    if (event.button !== 0 || !drawing.containPixel({ gridIndex: 0 }, from)) return;
    const mark = document.createElement("div");
    mark.className = "drag-mark";
    host.append(mark);
    const move = (moved: PointerEvent): void => {
      // The drawing would pan.
      moved.stopPropagation();
      const at = Math.max(0, Math.min(box.width, inside(moved)[0]));
      mark.style.left = `${Math.min(from[0], at)}px`;
      mark.style.width = `${Math.abs(at - from[0])}px`;
    };
    const end = (ended: PointerEvent): void => {
      window.removeEventListener("pointermove", move, true);
      window.removeEventListener("pointerup", end, true);
      window.removeEventListener("pointercancel", end, true);
      mark.remove();
      const to = inside(ended);
      if (ended.type === "pointercancel" || Math.abs(to[0] - from[0]) < SHORTEST_DRAG) return;
      const [low, high] = [from[0], to[0]].sort((left, right) => left - right) as [number, number];
      const bounds = [timeAt(low), timeAt(high)];
      if (bounds.every(Number.isFinite) && bounds[0] !== bounds[1]) done(bounds[0] ?? 0, bounds[1] ?? 0);
    };
    window.addEventListener("pointermove", move, true);
    window.addEventListener("pointerup", end, true);
    window.addEventListener("pointercancel", end, true);
  };
  const timeAt = (pixel: number): number => {
    const place = Number(drawing.convertFromPixel({ xAxisIndex: 0 }, pixel));
    if (model.xKind !== "category") return place;
    return Date.parse(model.categories[Math.max(0, Math.min(model.categories.length - 1, Math.round(place)))] ?? "");
  };
  // A chart drawn anew is wired anew.
  const before = dragStarts.get(host);
  if (before) host.removeEventListener("pointerdown", before);
  dragStarts.set(host, start);
  host.addEventListener("pointerdown", start);
}
