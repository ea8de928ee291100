// A chart of a result: chooses the columns, draws, follows size and theme. What it cannot draw it says.

import type { EChartsCoreOption } from "echarts/core";
import { element, replaceContent } from "../base/dom";
import { formatNumber, plural } from "../base/format";
import { theme } from "../base/theme";
import type { ResultTable } from "../server/query";
import { renderCards } from "./card";
import { curveOptions } from "./curves";
import type { Drawing } from "./drawing";
import { buildCurves, choose, countPoints } from "./model";
import type { Visualization } from "./properties";
import { pieOptions, treeOptions } from "./shares";
import { spanOptions } from "./spans";

interface Prepared {
  options: (width: number, height: number) => EChartsCoreOption;
  points: number;
  summary: string;
}

export class Chart {
  readonly element = element("div", { class: "chart" });
  private drawing: Drawing | null = null;
  private prepared: Prepared | null = null;
  private readonly observer = new ResizeObserver(() => this.draw());
  private readonly stopWatching: () => void;

  constructor() {
    this.observer.observe(this.element);
    this.stopWatching = theme.watch(() => queueMicrotask(() => this.draw()));
  }

  /** Shows a table as asked for. */
  async show(table: ResultTable, wish: Visualization): Promise<void> {
    this.clear();
    if (table.rows.length === 0) return this.say("The result has no rows to draw.");
    if (wish.Visualization === "card") {
      replaceContent(this.element, renderCards(table, wish));
      this.describe(table.columns.length, `Card with ${plural(table.columns.length, "value")}`);
      return;
    }
    const prepared = prepare(table, wish);
    if (typeof prepared === "string") return this.say(prepared);
    this.prepared = prepared;
    this.element.dataset.state = "loading";
    const library = await import("./drawing");
    if (this.prepared !== prepared) return;
    const host = element("div", { class: "canvas" });
    replaceContent(this.element, host);
    this.drawing = library.startDrawing(host);
    this.describe(prepared.points, prepared.summary);
    this.draw();
    this.element.dataset.state = "drawn";
  }

  /** The picture as it is, for download. */
  picture(): string | null {
    const background = getComputedStyle(this.element).backgroundColor;
    return this.drawing?.getDataURL({ type: "png", pixelRatio: 2, backgroundColor: background }) ?? null;
  }

  /** What draws, for those who listen to clicks on it; `null` until there is a drawing. */
  get canvas(): Drawing | null {
    return this.drawing;
  }

  resetZoom(): void {
    this.drawing?.dispatchAction({ type: "dataZoom", start: 0, end: 100 });
  }

  dispose(): void {
    this.observer.disconnect();
    this.stopWatching();
    this.clear();
  }

  private describe(points: number, summary: string): void {
    this.element.setAttribute("role", "img");
    this.element.setAttribute("aria-label", summary);
    this.element.dataset.points = String(points);
  }

  private say(text: string): void {
    replaceContent(this.element, element("p", { class: "empty" }, text));
  }

  private clear(): void {
    this.drawing?.dispose();
    this.drawing = null;
    this.prepared = null;
    delete this.element.dataset.points;
    delete this.element.dataset.state;
    this.element.removeAttribute("role");
    this.element.replaceChildren();
  }

  private draw(): void {
    const width = this.element.clientWidth;
    const height = this.element.clientHeight;
    if (!this.drawing || !this.prepared || width < 20 || height < 20) return;
    this.drawing.resize({ width, height });
    this.drawing.setOption(this.prepared.options(width, height), { notMerge: true });
  }
}

function prepare(table: ResultTable, wish: Visualization): Prepared | string {
  const kind = wish.Visualization ?? "";
  const named = wish.Title ? `${wish.Title}, ${kind}` : kind;
  if (kind === "piechart" || kind === "treemap" || kind === "ladderchart" || kind === "timepivot") {
    const found = choose(table, wish);
    if (typeof found === "string") return found;
    const rows = found.table.rows.length;
    const options = (width: number): EChartsCoreOption => {
      if (kind === "piechart") return pieOptions(found.table, found.chosen, wish, width);
      if (kind === "treemap") return treeOptions(found.table, found.chosen, wish);
      return spanOptions(found.table, found.chosen, wish);
    };
    return { options, points: rows, summary: `${named} of ${plural(rows, "row")}` };
  }
  const model = buildCurves(table, wish);
  if (typeof model === "string") return model;
  const points = countPoints(model);
  const values = model.curves.flatMap((curve) =>
    curve.points.flatMap((point) => (point[1] === null ? [] : [point[1]])),
  );
  const low = values.reduce((least, value) => Math.min(least, value), Infinity);
  const high = values.reduce((most, value) => Math.max(most, value), -Infinity);
  const range = values.length === 0 ? "" : `, values from ${formatNumber(low)} to ${formatNumber(high)}`;
  return {
    options: (_width, height) => curveOptions(model, wish, height),
    points,
    summary: `${named} with ${plural(model.curves.length, "series").replace(/seriess$/, "series")}, ${plural(points, "point")}${range}`,
  };
}
