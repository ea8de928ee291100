// Databases, tables, columns and functions as a tree: filter, open, insert a name by a click. A click on a column or
// table inserts its name; the small button of a table makes a first query of it.

import { debounce, element, replaceContent } from "../base/dom";
import { formatBytes, formatShort, plural, quoteName } from "../base/format";
import { icon } from "../base/icons";
import { openMenu } from "../base/menu";
import type { Observable } from "../base/observable";
import { load, save } from "../base/storage";
import { refreshSchema, schema, schemaProblem, type SchemaDatabase, type SchemaTable } from "../server/schema";

export interface TreeActions {
  insert(text: string): void;
  runNew(database: string, text: string): void;
  useDatabase(name: string): void;
  ingestInto(database: string, table: string): void;
}

export class SchemaTree {
  readonly element: HTMLElement;
  private readonly list = element("div", { class: "tree", role: "tree", "aria-label": "Databases and tables" });
  private readonly filter = element("input", {
    type: "search",
    class: "search",
    placeholder: "Find a table or column",
    "aria-label": "Find a table or column",
  });
  private readonly opened = new Set<string>(load<string[]>("tree.open", []));

  constructor(
    private readonly database: Observable<string>,
    private readonly actions: TreeActions,
  ) {
    const refresh = element(
      "button",
      {
        class: "icon-button",
        type: "button",
        title: "Read the schema again",
        "aria-label": "Read the schema again",
        onClick: () => void refreshSchema(),
      },
      icon("refresh"),
    );
    this.element = element(
      "div",
      { class: "side-panel" },
      element("div", { class: "side-tools" }, this.filter, refresh),
      this.list,
    );
    this.filter.addEventListener(
      "input",
      debounce(100, () => this.paint()),
    );
    this.list.addEventListener("keydown", (event) => this.onKey(event));
    schema.watch(() => this.paint());
    schemaProblem.watch(() => this.paint());
    database.watch(() => this.paint());
  }

  private paint(): void {
    const needle = this.filter.value.trim().toLowerCase();
    const top = this.list.scrollTop;
    if (schemaProblem.value !== "") {
      replaceContent(this.list, element("p", { class: "hint bad" }, schemaProblem.value));
      return;
    }
    replaceContent(this.list, ...schema.value.map((database) => this.databaseNode(database, needle)));
    this.list.scrollTop = top;
    this.list.querySelector<HTMLElement>("[role=treeitem]")?.setAttribute("tabindex", "0");
  }

  private isOpen(key: string, byDefault: boolean): boolean {
    return byDefault ? !this.opened.has(`-${key}`) : this.opened.has(key);
  }

  private toggle(key: string, byDefault: boolean): void {
    const name = byDefault ? `-${key}` : key;
    if (!this.opened.delete(name)) this.opened.add(name);
    save("tree.open", [...this.opened]);
    this.paint();
    this.list.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)?.focus();
  }

  private databaseNode(database: SchemaDatabase, needle: string): HTMLElement | null {
    const tables = database.tables.filter(
      (table) =>
        needle === "" || matches(table.name, needle) || table.columns.some((column) => matches(column.name, needle)),
    );
    const functions = database.functions.filter((one) => needle === "" || matches(one.name, needle));
    if (needle !== "" && tables.length + functions.length === 0) return null;
    const current = database.name === this.database.value;
    const key = database.name;
    const byDefault = current || database.name !== "Conshelf";
    const open = needle !== "" || this.isOpen(key, byDefault);
    const use = element(
      "button",
      {
        class: "use",
        type: "button",
        tabindex: -1,
        title: `Run queries in ${database.name}`,
        onClick: (event: Event) => {
          event.stopPropagation();
          this.actions.useDatabase(database.name);
        },
      },
      current ? "in use" : "use",
    );
    const row = this.row(
      key,
      0,
      open,
      () => this.toggle(key, byDefault),
      icon("database"),
      database.name,
      [use],
      "",
      () => this.toggle(key, byDefault),
    );
    row.classList.toggle("current", current);
    const children = open
      ? [
          ...tables.map((table) => this.tableNode(database, table, needle)),
          ...functions.map((one) =>
            this.row(
              `${key}/${one.name}()`,
              1,
              null,
              null,
              icon("function"),
              one.name,
              [element("span", { class: "type" }, one.parameters)],
              one.documentation,
              () => this.actions.insert(`${quoteName(one.name)}()`),
            ),
          ),
          tables.length + functions.length === 0
            ? this.row(
                `${key}/`,
                1,
                null,
                null,
                icon("upload"),
                "No tables yet. Add data…",
                [],
                "",
                () => this.actions.ingestInto(database.name, ""),
              )
            : null,
        ]
      : [];
    return element("div", { class: "branch", role: "none" }, row, element("div", { role: "group" }, ...children));
  }

  private tableNode(database: SchemaDatabase, table: SchemaTable, needle: string): HTMLElement {
    const key = `${database.name}/${table.name}`;
    const found = needle !== "" && !matches(table.name, needle);
    const open = found || this.isOpen(key, false);
    const name = quoteName(table.name);
    const size = table.rows === null ? "" : formatShort(table.rows);
    const more = element(
      "button",
      {
        class: "icon-button small",
        type: "button",
        tabindex: -1,
        "aria-label": `More on ${table.name}`,
        title: "More",
        "aria-haspopup": "menu",
      },
      icon("more"),
    );
    more.addEventListener("click", (event) => {
      event.stopPropagation();
      openMenu(more, table.name, [
        { label: "Show 100 rows", run: () => this.actions.runNew(database.name, `${name}\n| take 100`) },
        { label: "Count rows", run: () => this.actions.runNew(database.name, `${name}\n| count`) },
        ...this.timeItem(database, table),
        {
          label: "Bytes of each column",
          run: () => this.actions.runNew(database.name, `.show table ${name} data statistics`),
        },
        { label: "Insert the name", run: () => this.actions.insert(name) },
        { label: "Add data…", run: () => this.actions.ingestInto(database.name, table.name) },
      ]);
    });
    const note = [
      table.documentation,
      table.rows === null ? "" : `${plural(table.rows, "row")}, ${formatBytes(table.bytes ?? 0)} on disk`,
    ]
      .filter((text) => text !== "")
      .join("\n");
    const row = this.row(
      key,
      1,
      open,
      () => this.toggle(key, false),
      icon("table"),
      table.name,
      [element("span", { class: "size" }, size), more],
      note,
      () => this.toggle(key, false),
    );
    row.addEventListener("dblclick", () => this.actions.insert(name));
    const columns = open
      ? table.columns
          .filter((column) => !found || matches(column.name, needle))
          .map((column) =>
            this.row(
              `${key}/${column.name}`,
              2,
              null,
              null,
              null,
              column.name,
              [element("span", { class: `type type-${column.type}` }, column.type)],
              column.documentation || `${column.name}: ${column.type}`,
              () => this.actions.insert(quoteName(column.name)),
            ),
          )
      : [];
    return element("div", { role: "none" }, row, element("div", { role: "group" }, ...columns));
  }

  private timeItem(database: SchemaDatabase, table: SchemaTable): { label: string; run: () => void }[] {
    const time = table.columns.find((column) => column.type === "datetime");
    if (!time) return [];
    const column = quoteName(time.name);
    const name = quoteName(table.name);
    return [
      {
        label: "Rows over time",
        run: () =>
          this.actions.runNew(
            database.name,
            `let span = toscalar(${name} | summarize max(${column}) - min(${column}));\n${name}\n| summarize Rows = count() by bin(${column}, max_of(1s, span / 100))\n| render timechart`,
          ),
      },
    ];
  }

  private row(
    key: string,
    depth: number,
    open: boolean | null,
    toggle: (() => void) | null,
    picture: Node | null,
    name: string,
    extras: HTMLElement[],
    note: string,
    choose: () => void,
  ): HTMLElement {
    const row = element(
      "div",
      {
        class: `node depth-${depth}`,
        role: "treeitem",
        tabindex: -1,
        "aria-level": depth + 1,
        "aria-expanded": open === null ? null : String(open),
        "data-key": key,
        title: note,
      },
      element("span", { class: `twisty${open ? " open" : ""}` }, toggle ? icon("chevron") : null),
      picture,
      element("span", { class: "name" }, name),
      ...extras,
    );
    row.addEventListener("click", choose);
    return row;
  }

  private onKey(event: KeyboardEvent): void {
    const rows = [...this.list.querySelectorAll<HTMLElement>("[role=treeitem]")];
    const at = rows.findIndex((row) => row === document.activeElement);
    const row = rows[at];
    if (!row) return;
    const open = row.getAttribute("aria-expanded");
    const go = (index: number): void => rows[Math.max(0, Math.min(rows.length - 1, index))]?.focus();
    if (event.key === "ArrowDown") go(at + 1);
    else if (event.key === "ArrowUp") go(at - 1);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(rows.length - 1);
    else if (event.key === "Enter" || event.key === " ") row.click();
    else if ((event.key === "ArrowRight" && open === "false") || (event.key === "ArrowLeft" && open === "true"))
      row.click();
    else if (event.key === "ArrowLeft") {
      const level = Number(row.getAttribute("aria-level"));
      go(rows.findLastIndex((one, index) => index < at && Number(one.getAttribute("aria-level")) < level));
    } else return;
    event.preventDefault();
  }
}

function matches(name: string, needle: string): boolean {
  return name.toLowerCase().includes(needle);
}
