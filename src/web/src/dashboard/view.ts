// One dashboard: its head with refreshing, sharing and downloads, and the board below. Editing is loaded when asked for.

import { element, replaceContent } from "../base/dom";
import { icon, type IconName } from "../base/icons";
import { openMenu, type MenuItem } from "../base/menu";
import { copyText, download, notify } from "../base/notice";
import { send } from "../server/client";
import { Board } from "./board";
import { askForCopy } from "./create";
import { openDialog } from "./dialog";
import type { Editing } from "./edit/editing";
import { standaloneQuery } from "./literal";
import type { Tile } from "./model";
import { intervalMilliseconds } from "./refresh";
import { addressOf, deleteDashboard, pathOf, readDashboard, storedSource, type Stored } from "./server";
import { shortDuration } from "./values";

export interface ViewOptions {
  openQuery(database: string, text: string): void;
  go(address: string, edit?: boolean): void;
}

const INTERVALS = ["5s", "10s", "30s", "1m", "5m", "15m", "1h"];

export class DashboardView {
  readonly element = element("section", { class: "dashboard", "aria-label": "Dashboard" });
  readonly board: Board;
  private readonly head = element("header", { class: "dashboard-head" });
  private stored: Stored | null = null;
  private editing: Editing | null = null;

  constructor(
    readonly database: string,
    readonly name: string,
    private readonly options: ViewOptions,
  ) {
    this.board = new Board({
      source: storedSource(database, name),
      locked: [],
      menu: (tile) => this.tileMenu(tile),
      openQuery: (tile) => this.openQuery(tile),
      readSearch: () => window.location.search,
      writeSearch: (search) => window.history.replaceState(null, "", window.location.pathname + search),
    });
    replaceContent(this.element, this.head, element("p", { class: "empty", role: "status" }, "Loading…"));
  }

  async load(edit = false): Promise<void> {
    try {
      this.show(await readDashboard(this.database, this.name));
      if (edit) await this.edit();
    } catch (failure) {
      replaceContent(
        this.element,
        element(
          "div",
          { class: "failure", role: "alert" },
          element("h2", {}, "This dashboard cannot be shown"),
          element("p", {}, failure instanceof Error ? failure.message : String(failure)),
          this.backLink(),
        ),
      );
    }
  }

  mayLeave(): boolean {
    return !this.editing?.hasChanges || window.confirm("Leave without saving the changes of this dashboard?");
  }

  dispose(): void {
    this.editing?.dispose();
    this.editing = null;
    this.board.dispose();
  }

  private show(stored: Stored): void {
    this.stored = stored;
    document.title = `${stored.dashboard?.title ?? this.name} · Conshelf`;
    if (!stored.dashboard) return this.showProblems(stored);
    this.board.source = storedSource(this.database, this.name);
    replaceContent(this.element, this.head, this.board.element);
    this.board.open(stored.dashboard);
    this.paintHead();
  }

  /** The file cannot be read: where it is wrong, and a way to mend it. */
  private showProblems(stored: Stored): void {
    replaceContent(
      this.element,
      element(
        "div",
        { class: "failure", role: "alert" },
        element("h2", {}, "The file of this dashboard has errors"),
        element(
          "ul",
          {},
          ...(stored.problems ?? []).map((one) =>
            element("li", {}, `Line ${one.line}, column ${one.column}: ${one.message}`),
          ),
        ),
        stored.writable
          ? element("button", { class: "button", type: "button", onClick: () => void this.mend() }, "Edit as text")
          : null,
        this.backLink(),
      ),
    );
  }

  private async mend(): Promise<void> {
    replaceContent(this.element, this.head, this.board.element);
    await this.edit(true);
  }

  private backLink(): HTMLElement {
    const link = element(
      "a",
      { class: "back", href: "/dashboards" },
      icon("back"),
      element("span", { class: "wide" }, "Dashboards"),
    );
    link.setAttribute("aria-label", "All dashboards");
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.options.go("/dashboards");
    });
    return link;
  }

  private paintHead(): void {
    const stored = this.stored;
    if (!stored?.dashboard) return;
    const { dashboard, writable } = stored;
    const more = this.button("more", "More", () => undefined);
    more.setAttribute("aria-haspopup", "menu");
    more.addEventListener("click", () => openMenu(more, "Dashboard", this.menu(stored)));
    replaceContent(
      this.head,
      this.backLink(),
      element(
        "div",
        { class: "dashboard-names" },
        element("h1", { class: "clip", title: dashboard.title }, dashboard.title),
        dashboard.description
          ? element("p", { class: "clip hint", title: dashboard.description }, dashboard.description)
          : null,
      ),
      element("div", { class: "spacer" }),
      this.button("refresh", "Refresh all tiles", () => void this.board.refresh(true)),
      this.intervalChoice(),
      element(
        "button",
        { class: "button small", type: "button", onClick: () => void this.share(), "aria-label": "Share" },
        icon("share"),
        element("span", { class: "wide" }, "Share"),
      ),
      writable
        ? element(
            "button",
            { class: "button small", type: "button", onClick: () => void this.edit(), "aria-label": "Edit" },
            icon("edit"),
            element("span", { class: "wide" }, "Edit"),
          )
        : null,
      more,
    );
  }

  private button(name: IconName, label: string, run: () => void): HTMLButtonElement {
    return element(
      "button",
      { class: "icon-button", type: "button", "aria-label": label, title: label, onClick: run },
      icon(name),
    );
  }

  private intervalChoice(): HTMLElement {
    const current = intervalMilliseconds(this.board.interval) === 0 ? "" : this.board.interval;
    const values = INTERVALS.includes(current) || current === "" ? INTERVALS : [current, ...INTERVALS];
    const select = element(
      "select",
      { class: "interval", "aria-label": "Refresh every", title: "Refresh by itself; a hidden page waits" },
      element("option", { value: "", selected: current === "" }, "No refresh"),
      ...values.map((value) =>
        element("option", { value, selected: value === current }, `Every ${shortDuration(value)}`),
      ),
    );
    select.addEventListener("change", () => this.board.setInterval(select.value));
    return select;
  }

  private menu(stored: Stored): MenuItem[] {
    const items: MenuItem[] = [
      { label: "Copy link", run: () => void copyText(window.location.href, "Link") },
      { label: "Download as YAML", run: () => void this.save("yaml") },
      { label: "Download as JSON", run: () => void this.save("json") },
      {
        label: "Copy to another name…",
        run: () =>
          askForCopy({ database: this.database, name: this.name, text: stored.text, format: stored.format }, (place) =>
            this.options.go(addressOf(place.database, place.name)),
          ),
      },
    ];
    if (stored.writable) {
      items.push(
        { label: "Edit as text", run: () => void this.edit(true) },
        { label: "Delete…", run: () => this.remove() },
      );
    }
    return items;
  }

  private tileMenu(tile: Tile): MenuItem[] {
    const items: MenuItem[] = [];
    if (tile.query !== undefined) {
      items.push({ label: "Open query in editor", run: () => this.openQuery(tile) });
    }
    items.push({
      label: "Copy link to tile",
      run: () => void copyText(window.location.origin + window.location.pathname + this.board.search(tile), "Link"),
    });
    if (!this.editing) items.push({ label: "Embed tile…", run: () => void this.share(tile) });
    return this.editing ? [...this.editing.tileMenu(tile), ...items] : items;
  }

  private openQuery(tile: Tile): void {
    if (tile.query === undefined) return;
    const { dashboard } = this.board;
    const text = standaloneQuery(dashboard, tile.query, this.board.state.values.value);
    this.options.openQuery(this.databaseOf(tile), text);
  }

  private databaseOf(tile: Tile): string {
    return tile.database ?? this.board.dashboard.database ?? (this.database === "" ? "NetDefaultDB" : this.database);
  }

  private async save(format: "yaml" | "json"): Promise<void> {
    try {
      const answer = await send(`/v1/dashboards/${pathOf(this.database, this.name)}?format=${format}`, {});
      download(`${this.name}.${format}`, await answer.blob());
    } catch (failure) {
      notify(failure instanceof Error ? failure.message : String(failure), "bad");
    }
  }

  private async share(tile?: Tile): Promise<void> {
    const { openShare } = await import("./share");
    openShare(this.database, this.name, this.board, tile);
  }

  private remove(): void {
    openDialog({
      title: "Delete the dashboard",
      action: "Delete",
      danger: true,
      content: [element("p", {}, `“${this.stored?.dashboard?.title ?? this.name}” will be gone for everybody.`)],
      run: async () => {
        await deleteDashboard(this.database, this.name);
        this.options.go("/dashboards");
      },
    });
  }

  private async edit(asText = false): Promise<void> {
    const stored = this.stored;
    if (!stored || this.editing) return;
    const { Editing } = await import("./edit/editing");
    this.editing = new Editing({
      stored,
      database: this.database,
      name: this.name,
      board: this.board,
      databaseOf: (tile) => this.databaseOf(tile),
      onEnd: (saved) => {
        this.editing?.dispose();
        this.editing = null;
        this.element.classList.remove("is-editing");
        this.show(saved ?? stored);
      },
    });
    this.element.classList.add("is-editing");
    replaceContent(this.head, ...this.editing.headContent());
    this.editing.start(asText);
  }
}
