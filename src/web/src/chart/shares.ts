// Options of ECharts for what shows parts of a whole: pie charts and tree maps.

import type { EChartsCoreOption } from "echarts/core";
import { formatNumber } from "../base/format";
import { theme, themeColour } from "../base/theme";
import type { ChosenColumns } from "./choice";
import { titleOf } from "./curves";
import { palette } from "./palette";
import type { Visualization } from "./properties";
import { tooltipOf } from "./tooltip";
import { numberOf, textOf, type ChartTable } from "./values";

const MOST_SLICES = 12;

interface Part {
  name: string;
  value: number;
  children?: Part[];
}

interface Hovered {
  name: string;
  value: number;
  color: string;
  percent?: number;
}

function tooltip(): object {
  return {
    confine: true,
    backgroundColor: themeColour("raised"),
    borderColor: themeColour("line-strong"),
    padding: 8,
    formatter: (part: Hovered) =>
      tooltipOf(part.percent === undefined ? part.name : `${part.name} · ${part.percent} %`, [
        { name: "", colour: String(part.color), value: part.value },
      ]),
  };
}

export function pieOptions(
  table: ChartTable,
  chosen: ChosenColumns,
  wish: Visualization,
  width: number,
  height: number,
): EChartsCoreOption {
  const valueIndex = chosen.y[0] ?? 0;
  const type = table.columns[valueIndex]?.type ?? "real";
  const sums = new Map<string, number>();
  for (const row of table.rows) {
    const name = chosen.series.map((index) => textOf(row[index] ?? null)).join(", ");
    sums.set(name, (sums.get(name) ?? 0) + Math.abs(numberOf(row[valueIndex] ?? null, type) ?? 0));
  }
  const parts: Part[] = [...sums].map(([name, value]) => ({ name, value }));
  // Slices too many to tell apart become one.
  if (parts.length > MOST_SLICES) {
    parts.sort((left, right) => right.value - left.value);
    const rest = parts.splice(MOST_SLICES - 1);
    parts.push({ name: `Other (${rest.length})`, value: rest.reduce((sum, part) => sum + part.value, 0) });
  }
  // Where there is no room for labels around it, the names stand beside it.
  const isSmall = width < 300 || height < 200;
  const beside = (width > 560 || (isSmall && width >= 150)) && wish.Legend !== "hidden";
  const radius = isSmall ? ["46%", "84%"] : width < 480 ? ["32%", "54%"] : ["42%", "72%"];
  return {
    animation: false,
    color: palette(),
    textStyle: { fontFamily: themeColour("sans") },
    title: titleOf(wish),
    legend: beside
      ? {
          type: "scroll",
          orient: "vertical",
          right: isSmall ? 8 : 24,
          top: "middle",
          icon: "circle",
          itemWidth: 9,
          textStyle: isSmall
            ? { color: themeColour("ink"), width: width * 0.4, overflow: "truncate" }
            : { color: themeColour("ink") },
          pageTextStyle: { color: themeColour("muted") },
        }
      : undefined,
    tooltip: tooltip(),
    series: [
      {
        type: "pie",
        radius,
        center: [beside ? (isSmall ? "28%" : "42%") : "50%", wish.Title ? "54%" : "50%"],
        data: parts,
        itemStyle: { borderColor: themeColour("panel"), borderWidth: 2 },
        label: {
          show: !isSmall,
          color: themeColour("ink"),
          formatter: (part: Hovered) => `${part.name}\n${part.percent} %`,
          lineHeight: 15,
          fontSize: 12,
        },
        labelLine: {
          length: width < 480 ? 6 : 14,
          length2: width < 480 ? 4 : 14,
          lineStyle: { color: themeColour("line-strong") },
        },
        minShowLabelAngle: 6,
      },
    ],
  };
}

export function treeOptions(table: ChartTable, chosen: ChosenColumns, wish: Visualization): EChartsCoreOption {
  const valueIndex = chosen.y[0] ?? 0;
  const type = table.columns[valueIndex]?.type ?? "real";
  const root: Part = { name: "", value: 0, children: [] };
  for (const row of table.rows) {
    const value = Math.abs(numberOf(row[valueIndex] ?? null, type) ?? 0);
    let node = root;
    for (const index of chosen.series) {
      const name = textOf(row[index] ?? null);
      node.children ??= [];
      let child: Part | undefined = node.children.find((part) => part.name === name);
      if (!child) {
        child = { name, value: 0 };
        node.children.push(child);
      }
      child.value += value;
      node = child;
    }
  }
  return {
    animation: false,
    color: palette(),
    textStyle: { fontFamily: themeColour("sans") },
    title: titleOf(wish),
    tooltip: tooltip(),
    series: [
      {
        type: "treemap",
        data: root.children,
        top: wish.Title ? 38 : 12,
        left: 12,
        right: 12,
        bottom: 34,
        roam: false,
        nodeClick: "zoomToNode",
        breadcrumb: {
          bottom: 6,
          itemStyle: {
            color: themeColour("sunken"),
            borderColor: themeColour("line"),
            textStyle: { color: themeColour("ink") },
          },
        },
        label: {
          formatter: (part: Hovered) => `${part.name}\n${formatNumber(part.value)}`,
          color: themeColour("on-accent"),
          textShadowColor: theme.value === "dark" ? "transparent" : "rgba(0, 0, 0, 0.5)",
          textShadowBlur: 2,
          fontSize: 12,
          lineHeight: 16,
        },
        upperLabel: {
          show: chosen.series.length > 1,
          height: 22,
          color: themeColour("ink"),
          fontWeight: 600,
          formatter: "{b}",
        },
        itemStyle: { borderColor: themeColour("panel"), gapWidth: 1 },
        levels: [
          { itemStyle: { gapWidth: 3, borderWidth: 0 }, upperLabel: { show: false } },
          {
            itemStyle: { gapWidth: 1, borderWidth: chosen.series.length > 1 ? 2 : 0 },
            upperLabel: { show: chosen.series.length > 1 },
          },
          { itemStyle: { gapWidth: 1 } },
        ],
      },
    ],
  };
}
