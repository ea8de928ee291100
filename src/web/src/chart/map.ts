// Options of ECharts for points and pies on a map: the land's outlines, a graticule with labelled degrees, no pictures
// from elsewhere. Longitudes and latitudes are drawn alike, narrowed as they are at the middle of what is shown.

import type { EChartsCoreOption } from "echarts/core";
import { formatNumber } from "../base/format";
import { themeColour } from "../base/theme";
import type { ChosenColumns } from "./choice";
import { coastRings } from "./coast";
import { titleOf } from "./curves";
import { palette } from "./palette";
import { bound, type Visualization } from "./properties";
import { tooltipOf } from "./tooltip";
import { isPoint, numberOf, textOf, type ChartTable } from "./values";

interface Place {
  longitude: number;
  latitude: number;
  group: string;
  size: number | null;
}

interface DrawApi {
  value(dimension: number): number;
  coord(point: [number, number]): [number, number];
}

interface Hovered {
  seriesName: string;
  color: unknown;
  value: (number | null)[];
}

const MOST_GROUPS = 60;
const LARGEST = 26;
const rings = coastRings();

export function placesOf(table: ChartTable, chosen: ChosenColumns): Place[] {
  const places: Place[] = [];
  for (const row of table.rows) {
    const at = row[chosen.x ?? 0] ?? null;
    const other = chosen.xEnd === null ? null : (row[chosen.xEnd] ?? null);
    const [longitude, latitude] = isPoint(at) ? at.coordinates : [numberOf(at, "real"), numberOf(other, "real")];
    if (longitude === null || latitude === null || Math.abs(longitude) > 180 || Math.abs(latitude) > 90) continue;
    const size = chosen.y[0] === undefined ? null : numberOf(row[chosen.y[0]] ?? null, "real");
    const group = chosen.series.map((index) => textOf(row[index] ?? null)).join(", ");
    places.push({ longitude, latitude, group, size });
  }
  return places;
}

/** What is shown at first: all places with some room about them, in the shape of the drawing area. */
function windowOf(
  places: readonly Place[],
  aspect: number,
): { west: number; east: number; south: number; north: number } {
  const range = (values: number[]): [number, number] => [
    values.reduce((least, one) => Math.min(least, one), Infinity),
    values.reduce((most, one) => Math.max(most, one), -Infinity),
  ];
  const [west, east] = range(places.map((one) => one.longitude));
  const [south, north] = range(places.map((one) => one.latitude));
  const squeeze = Math.max(0.2, Math.cos((((south + north) / 2) * Math.PI) / 180));
  let width = Math.max(2, (east - west) * 1.2);
  let height = Math.max(1, (north - south) * 1.3);
  const wanted = aspect / squeeze;
  if (width / height < wanted) width = height * wanted;
  else height = width / wanted;
  const [x, y] = [(west + east) / 2, (south + north) / 2];
  return { west: x - width / 2, east: x + width / 2, south: y - height / 2, north: y + height / 2 };
}

const degrees = (value: number, positive: string, negative: string): string =>
  `${formatNumber(Math.abs(Math.round(value * 1000) / 1000))}°${value > 0 ? positive : value < 0 ? negative : ""}`;

export function mapOptions(
  table: ChartTable,
  chosen: ChosenColumns,
  wish: Visualization,
  width: number,
  height: number,
): EChartsCoreOption {
  const places = placesOf(table, chosen);
  const groups = [...new Set(places.map((one) => one.group))].slice(0, MOST_GROUPS);
  const legendShown = wish.Legend !== "hidden" && groups.length > 1;
  const top = (wish.Title ? 34 : 12) + (legendShown ? 26 : 0);
  const inner = { left: 52, right: 14, top, bottom: 28 };
  const aspect = Math.max(50, width - inner.left - inner.right) / Math.max(50, height - top - inner.bottom);
  const shown = windowOf(places, aspect);
  const largest = places.reduce((most, one) => Math.max(most, Math.abs(one.size ?? 0)), 0);
  const colours = palette();
  const colourOf = (at: number): string => colours[at % colours.length] ?? "#888";
  const axis = { axisLine: { show: false }, axisTick: { show: false }, type: "value" };
  const lines = { show: true, lineStyle: { color: themeColour("line-strong"), opacity: 0.5 } };
  const label = {
    color: themeColour("muted"),
    fontSize: 11,
    hideOverlap: true,
    // The ends of what is shown are no round degrees.
    showMinLabel: false,
    showMaxLabel: false,
  };
  const zoom = (name: "xAxisIndex" | "yAxisIndex", startValue: number, endValue: number): object => ({
    type: "inside",
    [name]: 0,
    startValue,
    endValue,
    filterMode: "none",
    minValueSpan: 0.05,
  });
  return {
    animation: false,
    textStyle: { fontFamily: themeColour("sans"), color: themeColour("muted") },
    title: titleOf(wish),
    backgroundColor: "transparent",
    grid: { ...inner, show: true, backgroundColor: themeColour("sunken"), borderColor: themeColour("line-strong") },
    legend: legendShown
      ? {
          type: "scroll",
          top: wish.Title ? 30 : 6,
          left: 8,
          right: 8,
          icon: "circle",
          itemWidth: 9,
          textStyle: { color: themeColour("ink") },
          pageTextStyle: { color: themeColour("muted") },
          data: groups,
        }
      : undefined,
    tooltip: {
      confine: true,
      backgroundColor: themeColour("raised"),
      borderColor: themeColour("line-strong"),
      padding: 8,
      formatter: (hovered: Hovered) => {
        const [longitude, latitude, size] = hovered.value;
        const place = `${degrees(latitude ?? 0, "N", "S")} ${degrees(longitude ?? 0, "E", "W")}`;
        const name = hovered.seriesName;
        return tooltipOf(size === null ? `${name === "" ? "" : `${name} · `}${place}` : place, [
          { name, colour: String(hovered.color), value: size ?? null },
        ]);
      },
    },
    xAxis: {
      ...axis,
      min: Math.min(-180, bound(wish.Xmin) ?? shown.west),
      max: Math.max(180, bound(wish.Xmax) ?? shown.east),
      splitLine: lines,
      axisLabel: { ...label, formatter: (value: number) => (Math.abs(value) > 180 ? "" : degrees(value, "E", "W")) },
    },
    yAxis: {
      ...axis,
      min: Math.min(-90, bound(wish.Ymin) ?? shown.south),
      max: Math.max(90, bound(wish.Ymax) ?? shown.north),
      splitLine: lines,
      axisLabel: { ...label, formatter: (value: number) => (Math.abs(value) > 90 ? "" : degrees(value, "N", "S")) },
    },
    dataZoom: [zoom("xAxisIndex", shown.west, shown.east), zoom("yAxisIndex", shown.south, shown.north)],
    series: [
      {
        type: "custom",
        name: "",
        silent: true,
        clip: true,
        z: 1,
        tooltip: { show: false },
        data: [[0, 0]],
        renderItem: (_parameters: unknown, api: DrawApi) => ({
          type: "group",
          children: rings.map((ring) => ({
            type: "polygon",
            shape: { points: ring.map((point) => api.coord(point)) },
            style: { fill: themeColour("line"), stroke: themeColour("faint"), lineWidth: 0.7 },
          })),
        }),
      },
      ...(wish.Visualization === "piechart"
        ? pies(places, groups, colourOf)
        : groups.map((group, at) => ({
            type: "scatter",
            name: group,
            color: colourOf(at),
            z: 3,
            data: places
              .filter((one) => one.group === group)
              .map((one) => ({
                value: [one.longitude, one.latitude, one.size],
                symbolSize:
                  one.size === null || largest === 0 ? 9 : 5 + LARGEST * Math.sqrt(Math.abs(one.size) / largest),
              })),
            itemStyle: { opacity: 0.8, borderColor: themeColour("panel"), borderWidth: 1 },
          }))),
    ],
  };
}

/** At each place a pie, its slices the groups, its area the sum. */
function pies(places: readonly Place[], groups: readonly string[], colourOf: (at: number) => string): object[] {
  const byPlace = new Map<string, { longitude: number; latitude: number; sums: number[]; total: number }>();
  for (const { longitude, latitude, group, size } of places) {
    const key = `${longitude} ${latitude}`;
    const pie = byPlace.get(key) ?? { longitude, latitude, sums: groups.map(() => 0), total: 0 };
    byPlace.set(key, pie);
    const at = groups.indexOf(group);
    const value = Math.abs(size ?? 1);
    if (at < 0) continue;
    pie.sums[at] = (pie.sums[at] ?? 0) + value;
    pie.total += value;
  }
  const all = [...byPlace.values()];
  const largest = all.reduce((most, pie) => Math.max(most, pie.total), 0) || 1;
  return groups.map((group, at) => ({
    type: "custom",
    name: group,
    color: colourOf(at),
    clip: true,
    z: 3,
    encode: { x: 0, y: 1, tooltip: 2 },
    data: all
      .filter((pie) => (pie.sums[at] ?? 0) > 0)
      .map((pie) => {
        const before = pie.sums.slice(0, at).reduce((sum, one) => sum + one, 0);
        const part = (value: number): number => -Math.PI / 2 + (2 * Math.PI * value) / pie.total;
        const own = pie.sums[at] ?? 0;
        const radius = 8 + LARGEST * Math.sqrt(pie.total / largest);
        return [pie.longitude, pie.latitude, own, part(before), part(before + own), radius];
      }),
    renderItem: (_parameters: unknown, api: DrawApi) => {
      const [cx, cy] = api.coord([api.value(0), api.value(1)]);
      return {
        type: "sector",
        shape: { cx, cy, r0: 0, r: api.value(5), startAngle: api.value(3), endAngle: api.value(4) },
        style: { fill: colourOf(at), stroke: themeColour("panel"), lineWidth: 1, opacity: 0.9 },
      };
    },
  }));
}
