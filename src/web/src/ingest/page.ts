// The page that takes files in: drop one, look at what was found, mend names and types, send it.

import { element, replaceContent } from "../base/dom";
import { formatBytes, formatNumber, plural, quoteName } from "../base/format";
import { icon } from "../base/icons";
import { refreshSchema, schema } from "../server/schema";
import { notify } from "../base/notice";
import { firstQuery, ideaOf } from "./firstQuery";
import { alignColumns, fits, previewOf, type Preview, type PreviewRow, type PreviewWishes } from "./infer";
import { createTable, sentence, upload, type UploadPlan, type UploadState } from "./upload";
import { JSON_KINDS, kindOf, KINDS, labelOf } from "./values";

const HEAD_BYTES = 256 * 1024;
const SHOWN_ROWS = 30;
const SEPARATORS: readonly [label: string, separator: string][] = [
  ["commas", ","],
  ["semicolons", ";"],
  ["tabs", "\t"],
  ["bars", "|"],
  ["nothing: a line is one value", ""],
];

export class IngestPage {
  readonly element = element("section", { class: "ingest", "aria-label": "Add data" });
  private readonly body = element("div", { class: "ingest-body" });
  private file: File | null = null;
  private database = "NetDefaultDB";
  private table = "";

  constructor(private readonly openQuery: (database: string, text: string) => void) {
    this.element.append(this.body);
    this.element.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.element.classList.add("dragging");
    });
    this.element.addEventListener("dragleave", () => this.element.classList.remove("dragging"));
    this.element.addEventListener("drop", (event) => {
      event.preventDefault();
      this.element.classList.remove("dragging");
      const file = event.dataTransfer?.files[0];
      if (file) void this.take(file);
    });
    this.askForFile();
  }

  /** Where the next file goes. A file that is being looked at stays where it was meant for. */
  target(database: string, table: string): void {
    if (this.file !== null) return;
    this.database = database;
    this.table = table;
    this.askForFile();
  }

  private askForFile(problem = ""): void {
    this.file = null;
    const choose = element("input", {
      type: "file",
      id: "ingest-file",
      class: "visually-hidden",
      accept: ".csv,.tsv,.json,.ndjson,.jsonl,.txt,.log,.gz",
    });
    choose.addEventListener("change", () => {
      const file = choose.files?.[0];
      if (file) void this.take(file);
    });
    replaceContent(
      this.body,
      element("h1", {}, "Add data"),
      element(
        "p",
        { class: "hint" },
        this.table === "" ? "Into a new table, or one that is there." : `Into ${this.database}.${this.table}.`,
      ),
      element(
        "label",
        { class: "drop", for: "ingest-file" },
        icon("upload"),
        element("strong", {}, "Drop a file here, or choose one"),
        element(
          "span",
          { class: "hint" },
          "CSV, TSV, JSON objects on lines or in an array, plain lines; also as .gz. It goes to this server only.",
        ),
        choose,
      ),
      problem === "" ? null : element("p", { class: "bad", role: "alert" }, problem),
    );
  }

  private async take(dropped: File): Promise<void> {
    const file = await unpacked(dropped).catch(() => null);
    if (file === null) {
      this.askForFile(`${dropped.name} could not be unpacked.`);
      return;
    }
    const bytes = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
    const encoding = encodingOf(bytes);
    const head = new TextDecoder(encoding).decode(bytes);
    const look = (wishes: PreviewWishes): Preview => previewOf(file.name, head, file.size <= HEAD_BYTES, wishes);
    const preview = look({});
    if (head.includes("\0") || preview.columns.length === 0) {
      const reason = head.includes("\0") ? "is not a text" : "has no records that were found";
      this.askForFile(`${file.name} ${reason}: CSV, TSV, JSON or lines are taken.`);
      return;
    }
    this.file = file;
    if (this.table === "")
      this.table = file.name
        .replace(/(\.\w{1,6})+$/, "")
        .replace(/\W+/g, "_")
        .replace(/^(\d)/, "_$1");
    this.paint(file, encoding, preview, look);
  }

  private paint(
    file: File,
    encoding: string,
    preview: Preview,
    look: (wishes: PreviewWishes) => Preview,
    wishes: PreviewWishes = {},
  ): void {
    const tables = schema.value.find((one) => one.name === this.database)?.tables ?? [];
    const known = tables.find((one) => one.name === this.table.trim());
    if (known) alignColumns(preview.columns, known.columns);
    const again = (changed: PreviewWishes): void => {
      const next = { ...wishes, ...changed };
      this.paint(file, encoding, look(next), look, next);
    };
    const databases = element(
      "select",
      { id: "ingest-database" },
      ...schema.value.map((one) =>
        element("option", { value: one.name, selected: one.name === this.database }, one.name),
      ),
    );
    databases.addEventListener("change", () => {
      this.database = databases.value;
      this.paint(file, encoding, preview, look, wishes);
      document.getElementById("ingest-database")?.focus();
    });
    const table = element("input", {
      id: "ingest-table",
      type: "text",
      value: this.table,
      list: "ingest-tables",
      autocomplete: "off",
    });
    table.addEventListener("input", () => {
      this.table = table.value;
      // A table that is there brings its own columns.
      if (tables.find((one) => one.name === this.table.trim())?.name === known?.name) return;
      this.paint(file, encoding, preview, look, wishes);
      const again = document.getElementById("ingest-table") as HTMLInputElement | null;
      again?.focus();
      again?.setSelectionRange(this.table.length, this.table.length);
    });
    const names = element(
      "datalist",
      { id: "ingest-tables" },
      ...tables.map((one) => element("option", { value: one.name })),
    );
    const separator = element(
      "select",
      { id: "ingest-separator" },
      ...SEPARATORS.map(([label, one]) =>
        element("option", { value: one, selected: one === preview.separator }, label),
      ),
    );
    separator.addEventListener("change", () => {
      const next = { separator: separator.value };
      this.paint(file, encoding, look(next), look, next);
      document.getElementById("ingest-separator")?.focus();
    });
    const header = element("input", { type: "checkbox", id: "ingest-header", checked: preview.hasHeader });
    header.addEventListener("change", () => {
      again({ hasHeader: header.checked });
      document.getElementById("ingest-header")?.focus();
    });
    const goOn = element("input", { type: "checkbox", id: "ingest-go-on", checked: true });
    const status = element("div", { class: "upload-status", role: "status", "aria-live": "polite" });
    const start = element(
      "button",
      { class: "button primary", type: "button" },
      icon("upload"),
      known ? "Ingest into the table" : "Create table and ingest",
    );
    start.addEventListener("click", () => void this.send(file, encoding, preview, goOn.checked, start, status));
    const other = element(
      "button",
      {
        class: "button",
        type: "button",
        onClick: () => {
          this.table = "";
          this.askForFile();
        },
      },
      "Another file",
    );
    const isDelimited = preview.format === "delimited";
    replaceContent(
      this.body,
      element("h1", {}, file.name),
      element(
        "p",
        { class: "hint" },
        `${formatBytes(file.size)} of ${isDelimited ? "text" : "JSON"}${encoding === "utf-8" ? "" : ` (${encoding})`}, ${plural(preview.columns.length, "column")} found. ${known ? `The table ${known.name} is there: its names and types are taken.` : "Names and types can be changed before the table is made."}`,
      ),
      element(
        "div",
        { class: "ingest-form" },
        element("label", { for: "ingest-database" }, "Database", databases),
        element("label", { for: "ingest-table" }, "Table", table, names),
        isDelimited ? element("label", { for: "ingest-separator" }, "Values are parted by", separator) : null,
        isDelimited ? element("label", { class: "check" }, header, "The first line has names") : null,
        element(
          "label",
          {
            class: "check",
            title: "Broken records are left out, values that do not fit become null. Both are listed with their lines.",
          },
          goOn,
          "Go on after errors",
        ),
      ),
      element("div", { class: "ingest-form" }, start, other),
      status,
      this.previewTable(preview),
    );
  }

  private previewTable(preview: Preview): HTMLElement {
    const body = element("tbody", {});
    const paintRows = (): void => replaceContent(body, ...preview.rows.slice(0, SHOWN_ROWS).map(rowOf));
    const rowOf = (row: PreviewRow): HTMLElement => {
      if (row.problem !== null)
        return element(
          "tr",
          { class: "broken" },
          element("td", { colspan: preview.columns.length }, `${row.texts.join(" · ")} — ${row.problem}`),
        );
      return element(
        "tr",
        {},
        ...preview.columns.map((column, index) => {
          const text = row.texts[index] ?? "";
          const isMisfit = column.included && !fits(row, index, column.kind);
          const title = isMisfit ? `'${text}' is no ${labelOf(column.kind)}: it becomes null` : text;
          return element(
            "td",
            { class: isMisfit ? "misfit" : column.included ? null : "left-out", title },
            text,
            isMisfit ? element("span", { class: "visually-hidden" }, " does not fit") : null,
          );
        }),
      );
    };
    const kinds = preview.format === "delimited" ? KINDS : JSON_KINDS;
    const heads = preview.columns.map((column, index) => {
      const included = element("input", {
        type: "checkbox",
        checked: column.included,
        "aria-label": `Take ${column.source}`,
        title: "Take this column",
      });
      included.addEventListener("change", () => {
        column.included = included.checked;
        paintRows();
      });
      const name = element("input", { type: "text", value: column.name, "aria-label": `Name of column ${index + 1}` });
      name.addEventListener("input", () => {
        column.name = name.value;
      });
      const current = labelOf(column.kind);
      const type = element(
        "select",
        { "aria-label": `Type of ${column.source}` },
        ...kinds.map(([label]) => element("option", { value: label, selected: label === current }, label)),
      );
      type.addEventListener("change", () => {
        column.kind = kindOf(type.value);
        paintRows();
      });
      return element(
        "th",
        { scope: "col" },
        element("div", { class: "column-form" }, element("div", {}, included, name), type),
      );
    });
    paintRows();
    return element(
      "div",
      { class: "preview", tabindex: 0, role: "region", "aria-label": "First rows of the file" },
      element("table", {}, element("thead", {}, element("tr", {}, ...heads)), body),
    );
  }

  private async send(
    file: File,
    encoding: string,
    preview: Preview,
    goOn: boolean,
    start: HTMLButtonElement,
    status: HTMLElement,
  ): Promise<void> {
    const plan: UploadPlan = {
      database: this.database,
      table: this.table.trim(),
      format: preview.format,
      separator: preview.separator,
      hasHeader: preview.hasHeader,
      encoding,
      columns: preview.columns,
      goOn,
    };
    const problem = problemOf(plan);
    if (problem !== null) {
      replaceContent(status, element("p", { class: "bad", role: "alert" }, problem));
      return;
    }
    const stop = new AbortController();
    const bar = element("progress", { max: Math.max(1, file.size), value: 0, "aria-label": "Sent" });
    const text = element("span", {}, "Making the table…");
    const cancel = element("button", { class: "button small", type: "button", onClick: () => stop.abort() }, "Stop");
    replaceContent(status, element("div", { class: "upload-line" }, bar, text, cancel));
    start.disabled = true;
    const report = (state: UploadState): void => {
      bar.value = state.bytesSent;
      text.textContent = `${plural(state.rows, "row")} stored, ${formatBytes(state.bytesSent)} of ${formatBytes(state.bytesTotal)}`;
    };
    try {
      await createTable(plan);
      const state = await upload(file, plan, report, stop.signal);
      replaceContent(status, this.outcome(plan, state, preview));
      status.scrollIntoView({ block: "nearest" });
      await refreshSchema();
    } catch (failure) {
      const message = failure instanceof Error ? failure.message : String(failure);
      replaceContent(
        status,
        element(
          "p",
          { class: "bad", role: "alert" },
          stop.signal.aborted ? `Stopped; ${text.textContent ?? ""}` : message,
        ),
      );
    }
    start.disabled = false;
  }

  private outcome(plan: UploadPlan, state: UploadState, preview: Preview): HTMLElement {
    const name = quoteName(plan.table);
    const idea = ideaOf(plan.columns, preview.rows);
    const draw = (): void => {
      firstQuery(plan.database, plan.table, idea).then(
        (text) => this.openQuery(plan.database, text),
        (failure: unknown) => notify(failure instanceof Error ? failure.message : String(failure), "bad"),
      );
    };
    const hasChart = state.rows > 0 && (idea.time !== null || idea.group !== null);
    const wrong = [
      state.skipped > 0 ? `${plural(state.skipped, "bad record")} skipped.` : "",
      state.nulled > 0 ? `${plural(state.nulled, "value")} did not fit and became null.` : "",
    ].filter((text) => text !== "");
    return element(
      "div",
      { class: "outcome" },
      element(
        "p",
        {},
        element("strong", {}, `${plural(state.rows, "row")} stored in ${plan.table}.`),
        wrong.length > 0 ? ` ${wrong.join(" ")}` : "",
      ),
      element(
        "div",
        { class: "outcome-next" },
        hasChart
          ? element("button", { class: "button primary", type: "button", onClick: draw }, icon("chart"), "Draw a chart")
          : null,
        element(
          "button",
          {
            class: hasChart ? "button" : "button primary",
            type: "button",
            onClick: () => this.openQuery(plan.database, `${name}\n| take 100`),
          },
          "Query it",
        ),
      ),
      state.errors.length === 0
        ? null
        : element(
            "details",
            { open: true },
            element("summary", {}, `What was wrong (${formatNumber(state.skipped + state.nulled)})`),
            element("ul", { class: "bad-records" }, ...state.errors.map((error) => element("li", {}, sentence(error)))),
          ),
    );
  }
}

/** What must be mended before the table can be made. */
function problemOf(plan: UploadPlan): string | null {
  if (plan.table === "") return "The table needs a name.";
  const names = plan.columns.filter((column) => column.included).map((column) => column.name.trim());
  if (names.length === 0) return "Take at least one column.";
  if (names.includes("")) return "Each column needs a name.";
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  return twice === undefined ? null : `Two columns are named ${twice}.`;
}

/** UTF-8 unless the first bytes cannot be that. */
function encodingOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  try {
    // A letter may be cut in two where the part that is looked at ends.
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return "utf-8";
  } catch {
    return "windows-1252";
  }
}

/** What a packed file holds, told by its first bytes; any other file as it is. */
async function unpacked(file: File): Promise<File> {
  const start = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  if (start[0] !== 0x1f || start[1] !== 0x8b) return file;
  const content = await new Response(file.stream().pipeThrough(new DecompressionStream("gzip"))).blob();
  return new File([content], file.name.replace(/\.gz$/i, ""));
}
