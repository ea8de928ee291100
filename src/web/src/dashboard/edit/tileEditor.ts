// The dialog that changes one tile: its query or text, how it is drawn, what a click does, where it stands.

import { element, replaceContent } from "../../base/dom";
import { icon } from "../../base/icons";
import { CHART_KINDS } from "../../chart/properties";
import { databaseField } from "../create";
import { choiceField, labelled, openDialog, textField, tickField } from "../dialog";
import { clamp } from "../layout";
import { preludeOf } from "../literal";
import { COLUMNS, parameterLabel, type CrossFilter, type Dashboard, type Tile } from "../model";
import { TileView } from "../tile";
import type { Values } from "../values";
import type { DraftSource } from "./draft";
import { queryField } from "./queryField";

export interface TileEditorOptions {
  tile: Tile;
  isNew: boolean;
  dashboard: Dashboard;
  databaseOf(tile: Tile): string;
  values(): Values;
  source: DraftSource;
  done(tile: Tile): void;
}

/** Properties of `visualization` that have fields; lists of names are written with commas. */
const PROPERTIES: [name: string, label: string, kind: "text" | "list" | "number" | readonly string[]][] = [
  ["xcolumn", "Column of the x axis", "text"],
  ["ycolumns", "Columns of values", "list"],
  ["series", "Columns of series", "list"],
  ["anomalycolumns", "Columns of anomalies", "list"],
  ["xtitle", "Title of the x axis", "text"],
  ["ytitle", "Title of the y axis", "text"],
  ["xaxis", "Scale of x", ["linear", "log"]],
  ["yaxis", "Scale of y", ["linear", "log"]],
  ["ymin", "Least y", "number"],
  ["ymax", "Largest y", "number"],
  ["legend", "Legend", ["visible", "hidden"]],
  ["ysplit", "Several values", ["none", "axes", "panels"]],
  ["shape", "Bars and areas", ["default", "unstacked", "stacked", "stacked100"]],
];

export function openTileEditor(options: TileEditorOptions): void {
  const before = options.tile;
  const isText = before.markdown !== undefined && before.query === undefined;
  const title = textField(before.title ?? "", { maxlength: 200 });
  const description = textField(before.description ?? "", { maxlength: 2000 });
  const hideTitle = tickField("Hide the title", before.hide_title === true);
  const ownDatabase = databaseField(before.database ?? "");
  const inherited = options.databaseOf({ ...before, database: undefined });
  replaceContent(
    ownDatabase,
    element("option", { value: "", selected: before.database === undefined }, `That of the dashboard (${inherited})`),
    ...[...ownDatabase.options]
      .filter((one) => one.value !== "")
      .map((one) => element("option", { value: one.value, selected: one.value === before.database }, one.value)),
  );
  const place = (["x", "y", "width", "height"] as const).map((name) => ({
    name,
    input: element("input", {
      type: "number",
      min: 0,
      max: name === "y" || name === "height" ? 1000 : COLUMNS,
      value: before[name],
      required: true,
    }),
  }));
  const visual = visualFields(before.visualization ?? {});
  const cross = crossFields(options.dashboard, before.cross_filter ?? []);
  const markdown = element("textarea", {
    class: "markdown-field",
    "aria-label": "Text (Markdown)",
    spellcheck: "true",
  });
  markdown.value = before.markdown ?? "";

  const current = (): Tile => {
    const made: Tile = { ...before };
    put(made, "title", title.value.trim() || undefined);
    put(made, "description", description.value.trim() || undefined);
    put(made, "hide_title", hideTitle.input.checked || undefined);
    Object.assign(
      made,
      clamp(Object.fromEntries(place.map(({ name, input }) => [name, Number(input.value)])) as never),
    );
    if (isText) {
      made.markdown = markdown.value;
    } else {
      made.query = query.text();
      put(made, "database", ownDatabase.value || undefined);
      const wishes = visual.read();
      put(made, "visualization", Object.keys(wishes).length === 0 ? undefined : wishes);
      const filters = cross.read();
      put(made, "cross_filter", filters.length === 0 ? undefined : filters);
    }
    return made;
  };

  const query = queryField({
    text: before.query ?? "",
    database: () => ownDatabase.value || inherited,
    prelude: () => preludeOf(options.dashboard, "", options.values(), true),
    onRun: () => void preview(),
  });
  const previewBox = element(
    "div",
    { class: "tile-preview" },
    element("p", { class: "hint" }, "What the tile shows appears here."),
  );
  let shown: TileView | null = null;
  const preview = async (): Promise<void> => {
    shown?.dispose();
    const tile = { ...current(), x: 0, y: 0 };
    shown = new TileView(tile, {
      source: () => ({
        run: (_id, values, _tag, signal) => options.source.runTile(tile, values, signal),
        choices: () => Promise.resolve([]),
      }),
      values: options.values,
      cross: { pick: () => undefined, range: () => undefined },
      menu: () => [],
      onFull: () => undefined,
    });
    replaceContent(previewBox, shown.element);
    await shown.run(true);
  };
  markdown.addEventListener("input", () => void preview());

  const form = element(
    "div",
    { class: "tile-editor" },
    element(
      "div",
      { class: "tile-editor-main" },
      isText ? markdown : query.element,
      isText
        ? null
        : element(
            "div",
            { class: "tile-editor-bar" },
            element(
              "button",
              { class: "button small", type: "button", onClick: () => void preview() },
              icon("run"),
              "Preview",
            ),
            element("span", { class: "hint wide" }, "Shift+Enter"),
          ),
      previewBox,
    ),
    element(
      "div",
      { class: "tile-editor-side" },
      labelled("Title", title),
      hideTitle.label,
      labelled("Description", description),
      isText ? null : labelled("Database", ownDatabase),
      isText ? null : visual.element,
      isText ? null : cross.element,
      element(
        "fieldset",
        {},
        element("legend", {}, "Place, in cells"),
        element(
          "div",
          { class: "field-grid" },
          ...place.map(({ name, input }) =>
            labelled({ x: "Left", y: "Top", width: "Width", height: "Height" }[name], input),
          ),
        ),
      ),
    ),
  );
  const original = JSON.stringify(before);
  const dialog = openDialog({
    title: `${options.isNew ? "Add" : "Change"} ${isText ? "a text" : "a tile"}`,
    action: options.isNew ? "Add" : "Apply",
    content: [form],
    run: () => {
      const made = current();
      if (!isText && (made.query ?? "").trim() === "") throw new Error("The tile needs a query.");
      options.done(made);
    },
    mayClose: () =>
      JSON.stringify({ ...before, ...current() }) === original || window.confirm("Close without applying the changes?"),
    onClose: () => shown?.dispose(),
  });
  dialog.element.classList.add("tile-dialog");
  if (isText) markdown.focus();
  else query.focus();
  if (isText || (before.query ?? "") !== "") void preview();
}

function put<Key extends keyof Tile>(tile: Tile, key: Key, value: Tile[Key] | undefined): void {
  if (value === undefined) delete tile[key];
  else tile[key] = value;
}

function visualFields(given: Record<string, unknown>): { element: HTMLElement; read: () => Record<string, unknown> } {
  const kinds = ["table", ...CHART_KINDS];
  const kind = choiceField(
    [["", "As the query's render says"], ...kinds.map((name) => [name, name] as const)],
    String(given.kind ?? ""),
  );
  const shown = (value: unknown): string =>
    value === undefined || value === null ? "" : Array.isArray(value) ? value.join(", ") : String(value);
  const fields = PROPERTIES.map(([name, label, type]) => {
    const field =
      typeof type === "object"
        ? choiceField([["", "–"], ...type.map((one) => [one, one] as const)], shown(given[name]))
        : textField(shown(given[name]), type === "number" ? { inputmode: "decimal" } : {});
    return { name, type, field, line: labelled(label, field) };
  });
  const hasMore = PROPERTIES.some(([name]) => given[name] !== undefined);
  return {
    element: element(
      "fieldset",
      {},
      element("legend", {}, "Drawn as"),
      labelled("Kind", kind),
      element(
        "details",
        { open: hasMore },
        element("summary", {}, "Columns, axes and legend"),
        element("div", { class: "field-grid" }, ...fields.map((one) => one.line)),
      ),
    ),
    read: () => {
      // What has no field here stays as it was.
      const made: Record<string, unknown> = { ...given };
      if (kind.value === "") delete made.kind;
      else made.kind = kind.value;
      for (const { name, type, field } of fields) {
        const text = field.value.trim();
        if (text === "") delete made[name];
        else if (type === "list")
          made[name] = text
            .split(",")
            .map((one) => one.trim())
            .filter((one) => one !== "");
        else if (type === "number") made[name] = Number.isFinite(Number(text)) ? Number(text) : text;
        else made[name] = text;
      }
      return made;
    },
  };
}

function crossFields(
  dashboard: Dashboard,
  given: readonly CrossFilter[],
): { element: HTMLElement; read: () => CrossFilter[] } {
  const parameters = dashboard.parameters ?? [];
  const rows = element("div", { class: "cross-rows" });
  const readers = new Map<HTMLElement, () => CrossFilter | null>();
  const add = (filter: CrossFilter): void => {
    const gesture = choiceField(
      [
        ["column", "A click on a value of"],
        ["drag", "A drag over the x axis"],
      ],
      filter.drag ? "drag" : "column",
    );
    gesture.setAttribute("aria-label", "Gesture");
    const column = textField(filter.column ?? "", { placeholder: "column", "aria-label": "Column" });
    const parameter = choiceField(
      parameters.map((one) => [one.name, `sets ${parameterLabel(one)}`] as const),
      filter.parameter,
    );
    parameter.setAttribute("aria-label", "Parameter");
    const paint = (): void => {
      column.hidden = gesture.value === "drag";
    };
    gesture.addEventListener("change", paint);
    paint();
    const row = element("div", { class: "cross-row" }, gesture, column, parameter);
    row.append(
      element(
        "button",
        {
          class: "icon-button",
          type: "button",
          "aria-label": "Remove",
          onClick: () => {
            readers.delete(row);
            row.remove();
          },
        },
        icon("close"),
      ),
    );
    readers.set(row, () => {
      if (parameter.value === "") return null;
      if (gesture.value === "drag") return { drag: "x", parameter: parameter.value };
      return column.value.trim() === "" ? null : { column: column.value.trim(), parameter: parameter.value };
    });
    rows.append(row);
  };
  given.forEach(add);
  return {
    element: element(
      "fieldset",
      {},
      element("legend", {}, "Cross-filter"),
      parameters.length === 0 ? element("p", { class: "hint" }, "Needs a parameter.") : rows,
      parameters.length === 0
        ? null
        : element(
            "button",
            {
              class: "button small",
              type: "button",
              onClick: () => add({ column: "", parameter: parameters[0]?.name ?? "" }),
            },
            icon("plus"),
            "Add",
          ),
    ),
    read: () => [...readers.values()].flatMap((read) => read() ?? []),
  };
}
