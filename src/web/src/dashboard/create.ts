// The dialogs that store a dashboard under a name: a new one, a copy, an import.

import { element } from "../base/dom";
import { plural } from "../base/format";
import { ServerError } from "../server/client";
import { schema } from "../server/schema";
import { choiceField, labelled, openDialog, textField } from "./dialog";
import { importDashboard, writeDashboard, type Imported } from "./server";

export interface Place {
  database: string;
  name: string;
}

const NAME = "[\\p{L}\\p{N}_\\-. ]+";

export function databaseField(chosen: string): HTMLSelectElement {
  const names = schema.value.map((one) => one.name);
  if (!names.includes(chosen)) names.unshift(chosen);
  return choiceField(
    names.map((name) => [name, name] as const),
    chosen,
  );
}

/** A name out of a title: letters and digits with dashes between. */
export function nameFrom(title: string): string {
  return title
    .toLowerCase()
    .normalize("NFKD")
    .replace(/[^\p{L}\p{N}_]+/gu, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60);
}

const nameField = (value: string): HTMLInputElement =>
  textField(value, { required: true, pattern: NAME, maxlength: 200, title: "Letters, digits, blanks and _ - ." });

/** Stores where nothing is yet; says so where something is. */
async function store(place: Place, text: string, format: "yaml" | "json"): Promise<void> {
  try {
    await writeDashboard(place.database, place.name, text, format, { none: true });
  } catch (failure) {
    if (failure instanceof ServerError && failure.status === 412)
      throw new Error(`There is a dashboard “${place.name}” in ${place.database} already.`);
    throw failure;
  }
}

const asYamlText = (text: string): string => JSON.stringify(text);

export function emptyDashboard(title: string, database: string): string {
  return [
    "version: 1",
    `title: ${asYamlText(title)}`,
    `database: ${asYamlText(database)}`,
    "parameters:",
    "  - {name: _time, label: Time range, kind: time-range, start: _startTime, end: _endTime, default: {last: 1h}}",
    "pages:",
    "  - title: Overview",
    "    tiles: []",
    "",
  ].join("\n");
}

export function askForNew(database: string, done: (place: Place) => void): void {
  const title = textField("", { required: true, maxlength: 200, placeholder: "What it shows" });
  const name = nameField("");
  const where = databaseField(database);
  let named = false;
  name.addEventListener("input", () => {
    named = true;
  });
  title.addEventListener("input", () => {
    if (!named) name.value = nameFrom(title.value);
  });
  openDialog({
    title: "New dashboard",
    action: "Create",
    content: [labelled("Title", title), labelled("Name in addresses", name), labelled("Database", where)],
    run: async () => {
      const place = { database: where.value, name: name.value.trim() };
      await store(place, emptyDashboard(title.value.trim(), where.value), "yaml");
      done(place);
    },
  });
  title.focus();
}

export function askForCopy(
  from: { database: string; name: string; text: string; format: "yaml" | "json" },
  done: (place: Place) => void,
): void {
  const name = nameField(`${from.name}-copy`);
  const where = databaseField(from.database === "" ? (schema.value[0]?.name ?? "NetDefaultDB") : from.database);
  openDialog({
    title: "Copy the dashboard",
    action: "Copy",
    content: [labelled("Name of the copy", name), labelled("Database", where)],
    run: async () => {
      const place = { database: where.value, name: name.value.trim() };
      await store(place, from.text, from.format);
      done(place);
    },
  });
}

/** A file of Azure Data Explorer, or one of ours; what could not be taken over is told before it is stored. */
export function askForImport(database: string, done: (place: Place) => void): void {
  const file = element("input", { type: "file", accept: ".json,.yaml,.yml", "aria-label": "File" });
  const where = databaseField(database);
  const name = nameField("");
  const outcome = element("div", { class: "import-outcome", "aria-live": "polite" });
  let text = "";
  let imported: Imported | null = null;
  let format: "yaml" | "json" = "yaml";

  const read = async (): Promise<void> => {
    const chosen = file.files?.[0];
    imported = null;
    outcome.replaceChildren();
    if (!chosen) return;
    text = await chosen.text();
    if (name.value === "") name.value = nameFrom(chosen.name.replace(/\.\w+$/, "").replace(/^dashboard-/, ""));
    format = "yaml";
    if (isOwn(text)) {
      format = text.trimStart().startsWith("{") ? "json" : "yaml";
      outcome.append(element("p", {}, "A dashboard of Conshelf."));
      return;
    }
    try {
      imported = await importDashboard(text, where.value);
      const tiles = imported.dashboard.pages.reduce((sum, page) => sum + (page.tiles?.length ?? 0), 0);
      const { warnings } = imported;
      outcome.append(
        element(
          "p",
          {},
          element("strong", {}, imported.dashboard.title),
          `: ${plural(imported.dashboard.pages.length, "page")}, ${plural(tiles, "tile")}.`,
        ),
      );
      if (warnings.length > 0) {
        outcome.append(
          element(
            "p",
            { class: "warn" },
            `${warnings.length} ${warnings.length === 1 ? "thing needs" : "things need"} a look:`,
          ),
          element(
            "ul",
            { class: "warnings" },
            ...warnings.map((one) => element("li", {}, element("code", {}, one.path), ` ${one.message}`)),
          ),
        );
      }
    } catch (failure) {
      outcome.append(element("p", { class: "bad" }, failure instanceof Error ? failure.message : String(failure)));
    }
  };
  file.addEventListener("change", () => void read());
  where.addEventListener("change", () => void read());
  openDialog({
    title: "Import a dashboard",
    action: "Import",
    wide: true,
    content: [
      element(
        "p",
        { class: "hint" },
        "The JSON file of an Azure Data Explorer dashboard, or a YAML or JSON file of Conshelf.",
      ),
      labelled("File", file),
      labelled("Database", where),
      labelled("Name in addresses", name),
      outcome,
    ],
    run: async () => {
      if (text === "") throw new Error("Choose a file first.");
      if (!imported && !isOwn(text)) return false;
      const place = { database: where.value, name: name.value.trim() };
      await store(place, imported?.text ?? text, format);
      done(place);
      return true;
    },
  });
}

/** Ours say their version as a number and have pages with tiles in them. */
function isOwn(text: string): boolean {
  if (!text.trimStart().startsWith("{")) return true;
  try {
    const parsed = JSON.parse(text) as { version?: unknown; schema_version?: unknown };
    return typeof parsed.version === "number" && parsed.schema_version === undefined;
  } catch {
    return false;
  }
}
