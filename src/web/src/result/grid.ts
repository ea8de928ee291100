// The table of a result. Only the rows and columns in sight are elements, so that 500,000 rows scroll as 50 do.
// Sorts by a click on a head, resizes by its edge, selects rectangles of cells, and is used by keyboard like a sheet.

import { element, replaceContent } from "../base/dom";
import { icon } from "../base/icons";
import { copyText } from "../base/notice";
import type { ResultTable } from "../server/query";
import { isNumeric, shownText } from "./cell";
import { selectionText } from "./copy";
import { openFilter } from "./filterPanel";
import { RowView } from "./rows";
import { CellSelection } from "./selection";

const ROW_HEIGHT = 26;
const OVERSCAN = 6;
const NARROWEST = 48;
const WIDEST_AT_FIRST = 360;
/** Browsers lose precision beyond this height; taller tables are scrolled in proportion. */
const TALLEST = 12_000_000;

export class ResultGrid {
  readonly element: HTMLElement;
  readonly view: RowView;
  readonly selection = new CellSelection();
  private readonly head = element("div", { class: "grid-head", role: "row", "aria-rowindex": 1 });
  private readonly body = element("div", { class: "grid-body", role: "rowgroup" });
  private readonly widths: number[];
  private readonly numberWidth: number;
  private offsets: number[] = [];
  private scheduled = false;
  private painted = "";
  /** The rows that are elements now, by place, and what they all depend on. */
  private kept = new Map<number, HTMLElement>();
  private keptFor = "";

  constructor(
    table: ResultTable,
    private readonly onOpen: (row: number, column: number | null) => void,
    private readonly onRows: (shown: number) => void,
  ) {
    this.view = new RowView(table);
    this.numberWidth = Math.max(40, 18 + 8 * String(table.rows.length).length);
    this.widths = table.columns.map((_column, index) => this.fittingWidth(index));
    this.element = element(
      "div",
      {
        class: "grid",
        role: "grid",
        tabindex: 0,
        "aria-label": "Result",
        "aria-colcount": table.columns.length + 1,
        "aria-multiselectable": "true",
        "aria-keyshortcuts": "s f Enter Control+A Control+C Control+Shift+C",
      },
      element("div", { class: "grid-head-holder", role: "rowgroup" }, this.head),
      this.body,
    );
    this.element.addEventListener("scroll", () => this.schedule(), { passive: true });
    this.element.addEventListener("keydown", (event) => this.onKey(event));
    this.body.addEventListener("pointerdown", (event) => this.onPointer(event));
    this.body.addEventListener("dblclick", (event) => {
      const place = this.placeOf(event.target);
      if (place) this.open(place.row, place.column);
    });
    new ResizeObserver(() => this.schedule()).observe(this.element);
    this.layout();
  }

  /** Filters or sorting have changed. */
  refresh(): void {
    this.view.update();
    this.selection.clear();
    this.layout();
    this.onRows(this.view.shown.length);
  }

  /** The rows in the order shown, for export. */
  shownRows(): ResultTable["rows"] {
    return Array.from(this.view.shown, (index) => this.view.table.rows[index] ?? []);
  }

  copySelection(): void {
    const text = selectionText(this.view, this.selection, false);
    if (text !== null) void copyText(text, "Selection");
  }

  private fittingWidth(index: number): number {
    const { columns, rows } = this.view.table;
    const column = columns[index];
    if (!column) return NARROWEST;
    let letters = column.name.length * 1.1 + 7;
    const step = Math.max(1, Math.floor(rows.length / 60));
    for (let at = 0; at < rows.length; at += step) {
      letters = Math.max(letters, shownText(rows[at]?.[index] ?? null, column.type).length + 1);
    }
    return Math.max(64, Math.min(WIDEST_AT_FIRST, Math.round(letters * 7.3 + 18)));
  }

  private layout(): void {
    this.offsets = [this.numberWidth];
    for (const width of this.widths) this.offsets.push((this.offsets[this.offsets.length - 1] ?? 0) + width);
    const total = this.offsets[this.offsets.length - 1] ?? 0;
    this.element.setAttribute("aria-rowcount", String(this.view.shown.length + 1));
    this.body.style.height = `${Math.min(TALLEST, this.view.shown.length * ROW_HEIGHT)}px`;
    this.body.style.width = `${total}px`;
    this.head.style.width = `${total}px`;
    this.painted = "";
    this.keptFor = "";
    this.schedule();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      this.paint();
    });
  }

  /** First row in sight and how far the rows are moved; more than one row a pixel when the table is very tall. */
  private window(): { first: number; last: number; shift: number } {
    const height = this.element.clientHeight;
    const full = this.view.shown.length * ROW_HEIGHT;
    const visible = Math.ceil(height / ROW_HEIGHT);
    if (full <= TALLEST) {
      const first = Math.max(0, Math.floor(this.element.scrollTop / ROW_HEIGHT) - OVERSCAN);
      return { first, last: Math.min(this.view.shown.length, first + visible + 2 * OVERSCAN), shift: 0 };
    }
    const part = this.element.scrollTop / Math.max(1, TALLEST + ROW_HEIGHT - height);
    const first = Math.min(
      this.view.shown.length - visible + 1,
      Math.floor(part * (this.view.shown.length - visible + 1)),
    );
    return {
      first: Math.max(0, first),
      last: Math.min(this.view.shown.length, first + visible + 1),
      shift: this.element.scrollTop - Math.max(0, first) * ROW_HEIGHT,
    };
  }

  private columnsInSight(): [number, number] {
    const left = this.element.scrollLeft;
    const right = left + this.element.clientWidth;
    let first = 0;
    while (first < this.widths.length - 1 && (this.offsets[first + 1] ?? 0) < left) first += 1;
    let last = first;
    while (last < this.widths.length && (this.offsets[last] ?? 0) < right) last += 1;
    return [first, last];
  }

  private paint(): void {
    const { first, last, shift } = this.window();
    const [left, right] = this.columnsInSight();
    const key = `${first} ${last} ${shift} ${left} ${right} ${JSON.stringify(this.selection.bounds)}`;
    if (key === this.painted) return;
    this.painted = key;
    const same = `${shift} ${left} ${right} ${JSON.stringify(this.selection.bounds)}`;
    if (same !== this.keptFor) {
      this.keptFor = same;
      this.kept.clear();
      this.body.replaceChildren();
      this.paintHead(left, right);
    }
    for (const [row, line] of this.kept) {
      if (row >= first && row < last) continue;
      line.remove();
      this.kept.delete(row);
    }
    const made = document.createDocumentFragment();
    for (let row = first; row < last; row += 1) {
      if (this.kept.has(row)) continue;
      const line = this.makeRow(row, left, right, row * ROW_HEIGHT + shift);
      this.kept.set(row, line);
      made.append(line);
    }
    this.body.append(made);
  }

  private makeRow(row: number, left: number, right: number, top: number): HTMLElement {
    const { columns, rows } = this.view.table;
    const values = rows[this.view.shown[row] ?? 0] ?? [];
    const line = element("div", {
      class: row % 2 === 1 ? "grid-row odd" : "grid-row",
      role: "row",
      "aria-rowindex": row + 2,
    });
    line.style.transform = `translateY(${top}px)`;
    const number = element(
      "div",
      { class: "grid-number", role: "rowheader", "aria-colindex": 1, "data-row": row },
      String((this.view.shown[row] ?? 0) + 1),
    );
    number.style.width = `${this.numberWidth}px`;
    line.append(number);
    for (let index = left; index < right; index += 1) {
      const column = columns[index];
      if (!column) continue;
      const value = values[index] ?? null;
      const selected = this.selection.contains(row, index);
      const numeric = isNumeric(column.type) || column.type === "timespan";
      const cell = element(
        "div",
        {
          class: `cell${numeric ? " numeric" : ""}${selected ? " selected" : ""}${value === null ? " null" : ""}${typeof value === "object" && value !== null ? " nested" : ""}`,
          role: "gridcell",
          "aria-colindex": index + 2,
          "aria-selected": selected ? "true" : null,
          "data-row": row,
          "data-column": index,
        },
        value === null ? "null" : shownText(value, column.type),
      );
      if (this.selection.head?.row === row && this.selection.head.column === index) cell.classList.add("focused");
      cell.style.left = `${this.offsets[index]}px`;
      cell.style.width = `${this.widths[index]}px`;
      line.append(cell);
    }
    return line;
  }

  private paintHead(left: number, right: number): void {
    const corner = element("div", { class: "grid-number corner", role: "columnheader", "aria-colindex": 1 });
    corner.append(element("span", { class: "visually-hidden" }, "Row"));
    corner.style.width = `${this.numberWidth}px`;
    replaceContent(this.head, corner);
    for (let index = left; index < right; index += 1) this.head.append(this.makeHead(index));
  }

  private makeHead(index: number): HTMLElement {
    const column = this.view.table.columns[index] ?? { name: "", type: "" };
    const sorting = this.view.sorting?.column === index ? this.view.sorting : null;
    const filtered = this.view.filters.has(index);
    const filter = element(
      "button",
      {
        class: `head-button${filtered ? " active" : ""}`,
        type: "button",
        tabindex: -1,
        "data-filter": index,
        "aria-label": `Filter ${column.name}`,
        "aria-haspopup": "dialog",
        title: "Filter",
      },
      icon("filter"),
    );
    filter.addEventListener("click", (event) => {
      event.stopPropagation();
      openFilter(filter, this.view, index, () => this.refresh());
    });
    const edge = element("div", { class: "head-edge", "aria-hidden": "true" });
    edge.addEventListener("pointerdown", (event) => this.resize(event, index));
    edge.addEventListener("click", (event) => event.stopPropagation());
    edge.addEventListener("dblclick", () => {
      this.widths[index] = this.fittingWidth(index);
      this.layout();
    });
    const head = element(
      "div",
      {
        class: `head-cell${isNumeric(column.type) ? " numeric" : ""}`,
        role: "columnheader",
        "aria-colindex": index + 2,
        "aria-sort": sorting ? (sorting.descending ? "descending" : "ascending") : "none",
        title: `${column.name}: ${column.type}. Click or s sorts, f filters.`,
      },
      element("span", { class: "name" }, column.name),
      element("span", { class: "sort", "aria-hidden": "true" }, sorting ? (sorting.descending ? "▾" : "▴") : ""),
      filter,
      edge,
    );
    head.addEventListener("click", () => this.toggleSort(index));
    head.style.left = `${this.offsets[index]}px`;
    head.style.width = `${this.widths[index]}px`;
    return head;
  }

  toggleSort(index: number): void {
    const current = this.view.sorting;
    if (current?.column !== index) this.view.sorting = { column: index, descending: false };
    else if (!current.descending) this.view.sorting = { column: index, descending: true };
    else this.view.sorting = null;
    this.refresh();
  }

  private resize(event: PointerEvent, index: number): void {
    event.preventDefault();
    event.stopPropagation();
    const start = this.widths[index] ?? NARROWEST;
    const move = (moved: PointerEvent): void => {
      this.widths[index] = Math.max(NARROWEST, start + moved.clientX - event.clientX);
      this.layout();
    };
    const end = (): void => {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", end);
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", end);
  }

  private placeOf(target: EventTarget | null): { row: number; column: number | null } | null {
    const cell = target instanceof Element ? target.closest<HTMLElement>("[data-row]") : null;
    if (!cell) return null;
    return {
      row: Number(cell.dataset.row),
      column: cell.dataset.column === undefined ? null : Number(cell.dataset.column),
    };
  }

  private onPointer(event: PointerEvent): void {
    const place = this.placeOf(event.target);
    if (!place || event.button !== 0) return;
    const last = this.widths.length - 1;
    if (place.column === null) {
      if (event.shiftKey) this.selection.extend({ row: place.row, column: last });
      else {
        this.selection.set({ row: place.row, column: 0 });
        this.selection.extend({ row: place.row, column: last });
      }
    } else if (event.shiftKey) {
      event.preventDefault();
      this.selection.extend({ row: place.row, column: place.column });
    } else {
      this.selection.set({ row: place.row, column: place.column });
      if (event.pointerType === "mouse") this.dragSelect();
    }
    this.schedule();
  }

  private dragSelect(): void {
    const move = (moved: PointerEvent): void => {
      const place = this.placeOf(document.elementFromPoint(moved.clientX, moved.clientY));
      if (!place || place.column === null) return;
      this.selection.extend({ row: place.row, column: place.column });
      this.schedule();
    };
    const end = (): void => {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", end);
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", end);
  }

  private open(row: number, column: number | null): void {
    const index = this.view.shown[row];
    if (index !== undefined) this.onOpen(index, column);
  }

  private onKey(event: KeyboardEvent): void {
    const rows = this.view.shown.length;
    if (rows === 0 || event.altKey) return;
    const control = event.ctrlKey || event.metaKey;
    const head = this.selection.head ?? { row: 0, column: 0 };
    if (control && event.key.toLowerCase() === "c") {
      event.preventDefault();
      const text = selectionText(this.view, this.selection, event.shiftKey);
      if (text !== null) void copyText(text, "Selection");
      return;
    }
    if (control && event.key.toLowerCase() === "a") {
      event.preventDefault();
      this.selection.set({ row: 0, column: 0 });
      this.selection.extend({ row: rows - 1, column: this.widths.length - 1 });
      this.schedule();
      return;
    }
    if (event.key === "s" && !control) {
      this.toggleSort(head.column);
      return;
    }
    if (event.key === "f" && !control) {
      event.preventDefault();
      this.reveal(head.row, head.column);
      this.paint();
      this.head.querySelector<HTMLElement>(`[data-filter="${head.column}"]`)?.click();
      return;
    }
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.open(head.row, head.column);
      return;
    }
    const page = Math.max(1, Math.floor(this.element.clientHeight / ROW_HEIGHT) - 2);
    const lastColumn = this.widths.length - 1;
    const moves: Record<string, [number, number]> = {
      ArrowDown: [control ? rows - 1 : head.row + 1, head.column],
      ArrowUp: [control ? 0 : head.row - 1, head.column],
      ArrowRight: [head.row, control ? lastColumn : head.column + 1],
      ArrowLeft: [head.row, control ? 0 : head.column - 1],
      PageDown: [head.row + page, head.column],
      PageUp: [head.row - page, head.column],
      Home: [control ? 0 : head.row, 0],
      End: [control ? rows - 1 : head.row, lastColumn],
    };
    const target = moves[event.key];
    if (!target) return;
    event.preventDefault();
    const place = {
      row: Math.max(0, Math.min(rows - 1, this.selection.head ? target[0] : 0)),
      column: Math.max(0, Math.min(lastColumn, this.selection.head ? target[1] : 0)),
    };
    if (event.shiftKey) this.selection.extend(place);
    else this.selection.set(place);
    this.reveal(place.row, place.column);
    this.schedule();
  }

  private reveal(row: number, column: number): void {
    const box = this.element;
    const tall = this.view.shown.length * ROW_HEIGHT > TALLEST;
    if (tall) {
      const { first, last } = this.window();
      if (row < first || row >= last - 2) box.scrollTop = (row / this.view.shown.length) * TALLEST;
    } else {
      const top = row * ROW_HEIGHT;
      const room = box.clientHeight - ROW_HEIGHT - 4;
      if (top < box.scrollTop) box.scrollTop = top;
      else if (top + ROW_HEIGHT > box.scrollTop + room) box.scrollTop = top + ROW_HEIGHT - room;
    }
    const left = this.offsets[column] ?? 0;
    const right = left + (this.widths[column] ?? 0);
    if (left - this.numberWidth < box.scrollLeft) box.scrollLeft = left - this.numberWidth;
    else if (right > box.scrollLeft + box.clientWidth) box.scrollLeft = right - box.clientWidth;
  }
}
