// Options of ECharts for spans of time, a line for each group: ladder charts and time pivots.

import type { EChartsCoreOption } from "echarts/core";
import { formatShort } from "../base/format";
import { themeColour } from "../base/theme";
import type { ChosenColumns } from "./choice";
import { TIME_LABELS, titleOf } from "./curves";
import { palette } from "./palette";
import type { Visualization } from "./properties";
import { timeText, tooltipOf } from "./tooltip";
import { numberOf, textOf, type ChartTable } from "./values";

type SpanItem = [group: number, start: number, end: number];

interface DrawApi {
  value(dimension: number): number;
  coord(point: [number, number]): [number, number];
  size(size: [number, number]): [number, number];
}

const MOST_SPANS = 20_000;

export function spanOptions(table: ChartTable, chosen: ChosenColumns, wish: Visualization): EChartsCoreOption {
  const startColumn = chosen.x ?? 0;
  const startType = table.columns[startColumn]?.type ?? "datetime";
  const endType = chosen.xEnd === null ? startType : (table.columns[chosen.xEnd]?.type ?? startType);
  const groups = new Map<string, number>();
  const items: SpanItem[] = [];
  for (const row of table.rows.slice(0, MOST_SPANS)) {
    const start = numberOf(row[startColumn] ?? null, startType);
    if (start === null) continue;
    const end = chosen.xEnd === null ? start : (numberOf(row[chosen.xEnd] ?? null, endType) ?? start);
    const name = chosen.series.map((index) => textOf(row[index] ?? null)).join(", ") || "(all)";
    let group = groups.get(name);
    if (group === undefined) {
      group = groups.size;
      groups.set(name, group);
    }
    items.push([group, Math.min(start, end), Math.max(start, end)]);
  }
  const names = [...groups.keys()];
  const colours = palette();
  const isTime = startType === "datetime";
  const text = (value: number): string => (isTime ? timeText(value) : formatShort(value));
  return {
    animation: false,
    useUTC: true,
    textStyle: { fontFamily: themeColour("sans") },
    title: titleOf(wish),
    grid: { left: 14, right: 24, top: wish.Title ? 44 : 16, bottom: 58, containLabel: true },
    tooltip: {
      confine: true,
      backgroundColor: themeColour("raised"),
      borderColor: themeColour("line-strong"),
      padding: 8,
      formatter: (item: { value: SpanItem; color: string }) => {
        const [group, start, end] = item.value;
        return tooltipOf(
          start === end ? `${names[group]} · ${text(start)}` : `${names[group]} · ${text(start)} – ${text(end)}`,
          [],
        );
      },
    },
    xAxis: {
      type: isTime ? "time" : "value",
      scale: true,
      name: wish.XTitle ?? undefined,
      axisLine: { lineStyle: { color: themeColour("line-strong") } },
      axisLabel: {
        color: themeColour("muted"),
        fontSize: 11,
        hideOverlap: true,
        formatter: isTime ? TIME_LABELS : formatShort,
      },
      splitLine: { show: true, lineStyle: { color: themeColour("line") } },
    },
    yAxis: {
      type: "category",
      data: names,
      inverse: true,
      axisLine: { lineStyle: { color: themeColour("line-strong") } },
      axisTick: { show: false },
      axisLabel: { color: themeColour("muted"), fontSize: 11, width: 180, overflow: "truncate" },
    },
    dataZoom: [
      { type: "inside", xAxisIndex: 0, zoomOnMouseWheel: "ctrl", filterMode: "weakFilter" },
      {
        type: "slider",
        xAxisIndex: 0,
        height: 16,
        bottom: 8,
        borderColor: "transparent",
        backgroundColor: themeColour("sunken"),
        fillerColor: themeColour("accent-soft"),
        showDataShadow: false,
        filterMode: "weakFilter",
        moveHandleSize: 0,
        textStyle: { color: themeColour("faint"), fontSize: 10 },
      },
    ],
    series: [
      {
        type: "custom",
        data: items,
        encode: { x: [1, 2], y: 0 },
        renderItem: (_parameters: unknown, api: DrawApi) => {
          const group = api.value(0);
          const from = api.coord([api.value(1), group]);
          const to = api.coord([api.value(2), group]);
          const height = Math.max(3, Math.min(18, api.size([0, 1])[1] * 0.6));
          return {
            type: "rect",
            shape: { x: from[0] - 1, y: from[1] - height / 2, width: Math.max(3, to[0] - from[0]), height, r: 2 },
            style: { fill: colours[group % colours.length], opacity: 0.85 },
          };
        },
      },
    ],
  };
}
