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
  /** Of what is shown: going back with unsaved changes may lead here again. */
  private address = "";

  constructor(private readonly options: DashboardsOptions) {}

  /** Shows what the address names. */
  open(edit = false): void {
    const parts = window.location.pathname.split("/").slice(2).map(decodeURIComponent);
    const [database = "", name = ""] = parts;
    this.address = window.location.pathname + window.location.search;
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

  /** The address has changed by going back or forth: whether unsaved changes keep what is shown. */
  staysForChanges(): boolean {
    if (this.mayLeave()) return false;
    window.history.pushState(null, "", this.address);
    return true;
  }

  mayLeave(): boolean {
    return this.view?.mayLeave() ?? true;
  }
}
