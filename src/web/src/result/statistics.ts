// What a query took: figures of the answer, and, when asked for, each operator with its rows and time.

import { element, replaceContent } from "../base/dom";
import { formatBytes, formatMilliseconds, formatNumber } from "../base/format";
import { askPlan, type PlanStep } from "../server/plan";
import type { Statistics } from "../server/query";

export interface StatisticsInput {
  statistics: Statistics;
  roundTripMilliseconds: number;
  rows: number;
  database: string;
  text: string;
  isCommand: boolean;
}

export function renderStatistics(input: StatisticsInput): HTMLElement {
  const { statistics } = input;
  const figures: [string, string | null, string][] = [
    [
      "Server time",
      withUnit(statistics.serverMilliseconds, formatMilliseconds),
      "from the query's arrival to its last row",
    ],
    ["Round trip", formatMilliseconds(input.roundTripMilliseconds), "with the network and reading the answer"],
    [
      "CPU time",
      statistics.cpu === null ? null : formatMilliseconds(cpuMilliseconds(statistics.cpu)),
      "over all threads",
    ],
    ["Memory peak", withUnit(statistics.memoryBytes, formatBytes), ""],
    ["Rows", formatNumber(input.rows), "in the result"],
    ["Rows read", part(statistics.rowsScanned, statistics.rowsTotal, formatNumber), "of those in the tables"],
    ["Extents read", part(statistics.extentsScanned, statistics.extentsTotal, formatNumber), "the others were pruned"],
    ["From cache", withUnit(statistics.cacheHitBytes, formatBytes), "bytes read"],
    ["From disk", withUnit(statistics.cacheMissBytes, formatBytes), "bytes read"],
    [
      "Result size",
      withUnit(statistics.resultBytes, formatBytes),
      `${formatBytes(statistics.transferredBytes)} as JSON`,
    ],
  ];
  const plan = element("div", { class: "plan" });
  const profile = element("button", { class: "button", type: "button" }, "Profile the operators");
  profile.addEventListener("click", async () => {
    profile.disabled = true;
    replaceContent(plan, element("p", { class: "hint" }, "Running the query once more with a profile…"));
    try {
      replaceContent(plan, renderPlan(await askPlan(input.database, input.text)));
    } catch (failure) {
      replaceContent(
        plan,
        element("p", { class: "bad" }, failure instanceof Error ? failure.message : String(failure)),
      );
    }
    profile.disabled = false;
  });
  return element(
    "div",
    { class: "statistics" },
    element(
      "dl",
      { class: "figures" },
      ...figures
        .filter((figure) => figure[1] !== null)
        .map(([name, value, note]) =>
          element("div", { class: "figure-item", title: note }, element("dt", {}, name), element("dd", {}, value)),
        ),
    ),
    input.isCommand
      ? null
      : element(
          "div",
          { class: "plan-bar" },
          profile,
          element("span", { class: "hint" }, "Time, rows and cache of each operator; runs the query again."),
        ),
    plan,
  );
}

function withUnit(value: number | null, format: (value: number) => string): string | null {
  return value === null ? null : format(value);
}

function part(value: number | null, total: number | null, format: (value: number) => string): string | null {
  if (value === null) return null;
  return total === null ? format(value) : `${format(value)} of ${format(total)}`;
}

function cpuMilliseconds(text: string): number {
  const parts = /^(?:(\d+)\.)?(\d+):(\d+):([\d.]+)$/.exec(text);
  if (!parts) return 0;
  return 1000 * (Number(parts[1] ?? 0) * 86_400 + Number(parts[2]) * 3600 + Number(parts[3]) * 60 + Number(parts[4]));
}

function renderPlan(steps: PlanStep[]): HTMLElement {
  const slowest = Math.max(
    0.001,
    ...steps.filter((step) => step.name !== "result").map((step) => step.milliseconds ?? 0),
  );
  const rows = steps.map((step) => {
    const bar = element("div", { class: "time-bar" });
    const share = step.name === "result" ? 0 : (step.milliseconds ?? 0) / slowest;
    bar.style.width = `${Math.round(100 * share)}%`;
    const name = element("td", { class: "operator" }, element("strong", {}, step.name), ` ${step.detail}`);
    name.style.paddingLeft = `${8 + 16 * step.depth}px`;
    return element(
      "tr",
      {},
      name,
      element("td", { class: "numeric" }, step.rows === null ? "" : formatNumber(step.rows)),
      element(
        "td",
        { class: "numeric time" },
        step.milliseconds === null ? "" : formatMilliseconds(step.milliseconds),
        bar,
      ),
      element(
        "td",
        { class: "figures-cell" },
        step.figures
          .map(([key, value]) => `${key} ${key === "bytes" ? formatBytes(Number(value)) : value}`)
          .join(" · "),
      ),
    );
  });
  return element(
    "table",
    { class: "plan-table" },
    element(
      "thead",
      {},
      element("tr", {}, ...["Operator", "Rows", "Time", "Read"].map((text) => element("th", { scope: "col" }, text))),
    ),
    element("tbody", {}, ...rows),
  );
}
