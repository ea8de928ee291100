// Data for a dashboard that is being edited: its queries run by themselves, without the server knowing the file.

import type { Visualization } from "../../chart/properties";
import { plainVisualization } from "../../chart/properties";
import { makeRequestId, ServerError } from "../../server/client";
import { runQuery, type Value } from "../../server/query";
import { preludeOf } from "../literal";
import { allTiles, type Dashboard, type Tile } from "../model";
import type { Source } from "../server";
import type { Choice, Values } from "../values";

/** The properties of `visualization` by the names that results carry them under. */
const FIELDS: Record<string, keyof Visualization> = {
  kind: "Visualization",
  title: "Title",
  xtitle: "XTitle",
  ytitle: "YTitle",
  xcolumn: "XColumn",
  ycolumns: "YColumns",
  series: "Series",
  anomalycolumns: "AnomalyColumns",
  xaxis: "XAxis",
  yaxis: "YAxis",
  legend: "Legend",
  ysplit: "YSplit",
  accumulate: "Accumulate",
  shape: "Kind",
  ymin: "Ymin",
  ymax: "Ymax",
  xmin: "Xmin",
  xmax: "Xmax",
};

/** What is drawn when a tile has its own wishes beside those of its query. */
export function withWishes(given: Visualization | null, wishes: Tile["visualization"]): Visualization | null {
  if (!wishes || Object.keys(wishes).length === 0) return given;
  const made: Visualization = { ...(given ?? { ...plainVisualization("timechart"), Visualization: null }) };
  for (const [name, value] of Object.entries(wishes)) {
    const field = FIELDS[name];
    if (field) (made as unknown as Record<string, unknown>)[field] = value;
  }
  return made;
}

export class DraftSource implements Source {
  constructor(
    private readonly dashboard: () => Dashboard,
    private readonly databaseOf: (tile: Tile) => string,
    private readonly home: string,
  ) {}

  async run(id: string, values: Values, _tag: string | null, signal: AbortSignal): ReturnType<Source["run"]> {
    const tile = allTiles(this.dashboard()).find((one) => one.id === id);
    if (!tile) throw new ServerError("The tile is gone.", 0);
    return this.runTile(tile, values, signal);
  }

  async runTile(tile: Tile, values: Values, signal: AbortSignal): ReturnType<Source["run"]> {
    const answer = await this.query(this.databaseOf(tile), tile.query ?? "", values, signal);
    const table = answer.tables[0];
    if (table) table.visualization = withWishes(table.visualization, tile.visualization);
    return { answer, tag: null };
  }

  async choices(name: string, values: Values): Promise<Choice[]> {
    const parameter = this.dashboard().parameters?.find((one) => one.name === name);
    if (parameter?.kind !== "choice" || !parameter.values || Array.isArray(parameter.values)) return [];
    const { query, value, label, database } = parameter.values;
    const answer = await this.query(database ?? this.dashboard().database ?? this.home, query, values);
    const table = answer.tables[0];
    if (!table) return [];
    const at = (column: string | undefined): number => table.columns.findIndex((one) => one.name === column);
    const valueAt = Math.max(0, at(value));
    const labelAt = label === undefined ? valueAt : Math.max(0, at(label));
    const scalar = (cell: Value | undefined): Choice["value"] =>
      typeof cell === "object" || cell === undefined ? null : cell;
    return table.rows.map((row) => ({ value: scalar(row[valueAt]), label: String(row[labelAt] ?? "") }));
  }

  /** Places of errors are told in the query itself. */
  private async query(
    database: string,
    query: string,
    values: Values,
    signal?: AbortSignal,
  ): ReturnType<typeof runQuery> {
    const prelude = preludeOf(this.dashboard(), query, values);
    const before = prelude.split("\n").length - 1;
    try {
      return await runQuery(database, prelude + query, { requestId: makeRequestId("dashboard"), signal });
    } catch (failure) {
      if (!(failure instanceof ServerError) || failure.line === null) throw failure;
      const line = failure.line - before;
      throw new ServerError(
        failure.message,
        failure.status,
        failure.code,
        line > 0 ? line : null,
        line > 0 ? failure.column : null,
      );
    }
  }
}
