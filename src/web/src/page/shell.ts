// What is always there: the top bar, the side with schema and history, and the page in the middle.

import { element, replaceContent } from "../base/dom";
import { icon, type IconName } from "../base/icons";
import { Observable } from "../base/observable";
import { makeSplitter } from "../base/splitter";
import { theme, toggleTheme } from "../base/theme";
import { History } from "../history/history";
import { SchemaTree } from "../schema/tree";
import { QueryPage } from "./queryPage";
import type { DashboardsPage } from "../dashboard/page";
import type { IngestPage } from "../ingest/page";

type PageName = "query" | "ingest" | "dashboards";
type SideName = "schema" | "history";

export class Shell {
  readonly element: HTMLElement;
  private readonly query = new QueryPage();
  private ingest: IngestPage | null = null;
  private dashboards: DashboardsPage | null = null;
  private isQueryStarted = false;
  private readonly page = new Observable<PageName>(pageOfAddress());
  private readonly side = new Observable<SideName>("schema");
  private readonly main = element("main", { class: "main", id: "main" });
  private readonly sideBox: HTMLElement;
  /** Closes the side where it lies over the page. */
  private leaveSide = (): void => undefined;

  constructor() {
    const history = new History((entry) => {
      this.leaveSide();
      this.page.value = "query";
      this.query.tabs.open(entry.text, entry.database);
    });
    this.query.history = history;
    const tree = new SchemaTree(this.query.database, {
      insert: (text) => {
        this.leaveSide();
        this.page.value = "query";
        this.query.editor.insert(text);
      },
      runNew: (database, text) => {
        this.leaveSide();
        this.page.value = "query";
        this.query.openAndRun(database, text);
      },
      useDatabase: (name) => this.query.useDatabase(name),
      ingestInto: (database, table) => {
        this.leaveSide();
        void this.openIngest(database, table);
      },
    });
    const panels: Record<SideName, HTMLElement> = { schema: tree.element, history: history.element };
    const sideTabs = element("div", { class: "tabs", role: "tablist", "aria-label": "Side" });
    const sideContent = element("div", { class: "side-content", role: "tabpanel" });
    this.side.watch((name) => {
      replaceContent(sideContent, panels[name]);
      replaceContent(
        sideTabs,
        ...(["schema", "history"] as const).map((one) =>
          element(
            "button",
            {
              class: "tab",
              role: "tab",
              type: "button",
              "aria-selected": String(one === name),
              tabindex: one === name ? 0 : -1,
              onClick: () => {
                this.side.value = one;
              },
              onKeydown: (event: KeyboardEvent) => {
                if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
                this.side.value = one === "schema" ? "history" : "schema";
                sideTabs.querySelector<HTMLElement>("[aria-selected=true]")?.focus();
              },
            },
            one === "schema" ? "Schema" : "History",
          ),
        ),
      );
    });
    const splitter = makeSplitter({
      name: "side",
      label: "Width of the side",
      direction: "columns",
      minimum: 170,
      maximum: () => Math.max(200, window.innerWidth / 2),
      initial: 252,
      apply: (pixels) => document.documentElement.style.setProperty("--side-width", `${pixels}px`),
    });
    this.sideBox = element(
      "nav",
      { class: "side", "aria-label": "Schema and history" },
      sideTabs,
      sideContent,
      splitter,
    );
    const scrim = element("div", { class: "scrim", onClick: () => this.leaveSide() });
    this.element = element("div", { class: "shell" }, this.topBar(), this.sideBox, this.main, scrim);
    this.sideBox.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.element.classList.contains("side-open")) return;
      this.leaveSide();
      this.element.querySelector<HTMLElement>(".menu-button")?.focus();
    });
    this.page.watch((name) => this.open(name));
  }

  start(): void {
    this.openAddress();
    window.addEventListener("popstate", () => {
      const stays = this.page.value === "dashboards" && this.dashboards?.staysForChanges();
      if (!stays) this.openAddress();
    });
  }

  private openAddress(): void {
    if (pageOfAddress() === "dashboards") void this.openDashboards();
    else if (this.page.value === "ingest") return;
    else if (this.page.value === "query") this.startQuery();
    else this.page.value = "query";
  }

  /** What was refused for want of a token is asked for again. */
  retry(): void {
    if (this.page.value === "dashboards") this.dashboards?.open();
  }

  /** The query page begins when it is first seen: the editor is large. */
  private startQuery(): void {
    if (this.isQueryStarted) return;
    this.isQueryStarted = true;
    this.query.start();
  }

  private topBar(): HTMLElement {
    const themeButton = element("button", { class: "icon-button", type: "button", onClick: toggleTheme });
    theme.watch((value) => {
      replaceContent(themeButton, icon(value === "dark" ? "sun" : "moon"));
      const label = value === "dark" ? "Light colours" : "Dark colours";
      themeButton.setAttribute("aria-label", label);
      themeButton.title = label;
    });
    const pages = element("div", { class: "pages" });
    this.page.watch((current) => {
      const entries: [PageName, string, IconName][] = [
        ["query", "Query", "run"],
        ["dashboards", "Dashboards", "grid"],
        ["ingest", "Add data", "upload"],
      ];
      replaceContent(
        pages,
        ...entries.map(([name, label, picture]) =>
          element(
            "button",
            {
              class: "page-button",
              type: "button",
              "aria-current": name === current ? "page" : null,
              onClick: () => this.go(name),
            },
            icon(picture),
            label,
          ),
        ),
      );
    });
    const menu = element(
      "button",
      {
        class: "icon-button menu-button",
        type: "button",
        "aria-label": "Schema and history",
        title: "Schema and history",
        "aria-expanded": "false",
        onClick: () => {
          const open = this.element.classList.toggle("side-open");
          menu.setAttribute("aria-expanded", String(open));
          if (open) this.sideBox.querySelector<HTMLElement>("[aria-selected=true]")?.focus();
        },
      },
      icon("menu"),
    );
    this.leaveSide = () => {
      this.element.classList.remove("side-open");
      menu.setAttribute("aria-expanded", "false");
    };
    return element(
      "header",
      { class: "top" },
      menu,
      element(
        "a",
        { class: "brand", href: "/" },
        element("img", { src: "/web/icon.svg", alt: "", width: 20, height: 20 }),
        "Conshelf",
      ),
      pages,
      element("div", { class: "spacer" }),
      element(
        "a",
        {
          class: "icon-button",
          href: "/docs/kql",
          target: "_blank",
          rel: "noopener",
          title: "The language",
          "aria-label": "The language",
        },
        icon("book"),
      ),
      themeButton,
    );
  }

  private go(name: PageName): void {
    if (this.page.value === "dashboards" && this.dashboards?.mayLeave() === false) return;
    if (name === "ingest") void this.openIngest(this.query.database.value, "");
    else if (name === "query") this.page.value = name;
    else {
      if (window.location.pathname !== "/dashboards") window.history.pushState(null, "", "/dashboards");
      void this.openDashboards();
    }
  }

  private async openDashboards(): Promise<void> {
    this.page.value = "dashboards";
    if (!this.dashboards) {
      const { DashboardsPage } = await import("../dashboard/page");
      this.dashboards ??= new DashboardsPage({
        database: () => this.query.database.value,
        openQuery: (database, text) => {
          this.page.value = "query";
          this.query.openAndRun(database, text);
        },
      });
    }
    if (this.page.value !== "dashboards") return;
    replaceContent(this.main, this.dashboards.element);
    this.dashboards.open();
  }

  private async openIngest(database: string, table: string): Promise<void> {
    if (!this.ingest) {
      const { IngestPage } = await import("../ingest/page");
      this.ingest ??= new IngestPage((target, text) => {
        this.page.value = "query";
        this.query.openAndRun(target, text);
      });
    }
    this.ingest.target(database, table);
    this.page.value = "ingest";
  }

  private open(name: PageName): void {
    this.element.classList.toggle("no-side", name === "dashboards");
    if (name === "dashboards") {
      replaceContent(this.main, this.dashboards?.element);
      return;
    }
    if (this.dashboards && pageOfAddress() === "dashboards") {
      this.dashboards.leave();
      window.history.pushState(null, "", "/");
    }
    replaceContent(this.main, name === "ingest" && this.ingest ? this.ingest.element : this.query.element);
    if (name === "query" && this.element.isConnected) this.startQuery();
  }
}

function pageOfAddress(): PageName {
  return /^\/dashboards(\/|$)/.test(window.location.pathname) ? "dashboards" : "query";
}
