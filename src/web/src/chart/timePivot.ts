// A time pivot: events on a line of time, one line for each group. A group opens into the groups below it and at last
// into its events; a part of the time is taken by dragging or with the buttons; an event shows its row.

import { element, replaceContent } from "../base/dom";
import { formatNumber, plural } from "../base/format";
import { RowDetail } from "../result/detail";
import type { ResultTable } from "../server/query";
import type { ChartView } from "./chart";
import type { ChosenColumns } from "./choice";
import { palette } from "./palette";
import { timeText } from "./tooltip";
import { numberOf, textOf, type ChartTable } from "./values";

interface Group {
  key: string;
  label: string;
  depth: number;
  colour: number;
  /** Indexes of events. */
  events: number[];
  /** A single event, not a group. */
  isEvent: boolean;
}

interface Event {
  row: number;
  start: number;
  end: number;
}

const MOST_EVENTS = 50_000;
const MOST_LINES = 400;
const MOST_SINGLE = 100;
const LINE_HEIGHT = 24;
const TICK_ROOM = 130;

export class TimePivot implements ChartView {
  readonly element: HTMLElement;
  readonly points: number;
  private readonly events: Event[] = [];
  private readonly levels: number[];
  private readonly opened = new Set<string>();
  private readonly whole: [number, number];
  private shown: [number, number];
  private lines: { group: Group; canvas: HTMLCanvasElement }[] = [];
  private readonly list = element("div", { class: "pivot-lines" });
  private readonly scale = element("div", { class: "pivot-scale", "aria-hidden": "true" });
  private readonly span = element("span", { class: "hint", role: "status" });
  private readonly bar = element("div", { class: "pivot-bar", role: "toolbar", "aria-label": "Time pivot" });
  private readonly detail = new RowDetail();

  constructor(
    private readonly result: ResultTable,
    private readonly table: ChartTable,
    chosen: ChosenColumns,
  ) {
    const type = (index: number | null): string => table.columns[index ?? -1]?.type ?? "datetime";
    for (const [row, values] of table.rows.slice(0, MOST_EVENTS).entries()) {
      const start = numberOf(values[chosen.x ?? 0] ?? null, type(chosen.x));
      if (start === null) continue;
      const end = chosen.xEnd === null ? start : (numberOf(values[chosen.xEnd] ?? null, type(chosen.xEnd)) ?? start);
      this.events.push({ row, start: Math.min(start, end), end: Math.max(start, end) });
    }
    this.points = this.events.length;
    this.levels = [...chosen.series];
    const low = this.events.reduce((least, one) => Math.min(least, one.start), Infinity);
    const high = this.events.reduce((most, one) => Math.max(most, one.end), -Infinity);
    this.whole = this.events.length === 0 ? [0, 1] : [low, high === low ? low + 1000 : high];
    this.shown = [...this.whole];
    this.element = element(
      "div",
      { class: "time-pivot", role: "region", "aria-label": `Time pivot of ${plural(this.points, "event")}` },
      this.bar,
      element(
        "div",
        { class: "pivot-body" },
        element("div", { class: "pivot-main" }, this.scale, this.list),
        this.detail.element,
      ),
    );
    this.list.addEventListener("pointerdown", (event) => this.onPointer(event));
    this.list.addEventListener("dblclick", () => this.resetZoom());
    this.paintBar();
    this.paint();
  }

  resetZoom(): void {
    this.zoomTo(...this.whole);
  }

  /** Draws the lines again, as after a change of size, theme or time. */
  draw(): void {
    const [from, to] = this.shown;
    this.span.textContent = `${timeText(from)} – ${timeText(to)}`;
    const ticks = Math.max(1, Math.floor((this.lines[0]?.canvas.clientWidth ?? 0) / TICK_ROOM));
    replaceContent(
      this.scale,
      ...Array.from({ length: ticks }, (_one, at) => {
        const text = timeText(Math.round(from + ((to - from) * (at + 0.5)) / ticks));
        return element("span", {}, to - from < 86_400_000 ? text.slice(11) || text : text.slice(0, 16));
      }),
    );
    const colours = palette();
    const ratio = window.devicePixelRatio || 1;
    for (const { group, canvas } of this.lines) {
      const width = canvas.clientWidth;
      canvas.width = Math.max(1, Math.round(width * ratio));
      canvas.height = Math.round(LINE_HEIGHT * ratio);
      const pen = canvas.getContext("2d");
      if (!pen) continue;
      pen.scale(ratio, ratio);
      pen.fillStyle = colours[group.colour % colours.length] ?? "#888";
      pen.globalAlpha = 0.85;
      for (const index of group.events) {
        const event = this.events[index];
        if (!event || event.end < from || event.start > to) continue;
        const x = ((event.start - from) / (to - from)) * width;
        const end = ((event.end - from) / (to - from)) * width;
        pen.fillRect(x - 1, 5, Math.max(3, end - x), LINE_HEIGHT - 10);
      }
    }
  }

  private paintBar(): void {
    const button = (label: string, sign: string, run: () => void): HTMLElement =>
      element(
        "button",
        { class: "button small", type: "button", title: label, "aria-label": label, onClick: run },
        sign,
      );
    const more = this.table.columns.flatMap((column, index) =>
      this.levels.includes(index) || !["string", "guid", "bool", "int", "long"].includes(column.type)
        ? []
        : [element("option", { value: index }, column.name)],
    );
    const add = element(
      "select",
      { "aria-label": "Then by" },
      element("option", { value: "" }, this.levels.length === 0 ? "Lines by…" : "Then by…"),
      ...more,
    );
    add.addEventListener("change", () => {
      if (add.value === "") return;
      this.levels.push(Number(add.value));
      this.opened.clear();
      this.paintBar();
      this.paint();
      this.draw();
    });
    const taken = this.levels.map((index, place) => {
      const name = this.table.columns[index]?.name ?? "";
      return element(
        "button",
        {
          class: "button small",
          type: "button",
          title: `No longer by ${name}`,
          "aria-label": `No longer by ${name}`,
          onClick: () => {
            this.levels.splice(place, 1);
            this.opened.clear();
            this.paintBar();
            this.paint();
            this.draw();
          },
        },
        `${name} ×`,
      );
    });
    replaceContent(
      this.bar,
      ...taken,
      more.length > 0 ? add : null,
      element("span", { class: "spacer" }),
      this.span,
      button("Earlier", "‹", () => this.move(-0.5)),
      button("Later", "›", () => this.move(0.5)),
      button("Zoom in", "+", () => this.scaleBy(0.5)),
      button("Zoom out", "−", () => this.scaleBy(2)),
      button("Whole time", "⤢", () => this.resetZoom()),
    );
  }

  private move(part: number): void {
    const [from, to] = this.shown;
    const by = (to - from) * part;
    this.zoomTo(from + by, to + by);
  }

  private scaleBy(factor: number): void {
    const [from, to] = this.shown;
    const middle = (from + to) / 2;
    const half = ((to - from) / 2) * factor;
    this.zoomTo(middle - half, middle + half);
  }

  private zoomTo(from: number, to: number): void {
    const [first, last] = this.whole;
    const length = Math.min(last - first, Math.max(1, to - from));
    const start = Math.max(first, Math.min(last - length, from));
    this.shown = [start, start + length];
    this.draw();
  }

  /** The events of a group parted by the column of the next level; events by themselves at the end. */
  private below(group: Group): Group[] {
    const column = this.levels[group.depth];
    if (column === undefined) {
      return group.events.slice(0, MOST_SINGLE).map((index) => ({
        key: `${group.key}\u0000${index}`,
        label: timeText(this.events[index]?.start ?? 0),
        depth: group.depth + 1,
        colour: group.colour,
        events: [index],
        isEvent: true,
      }));
    }
    const parts = new Map<string, number[]>();
    for (const index of group.events) {
      const event = this.events[index];
      const label = textOf(this.table.rows[event?.row ?? -1]?.[column] ?? null);
      const list = parts.get(label);
      if (list) list.push(index);
      else parts.set(label, [index]);
    }
    return [...parts].map(([label, events], at) => ({
      key: `${group.key}\u0000${label}`,
      label,
      depth: group.depth + 1,
      colour: group.depth === 0 ? at : group.colour,
      events,
      isEvent: false,
    }));
  }

  private paint(): void {
    const root: Group = {
      key: "",
      label: "All events",
      depth: 0,
      colour: 0,
      events: this.events.map((_event, index) => index),
      isEvent: false,
    };
    const groups: Group[] = [];
    const collect = (list: readonly Group[]): void => {
      for (const group of list) {
        groups.push(group);
        if (this.opened.has(group.key)) collect(this.below(group));
      }
    };
    collect(this.levels.length === 0 ? [{ ...root, key: "all" }] : this.below(root));
    this.lines = groups.slice(0, MOST_LINES).map((group) => ({
      group,
      canvas: element("canvas", { class: "pivot-strip", "aria-hidden": "true" }),
    }));
    replaceContent(
      this.list,
      ...this.lines.map(({ group, canvas }) => {
        const open = this.opened.has(group.key);
        const label = element(
          "button",
          {
            class: "pivot-label",
            type: "button",
            "aria-expanded": group.isEvent ? null : String(open),
            "data-key": group.key,
            title: group.label,
            onClick: () => this.toggle(group),
          },
          element("span", { class: "pivot-sign", "aria-hidden": "true" }, group.isEvent ? "·" : open ? "▾" : "▸"),
          element("span", { class: "clip" }, group.label),
          group.isEvent ? null : element("span", { class: "detail" }, formatNumber(group.events.length)),
        );
        label.style.paddingLeft = `${6 + 14 * Math.max(0, group.depth - 1)}px`;
        return element("div", { class: "pivot-line" }, label, canvas);
      }),
      groups.length > MOST_LINES
        ? element("p", { class: "hint" }, `${formatNumber(groups.length - MOST_LINES)} more lines are not shown.`)
        : null,
    );
  }

  private toggle(group: Group): void {
    if (group.isEvent) {
      this.showEvent(group.events[0]);
      return;
    }
    if (!this.opened.delete(group.key)) this.opened.add(group.key);
    this.paint();
    this.draw();
    this.list.querySelector<HTMLElement>(`[data-key="${CSS.escape(group.key)}"]`)?.focus();
  }

  private showEvent(index: number | undefined): void {
    const event = this.events[index ?? -1];
    if (event) this.detail.show(this.result, event.row, null);
    this.draw();
  }

  /** A drag over the lines takes a part of the time, a click the event next to it. */
  private onPointer(event: PointerEvent): void {
    const line = this.lines.find((one) => one.canvas === event.target);
    if (!line || event.button !== 0) return;
    const box = line.canvas.getBoundingClientRect();
    const [from, to] = this.shown;
    const timeAt = (x: number): number => from + ((to - from) * (x - box.left)) / box.width;
    const mark = element("div", { class: "pivot-mark" });
    const host = this.list.getBoundingClientRect();
    this.list.append(mark);
    const move = (moved: PointerEvent): void => {
      const [left, right] = [Math.min(event.clientX, moved.clientX), Math.max(event.clientX, moved.clientX)];
      mark.style.left = `${left - host.left}px`;
      mark.style.width = `${right - left}px`;
    };
    const end = (last: PointerEvent): void => {
      window.removeEventListener("pointermove", move);
      mark.remove();
      const [start, stop] = [timeAt(event.clientX), timeAt(last.clientX)];
      if (Math.abs(last.clientX - event.clientX) > 5) this.zoomTo(Math.min(start, stop), Math.max(start, stop));
      else this.showEvent(this.nearest(line.group, start, ((to - from) * 6) / box.width));
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", end, { once: true });
  }

  private nearest(group: Group, time: number, reach: number): number | undefined {
    let best: number | undefined;
    let least = reach;
    for (const index of group.events) {
      const event = this.events[index];
      if (!event) continue;
      const distance = Math.max(event.start - time, time - event.end, 0);
      if (distance <= least) [best, least] = [index, distance];
    }
    return best;
  }
}
