// What `render … with (…)` asks for, as the server sends it along with a result.

export interface Visualization {
  Visualization: string | null;
  Title: string | null;
  XColumn: string | null;
  Series: string[] | string | null;
  YColumns: string[] | string | null;
  AnomalyColumns: string[] | string | null;
  XTitle: string | null;
  YTitle: string | null;
  XAxis: string | null;
  YAxis: string | null;
  Legend: string | null;
  YSplit: string | null;
  Accumulate: boolean | null;
  Kind: string | null;
  Ymin: number | string | null;
  Ymax: number | string | null;
  Xmin?: number | string | null;
  Xmax?: number | string | null;
}

export const CHART_KINDS = [
  "timechart",
  "linechart",
  "areachart",
  "stackedareachart",
  "columnchart",
  "barchart",
  "piechart",
  "scatterchart",
  "anomalychart",
  "ladderchart",
  "timepivot",
  "treemap",
  "pivotchart",
  "plotly",
  "card",
] as const;

export type ChartKind = (typeof CHART_KINDS)[number];

export function isChartKind(kind: string | null | undefined): kind is ChartKind {
  return CHART_KINDS.includes(kind as ChartKind);
}

/** No wishes but the kind. */
export function plainVisualization(kind: ChartKind): Visualization {
  return {
    Visualization: kind,
    Title: null,
    XColumn: null,
    Series: null,
    YColumns: null,
    AnomalyColumns: null,
    XTitle: null,
    YTitle: null,
    XAxis: null,
    YAxis: null,
    Legend: null,
    YSplit: null,
    Accumulate: false,
    Kind: null,
    Ymin: null,
    Ymax: null,
  };
}

/** Names come as a list, or as one text with commas. */
export function nameList(names: string[] | string | null | undefined): string[] {
  if (names === null || names === undefined) return [];
  const list = Array.isArray(names) ? names : names.split(",");
  return list.map((name) => name.trim()).filter((name) => name !== "");
}

/** A bound of an axis; "NaN" and nothing mean that there is none. */
export function bound(value: number | string | null | undefined): number | undefined {
  if (value === null || value === undefined || value === "") return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}
