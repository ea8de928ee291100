// The lower half of the page: the result as table, chart or statistics, and what can be done with it.

import { element, replaceContent, debounce } from "../base/dom";
import { formatBytes, formatMilliseconds, formatNumber, plural } from "../base/format";
import { icon } from "../base/icons";
import { openMenu } from "../base/menu";
import { copyText, download, notify } from "../base/notice";
import { Chart } from "../chart/chart";
import { CHART_KINDS, isChartKind, plainVisualization, type ChartKind, type Visualization } from "../chart/properties";
import type { ServerError } from "../server/client";
import type { Answer, ResultTable, RunningState } from "../server/query";
import { asCsv, asDatatable, asJson, saveFromServer, saveText } from "./export";
import { RowDetail } from "./detail";
import { ResultGrid } from "./grid";
import { renderStatistics } from "./statistics";

export interface FinishedRun {
  answer: Answer;
  database: string;
  text: string;
  isCommand: boolean;
  milliseconds: number;
}

type ViewName = "table" | "chart" | "statistics";

const VIEWS: [ViewName, string][] = [
  ["table", "Table"],
  ["chart", "Chart"],
  ["statistics", "Statistics"],
];

export class ResultPanel {
  readonly element: HTMLElement;
  private readonly bar = element("div", { class: "result-bar" });
  private readonly content = element("div", { class: "result-content", role: "tabpanel" });
  private readonly status = element("div", { class: "result-status", role: "status", "aria-live": "polite" });
  private run: FinishedRun | null = null;
  private table = 0;
  private view: ViewName = "table";
  private wish: Visualization | null = null;
  private grid: ResultGrid | null = null;
  private chart: Chart | null = null;
  private timer = 0;

  constructor() {
    this.element = element("section", { class: "result", "aria-label": "Result" }, this.bar, this.content, this.status);
    this.clear();
  }

  clear(): void {
    this.run = null;
    this.dropViews();
    replaceContent(this.bar);
    replaceContent(
      this.content,
      element(
        "div",
        { class: "empty" },
        element("p", {}, "Run a query to see its result here."),
        element(
          "p",
          { class: "keys" },
          element("kbd", {}, "Shift"),
          "+",
          element("kbd", {}, "Enter"),
          " runs the block at the cursor",
        ),
      ),
    );
    this.setStatus("");
  }

  /** A query is running: time passes, and what the server tells of it. */
  showRunning(cancel: () => void): (state: RunningState) => void {
    this.dropViews();
    const started = performance.now();
    const clock = element("span", { class: "clock" }, "0.0 s");
    const note = element("dl", { class: "figures" });
    const bar = element("progress", { "aria-label": "Running" });
    replaceContent(this.bar);
    replaceContent(
      this.content,
      element(
        "div",
        { class: "running" },
        element("p", {}, "Running ", clock),
        bar,
        element("button", { class: "button", type: "button", onClick: cancel }, icon("stop"), "Cancel"),
        note,
      ),
    );
    this.content.classList.add("is-running");
    window.clearInterval(this.timer);
    this.timer = window.setInterval(() => {
      clock.textContent = `${((performance.now() - started) / 1000).toFixed(1)} s`;
    }, 100);
    this.setStatus("Running…");
    return (state) => {
      // The scans may be through while the rest goes on: the bar then moves without an end.
      if (state.partsTotal > 0 && state.partsDone < state.partsTotal) {
        bar.max = state.partsTotal;
        bar.value = state.partsDone;
      } else bar.removeAttribute("value");
      replaceContent(note, ...runningFigures(state));
    };
  }

  showError(error: ServerError, goTo: { line: number; column: number; run: () => void } | null): void {
    this.stopClock();
    this.dropViews();
    replaceContent(this.bar);
    replaceContent(
      this.content,
      element(
        "div",
        { class: "failure", role: "alert" },
        element("h2", {}, error.code ? `Error ${error.code}` : "Error"),
        element("p", {}, error.message),
        goTo
          ? element(
              "button",
              { class: "button", type: "button", onClick: goTo.run },
              `Go to line ${goTo.line}, column ${goTo.column}`,
            )
          : null,
      ),
    );
    this.setStatus("Failed");
  }

  showCancelled(): void {
    this.stopClock();
    replaceContent(this.content, element("div", { class: "empty" }, "The query was cancelled."));
    this.setStatus("Cancelled");
  }

  show(run: FinishedRun): void {
    this.stopClock();
    this.dropViews();
    this.run = run;
    this.table = 0;
    this.wish = null;
    const visualization = this.current()?.visualization ?? null;
    this.view = isChartKind(visualization?.Visualization) ? "chart" : "table";
    this.open();
  }

  private current(): ResultTable | null {
    return this.run?.answer.tables[this.table] ?? null;
  }

  /** The tab is gone. */
  dispose(): void {
    this.stopClock();
    this.dropViews();
  }

  private stopClock(): void {
    window.clearInterval(this.timer);
    this.content.classList.remove("is-running");
  }

  private dropViews(): void {
    this.chart?.dispose();
    this.chart = null;
    this.grid = null;
  }

  private setStatus(text: string, bad = false): void {
    this.status.textContent = text;
    this.status.classList.toggle("bad", bad);
  }

  /** Shows another table of the answer, or the same after a change of view. */
  private open(): void {
    const run = this.run;
    const table = this.current();
    if (!run) return;
    this.dropViews();
    this.paintBar();
    if (!table) {
      replaceContent(this.content, element("div", { class: "empty" }, "Done; there is no table to show."));
      this.setStatus(`Done in ${formatMilliseconds(run.milliseconds)}`);
      return;
    }
    this.report(table.rows.length);
    if (this.view === "table") this.openTable(table);
    else if (this.view === "chart") this.openChart(table);
    else this.openStatistics(run, table);
  }

  private report(shown: number): void {
    const run = this.run;
    const table = this.current();
    if (!run || !table) return;
    const rows =
      shown === table.rows.length
        ? plural(table.rows.length, "row")
        : `${plural(shown, "row")} of ${plural(table.rows.length, "row")}`;
    const server = run.answer.statistics.serverMilliseconds;
    const time =
      server === null
        ? formatMilliseconds(run.milliseconds)
        : `${formatMilliseconds(server)} on the server, ${formatMilliseconds(run.milliseconds)} in all`;
    const problem = run.answer.problem;
    this.setStatus(problem ? `${rows}, then: ${problem.message}` : `${rows} · ${time}`, problem !== null);
  }

  private choose(view: ViewName): void {
    this.view = view;
    this.open();
  }

  private openTable(table: ResultTable): void {
    const detail = new RowDetail();
    const grid = new ResultGrid(
      table,
      (row, column) => detail.show(table, row, column),
      (shown) => this.report(shown),
    );
    this.grid = grid;
    replaceContent(
      this.content,
      table.columns.length === 0
        ? element("div", { class: "empty" }, "The result has no columns.")
        : element("div", { class: "grid-holder" }, grid.element, detail.element),
    );
  }

  private openChart(table: ResultTable): void {
    const asked = table.visualization;
    const wish =
      this.wish ?? (asked && isChartKind(asked.Visualization) ? asked : plainVisualization(guessKind(table)));
    const chart = new Chart();
    this.chart = chart;
    replaceContent(this.content, element("div", { class: "chart-holder" }, chart.element));
    chart.show(table, wish).catch((failure: unknown) => {
      replaceContent(
        this.content,
        element("div", { class: "failure" }, `The chart could not be drawn: ${String(failure)}`),
      );
    });
  }

  private openStatistics(run: FinishedRun, table: ResultTable): void {
    replaceContent(
      this.content,
      renderStatistics({
        statistics: run.answer.statistics,
        roundTripMilliseconds: run.milliseconds,
        rows: table.rows.length,
        database: run.database,
        text: run.text,
        isCommand: run.isCommand,
      }),
    );
  }

  private paintBar(): void {
    const run = this.run;
    const table = this.current();
    if (!run) return;
    const tabs = VIEWS.map(([name, label]) =>
      element(
        "button",
        {
          class: "tab",
          role: "tab",
          type: "button",
          "aria-selected": name === this.view ? "true" : "false",
          tabindex: name === this.view ? 0 : -1,
          onClick: () => this.choose(name),
          onKeydown: (event: KeyboardEvent) => {
            const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? VIEWS.length - 1 : 0;
            const next = VIEWS[(VIEWS.findIndex((view) => view[0] === name) + step) % VIEWS.length];
            if (step === 0 || !next) return;
            this.choose(next[0]);
            this.bar.querySelector<HTMLElement>("[role=tab][aria-selected=true]")?.focus();
          },
        },
        label,
      ),
    );
    const tables =
      run.answer.tables.length > 1
        ? element(
            "select",
            { class: "table-choice", "aria-label": "Table of the answer" },
            ...run.answer.tables.map((one, index) =>
              element(
                "option",
                { value: index, selected: index === this.table },
                one.name === "PrimaryResult" || one.name === "" ? `Table ${index + 1}` : one.name,
              ),
            ),
          )
        : null;
    tables?.addEventListener("change", () => {
      this.table = Number(tables.value);
      this.wish = null;
      this.open();
    });
    replaceContent(
      this.bar,
      element("div", { class: "tabs", role: "tablist", "aria-label": "Views of the result" }, ...tabs),
      tables,
      element("div", { class: "spacer" }),
      ...(table ? this.tools(table) : []),
    );
  }

  private tools(table: ResultTable): HTMLElement[] {
    if (this.view === "chart") return this.chartTools(table);
    if (this.view !== "table") return [];
    const search = element("input", {
      class: "search",
      type: "search",
      placeholder: "Filter rows",
      "aria-label": "Filter rows",
    });
    search.addEventListener(
      "input",
      debounce(150, () => {
        if (!this.grid) return;
        this.grid.view.search = search.value;
        this.grid.refresh();
      }),
    );
    const save = element(
      "button",
      { class: "button small", type: "button", "aria-haspopup": "menu", "aria-label": "Export" },
      icon("download"),
      element("span", { class: "wide" }, "Export"),
    );
    save.addEventListener("click", () => this.openExport(save, table));
    return [search, save];
  }

  private openExport(anchor: HTMLElement, table: ResultTable): void {
    const run = this.run;
    const grid = this.grid;
    if (!run || !grid) return;
    const name = `result-${new Date().toISOString().slice(0, 19).replace(/[:T]/g, "-")}`;
    const rows = (): ResultTable["rows"] => grid.shownRows();
    openMenu(anchor, "Export", [
      {
        label: "CSV",
        detail: "rows shown",
        run: () => saveText(`${name}.csv`, "text/csv", asCsv(table.columns, rows())),
      },
      {
        label: "JSON",
        detail: "rows shown",
        run: () => saveText(`${name}.json`, "application/json", asJson(table.columns, rows())),
      },
      ...(run.isCommand
        ? []
        : [
            { label: "Parquet", format: "parquet" },
            { label: "Arrow", format: "arrow" },
          ].map(({ label, format }) => ({
            label,
            detail: "runs again",
            run: () => {
              saveFromServer(`${name}.${format}`, format, run.database, run.text).catch((failure: unknown) =>
                notify(failure instanceof Error ? failure.message : String(failure), "bad"),
              );
            },
          }))),
      {
        label: "Copy as datatable",
        detail: "KQL",
        run: () => void copyText(asDatatable(table.columns, rows().slice(0, 1000)), "Table"),
      },
      { label: "Copy the selection", detail: "Ctrl+C", run: () => grid.copySelection() },
    ]);
  }

  private chartTools(table: ResultTable): HTMLElement[] {
    const asked = table.visualization;
    const current =
      this.wish?.Visualization ?? (isChartKind(asked?.Visualization) ? asked?.Visualization : guessKind(table));
    const kinds = element(
      "select",
      { "aria-label": "Kind of chart" },
      ...CHART_KINDS.map((kind) => element("option", { value: kind, selected: kind === current }, kind)),
    );
    kinds.addEventListener("change", () => {
      const base = asked && isChartKind(asked.Visualization) ? asked : plainVisualization(kinds.value as ChartKind);
      this.wish = { ...base, Visualization: kinds.value };
      this.open();
    });
    const reset = element(
      "button",
      {
        class: "button small",
        type: "button",
        title: "Show everything again",
        "aria-label": "Reset zoom",
        onClick: () => this.chart?.resetZoom(),
      },
      element("span", { class: "narrow-icon" }, icon("refresh")),
      element("span", { class: "wide" }, "Reset zoom"),
    );
    const picture = element(
      "button",
      { class: "button small", type: "button", "aria-label": "Save as PNG", title: "Save as PNG" },
      icon("download"),
      element("span", { class: "wide" }, "PNG"),
    );
    picture.addEventListener("click", async () => {
      const data = this.chart?.picture();
      if (!data) return;
      const bytes = Uint8Array.from(atob(data.slice(data.indexOf(",") + 1)), (letter) => letter.charCodeAt(0));
      download("chart.png", new Blob([bytes], { type: "image/png" }));
    });
    return [kinds, reset, picture];
  }
}

function runningFigures(state: RunningState): HTMLElement[] {
  const figures: [string, string][] = [
    ["Rows read", formatNumber(state.rowsScanned)],
    ["Bytes read", formatBytes(state.bytesScanned)],
    ["Extents read", `${formatNumber(state.extentsScanned)} of ${formatNumber(state.extentsTotal)}`],
    ["Memory peak", formatBytes(state.memoryPeakBytes)],
  ];
  return figures.map(([name, value]) =>
    element("div", { class: "figure-item" }, element("dt", {}, name), element("dd", {}, value)),
  );
}

/** What is most likely meant when the query did not say: over time a time chart, else columns. */
function guessKind(table: ResultTable): ChartKind {
  if (table.columns.some((column) => column.type === "datetime")) return "timechart";
  if (table.columns.some((column) => column.type === "dynamic")) return "timechart";
  return table.rows.length > 40 ? "linechart" : "columnchart";
}
