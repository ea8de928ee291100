// Which columns a chart takes for its x axis, its series and its values: Kusto's rules, from names and types alone.
// Arrays of make-series have the types "dynamic:datetime" and "dynamic:number" here. Knows no values and no drawing.

import { nameList, type Visualization } from "./properties";

export interface ChartColumn {
  name: string;
  type: string;
}

/** Indexes of columns. */
export interface ChosenColumns {
  x: number | null;
  /** The end of a span, for ladder charts and time pivots. */
  xEnd: number | null;
  series: number[];
  y: number[];
  anomalies: number[];
}

const NUMBERS = new Set(["int", "long", "real", "decimal", "dynamic:number"]);
const TIMES = new Set(["datetime", "dynamic:datetime"]);

const isNumber = (column: ChartColumn): boolean => NUMBERS.has(column.type);
const isTime = (column: ChartColumn): boolean => TIMES.has(column.type);
const isMeasure = (column: ChartColumn): boolean => isNumber(column) || column.type === "timespan";
const isText = (column: ChartColumn): boolean => ["string", "guid", "bool"].includes(column.type);

/** The choice, or a sentence that says what is missing. */
export function chooseColumns(columns: readonly ChartColumn[], wish: Visualization): ChosenColumns | string {
  const kind = wish.Visualization ?? "table";
  const problems: string[] = [];
  const find = (name: string): number => {
    const index = columns.findIndex((column) => column.name === name);
    if (index < 0) problems.push(`There is no column '${name}' in the result.`);
    return index;
  };
  const findAll = (names: string[] | string | null): number[] => nameList(names).map(find);
  const x = wish.XColumn === null || wish.XColumn === "" ? null : find(wish.XColumn);
  const wished = {
    x,
    series: findAll(wish.Series),
    y: findAll(wish.YColumns),
    anomalies: findAll(wish.AnomalyColumns),
  };
  const problem = problems[0];
  if (problem) return problem;
  switch (kind) {
    case "card":
      return { x: null, xEnd: null, series: [], y: columns.map((_column, index) => index), anomalies: [] };
    case "ladderchart":
      return chooseSpans(columns, wished, true);
    case "timepivot":
      return chooseSpans(columns, wished, false);
    case "treemap":
      return chooseTree(columns, wished);
    case "piechart":
      return chooseSlices(columns, wished);
    default:
      return chooseCurves(columns, kind, wished);
  }
}

interface Wished {
  x: number | null;
  series: number[];
  y: number[];
  anomalies: number[];
}

function chooseX(columns: readonly ChartColumn[], kind: string, used: Set<number>): number {
  const free = (fits: (column: ChartColumn) => boolean): number =>
    columns.findIndex((column, index) => !used.has(index) && fits(column));
  const time = free(isTime);
  if (kind === "timechart" || kind === "anomalychart") return time;
  const first = columns.findIndex((_column, index) => !used.has(index));
  if (kind === "barchart" || kind === "columnchart") return first;
  const firstColumn = columns[first];
  if (firstColumn && (isMeasure(firstColumn) || isTime(firstColumn)) && !firstColumn.type.startsWith("dynamic:"))
    return first;
  if (time >= 0) return time;
  // One number and texts: the number is what is measured.
  const numbers = columns.filter((column, index) => !used.has(index) && isMeasure(column)).length;
  return numbers > 1 ? free(isMeasure) : first;
}

function chooseCurves(columns: readonly ChartColumn[], kind: string, wished: Wished): ChosenColumns | string {
  const anomalies =
    kind === "anomalychart" && wished.anomalies.length === 0 ? likelyAnomalies(columns, wished) : wished.anomalies;
  const used = new Set([...wished.series, ...wished.y, ...anomalies]);
  const x = wished.x ?? chooseX(columns, kind, used);
  if (x < 0) {
    return kind === "timechart" || kind === "anomalychart"
      ? "A time chart needs a column of type datetime for its x axis."
      : "The result has no column for the x axis.";
  }
  used.add(x);
  const y =
    wished.y.length > 0
      ? wished.y
      : columns.flatMap((column, index) => (!used.has(index) && isMeasure(column) ? [index] : []));
  if (y.length === 0) return "The result has no numeric column to draw.";
  const text = columns.findIndex((column, index) => isText(column) && !used.has(index) && !y.includes(index));
  const series = wished.series.length > 0 ? wished.series : text >= 0 ? [text] : [];
  return { x, xEnd: null, series, y, anomalies };
}

/** The column that series_decompose_anomalies usually fills, when the query named none. */
function likelyAnomalies(columns: readonly ChartColumn[], wished: Wished): number[] {
  return columns
    .flatMap((column, index) =>
      /^anomal(y|ies)/i.test(column.name) && isNumber(column) && !wished.y.includes(index) ? [index] : [],
    )
    .slice(0, 1);
}

function chooseSlices(columns: readonly ChartColumn[], wished: Wished): ChosenColumns | string {
  const y = wished.y[0] ?? columns.findIndex((column, index) => isMeasure(column) && index !== wished.x && index > 0);
  const value = y >= 0 ? y : columns.findIndex((column, index) => isMeasure(column) && index !== wished.x);
  if (value < 0) return "A pie chart needs a numeric column for the size of its slices.";
  const named = wished.series.length > 0 ? wished.series : wished.x !== null ? [wished.x] : [];
  const first = columns.findIndex((_column, index) => index !== value);
  const series = named.length > 0 ? named : first >= 0 ? [first] : [];
  return { x: null, xEnd: null, series, y: [value], anomalies: [] };
}

function chooseTree(columns: readonly ChartColumn[], wished: Wished): ChosenColumns | string {
  const value = wished.y[0] ?? columns.findLastIndex(isMeasure);
  if (value < 0) return "A tree map needs a numeric column for the size of its rectangles.";
  const rest = columns.flatMap((column, index) => (index !== value && !isMeasure(column) ? [index] : []));
  return { x: null, xEnd: null, series: wished.series.length > 0 ? wished.series : rest, y: [value], anomalies: [] };
}

function chooseSpans(columns: readonly ChartColumn[], wished: Wished, lastTwo: boolean): ChosenColumns | string {
  const times = columns.flatMap((column, index) =>
    (isTime(column) || (lastTwo && isMeasure(column))) && !wished.series.includes(index) ? [index] : [],
  );
  const pair = lastTwo ? times.slice(-2) : times.slice(0, 2);
  const x = wished.x ?? pair[0];
  if (x === undefined) return "This chart needs a column of type datetime.";
  if (lastTwo && pair.length < 2) return "A ladder chart needs two columns, the start and the end, as its last ones.";
  const xEnd = pair.find((index) => index !== x) ?? null;
  const named = wished.series.length > 0 ? wished.series : wished.y;
  const texts = columns.flatMap((column, index) => (isText(column) && index !== x && index !== xEnd ? [index] : []));
  const series = named.length > 0 ? named : lastTwo ? texts : texts.slice(0, 1);
  return { x, xEnd, series, y: [], anomalies: [] };
}
