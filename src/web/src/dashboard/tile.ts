// One tile: its head, what it shows, its progress and errors, and what can be done with it.

import { element, replaceContent } from "../base/dom";
import { formatNumber, plural } from "../base/format";
import { icon, type IconName } from "../base/icons";
import { openMenu, openPanel, closePanel, type MenuItem } from "../base/menu";
import { Chart } from "../chart/chart";
import { isChartKind } from "../chart/properties";
import { ResultGrid } from "../result/grid";
import { ServerError } from "../server/client";
import type { Answer, ResultTable } from "../server/query";
import { choosable, pickFrom, wireChart, wireGrid, type CrossTarget } from "./crossFilter";
import { renderTileMarkdown } from "./markdown";
import type { CrossFilter, Scalar, Tile } from "./model";
import type { Source } from "./server";
import type { Values } from "./values";

export interface TileActions {
  source(): Source;
  values(): Values;
  cross: CrossTarget;
  /** Entries of the tile's menu beside its own. */
  menu(tile: Tile): MenuItem[];
  /** Opens the query at the place of an error; absent where there is no editor. */
  openQuery?(tile: Tile): void;
  /** The tile fills the window, or does so no more. */
  onFull(tile: Tile, full: boolean): void;
}

const MOST_CHOICES = 100;

export class TileView {
  readonly element: HTMLElement;
  /** It has something newer to show than what is on it. */
  isStale = true;
  isVisible = false;
  private readonly head: HTMLElement;
  private readonly body = element("div", { class: "tile-body" });
  private readonly progress = element(
    "div",
    { class: "tile-progress", role: "progressbar", "aria-label": "Loading", hidden: true },
    element("div"),
  );
  private chart: Chart | null = null;
  private abort: AbortController | null = null;
  private tag: string | null = null;
  private shownFor = "";
  private table: ResultTable | null = null;

  constructor(
    public tile: Tile,
    private readonly actions: TileActions,
  ) {
    const title = tile.title ?? "";
    const isText = tile.markdown !== undefined && tile.query === undefined;
    this.head = element(
      "header",
      { class: "tile-head" },
      element(
        "h2",
        { class: "clip", id: `tile-${tile.id}-title`, title: tile.description ?? title },
        title === "" ? (isText ? "Text" : "Untitled") : title,
      ),
      tile.description ? element("span", { class: "visually-hidden" }, tile.description) : null,
      element("div", { class: "spacer" }),
      ...this.buttons(isText),
    );
    const hidden = tile.hide_title === true || (isText && title === "");
    this.element = element(
      "article",
      {
        class: `tile${hidden ? " bare" : ""}${isText ? " is-text" : ""}`,
        "data-tile": tile.id,
        "aria-labelledby": `tile-${tile.id}-title`,
      },
      this.head,
      this.progress,
      this.body,
    );
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.isFull) {
        event.stopPropagation();
        this.setFull(false);
      }
    });
    this.place(tile);
    if (isText) this.showText(tile.markdown ?? "");
  }

  place(place: { x: number; y: number; width: number; height: number }): void {
    const { style } = this.element;
    style.gridColumn = `${place.x + 1} / span ${place.width}`;
    style.gridRow = `${place.y + 1} / span ${place.height}`;
    style.setProperty("--rows", String(place.height));
  }

  /** Filling the window it is not where the others are. */
  get isSeen(): boolean {
    return this.isVisible || this.isFull;
  }

  get isFull(): boolean {
    return this.element.classList.contains("full");
  }

  get hasQuery(): boolean {
    return this.tile.markdown === undefined || this.tile.query !== undefined;
  }

  setFull(full: boolean): void {
    if (full === this.isFull) return;
    this.element.classList.toggle("full", full);
    const button = this.head.querySelector<HTMLElement>(".tile-full");
    if (button) {
      replaceContent(button, icon(full ? "shrink" : "expand"));
      button.setAttribute("aria-label", full ? "Leave full screen" : "Full screen");
      button.title = full ? "Leave full screen (Escape)" : "Full screen";
      button.focus();
    }
    this.actions.onFull(this.tile, full);
  }

  /** Asks for the data; what is shown stays until there is something else. */
  async run(force = false): Promise<void> {
    if (!this.hasQuery) return;
    this.isStale = false;
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    const values = this.actions.values();
    const asked = JSON.stringify(values);
    const tag = !force && this.shownFor === asked ? this.tag : null;
    this.progress.hidden = false;
    this.element.setAttribute("aria-busy", "true");
    try {
      const found = await this.actions.source().run(this.tile.id, values, tag, abort.signal);
      if (this.abort !== abort) return;
      if (found !== null) {
        await this.show(found.answer);
        this.tag = found.tag;
        this.shownFor = asked;
      }
      this.element.dataset.runs = String(Number(this.element.dataset.runs ?? 0) + 1);
    } catch (failure) {
      if (this.abort !== abort) return;
      this.tag = null;
      this.shownFor = "";
      this.fail(failure instanceof ServerError ? failure : new ServerError(String(failure), 0));
    } finally {
      if (this.abort === abort) {
        this.abort = null;
        this.progress.hidden = true;
        this.element.removeAttribute("aria-busy");
      }
    }
  }

  dispose(): void {
    this.abort?.abort();
    this.abort = null;
    this.dropChart();
  }

  private dropChart(): void {
    this.chart?.dispose();
    this.chart = null;
  }

  private buttons(isText: boolean): HTMLElement[] {
    const button = (name: IconName, label: string, run: (anchor: HTMLElement) => void, extra = ""): HTMLElement => {
      const made = element(
        "button",
        { class: `icon-button tile-button ${extra}`, type: "button", "aria-label": label, title: label },
        icon(name),
      );
      made.addEventListener("click", () => run(made));
      return made;
    };
    const more = button("more", "More", (anchor) => this.openMore(anchor), "tile-more");
    more.setAttribute("aria-haspopup", "menu");
    return [
      ...(isText ? [] : [button("refresh", "Refresh", () => void this.run(true), "tile-refresh")]),
      button("expand", "Full screen", () => this.setFull(!this.isFull), "tile-full"),
      ...(this.actions.menu(this.tile).length + this.clickFilters().length > 0 ? [more] : []),
    ];
  }

  private openMore(anchor: HTMLElement): void {
    const items = this.actions.menu(this.tile);
    const filters = this.clickFilters();
    if (this.table && filters.length > 0) {
      items.push({ label: "Filter by a value…", run: () => this.openChoices(anchor, filters) });
    }
    if (items.length > 0) openMenu(anchor, `Tile ${this.tile.title ?? ""}`, items);
  }

  private clickFilters(): CrossFilter[] {
    return (this.tile.cross_filter ?? []).filter((one) => one.column !== undefined);
  }

  /** What a click on the chart does, for the keyboard. */
  private openChoices(anchor: HTMLElement, filters: readonly CrossFilter[]): void {
    if (!this.table) return;
    const found = choosable(this.table, filters).slice(0, MOST_CHOICES);
    const pick = (filter: CrossFilter, value: Scalar): void => {
      closePanel(true);
      this.actions.cross.pick(filter, value, false);
    };
    const buttons = found.map(({ filter, value }) =>
      element(
        "button",
        { class: "menu-item", type: "button", onClick: () => pick(filter, value) },
        element("span", {}, String(value) || "(empty)"),
        element("span", { class: "detail" }, filter.column ?? ""),
      ),
    );
    openPanel(anchor, "dialog", "Filter by a value", ...(buttons.length > 0 ? buttons : ["Nothing to choose."]));
    buttons[0]?.focus();
  }

  private showText(text: string): void {
    replaceContent(this.body, renderTileMarkdown(text));
    this.element.dataset.state = "done";
  }

  private async show(answer: Answer): Promise<void> {
    const table = answer.tables[0];
    this.table = table ?? null;
    delete this.element.dataset.points;
    if (answer.problem && !table?.rows.length) return this.fail(answer.problem);
    if (!table || table.rows.length === 0) {
      this.dropChart();
      replaceContent(
        this.body,
        element("div", { class: "tile-empty" }, icon("chart"), element("p", {}, "No data for these parameters.")),
      );
      this.setState("empty");
      return;
    }
    const given = table.visualization;
    const wish = given && isChartKind(given.Visualization) ? { ...given } : null;
    const filters = this.tile.cross_filter ?? [];
    if (wish) {
      // The head has the title already.
      if (!this.tile.hide_title && (this.tile.title || wish.Title === this.tile.title)) wish.Title = null;
      const chart = this.chart ?? new Chart();
      if (!this.chart) {
        this.chart = chart;
        replaceContent(this.body, chart.element);
      }
      await chart.show(table, wish);
      if (this.chart !== chart) return;
      wireChart(chart, wish, filters, this.actions.cross);
      this.element.dataset.points = chart.element.dataset.points ?? "";
    } else {
      this.dropChart();
      const pickRow = (row: number): void => {
        const found = table.rows[row];
        if (found) pickFrom(table, found, filters, this.actions.cross, false);
      };
      const grid = new ResultGrid(table, pickRow, () => undefined);
      grid.element.setAttribute("aria-label", this.tile.title ?? "Table");
      wireGrid(grid, table, filters, this.actions.cross);
      replaceContent(this.body, element("div", { class: "grid-holder" }, grid.element));
      this.element.dataset.points = String(table.rows.length);
    }
    if (answer.problem) {
      this.body.append(
        element(
          "p",
          { class: "tile-warning", role: "status" },
          `${plural(table.rows.length, "row")}, then: ${answer.problem.message}`,
        ),
      );
    }
    this.setState("done");
  }

  private setState(state: "done" | "empty" | "error"): void {
    this.element.dataset.state = state;
  }

  private fail(error: ServerError): void {
    this.dropChart();
    this.table = null;
    const { line, column } = error;
    // Where the query cannot be opened it is not shown either.
    const shown = this.actions.openQuery ? this.tile.query : undefined;
    const source = line === null ? undefined : shown?.split("\n")[line - 1];
    const at = line === null ? "" : ` · line ${formatNumber(line)}, column ${column ?? 1}`;
    const open = this.actions.openQuery;
    replaceContent(
      this.body,
      element(
        "div",
        { class: "tile-error", role: "alert" },
        element("strong", {}, `${error.code ? `Error ${error.code}` : "Error"}${at}`),
        element("p", {}, error.message),
        source === undefined ? null : excerpt(source, column ?? 1),
        open && this.tile.query !== undefined
          ? element(
              "button",
              { class: "button small", type: "button", onClick: () => open(this.tile) },
              "Open query in editor",
            )
          : null,
      ),
    );
    this.setState("error");
  }
}

/** The line with what is wrong marked. */
function excerpt(line: string, column: number): HTMLElement {
  const at = Math.max(0, Math.min(line.length, column - 1));
  const word = /^\w+|^./.exec(line.slice(at))?.[0] ?? "";
  const from = Math.max(0, at - 40);
  return element(
    "pre",
    { class: "tile-excerpt" },
    from > 0 ? "…" : "",
    line.slice(from, at),
    element("mark", {}, word || " "),
    line.slice(at + word.length, at + 60),
  );
}
