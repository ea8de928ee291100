// The page that takes files in: drop one, look at what was found, mend names and types, send it.

import { element, replaceContent } from "../base/dom";
import { formatBytes, formatNumber, plural } from "../base/format";
import { icon } from "../base/icons";
import { refreshSchema, schema } from "../server/schema";
import { previewOf, TYPES, type Preview } from "./infer";
import { createTable, upload, type UploadPlan, type UploadState } from "./upload";

const HEAD_BYTES = 256 * 1024;
const SHOWN_ROWS = 30;

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
    const head = await file.slice(0, HEAD_BYTES).text();
    const preview = previewOf(file.name, head, file.size <= HEAD_BYTES);
    if (preview.columns.length === 0) {
      this.askForFile(`No records were found in ${file.name}.`);
      return;
    }
    this.file = file;

    if (this.table === "")
      this.table = file.name
        .replace(/\.\w+$/, "")
        .replace(/\W+/g, "_")
        .replace(/^(\d)/, "_$1");
    this.paint(file, preview);
  }

  private paint(file: File, preview: Preview): void {
    const databases = element(
      "select",
      { id: "ingest-database" },
      ...schema.value.map((one) =>
        element("option", { value: one.name, selected: one.name === this.database }, one.name),
      ),
    );
    databases.addEventListener("change", () => {
      this.database = databases.value;
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
    });
    const known = element(
      "datalist",
      { id: "ingest-tables" },
      ...(schema.value.find((one) => one.name === this.database)?.tables ?? []).map((one) =>
        element("option", { value: one.name }),
      ),
    );
    const header = element("input", { type: "checkbox", id: "ingest-header", checked: preview.hasHeader });
    header.addEventListener("change", () => {
      preview.hasHeader = header.checked;
    });
    const skip = element("input", { type: "checkbox", id: "ingest-skip", checked: true });
    const status = element("div", { class: "upload-status", role: "status", "aria-live": "polite" });
    const start = element(
      "button",
      { class: "button primary", type: "button" },
      icon("upload"),
      "Create table and ingest",
    );
    start.addEventListener("click", () => void this.send(file, preview, skip.checked, start, status));
    const again = element(
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
    replaceContent(
      this.body,
      element("h1", {}, file.name),
      element(
        "p",
        { class: "hint" },
        `${formatBytes(file.size)} of ${preview.format.toUpperCase()}, ${plural(preview.columns.length, "column")} found. Names and types can be changed before the table is made.`,
      ),
      element(
        "div",
        { class: "ingest-form" },
        element("label", { for: "ingest-database" }, "Database", databases),
        element("label", { for: "ingest-table" }, "Table", table, known),
        preview.format === "csv" || preview.format === "tsv"
          ? element("label", { class: "check" }, header, "The first line has names")
          : null,
        element("label", { class: "check" }, skip, "Skip bad records"),
      ),
      element("div", { class: "ingest-form" }, start, again),
      status,
      this.previewTable(preview),
    );
  }

  private previewTable(preview: Preview): HTMLElement {
    const heads = preview.columns.map((column, index) => {
      const included = element("input", {
        type: "checkbox",
        checked: column.included,
        "aria-label": `Take ${column.source}`,
        title: "Take this column",
      });
      included.addEventListener("change", () => {
        column.included = included.checked;
      });
      const name = element("input", { type: "text", value: column.name, "aria-label": `Name of column ${index + 1}` });
      name.addEventListener("input", () => {
        column.name = name.value;
      });
      const type = element(
        "select",
        { "aria-label": `Type of ${column.source}` },
        ...TYPES.map((one) => element("option", { value: one, selected: one === column.type }, one)),
      );
      type.addEventListener("change", () => {
        column.type = type.value;
      });
      return element(
        "th",
        { scope: "col" },
        element("div", { class: "column-form" }, element("div", {}, included, name), type),
      );
    });
    const rows = preview.rows
      .slice(0, SHOWN_ROWS)
      .map((row) => element("tr", {}, ...row.map((text) => element("td", { title: text }, text))));
    return element(
      "div",
      { class: "preview", tabindex: 0, role: "region", "aria-label": "First rows of the file" },
      element("table", {}, element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...rows)),
    );
  }

  private async send(
    file: File,
    preview: Preview,
    skipBad: boolean,
    start: HTMLButtonElement,
    status: HTMLElement,
  ): Promise<void> {
    const plan: UploadPlan = {
      database: this.database,
      table: this.table.trim(),
      format: preview.format,
      hasHeader: preview.hasHeader,
      columns: preview.columns,
      skipBad,
    };
    if (plan.table === "") {
      replaceContent(status, element("p", { class: "bad" }, "The table needs a name."));
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
      replaceContent(status, this.outcome(plan, state));
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

  private outcome(plan: UploadPlan, state: UploadState): HTMLElement {
    const name = /^\w+$/.test(plan.table) ? plan.table : `['${plan.table}']`;
    return element(
      "div",
      { class: "outcome" },
      element(
        "p",
        {},
        element("strong", {}, `${plural(state.rows, "row")} stored in ${plan.table}.`),
        state.skipped > 0 ? ` ${plural(state.skipped, "bad record")} skipped.` : "",
      ),
      element(
        "button",
        {
          class: "button primary",
          type: "button",
          onClick: () => this.openQuery(plan.database, `${name}\n| take 100`),
        },
        "Query it",
      ),
      state.errors.length === 0
        ? null
        : element(
            "details",
            { open: true },
            element("summary", {}, `Bad records (${formatNumber(state.skipped)})`),
            element(
              "ul",
              { class: "bad-records" },
              ...state.errors.map((error) =>
                element("li", {}, element("strong", {}, `Line ${error.line}: `), error.message),
              ),
            ),
          ),
    );
  }
}

/** What a `.gz` file holds; any other file as it is. */
async function unpacked(file: File): Promise<File> {
  if (!/\.gz$/i.test(file.name)) return file;
  const content = await new Response(file.stream().pipeThrough(new DecompressionStream("gzip"))).blob();
  return new File([content], file.name.replace(/\.gz$/i, ""));
}
