// A chart of a result: chooses the columns, draws, follows size and theme. What it cannot draw it says.

import type { EChartsCoreOption } from "echarts/core";
import { element, replaceContent } from "../base/dom";
import { formatNumber, plural } from "../base/format";
import { theme } from "../base/theme";
import type { ResultTable } from "../server/query";
import { renderCards } from "./card";
import { curveOptions } from "./curves";
import type { Drawing } from "./drawing";
import { chooseColumns, type ChosenColumns } from "./choice";
import { buildCurves, countPoints, expanded, type CurveModel } from "./model";
import type { Visualization } from "./properties";
import { pieOptions, treeOptions } from "./shares";
import { spanOptions } from "./spans";
import type { ChartTable } from "./values";

/** What is drawn, for those who listen to clicks on it. */
export interface Drawn {
  table: ChartTable;
  chosen: ChosenColumns;
  /** Of charts with axes. */
  model: CurveModel | null;
}

/** What the library draws. */
export interface Prepared {
  options: (width: number, height: number) => EChartsCoreOption;
  points: number;
  summary: string;
  drawn: Drawn | null;
}

/** What is made of elements, and draws itself. */
export interface ChartView {
  element: HTMLElement;
  points: number;
  draw(): void;
  resetZoom(): void;
}

export class Chart {
  readonly element = element("div", { class: "chart" });
  private drawing: Drawing | null = null;
  private prepared: Prepared | null = null;
  private view: ChartView | null = null;
  private turn = 0;
  private readonly observer = new ResizeObserver(() => this.draw());
  private readonly stopWatching: () => void;

  constructor() {
    this.observer.observe(this.element);
    this.stopWatching = theme.watch(() => queueMicrotask(() => this.draw()));
  }

  /** Shows a table as asked for. */
  async show(table: ResultTable, wish: Visualization): Promise<void> {
    this.clear();
    this.turn += 1;
    const { turn } = this;
    if (table.rows.length === 0) return this.say("The result has no rows to draw.");
    if (wish.Visualization === "card") {
      replaceContent(this.element, renderCards(table, wish));
      // Cards may be more than there is room for: they scroll by keyboard too.
      this.element.tabIndex = 0;
      this.describe(table.columns.length, `Card with ${plural(table.columns.length, "value")}`);
      return;
    }
    this.element.dataset.state = "loading";
    const prepared = await prepare(table, wish);
    if (this.turn !== turn) return;
    if (typeof prepared === "string") return this.say(prepared);
    if ("element" in prepared) {
      this.view = prepared;
      replaceContent(this.element, prepared.element);
      this.element.dataset.points = String(prepared.points);
      this.element.dataset.state = "drawn";
      this.draw();
      return;
    }
    this.prepared = prepared;
    const library = await import("./drawing");
    if (this.turn !== turn) return;
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

  /** `null` until there is a drawing of columns. */
  get drawn(): Drawn | null {
    return this.prepared?.drawn ?? null;
  }

  resetZoom(): void {
    this.view?.resetZoom();
    this.drawing?.dispatchAction({ type: "dataZoom", start: 0, end: 100 });
  }

  dispose(): void {
    this.observer.disconnect();
    this.stopWatching();
    this.turn += 1;
    this.clear();
  }

  private describe(points: number, summary: string): void {
    this.element.setAttribute("role", "img");
    this.element.setAttribute("aria-label", summary);
    this.element.dataset.points = String(points);
  }

  private say(text: string): void {
    delete this.element.dataset.state;
    replaceContent(this.element, element("p", { class: "empty" }, text));
  }

  private clear(): void {
    this.drawing?.dispose();
    this.drawing = null;
    this.prepared = null;
    this.view = null;
    delete this.element.dataset.points;
    delete this.element.dataset.state;
    this.element.removeAttribute("role");
    this.element.removeAttribute("tabindex");
    this.element.replaceChildren();
  }

  private draw(): void {
    const width = this.element.clientWidth;
    const height = this.element.clientHeight;
    if (width < 20 || height < 20) return;
    this.view?.draw();
    if (!this.drawing || !this.prepared) return;
    this.drawing.resize({ width, height });
    this.drawing.setOption(this.prepared.options(width, height), { notMerge: true });
  }
}

async function prepare(result: ResultTable, wish: Visualization): Promise<Prepared | ChartView | string> {
  const kind = wish.Visualization ?? "";
  const named = wish.Title ? `${wish.Title}, ${kind}` : kind;
  if (kind === "plotly") return (await import("./plotly")).plotlyChart(result);
  if (kind === "pivotchart") return new (await import("./pivot")).PivotView(result, () => new Chart());
  const found = await chooseColumns(result, wish);
  if (typeof found === "string") return found;
  const { chosen } = found;
  if (kind === "timepivot") return new (await import("./timePivot")).TimePivot(result, found.table, chosen);
  const table = expanded(found.table, chosen);
  const drawn = { table, chosen, model: null };
  const summary = `${named} of ${plural(table.rows.length, "row")}`;
  if (chosen.map) {
    const { mapOptions } = await import("./map");
    const options = (width: number, height: number): EChartsCoreOption =>
      mapOptions(table, chosen, wish, width, height);
    return { options, points: table.rows.length, summary: `Map, ${summary}`, drawn };
  }
  if (kind === "piechart" || kind === "treemap" || kind === "ladderchart") {
    const options = (width: number, height: number): EChartsCoreOption => {
      if (kind === "piechart") return pieOptions(table, chosen, wish, width, height);
      return kind === "treemap" ? treeOptions(table, chosen, wish) : spanOptions(table, chosen, wish);
    };
    return { options, points: table.rows.length, summary, drawn };
  }
  const model = buildCurves(table, chosen, wish);
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
    drawn: { table, chosen, model },
  };
}
