// The open queries, kept in the browser: each a text with a database.

import { element, replaceContent } from "../base/dom";
import { icon } from "../base/icons";
import { openMenu } from "../base/menu";
import { load, save } from "../base/storage";

export interface QueryTab {
  id: string;
  title: string;
  /** Given by the user, not taken from the text. */
  named: boolean;
  text: string;
  database: string;
}

interface Kept {
  tabs: QueryTab[];
  active: string;
}

const WELCOME = `// Shift+Enter runs the block at the cursor. Blank lines part blocks.
print Hello = "world", Now = now()

// What is there? (No data yet: "Add data" above, or the command \`conshelf demo\`.)
.show tables details

// A chart
range x from 0.0 to 12.5 step 0.1
| extend Sine = sin(x), Cosine = cos(x)
| render linechart with (title = "Two curves")
`;

export class Tabs {
  readonly element = element("div", { class: "query-tabs" });
  private readonly list = element("div", { class: "query-tab-list", role: "tablist", "aria-label": "Queries" });
  private readonly kept: Kept;

  constructor(
    private readonly onShow: (tab: QueryTab) => void,
    private readonly onClose: (tab: QueryTab) => void,
    private readonly defaultDatabase: () => string,
  ) {
    this.kept = load<Kept>("tabs", { tabs: [], active: "" });
  }

  start(): void {
    if (this.kept.tabs.length === 0) this.kept.tabs.push(this.make(WELCOME, this.defaultDatabase()));
    const active = this.kept.tabs.find((tab) => tab.id === this.kept.active) ?? this.kept.tabs[0];
    if (active) this.show(active);
  }

  get active(): QueryTab | null {
    return this.kept.tabs.find((tab) => tab.id === this.kept.active) ?? null;
  }

  open(text: string, database: string): QueryTab {
    const tab = this.make(text, database);
    this.kept.tabs.push(tab);
    this.show(tab);
    return tab;
  }

  setText(text: string): void {
    const tab = this.active;
    if (!tab || tab.text === text) return;
    tab.text = text;
    if (!tab.named) {
      const title = titleOf(text);
      if (title !== tab.title) {
        tab.title = title;
        this.paint();
      }
    }
    save("tabs", this.kept);
  }

  setDatabase(database: string): void {
    const tab = this.active;
    if (!tab) return;
    tab.database = database;
    save("tabs", this.kept);
  }

  private make(text: string, database: string): QueryTab {
    return {
      id: crypto.getRandomValues(new Uint32Array(2)).join("-"),
      title: titleOf(text),
      named: false,
      text,
      database,
    };
  }

  private show(tab: QueryTab): void {
    this.kept.active = tab.id;
    save("tabs", this.kept);
    this.paint();
    this.onShow(tab);
  }

  private close(tab: QueryTab): void {
    const at = this.kept.tabs.indexOf(tab);
    this.kept.tabs.splice(at, 1);
    this.onClose(tab);
    if (this.kept.tabs.length === 0) this.kept.tabs.push(this.make("", tab.database));
    const next = tab.id === this.kept.active ? this.kept.tabs[Math.min(at, this.kept.tabs.length - 1)] : this.active;
    if (next) this.show(next);
  }

  private rename(tab: QueryTab): void {
    const title = window.prompt("Name of the query", tab.title);
    if (title === null) return;
    tab.named = title.trim() !== "";
    tab.title = tab.named ? title.trim() : titleOf(tab.text);
    save("tabs", this.kept);
    this.paint();
  }

  private paint(): void {
    const add = element(
      "button",
      {
        class: "icon-button new-query",
        type: "button",
        title: "New query",
        "aria-label": "New query",
        onClick: () => this.open("", this.active?.database ?? this.defaultDatabase()),
      },
      icon("plus"),
    );
    const more = element(
      "button",
      {
        class: "icon-button",
        type: "button",
        title: "More on this query",
        "aria-label": "More on this query",
        "aria-haspopup": "menu",
      },
      icon("more"),
    );
    more.addEventListener("click", () => this.openMore(more));
    replaceContent(this.list, ...this.kept.tabs.map((tab) => this.tabNode(tab)));
    replaceContent(this.element, this.list, add, more);
    this.element.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  private openMore(anchor: HTMLElement): void {
    const tab = this.active;
    if (!tab) return;
    openMenu(anchor, tab.title, [
      { label: "Rename…", detail: "F2", run: () => this.rename(tab) },
      { label: "Duplicate", run: () => this.open(tab.text, tab.database) },
      { label: "Close", detail: "Delete", run: () => this.close(tab) },
      {
        label: "Close the others",
        run: () => this.kept.tabs.filter((one) => one !== tab).forEach((one) => this.close(one)),
      },
    ]);
  }

  private tabNode(tab: QueryTab): HTMLElement {
    const selected = tab.id === this.kept.active;
    const node = element(
      "div",
      {
        class: "query-tab",
        role: "tab",
        tabindex: selected ? 0 : -1,
        "aria-selected": String(selected),
        "aria-keyshortcuts": "Delete F2",
        title: "Double-click to rename",
      },
      element("span", { class: "clip" }, tab.title),
      // For pointers only: by keyboard the tab is closed with Delete or by the menu.
      element(
        "span",
        {
          class: "icon-button small close",
          "aria-hidden": "true",
          title: "Close",
          onClick: (event: Event) => {
            event.stopPropagation();
            this.close(tab);
          },
        },
        icon("close"),
      ),
    );
    node.addEventListener("click", () => selected || this.show(tab));
    node.addEventListener("dblclick", () => this.rename(tab));
    node.addEventListener("auxclick", (event) => event.button === 1 && this.close(tab));
    node.addEventListener("keydown", (event) => {
      const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
      if (event.key === "Delete") this.close(tab);
      else if (event.key === "F2") this.rename(tab);
      else if (step !== 0) {
        const next =
          this.kept.tabs[(this.kept.tabs.indexOf(tab) + step + this.kept.tabs.length) % this.kept.tabs.length];
        if (next) this.show(next);
        this.element.querySelector<HTMLElement>("[aria-selected=true]")?.focus();
      }
    });
    return node;
  }
}

/** The first line that says something. */
function titleOf(text: string): string {
  const line = text.split("\n").find((one) => one.trim() !== "" && !one.trim().startsWith("//"));
  if (!line) return "New query";
  const clean = line.trim();
  return clean.length > 32 ? `${clean.slice(0, 31)}…` : clean;
}
