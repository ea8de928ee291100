// The list of dashboards: those of the databases, of files and the built-in ones.

import { element, replaceContent } from "../base/dom";
import { icon } from "../base/icons";
import { askForImport, askForNew, type Place } from "./create";
import { addressOf, listDashboards, type Listed } from "./server";

const SOURCES: Record<Listed["source"], string> = { database: "", file: "from a file", "built-in": "built in" };

export interface ListOptions {
  database(): string;
  go(address: string): void;
  /** A new one is opened for editing. */
  edit(place: Place): void;
}

export class DashboardList {
  readonly element: HTMLElement;
  private readonly cards = element("div", { class: "dashboard-cards", role: "list", "aria-label": "Dashboards" });
  private readonly search = element("input", {
    class: "search",
    type: "search",
    placeholder: "Search",
    "aria-label": "Search dashboards",
  });
  private found: Listed[] = [];

  constructor(private readonly options: ListOptions) {
    const add = element("button", { class: "button primary", type: "button" }, icon("plus"), "New dashboard");
    add.addEventListener("click", () => askForNew(options.database(), (place) => options.edit(place)));
    const bring = element("button", { class: "button", type: "button" }, icon("upload"), "Import");
    bring.addEventListener("click", () =>
      askForImport(options.database(), (place) => options.go(addressOf(place.database, place.name))),
    );
    this.search.addEventListener("input", () => this.paint());
    this.element = element(
      "section",
      { class: "dashboard-list", "aria-label": "Dashboards" },
      element(
        "div",
        { class: "list-head" },
        element("h1", {}, "Dashboards"),
        this.search,
        element("div", { class: "spacer" }),
        bring,
        add,
      ),
      this.cards,
    );
  }

  async load(): Promise<void> {
    try {
      this.found = await listDashboards();
      this.found.sort(
        (left, right) =>
          Number(left.source === "built-in") - Number(right.source === "built-in") ||
          left.database.localeCompare(right.database) ||
          left.title.localeCompare(right.title),
      );
      this.paint();
    } catch (failure) {
      replaceContent(
        this.cards,
        element("p", { class: "bad", role: "alert" }, failure instanceof Error ? failure.message : String(failure)),
      );
    }
  }

  private paint(): void {
    const wanted = this.search.value.trim().toLowerCase();
    const shown = this.found.filter((one) =>
      `${one.title} ${one.name} ${one.database} ${one.description}`.toLowerCase().includes(wanted),
    );
    replaceContent(
      this.cards,
      ...shown.map((one) => this.card(one)),
      shown.length === 0
        ? element("p", { class: "hint" }, this.found.length === 0 ? "There are no dashboards yet." : "Nothing matches.")
        : null,
    );
  }

  private card(one: Listed): HTMLElement {
    const address = addressOf(one.database, one.name);
    const facts = [one.database, SOURCES[one.source] ?? one.source].filter((fact) => fact !== "").join(" · ");
    const link = element(
      "a",
      { class: "dashboard-card", href: address },
      element(
        "span",
        { class: "dashboard-title" },
        icon("grid"),
        element("span", { class: "clip" }, one.title || one.name),
      ),
      one.problem ? element("span", { class: "dashboard-problem" }, one.problem) : null,
      one.description ? element("span", { class: "dashboard-description" }, one.description) : null,
      element("span", { class: "dashboard-facts" }, facts),
    );
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      this.options.go(address);
    });
    return element("div", { role: "listitem" }, link);
  }
}
