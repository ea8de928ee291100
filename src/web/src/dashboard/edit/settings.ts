// The dialog for what is of the whole dashboard: title, database, refreshing, pages and base queries.

import { element, replaceContent } from "../../base/dom";
import { icon } from "../../base/icons";
import { databaseField } from "../create";
import { labelled, openDialog, textField } from "../dialog";
import { preludeOf } from "../literal";
import type { Dashboard, Page } from "../model";
import { intervalMilliseconds } from "../refresh";
import type { Values } from "../values";
import { queryField, type QueryField } from "./queryField";

export function openSettings(
  dashboard: Dashboard,
  home: string,
  values: () => Values,
  done: (made: Dashboard) => void,
): void {
  const title = textField(dashboard.title, { required: true, maxlength: 200 });
  const description = textField(dashboard.description ?? "", { maxlength: 2000 });
  const database = databaseField(dashboard.database ?? home);
  const refresh = textField(dashboard.refresh ?? "", { placeholder: "none; e.g. 30s" });
  const pages: Page[] = structuredClone(dashboard.pages);
  const pageRows = element("div", { class: "page-rows" });
  const paintPages = (): void =>
    replaceContent(
      pageRows,
      ...pages.map((page, index) => {
        const name = textField(page.title ?? "", {
          required: true,
          maxlength: 100,
          "aria-label": `Title of page ${index + 1}`,
        });
        name.addEventListener("input", () => {
          page.title = name.value;
        });
        const tiles = page.tiles?.length ?? 0;
        return element(
          "div",
          { class: "page-row" },
          name,
          element("span", { class: "hint" }, `${tiles} ${tiles === 1 ? "tile" : "tiles"}`),
          index === 0
            ? null
            : tool(
                "chevron",
                `Move page ${index + 1} up`,
                () => (pages.splice(index - 1, 0, ...pages.splice(index, 1)), paintPages()),
                "up",
              ),
          pages.length === 1
            ? null
            : tool("close", `Remove page ${index + 1} and its tiles`, () => (pages.splice(index, 1), paintPages())),
        );
      }),
    );
  paintPages();

  interface BaseEntry {
    name: HTMLInputElement;
    query: QueryField;
    row: HTMLElement;
  }
  const bases: BaseEntry[] = [];
  const baseRows = element("div", { class: "base-rows" });
  const others = (entry: BaseEntry): { name: string; query: string }[] =>
    bases.filter((one) => one !== entry).map((one) => ({ name: one.name.value, query: one.query.text() }));
  const addBase = (name: string, text: string): void => {
    const entry: BaseEntry = {
      name: textField(name, {
        required: true,
        pattern: "[A-Za-z_][A-Za-z0-9_]*",
        "aria-label": "Name of the base query",
      }),
      query: queryField({
        text,
        database: () => database.value,
        prelude: () => preludeOf({ ...dashboard, base_queries: others(entry) }, "", values(), true),
      }),
      row: element("div", { class: "base-row" }),
    };
    const remove = (): void => {
      bases.splice(bases.indexOf(entry), 1);
      entry.row.remove();
    };
    entry.row.append(
      element("div", { class: "page-row" }, entry.name, tool("close", `Remove ${name}`, remove)),
      entry.query.element,
    );
    bases.push(entry);
    baseRows.append(entry.row);
  };
  for (const one of dashboard.base_queries ?? []) addBase(one.name, one.query);

  openDialog({
    title: "Settings of the dashboard",
    action: "Apply",
    wide: true,
    content: [
      labelled("Title", title),
      labelled("Description", description),
      element("div", { class: "field-row" }, labelled("Database", database), labelled("Refresh every", refresh)),
      element(
        "fieldset",
        {},
        element("legend", {}, "Pages"),
        pageRows,
        addButton("Add a page", () => (pages.push({ title: `Page ${pages.length + 1}`, tiles: [] }), paintPages())),
      ),
      element(
        "fieldset",
        {},
        element("legend", {}, "Base queries: names that tiles use like tables"),
        baseRows,
        addButton("Add a base query", () => addBase("", "")),
      ),
    ],
    run: () => {
      const every = refresh.value.trim();
      if (every !== "" && intervalMilliseconds(every) === 0)
        throw new Error("Write how often to refresh as e.g. 30s, 5m or 1h.");
      const made: Dashboard = { ...dashboard, title: title.value.trim(), pages };
      assign(made, "description", description.value.trim());
      assign(made, "database", dashboard.database === undefined && database.value === home ? "" : database.value);
      assign(made, "refresh", every);
      const queries = bases.map((one) => ({ name: one.name.value.trim(), query: one.query.text() }));
      if (queries.length > 0) made.base_queries = queries;
      else delete made.base_queries;
      done(made);
    },
  });
}

function assign(dashboard: Dashboard, key: "description" | "database" | "refresh", value: string): void {
  if (value === "") delete dashboard[key];
  else dashboard[key] = value;
}

function tool(name: "close" | "chevron", label: string, run: () => void, extra = ""): HTMLElement {
  return element(
    "button",
    { class: `icon-button ${extra}`, type: "button", "aria-label": label, title: label, onClick: run },
    icon(name),
  );
}

function addButton(label: string, run: () => void): HTMLElement {
  return element("button", { class: "button small", type: "button", onClick: run }, icon("plus"), label);
}
