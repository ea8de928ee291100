// What `render plotly` asks for, drawn by the library that is there: the common traces of a Plotly figure on one pair of
// axes. What is not drawn is said by name.

import type { EChartsCoreOption } from "echarts/core";
import { formatNumber, formatShort, plural } from "../base/format";
import { themeColour } from "../base/theme";
import type { ResultTable, Value } from "../server/query";
import type { Prepared } from "./chart";
import { TIME_LABELS } from "./curves";
import { palette } from "./palette";
import { timeText, tooltipOf } from "./tooltip";

type Cell = string | number | null;

interface Trace {
  type?: string;
  name?: string;
  x?: unknown;
  y?: unknown;
  z?: unknown;
  labels?: unknown;
  values?: unknown;
  mode?: string;
  fill?: string;
  stackgroup?: string;
  orientation?: string;
  hole?: number;
  nbinsx?: number;
  nbinsy?: number;
  yaxis?: string;
  visible?: boolean | string;
  line?: { color?: unknown; width?: number; dash?: string };
  marker?: { color?: unknown; size?: unknown };
}

interface Axis {
  title?: string | { text?: string };
  type?: string;
  range?: unknown;
  autorange?: boolean | string;
}

interface Layout {
  title?: string | { text?: string };
  barmode?: string;
  showlegend?: boolean;
  xaxis?: Axis;
  yaxis?: Axis;
  yaxis2?: Axis;
}

interface Figure {
  data: Trace[];
  layout: Layout;
}

const DRAWN = ["scatter", "scattergl", "bar", "histogram", "pie", "heatmap"];
const TYPED = {
  f8: Float64Array,
  f4: Float32Array,
  i4: Int32Array,
  i2: Int16Array,
  i1: Int8Array,
  u4: Uint32Array,
  u2: Uint16Array,
  u1: Uint8Array,
} as const;

/** The figure in the first cell that holds one. */
function figureOf(result: ResultTable): Figure | null {
  for (const value of result.rows[0] ?? []) {
    const figure = parsed(value) as Partial<Figure> | null;
    if (figure !== null && typeof figure === "object" && Array.isArray(figure.data))
      return { data: figure.data, layout: figure.layout ?? {} };
  }
  return null;
}

function parsed(value: Value): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return null;
  }
}

/** A list of values; Plotly writes long ones as typed arrays in base64. */
function listOf(values: unknown): Cell[] {
  if (Array.isArray(values)) return values as Cell[];
  const packed = values as { dtype?: keyof typeof TYPED; bdata?: string } | null | undefined;
  if (!packed?.dtype || typeof packed.bdata !== "string" || !(packed.dtype in TYPED)) return [];
  const bytes = Uint8Array.from(atob(packed.bdata), (letter) => letter.charCodeAt(0));
  const Kind = TYPED[packed.dtype];
  return Array.from(new Kind(bytes.buffer, 0, Math.floor(bytes.length / Kind.BYTES_PER_ELEMENT)));
}

const titleText = (title: string | { text?: string } | undefined): string =>
  (typeof title === "string" ? title : (title?.text ?? "")).replace(/<[^>]*>/g, " ");
const colourOf = (colour: unknown, otherwise: string): string => (typeof colour === "string" ? colour : otherwise);
const looksLikeTime = (value: Cell): boolean => typeof value === "string" && /^\d{4}-\d\d(-\d\d|$)/.test(value);

/** What is to be drawn, or a sentence why nothing is. */
export function plotlyChart(result: ResultTable): Prepared | string {
  const figure = figureOf(result);
  if (figure === null)
    return "render plotly draws a Plotly figure: the first row needs a value with its JSON, an object with a list data.";
  const shown = figure.data.filter((trace) => trace.visible === undefined || trace.visible === true);
  const traces = shown.filter((trace) => DRAWN.includes(trace.type ?? "scatter"));
  const others = [...new Set(shown.filter((trace) => !traces.includes(trace)).map((trace) => trace.type ?? ""))];
  const missing = others.length === 0 ? "" : `Not drawn here: ${others.join(", ")}`;
  if (traces.length === 0)
    return missing === "" ? "The Plotly figure has no traces." : `${missing}. Drawn are ${DRAWN.join(", ")}.`;
  const points = traces.reduce(
    (sum, one) => sum + Math.max(...[one.x, one.y, one.z, one.values].map((list) => listOf(list).length)),
    0,
  );
  const title = titleText(figure.layout.title);
  return {
    options: () => ({ ...head(figure.layout, traces, missing), ...body(figure.layout, traces, missing) }),
    points,
    summary: `${title === "" ? "Plotly figure" : title} with ${plural(traces.length, "trace")}, ${plural(points, "point")}${missing === "" ? "" : `. ${missing}`}`,
    drawn: null,
  };
}

function head(layout: Layout, traces: readonly Trace[], missing: string): EChartsCoreOption {
  const title = titleText(layout.title);
  const names = traces.flatMap((trace, index) => (trace.type === "heatmap" ? [] : [nameOf(trace, index)]));
  const legendShown = layout.showlegend ?? (traces.length > 1 || traces[0]?.type === "pie");
  return {
    animation: false,
    useUTC: true,
    color: palette(),
    textStyle: { fontFamily: themeColour("sans"), color: themeColour("muted") },
    title: {
      text: title,
      subtext: missing,
      left: 10,
      top: 6,
      itemGap: 4,
      textStyle: { color: themeColour("ink"), fontSize: 14, fontWeight: 600 },
      subtextStyle: { color: themeColour("warn"), fontSize: 11 },
    },
    legend:
      legendShown && names.length > 0
        ? {
            type: "scroll",
            top: (title === "" ? 6 : 28) + (missing === "" ? 0 : 16),
            left: 8,
            right: 8,
            textStyle: { color: themeColour("ink") },
            pageTextStyle: { color: themeColour("muted") },
          }
        : undefined,
  };
}

const nameOf = (trace: Trace, index: number): string => trace.name ?? `trace ${index}`;

function tooltipBase(): object {
  return {
    confine: true,
    backgroundColor: themeColour("raised"),
    borderColor: themeColour("line-strong"),
    padding: 8,
  };
}

interface Hovered {
  name: string;
  seriesName: string;
  color: unknown;
  value: unknown;
  axisValue?: unknown;
}

function body(layout: Layout, traces: readonly Trace[], missing: string): EChartsCoreOption {
  const pies = traces.filter((trace) => trace.type === "pie");
  if (pies.length > 0) return pieBody(pies);
  const flat = traces.some((trace) => trace.orientation === "h");
  const points = traces.map((trace) => pointsOf(trace));
  const places = points.flatMap((list) => list.map((point) => point[0]));
  const heights = points.flatMap((list) => list.map((point) => point[1]));
  const x = axisOf(layout.xaxis, places, flat);
  const y = axisOf(layout.yaxis, heights, false);
  const second = traces.some((trace) => trace.yaxis === "y2");
  const top = (titleText(layout.title) === "" ? 14 : 36) + (traces.length > 1 ? 26 : 0) + (missing === "" ? 0 : 16);
  const right = { ...axisOf(layout.yaxis2, heights, false), position: "right", splitLine: { show: false } };
  return {
    grid: { left: 16, right: 24, top: top + 12, bottom: layout.xaxis?.title ? 44 : 22, containLabel: true },
    xAxis: x,
    yAxis: second ? [y, right] : y,
    dataZoom: [{ type: "inside", xAxisIndex: 0, zoomOnMouseWheel: "ctrl", filterMode: "none" }],
    tooltip: {
      ...tooltipBase(),
      trigger: traces.some((trace) => trace.type === "heatmap") ? "item" : "axis",
      formatter: (hovered: Hovered | Hovered[]) => {
        const items = Array.isArray(hovered) ? hovered : [hovered];
        const values = items.map((item) => (Array.isArray(item.value) ? (item.value as Cell[]) : []));
        const place = values[0]?.[flat ? 1 : 0] ?? "";
        return tooltipOf(
          typeof place === "number" && x.type === "time" ? timeText(place) : String(place),
          items.map((item, at) => {
            const value = values[at]?.[values[at].length > 2 ? 2 : flat ? 0 : 1];
            return {
              name: item.seriesName,
              colour: String(item.color),
              value: typeof value === "number" ? value : null,
            };
          }),
        );
      },
    },
    series: traces.map((trace, index) => seriesOf(trace, index, points[index] ?? [], layout, x.type as string)),
  };
}

/** The pairs of a trace; of a histogram the middles of its bins with their counts. */
function pointsOf(trace: Trace): [Cell, Cell, ...Cell[]][] {
  if (trace.type === "histogram") return binsOf(trace);
  if (trace.type === "heatmap") {
    const rows = (Array.isArray(trace.z) ? trace.z : []).map(listOf);
    const [xs, ys] = [listOf(trace.x), listOf(trace.y)];
    return rows.flatMap((row, down) =>
      row.map((value, across): [Cell, Cell, Cell] => [String(xs[across] ?? across), String(ys[down] ?? down), value]),
    );
  }
  const [xs, ys] = [listOf(trace.x), listOf(trace.y)];
  const count = Math.max(xs.length, ys.length);
  return Array.from({ length: count }, (_one, at): [Cell, Cell] => {
    const place = xs.length === 0 ? at : (xs[at] ?? null);
    const height = ys.length === 0 ? at : (ys[at] ?? null);
    return [place, height];
  });
}

function binsOf(trace: Trace): [Cell, Cell][] {
  const values = (listOf(trace.x).length > 0 ? listOf(trace.x) : listOf(trace.y)).filter((one) => one !== null);
  if (values.some((one) => typeof one === "string")) {
    const counts = new Map<string, number>();
    for (const one of values) counts.set(String(one), (counts.get(String(one)) ?? 0) + 1);
    return [...counts];
  }
  const numbers = values as number[];
  const low = numbers.reduce((least, one) => Math.min(least, one), Infinity);
  const high = numbers.reduce((most, one) => Math.max(most, one), -Infinity);
  const bins = trace.nbinsx ?? trace.nbinsy ?? Math.max(1, Math.ceil(Math.log2(numbers.length || 1)) + 1);
  const width = (high - low) / bins || 1;
  const counts = Array.from({ length: bins }, () => 0);
  for (const one of numbers) {
    const at = Math.min(bins - 1, Math.floor((one - low) / width));
    counts[at] = (counts[at] ?? 0) + 1;
  }
  return counts.map((count, at) => [low + (at + 0.5) * width, count]);
}

function axisOf(axis: Axis | undefined, values: readonly Cell[], middle: boolean): Record<string, unknown> {
  const there = values.filter((value) => value !== null);
  const type =
    axis?.type === "log"
      ? "log"
      : axis?.type === "category" || there.some((value) => typeof value === "string" && !looksLikeTime(value))
        ? "category"
        : axis?.type === "date" || there.some(looksLikeTime)
          ? "time"
          : "value";
  const range = Array.isArray(axis?.range) && type !== "category" ? (axis.range as Cell[]) : [];
  const end = (value: Cell | undefined): Cell | undefined =>
    value === null || value === undefined ? undefined : type === "log" ? 10 ** Number(value) : value;
  const title = titleText(axis?.title);
  return {
    type,
    name: title === "" ? undefined : title,
    nameLocation: middle ? "end" : "middle",
    nameGap: 30,
    inverse: axis?.autorange === "reversed",
    scale: true,
    min: end(range[0]),
    max: end(range[1]),
    axisLine: { lineStyle: { color: themeColour("line-strong") } },
    axisLabel: {
      color: themeColour("muted"),
      fontSize: 11,
      hideOverlap: true,
      formatter: type === "time" ? TIME_LABELS : type === "category" ? undefined : formatShort,
    },
    splitLine: { lineStyle: { color: themeColour("line") } },
  };
}

interface DrawApi {
  value(dimension: number): number;
  coord(point: [number, number]): [number, number];
  size(size: [number, number]): [number, number];
}

function seriesOf(
  trace: Trace,
  index: number,
  points: [Cell, Cell, ...Cell[]][],
  layout: Layout,
  xType: string,
): object {
  const colours = palette();
  const own = colours[index % colours.length] ?? "#888";
  const base = { name: nameOf(trace, index), data: points, yAxisIndex: trace.yaxis === "y2" ? 1 : 0 };
  if (trace.type === "heatmap") {
    const values = points.map((point) => point[2]).filter((value) => typeof value === "number");
    const low = values.reduce((least, one) => Math.min(least, one), Infinity);
    const high = values.reduce((most, one) => Math.max(most, one), -Infinity);
    return {
      ...base,
      type: "custom",
      renderItem: (_parameters: unknown, api: DrawApi) => {
        const [x, y] = api.coord([api.value(0), api.value(1)]);
        const [width, height] = api.size([1, 1]);
        const part = (api.value(2) - low) / (high - low || 1);
        return {
          type: "rect",
          shape: { x: x - width / 2, y: y - height / 2, width, height },
          style: { fill: themeColour("accent"), opacity: 0.06 + 0.94 * part },
        };
      },
    };
  }
  if (trace.type === "bar" || trace.type === "histogram") {
    return {
      ...base,
      type: "bar",
      color: colourOf(trace.marker?.color, own),
      stack: layout.barmode === "stack" || layout.barmode === "relative" ? "bars" : undefined,
      barMaxWidth: 64,
      barCategoryGap: trace.type === "histogram" ? "4%" : undefined,
    };
  }
  const mode = trace.mode ?? (points.length < 20 ? "lines+markers" : "lines");
  const colour = colourOf(trace.line?.color ?? trace.marker?.color, own);
  const sizes = listOf(trace.marker?.size);
  const size = typeof trace.marker?.size === "number" ? trace.marker.size : 6;
  if (!mode.includes("lines") && trace.fill === undefined) {
    const data = points.map((value, at) => ({ value, symbolSize: Number(sizes[at] ?? size) }));
    return { ...base, data, type: "scatter", color: colour, itemStyle: { opacity: 0.8 } };
  }
  return {
    ...base,
    type: "line",
    color: colour,
    showSymbol: mode.includes("markers"),
    symbolSize: size,
    stack: trace.stackgroup,
    sampling: xType !== "category" && points.length > 4000 ? "lttb" : undefined,
    lineStyle: {
      width: mode.includes("lines") ? (trace.line?.width ?? 2) : 0,
      type: trace.line?.dash?.includes("dot") ? "dotted" : trace.line?.dash?.includes("dash") ? "dashed" : "solid",
    },
    areaStyle: trace.fill?.startsWith("to") || trace.stackgroup ? { opacity: 0.25 } : undefined,
  };
}

function pieBody(pies: readonly Trace[]): EChartsCoreOption {
  return {
    tooltip: {
      ...tooltipBase(),
      formatter: (part: Hovered & { percent: number }) =>
        tooltipOf(`${part.name} · ${part.percent} %`, [
          { name: "", colour: String(part.color), value: typeof part.value === "number" ? part.value : null },
        ]),
    },
    series: pies.map((trace, index) => {
      const values = listOf(trace.values);
      const labels = listOf(trace.labels);
      const middle = `${((index + 0.5) * 100) / pies.length}%`;
      return {
        type: "pie",
        name: nameOf(trace, index),
        center: [middle, "56%"],
        radius: [`${Math.round((trace.hole ?? 0) * 68)}%`, "68%"],
        data: values.map((value, at) => ({ name: String(labels[at] ?? at), value: Number(value) })),
        itemStyle: { borderColor: themeColour("panel"), borderWidth: 1 },
        label: {
          color: themeColour("ink"),
          formatter: (part: { name: string; value: number; percent: number }) =>
            `${part.name}\n${formatNumber(part.percent)} %`,
        },
      };
    }),
  };
}
