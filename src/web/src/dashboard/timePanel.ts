// The panel that chooses a time range: presets, "the last …", or two times of UTC.

import { element } from "../base/dom";
import { closePanel, openPanel } from "../base/menu";
import { durationText, isTimeRange, type ParameterValue } from "./values";
import type { TimeRangeDefault } from "./model";

const PRESETS = ["5m", "15m", "30m", "1h", "3h", "6h", "12h", "1d", "2d", "7d", "30d", "90d"];
const UNITS: [string, string][] = [
  ["m", "minutes"],
  ["h", "hours"],
  ["d", "days"],
];

/** What `datetime-local` takes, in UTC. */
const toField = (milliseconds: number): string => new Date(milliseconds).toISOString().slice(0, 19);

const HOUR = 3_600_000;

export function openTimePanel(
  anchor: HTMLElement,
  label: string,
  current: ParameterValue,
  choose: (value: TimeRangeDefault) => void,
): void {
  const range = isTimeRange(current) ? current : {};
  const done = (value: TimeRangeDefault): void => {
    closePanel(true);
    choose(value);
  };
  const presets = element(
    "div",
    { class: "presets", role: "group", "aria-label": "Presets" },
    ...PRESETS.map((preset) =>
      element(
        "button",
        {
          class: "preset",
          type: "button",
          "aria-pressed": String(range.last === preset),
          onClick: () => done({ last: preset }),
        },
        `Last ${durationText(preset)}`,
      ),
    ),
  );
  const parts = /^(\d+)([mhd])$/.exec(range.last ?? "");
  const count = element("input", {
    type: "number",
    min: 1,
    max: 100_000,
    value: parts?.[1] ?? "1",
    required: true,
    "aria-label": "How many",
  });
  const unit = element(
    "select",
    { "aria-label": "Unit" },
    ...UNITS.map(([value, text]) => element("option", { value, selected: value === (parts?.[2] ?? "h") }, text)),
  );
  const relative = element(
    "form",
    { class: "relative" },
    element("span", {}, "Last"),
    count,
    unit,
    element("button", { class: "button small", type: "submit" }, "Apply"),
  );
  relative.addEventListener("submit", (event) => {
    event.preventDefault();
    done({ last: `${Math.max(1, Math.round(Number(count.value)))}${unit.value}` });
  });
  const parsed = (text: string | undefined, otherwise: number): number => {
    const time = text === undefined ? Number.NaN : Date.parse(text);
    return Number.isNaN(time) ? otherwise : time;
  };
  const now = Date.now();
  const from = field("From", parsed(range.from, now - HOUR));
  const to = field("To", parsed(range.to, now));
  const problem = element("p", { class: "bad", role: "alert", hidden: true }, "The end must be after the start.");
  const absolute = element(
    "form",
    { class: "absolute" },
    element("div", { class: "popup-caption" }, "From and to, in UTC"),
    from.label,
    to.label,
    problem,
    element("button", { class: "button small primary", type: "submit" }, "Apply times"),
  );
  absolute.addEventListener("submit", (event) => {
    event.preventDefault();
    const start = Date.parse(`${from.input.value}Z`);
    const end = Date.parse(`${to.input.value}Z`);
    problem.hidden = start < end;
    if (start < end) done({ from: new Date(start).toISOString(), to: new Date(end).toISOString() });
  });
  const panel = openPanel(
    anchor,
    "dialog",
    label,
    element("div", { class: "time-panel" }, presets, relative, absolute),
  );
  panel?.classList.add("parameter-panel");
  panel?.querySelector<HTMLElement>("[aria-pressed=true], .preset")?.focus();
}

function field(name: string, milliseconds: number): { label: HTMLElement; input: HTMLInputElement } {
  const input = element("input", { type: "datetime-local", step: 1, required: true, value: toField(milliseconds) });
  return { input, label: element("label", { class: "time-field" }, element("span", {}, name), input) };
}
