// The dashboards' part of the page: reads the address and shows the list or one dashboard.

import { element, replaceContent } from "../base/dom";
import "./dashboard.css";
import type { Place } from "./create";
import { DashboardList } from "./list";
import { addressOf } from "./server";
import { DashboardView } from "./view";

export interface DashboardsOptions {
  /** Where new ones go unless said otherwise. */
  database(): string;
  openQuery(database: string, text: string): void;
}

export class DashboardsPage {
  readonly element = element("div", { class: "dashboards" });
  private view: DashboardView | null = null;

  constructor(private readonly options: DashboardsOptions) {}

  /** Shows what the address names. `false` when unsaved changes keep the page where it is. */
  open(edit = false): void {
    const parts = window.location.pathname.split("/").slice(2).map(decodeURIComponent);
    const [database = "", name = ""] = parts;
    this.leave();
    if (name === "") {
      document.title = "Dashboards · Conshelf";
      const list = new DashboardList({
        database: this.options.database,
        go: (address) => this.go(address),
        edit: (place: Place) => this.go(addressOf(place.database, place.name), true),
      });
      replaceContent(this.element, list.element);
      void list.load();
      return;
    }
    const view = new DashboardView(database === "-" ? "" : database, name, {
      openQuery: this.options.openQuery,
      go: (address, editing) => this.go(address, editing),
    });
    this.view = view;
    replaceContent(this.element, view.element);
    void view.load(edit);
  }

  /** Another page is shown. */
  leave(): void {
    this.view?.dispose();
    this.view = null;
    document.title = "Conshelf";
  }

  go(address: string, edit = false): void {
    if (this.view && !this.view.mayLeave()) return;
    window.history.pushState(null, "", address);
    this.open(edit);
  }

  mayLeave(): boolean {
    return this.view?.mayLeave() ?? true;
  }
}
