// A dashboard as it is looked at: parameters, pages, tiles, refreshing. Shared by the page and by embedded dashboards;
// editing hooks itself in from outside.

import { element, replaceContent } from "../base/dom";
import type { MenuItem } from "../base/menu";
import type { CrossTarget } from "./crossFilter";
import { allTiles, inReadingOrder, usesParameter, type Dashboard, type Page, type Parameter, type Tile } from "./model";
import { ParameterBar } from "./parameterBar";
import { intervalMilliseconds, RefreshTimer } from "./refresh";
import type { Source } from "./server";
import { TileView } from "./tile";
import { ParameterState, sameValue, type Values } from "./values";

export interface BoardOptions {
  source: Source;
  locked: readonly string[];
  /** Those are not even shown: for single tiles. */
  hideLocked?: boolean;
  menu(tile: Tile): MenuItem[];
  openQuery?(tile: Tile): void;
  /** The part of the address after the path; written without a new entry of the history. */
  readSearch(): string;
  writeSearch(search: string): void;
}

/** Chosen in the address, or what the file says. */
const INTERVAL = "refresh";
const PAGE = "page";
const TILE = "tile";
/** There the parameters scroll away with the tiles (dashboard.css). */
const NARROW = window.matchMedia("(max-width: 760px)");

export class Board {
  readonly element: HTMLElement;
  readonly state = new ParameterState();
  readonly bar: ParameterBar;
  readonly grid = element("div", { class: "tiles" });
  private readonly scroll = element("div", { class: "board-scroll", tabindex: -1 }, this.grid);
  readonly views = new Map<string, TileView>();
  /** Called when tiles have been put up anew: editing adds its handles. */
  onTiles: () => void = () => undefined;
  source: Source;
  dashboard: Dashboard = { version: 1, title: "", pages: [] };
  interval = "";
  private pageIndex = 0;
  private last: Values = {};
  private readonly tabs = element("div", { class: "tabs board-pages", role: "tablist", "aria-label": "Pages" });
  private readonly timer = new RefreshTimer(() => this.refresh());
  private readonly sight: IntersectionObserver;
  private readonly stopWatching: () => void;

  constructor(private readonly options: BoardOptions) {
    this.source = options.source;
    this.bar = new ParameterBar({
      state: this.state,
      loadChoices: (parameter) => this.source.choices(parameter.name, this.state.values.value),
      isLocked: (parameter) => options.locked.includes(parameter.name),
      isShown: (parameter) => {
        const pages = parameter.pages ?? [];
        const isHidden = options.hideLocked === true && options.locked.includes(parameter.name);
        return !isHidden && (pages.length === 0 || pages.includes(this.page?.title ?? ""));
      },
      isFiltered: (parameter) => this.isCrossTarget(parameter),
    });
    this.element = element(
      "div",
      { class: "board" },
      element("div", { class: "board-bar" }, this.tabs, this.bar.element, this.bar.chips),
      this.scroll,
    );
    this.sight = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) {
          const view = [...this.views.values()].find((one) => one.element === entry.target);
          if (!view) continue;
          view.isVisible = entry.isIntersecting;
          if (view.isSeen && view.isStale) void view.run();
        }
      },
      // Tiles a little outside are ready when they come into sight.
      { root: NARROW.matches ? this.element : this.scroll, rootMargin: "300px" },
    );
    this.stopWatching = this.state.values.watch((values) => this.onValues(values));
  }

  /** Shows a dashboard with what the address asks for. */
  open(dashboard: Dashboard): void {
    const asked = new URLSearchParams(this.options.readSearch());
    this.dashboard = dashboard;
    this.last = {};
    this.state.use(dashboard, this.options.readSearch());
    this.last = this.state.values.value;
    this.interval = asked.get(INTERVAL) ?? dashboard.refresh ?? "";
    this.timer.set(intervalMilliseconds(this.interval));
    const wanted = allTiles(dashboard).find((tile) => tile.id === asked.get(TILE));
    const page = asked.get(PAGE);
    const index = dashboard.pages.findIndex((one, at) =>
      wanted ? (one.tiles ?? []).includes(wanted) : one.title === page || String(at + 1) === page,
    );
    this.pageIndex = Math.max(0, index);
    this.showPage();
    if (wanted) this.views.get(wanted.id)?.setFull(true);
  }

  /** After an edit: the same values and page, another content. */
  update(dashboard: Dashboard): void {
    this.dashboard = dashboard;
    this.state.use(dashboard, this.state.toSearch(""));
    this.last = this.state.values.value;
    this.pageIndex = Math.max(0, Math.min(this.pageIndex, dashboard.pages.length - 1));
    this.showPage();
  }

  get page(): Page | null {
    return this.dashboard.pages[this.pageIndex] ?? null;
  }

  choosePage(index: number): void {
    this.pageIndex = index;
    const search = new URLSearchParams(this.options.readSearch());
    if (index === 0) search.delete(PAGE);
    else search.set(PAGE, this.page?.title ?? String(index + 1));
    this.write(search);
    this.showPage();
  }

  setInterval(text: string): void {
    this.interval = text;
    this.timer.set(intervalMilliseconds(text));
    const search = new URLSearchParams(this.options.readSearch());
    if (text === (this.dashboard.refresh ?? "")) search.delete(INTERVAL);
    else search.set(INTERVAL, text === "" ? "off" : text);
    this.write(search);
  }

  /** No refreshing until the dashboard is opened again. */
  pause(): void {
    this.timer.set(0);
  }

  /** Runs the tiles in sight; the others when they come into it. */
  async refresh(force = false): Promise<void> {
    const runs: Promise<void>[] = [];
    for (const view of this.views.values()) {
      if (view.isSeen) runs.push(view.run(force));
      else view.isStale = true;
    }
    await Promise.all(runs);
  }

  /** The address was changed by going back or forth. */
  readAddress(): void {
    this.state.readAddress(this.options.readSearch());
  }

  dispose(): void {
    this.timer.dispose();
    this.sight.disconnect();
    this.stopWatching();
    for (const view of this.views.values()) view.dispose();
    this.views.clear();
  }

  /** The link to the dashboard as it is seen now; to one tile where that is named. */
  search(tile?: Tile): string {
    const search = new URLSearchParams(this.options.readSearch());
    if (tile) search.set(TILE, tile.id);
    else search.delete(TILE);
    const text = search.toString();
    return text === "" ? "" : `?${text}`;
  }

  private write(search: URLSearchParams): void {
    const text = search.toString();
    this.options.writeSearch(text === "" ? "" : `?${text}`);
  }

  private onValues(values: Values): void {
    const changed = this.state.list.filter(
      (parameter) => !sameValue(values[parameter.name] ?? null, this.last[parameter.name] ?? null),
    );
    this.last = values;
    if (changed.length === 0) return;
    this.options.writeSearch(this.state.toSearch(this.options.readSearch()));
    this.bar.paint();
    for (const view of this.views.values()) {
      if (!view.hasQuery || !changed.some((one) => usesParameter(this.dashboard, view.tile.query, one))) continue;
      if (view.isSeen) void view.run();
      else view.isStale = true;
    }
  }

  private showPage(): void {
    for (const view of this.views.values()) {
      this.sight.unobserve(view.element);
      view.dispose();
    }
    this.views.clear();
    this.paintTabs();
    this.bar.rebuild();
    const tiles = inReadingOrder(this.page?.tiles ?? []);
    for (const tile of tiles) this.addView(tile);
    this.putUp();
  }

  /** Makes one tile anew, after an edit of it. */
  replaceTile(tile: Tile): void {
    const old = this.views.get(tile.id);
    if (old) {
      this.sight.unobserve(old.element);
      old.dispose();
    }
    this.addView(tile);
    this.putUp();
  }

  private addView(tile: Tile): void {
    const view = new TileView(tile, {
      source: () => this.source,
      values: () => this.state.values.value,
      cross: this.cross,
      menu: (one) => this.options.menu(one),
      openQuery: this.options.openQuery,
      onFull: (one, full) => {
        const view = this.views.get(one.id);
        if (view?.isSeen && view.isStale) void view.run();
        const search = new URLSearchParams(this.options.readSearch());
        if (full) search.set(TILE, one.id);
        else search.delete(TILE);
        this.write(search);
      },
    });
    this.views.set(tile.id, view);
    this.sight.observe(view.element);
  }

  /** Tiles have new places: the order of the keyboard follows. */
  arrange(): void {
    const focused = document.activeElement;
    const tiles = inReadingOrder(this.page?.tiles ?? []);
    tiles.forEach((tile, index) => {
      const node = this.views.get(tile.id)?.element;
      if (node && this.grid.children[index] !== node) this.grid.insertBefore(node, this.grid.children[index] ?? null);
    });
    if (focused instanceof HTMLElement && focused !== document.activeElement) focused.focus();
  }

  /** In reading order, which is also the order of the keyboard. */
  private putUp(): void {
    const tiles = inReadingOrder(this.page?.tiles ?? []);
    const nodes = tiles.flatMap((tile) => {
      const view = this.views.get(tile.id);
      return view ? [view.element] : [];
    });
    replaceContent(
      this.grid,
      ...nodes,
      nodes.length === 0 ? element("p", { class: "empty board-empty" }, "This page has no tiles yet.") : null,
    );
    this.onTiles();
  }

  private paintTabs(): void {
    const { pages } = this.dashboard;
    this.tabs.hidden = pages.length < 2;
    replaceContent(
      this.tabs,
      ...pages.map((page, index) =>
        element(
          "button",
          {
            class: "tab",
            role: "tab",
            type: "button",
            "aria-selected": String(index === this.pageIndex),
            tabindex: index === this.pageIndex ? 0 : -1,
            onClick: () => this.choosePage(index),
            onKeydown: (event: KeyboardEvent) => {
              const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? pages.length - 1 : 0;
              if (step === 0) return;
              this.choosePage((index + step) % pages.length);
              this.tabs.querySelector<HTMLElement>("[aria-selected=true]")?.focus();
            },
          },
          page.title ?? `Page ${index + 1}`,
        ),
      ),
    );
  }

  private isCrossTarget(parameter: Parameter): boolean {
    return allTiles(this.dashboard).some((tile) =>
      (tile.cross_filter ?? []).some((filter) => filter.parameter === parameter.name),
    );
  }

  private readonly cross: CrossTarget = {
    pick: (filter, value, add) => {
      const parameter = this.state.list.find((one) => one.name === filter.parameter);
      if (!parameter || parameter.kind === "time-range" || this.options.locked.includes(parameter.name)) return;
      if (parameter.kind === "choice" && parameter.multiple) {
        const current = this.state.get(parameter.name);
        const list = Array.isArray(current) ? current : [];
        const others = list.filter((one) => one !== value);
        // A second click on what alone is chosen takes it back.
        const next = add ? (others.length < list.length ? others : [...list, value]) : [value];
        if (add) this.state.set(parameter.name, next.length === 0 ? null : next);
        else this.state.set(parameter.name, list.length === 1 && others.length === 0 ? null : next);
      } else if (sameValue(this.state.get(parameter.name), value)) {
        this.state.reset(parameter.name);
      } else {
        this.state.set(parameter.name, parameter.kind === "text" && value !== null ? String(value) : value);
      }
    },
    range: (filter, from, to) => {
      const parameter = this.state.list.find((one) => one.name === filter.parameter);
      if (parameter?.kind !== "time-range" || this.options.locked.includes(parameter.name)) return;
      this.state.set(parameter.name, { from: new Date(from).toISOString(), to: new Date(to).toISOString() });
    },
  };
}
