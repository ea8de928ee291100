// Options of ECharts for lines, areas, bars, columns and points: one or many axes, panels, logarithmic scales.

import type { EChartsCoreOption } from "echarts/core";
import { formatNumber, formatShort } from "../base/format";
import { themeColour } from "../base/theme";
import { countPoints, type Curve, type CurveModel } from "./model";
import { palette } from "./palette";
import { bound, type Visualization } from "./properties";
import { timeText, tooltipOf } from "./tooltip";

const MOST_PANELS = 5;
const MOST_AXES = 6;
const LEAST_HEIGHT_OF_SLIDER = 340;
const LARGE = 4000;

/** Days are told with their month. */
export const TIME_LABELS = {
  year: "{yyyy}",
  month: "{MMM} {yyyy}",
  day: "{MMM} {d}",
  hour: "{HH}:{mm}",
  minute: "{HH}:{mm}",
  second: "{HH}:{mm}:{ss}",
  millisecond: "{mm}:{ss}.{SSS}",
};

interface Area {
  curves: Curve[];
  title: string;
}

interface HoverItem {
  seriesName?: string;
  color?: unknown;
  value?: unknown;
  axisValue?: unknown;
}

/** All the options: grids, axes, series, zoom, legend, tooltip. */
export function curveOptions(model: CurveModel, wish: Visualization, height: number): EChartsCoreOption {
  const kind = wish.Visualization ?? "linechart";
  const flat = kind === "barchart";
  const colours = palette();
  const colourOf = new Map(model.curves.map((curve, index) => [curve, colours[index % colours.length] ?? "#888"]));
  const areas = areasOf(model, wish);
  const axes = wish.YSplit === "axes" ? Math.min(model.curves.length, MOST_AXES) : 1;
  const legendShown = wish.Legend !== "hidden" && model.curves.length > 1;
  const top = (wish.Title ? 34 : 14) + (legendShown ? 26 : 0) + (wish.YTitle || wish.YSplit === "panels" ? 18 : 0);
  // Where there is little room the picture has it; the wheel zooms there too.
  const zoomRoom = !flat && model.xKind !== "category" && height >= LEAST_HEIGHT_OF_SLIDER ? 30 : 0;
  const bottom = (areas.length > 1 ? 30 : 10) + zoomRoom + (wish.XTitle ? 22 : 0);
  const gap = 46;
  const panel = Math.max(40, (height - top - bottom - gap * (areas.length - 1)) / areas.length);

  const grids = areas.map((_area, index) => ({
    top: top + index * (panel + gap),
    height: panel,
    left: areas.length > 1 ? 62 : flat ? 12 : 14 + (axes > 1 ? Math.max(0, Math.ceil(axes / 2) - 1) * 52 : 0),
    right: 20 + (axes > 1 ? Math.max(0, Math.floor(axes / 2) - 1) * 52 : 0),
    containLabel: areas.length === 1,
  }));
  const placeAxes = areas.map((_area, index) => placeAxis(model, wish, index, index === areas.length - 1));
  const valueAxes = areas.flatMap((area, index) =>
    Array.from({ length: axes }, (_unused, axis) => valueAxis(model, wish, index, axis, axes, area, colourOf, panel)),
  );
  const series = areas.flatMap((area, index) =>
    area.curves.flatMap((curve, place) => {
      const axis = axes > 1 ? place % axes : index;
      return curveSeries(curve, model, wish, index, axis, colourOf.get(curve) ?? "#888", flat);
    }),
  );
  const allPlaces = areas.map((_area, index) => index);
  const zoomed = flat ? { yAxisIndex: allPlaces } : { xAxisIndex: allPlaces };
  return {
    animation: false,
    useUTC: true,
    color: colours,
    textStyle: { fontFamily: themeColour("sans"), color: themeColour("muted") },
    aria: { enabled: false },
    title: titleOf(wish),
    legend: legendShown
      ? {
          type: "scroll",
          top: wish.Title ? 30 : 6,
          left: 8,
          right: 8,
          icon: "roundRect",
          itemWidth: 12,
          itemHeight: 8,
          textStyle: { color: themeColour("ink"), fontSize: 12 },
          pageTextStyle: { color: themeColour("muted") },
          pageIconColor: themeColour("muted"),
          pageIconInactiveColor: themeColour("line-strong"),
          data: model.curves.map((curve) => curve.name),
        }
      : undefined,
    tooltip: {
      trigger: kind === "scatterchart" ? "item" : "axis",
      axisPointer: {
        type: flat || kind === "columnchart" ? "shadow" : "line",
        lineStyle: { color: themeColour("line-strong") },
        shadowStyle: { color: themeColour("hover") },
      },
      confine: true,
      backgroundColor: themeColour("raised"),
      borderColor: themeColour("line-strong"),
      padding: 8,
      transitionDuration: 0,
      formatter: (hovered: HoverItem | HoverItem[]) => hoverText(hovered, model, flat),
    },
    axisPointer: areas.length > 1 ? { link: [{ xAxisIndex: "all" }] } : undefined,
    grid: grids,
    xAxis: flat ? valueAxes : placeAxes,
    yAxis: flat ? placeAxes : valueAxes,
    dataZoom: [
      { type: "inside", ...zoomed, zoomOnMouseWheel: "ctrl", moveOnMouseMove: true, filterMode: "none" },
      ...(zoomRoom > 0
        ? [
            {
              type: "slider",
              ...zoomed,
              height: 16,
              bottom: 8,
              filterMode: "none",
              borderColor: "transparent",
              backgroundColor: themeColour("sunken"),
              fillerColor: themeColour("accent-soft"),
              showDataShadow: false,
              brushSelect: true,
              handleSize: "110%",
              handleStyle: { color: themeColour("panel"), borderColor: themeColour("line-strong") },
              moveHandleSize: 0,
              textStyle: { color: themeColour("faint"), fontSize: 10 },
              labelFormatter: (value: number) => (model.xKind === "time" ? timeText(value) : formatShort(value)),
            },
          ]
        : []),
    ],
    series,
  };
}

export function titleOf(wish: Visualization): object | undefined {
  if (!wish.Title) return undefined;
  return {
    text: wish.Title,
    left: 10,
    top: 6,
    textStyle: { color: themeColour("ink"), fontSize: 14, fontWeight: 600 },
  };
}

function areasOf(model: CurveModel, wish: Visualization): Area[] {
  if (wish.YSplit !== "panels") return [{ curves: model.curves, title: "" }];
  const bySeries = model.chosen.y.length <= 1;
  const areas = new Map<string, Curve[]>();
  for (const curve of model.curves) {
    const key = bySeries ? curve.name : curve.column;
    const list = areas.get(key);
    if (list) list.push(curve);
    else if (areas.size < MOST_PANELS) areas.set(key, [curve]);
  }
  return [...areas].map(([title, curves]) => ({ title, curves }));
}

function placeAxis(model: CurveModel, wish: Visualization, index: number, last: boolean): object {
  const flat = wish.Visualization === "barchart";
  const type =
    model.xKind === "time" ? "time" : model.xKind === "category" ? "category" : wish.XAxis === "log" ? "log" : "value";
  // Lines and areas go from edge to edge.
  const fills = type === "value" && wish.Visualization !== "scatterchart";
  const bars = model.xKind === "category" && (flat || wish.Visualization === "columnchart");
  return {
    type,
    gridIndex: index,
    name: last ? (wish.XTitle ?? undefined) : undefined,
    nameLocation: flat ? "end" : "middle",
    nameGap: 28,
    nameTextStyle: { color: themeColour("muted") },
    inverse: flat,
    scale: true,
    boundaryGap: bars ? true : model.xKind === "category" ? false : undefined,
    data: type === "category" ? model.categories.map(shortCategory) : undefined,
    min: bound(wish.Xmin) ?? (fills ? "dataMin" : undefined),
    max: bound(wish.Xmax) ?? (fills ? "dataMax" : undefined),
    axisLine: { lineStyle: { color: themeColour("line-strong") } },
    axisTick: { show: type !== "category", lineStyle: { color: themeColour("line-strong") } },
    splitLine: { show: false },
    axisLabel: {
      color: themeColour("muted"),
      fontSize: 11,
      hideOverlap: true,
      formatter: type === "value" || type === "log" ? formatShort : type === "time" ? TIME_LABELS : undefined,
      width: flat ? 160 : undefined,
      overflow: "truncate",
    },
  };
}

/** Times among categories without their zeros. */
function shortCategory(label: string): string {
  return /^\d{4}-\d\d-\d\dT/.test(label) ? timeText(Date.parse(label)) : label;
}

function valueAxis(
  model: CurveModel,
  wish: Visualization,
  grid: number,
  axis: number,
  axes: number,
  area: Area,
  colourOf: Map<Curve, string>,
  panel: number,
): object {
  const curve = axes > 1 ? model.curves[axis] : undefined;
  const colour = curve ? colourOf.get(curve) : themeColour("muted");
  const percent = model.chosen.share;
  const flat = wish.Visualization === "barchart";
  return {
    type: wish.YAxis === "log" ? "log" : "value",
    gridIndex: grid,
    position: flat ? "bottom" : axis % 2 === 0 ? "left" : "right",
    offset: axes > 1 ? Math.floor(axis / 2) * 52 : 0,
    name: wish.YSplit === "panels" ? area.title : axes > 1 ? "" : (wish.YTitle ?? ""),
    nameLocation: flat ? "middle" : "end",
    nameGap: flat ? 26 : 12,
    nameTextStyle: {
      color: themeColour("muted"),
      align: flat ? "center" : "left",
      padding: flat ? 0 : [0, 0, 0, wish.YSplit === "panels" ? 6 : -30],
    },
    splitNumber: panel < 120 ? 2 : panel < 220 ? 4 : 5,
    min: bound(wish.Ymin),
    max: percent ? 100 : bound(wish.Ymax),
    scale: wish.Visualization === "scatterchart",
    axisLine: { show: axes > 1, lineStyle: { color: colour } },
    axisLabel: { color: colour, fontSize: 11, formatter: percent ? "{value} %" : formatShort, hideOverlap: true },
    splitLine: { show: axis === 0, lineStyle: { color: themeColour("line") } },
  };
}

/** What stacks need of all curves together: the places that any has, in order, and the sum at each. */
interface Stack {
  places: number[];
  sums: Map<number, number>;
}

const stacks = new WeakMap<CurveModel, Stack>();

function stackOf(model: CurveModel): Stack {
  const known = stacks.get(model);
  if (known) return known;
  const sums = new Map<number, number>();
  for (const curve of model.curves) {
    for (const [x, y] of curve.points) sums.set(x, (sums.get(x) ?? 0) + Math.abs(y ?? 0));
  }
  const stack = { places: [...sums.keys()].sort((left, right) => left - right), sums };
  stacks.set(model, stack);
  return stack;
}

function curveSeries(
  curve: Curve,
  model: CurveModel,
  wish: Visualization,
  grid: number,
  axis: number,
  colour: string,
  flat: boolean,
): object[] {
  const kind = wish.Visualization ?? "";
  const bars = kind === "barchart" || kind === "columnchart";
  const area = kind === "areachart" || kind === "stackedareachart";
  const stacked = model.chosen.stacked;
  let points = curve.points;
  if (model.chosen.share) {
    const { sums } = stackOf(model);
    points = points.map(([x, y]) => [x, y === null ? null : (100 * y) / (sums.get(x) || 1)]);
  }
  // A logarithmic axis has no place for zero and less.
  if (wish.YAxis === "log") points = points.map(([x, y]) => [x, y !== null && y > 0 ? y : null]);
  if (wish.XAxis === "log" && model.xKind === "number") points = points.filter((point) => point[0] > 0);
  if (stacked && !bars) points = alignedPoints(model, points);
  const place = flat ? { xAxisIndex: axis, yAxisIndex: grid } : { xAxisIndex: grid, yAxisIndex: axis };
  const base = {
    name: curve.name,
    color: colour,
    ...place,
    data: flat ? points.map(([x, y]) => [y, x]) : points,
    stack: stacked ? `stack${grid}` : undefined,
    emphasis: { focus: model.curves.length > 1 ? "series" : "none" },
    blur: { lineStyle: { opacity: 0.25 }, itemStyle: { opacity: 0.25 } },
  };
  if (bars)
    return [{ ...base, type: "bar", barMaxWidth: 64, barMinHeight: 1, itemStyle: { borderRadius: stacked ? 0 : 2 } }];
  if (kind === "scatterchart") {
    const total = countPoints(model);
    return [
      {
        ...base,
        type: "scatter",
        symbolSize: total > 2000 ? 4 : 7,
        itemStyle: { opacity: 0.75 },
        large: total > LARGE,
      },
    ];
  }
  const few = points.length <= 60;
  const series: object[] = [
    {
      ...base,
      type: "line",
      showSymbol: points.length === 1,
      symbol: "circle",
      symbolSize: 5,
      sampling: points.length > LARGE ? "lttb" : undefined,
      lineStyle: { width: few ? 2 : 1.5 },
      areaStyle: area ? { opacity: stacked ? 0.6 : 0.22 } : undefined,
    },
  ];
  if (curve.anomalies.length > 0) {
    series.push({
      name: `${curve.name} anomalies`,
      type: "scatter",
      ...place,
      data: curve.anomalies.map((index) => curve.points[index]),
      symbolSize: 9,
      itemStyle: { color: themeColour("bad"), borderColor: themeColour("panel"), borderWidth: 1.5 },
      z: 5,
    });
  }
  return series;
}

/** Stacks need a value of every curve at every place: what is missing is zero. */
function alignedPoints(model: CurveModel, points: [number, number | null][]): [number, number | null][] {
  const { places } = stackOf(model);
  if (places.length === points.length) return points;
  const values = new Map(points);
  return places.map((place) => [place, values.get(place) ?? 0]);
}

function hoverText(hovered: HoverItem | HoverItem[], model: CurveModel, flat: boolean): HTMLElement {
  const items = Array.isArray(hovered) ? hovered : [hovered];
  const pair = (item: HoverItem | undefined): [number, number | null] => {
    const value = Array.isArray(item?.value) ? (item.value as (number | null)[]) : [0, null];
    return flat ? [value[1] ?? 0, value[0] ?? null] : [value[0] ?? 0, value[1] ?? null];
  };
  const [place] = pair(items[0]);
  const title =
    model.xKind === "time"
      ? timeText(place)
      : model.xKind === "category"
        ? shortCategory(model.categories[place] ?? "")
        : `${model.xName} ${formatNumber(place)}`;
  return tooltipOf(
    title,
    items.map((item) => ({ name: item.seriesName ?? "", colour: String(item.color ?? ""), value: pair(item)[1] })),
  );
}
