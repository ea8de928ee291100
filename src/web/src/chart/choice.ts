// Which columns a chart takes for its x axis, its series and its values. The server knows the rules, those of its own
// pictures; here is only how it is asked, and what the page needs of the answer. Knows no drawing.

import { postJson, ServerError } from "../server/client";
import type { ResultTable } from "../server/query";
import type { Visualization } from "./properties";
import { chartTable, type ChartColumn, type ChartTable } from "./values";

/** Indexes of columns, and how values are laid out. */
export interface ChosenColumns {
  /** `null`: the number of the row. */
  x: number | null;
  /** The end of a span, for ladder charts and time pivots; the latitude of a map. */
  xEnd: number | null;
  series: number[];
  y: number[];
  /** The first column of anomalies is of the first value column, and so on. */
  anomalies: number[];
  stacked: boolean;
  /** Stretched to a hundred percent. */
  share: boolean;
  map: boolean;
}

interface Answer {
  indexes: Pick<ChosenColumns, "x" | "xEnd" | "series" | "y" | "anomalies">;
  stacked: boolean;
  share: boolean;
  map: boolean;
  missing: string[];
  problem: string | null;
}

/** The types of columns of nested values, as the server calls them. */
const NESTED: Record<string, string> = {
  "dynamic:number": "dynamic(real)",
  "dynamic:datetime": "dynamic(datetime)",
  "dynamic:point": "dynamic(point)",
};
const MOST_KEPT = 100;
const kept = new Map<string, Promise<Answer>>();

/** The same question has the same answer: it is asked once. */
function ask(columns: readonly ChartColumn[], wish: Visualization): Promise<Answer> {
  const question = {
    columns: columns.map(({ name, type }) => ({ name, type: NESTED[type] ?? type })),
    visualization: wish,
  };
  const key = JSON.stringify(question);
  let answer = kept.get(key);
  if (!answer) {
    if (kept.size >= MOST_KEPT) kept.clear();
    answer = postJson<Answer>("/v1/kql/chart", question);
    answer.catch(() => kept.delete(key));
    kept.set(key, answer);
  }
  return answer;
}

/** The columns of a result for a chart, or a sentence that says what is missing. */
export async function chooseColumns(
  result: ResultTable,
  wish: Visualization,
): Promise<{ table: ChartTable; chosen: ChosenColumns } | string> {
  const table = chartTable(result);
  let answer: Answer;
  try {
    answer = await ask(table.columns, wish);
  } catch (failure) {
    return failure instanceof ServerError ? failure.message : String(failure);
  }
  if (answer.problem !== null) {
    const missing = answer.missing.map((name) => `'${name}'`).join(", ");
    const problem = answer.problem.charAt(0).toUpperCase() + answer.problem.slice(1);
    return `${problem}.${missing === "" ? "" : ` The result has no column ${missing}.`}`;
  }
  const { indexes, stacked, share, map } = answer;
  const chosen: ChosenColumns = { ...indexes, stacked, share, map };
  // What names a slice or a span stands in one list.
  if (wish.Visualization === "piechart" && !map && indexes.x !== null) {
    chosen.series = [indexes.x, ...indexes.series];
    chosen.x = null;
  }
  if (wish.Visualization === "ladderchart") chosen.series = [...indexes.series, ...indexes.y];
  return { table, chosen };
}
