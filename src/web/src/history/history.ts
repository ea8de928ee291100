// What was run before, kept in the browser: searched, opened again.

import { debounce, element, replaceContent } from "../base/dom";
import { formatMilliseconds, plural } from "../base/format";
import { icon } from "../base/icons";
import { load, save } from "../base/storage";

export interface HistoryEntry {
  text: string;
  database: string;
  at: number;
  milliseconds: number;
  rows: number | null;
  error: string | null;
}

const MOST_ENTRIES = 300;
const MOST_SHOWN = 100;

export class History {
  readonly element: HTMLElement;
  private readonly list = element("ul", { class: "history" });
  private readonly search = element("input", {
    type: "search",
    class: "search",
    placeholder: "Search the history",
    "aria-label": "Search the history",
  });
  private entries = load<HistoryEntry[]>("history", []);

  constructor(private readonly open: (entry: HistoryEntry) => void) {
    const clear = element("button", { class: "button small", type: "button", onClick: () => this.clear() }, "Clear");
    this.element = element(
      "div",
      { class: "side-panel" },
      element("div", { class: "side-tools" }, this.search, clear),
      this.list,
    );
    this.search.addEventListener(
      "input",
      debounce(100, () => this.paint()),
    );
    this.paint();
  }

  add(entry: HistoryEntry): void {
    this.entries = [
      entry,
      ...this.entries.filter((one) => one.text !== entry.text || one.database !== entry.database),
    ].slice(0, MOST_ENTRIES);
    save("history", this.entries);
    this.paint();
  }

  private clear(): void {
    this.entries = [];
    save("history", this.entries);
    this.paint();
  }

  private paint(): void {
    const needle = this.search.value.trim().toLowerCase();
    const found = this.entries
      .filter((entry) => needle === "" || entry.text.toLowerCase().includes(needle))
      .slice(0, MOST_SHOWN);
    if (found.length === 0) {
      replaceContent(
        this.list,
        element("li", { class: "hint" }, needle === "" ? "Nothing was run yet." : "Nothing found."),
      );
      return;
    }
    replaceContent(
      this.list,
      ...found.map((entry) =>
        element(
          "li",
          {},
          element(
            "button",
            { class: "history-entry", type: "button", title: entry.text, onClick: () => this.open(entry) },
            element("code", {}, entry.text.split("\n").slice(0, 4).join("\n")),
            element(
              "span",
              { class: entry.error ? "facts bad" : "facts" },
              icon("clock"),
              `${new Date(entry.at).toLocaleString()} · ${entry.database} · ${entry.error ?? `${entry.rows === null ? "" : `${plural(entry.rows, "row")}, `}${formatMilliseconds(entry.milliseconds)}`}`,
            ),
          ),
        ),
      ),
    );
  }
}
