// A dashboard as its file has it (src/dashboard/FORMAT.md) and small questions about it. Knows no elements, no server.

export interface TimeRangeDefault {
  last?: string;
  from?: string;
  to?: string;
}

interface ParameterBase {
  name: string;
  label?: string;
  description?: string;
  /** Titles of the pages that show it; absent on all. */
  pages?: string[];
}

export interface TimeRangeParameter extends ParameterBase {
  kind: "time-range";
  start: string;
  end: string;
  default?: TimeRangeDefault;
}

export interface ChoiceParameter extends ParameterBase {
  kind: "choice";
  type?: string;
  multiple?: boolean;
  all?: boolean;
  /** Fixed values, plain or with labels, or a query whose columns they are. */
  values?:
    | (Scalar | { value: Scalar; label?: string })[]
    | { query: string; value?: string; label?: string; database?: string };
  default?: Scalar | Scalar[];
}

export interface TextParameter extends ParameterBase {
  kind: "text";
  type?: string;
  default?: Scalar;
}

export type Parameter = TimeRangeParameter | ChoiceParameter | TextParameter;
export type Scalar = string | number | boolean | null;

/** A click on a value of `column`, or a drag over the x axis, gives the parameter its value. */
export interface CrossFilter {
  column?: string;
  drag?: "x";
  parameter: string;
}

export interface Tile {
  id: string;
  title?: string;
  description?: string;
  x: number;
  y: number;
  width: number;
  height: number;
  hide_title?: boolean;
  database?: string;
  query?: string;
  markdown?: string;
  visualization?: Record<string, unknown>;
  cross_filter?: CrossFilter[];
}

export interface Page {
  title?: string;
  tiles?: Tile[];
}

export interface Dashboard {
  version: number;
  title: string;
  description?: string;
  database?: string;
  refresh?: string;
  parameters?: Parameter[];
  base_queries?: { name: string; query: string }[];
  pages: Page[];
}

export const COLUMNS = 24;

export function parameterLabel(parameter: Parameter): string {
  return parameter.label ?? parameter.name.replace(/^_/, "");
}

export function allTiles(dashboard: Dashboard): Tile[] {
  return dashboard.pages.flatMap((page) => page.tiles ?? []);
}

/** As one reads them: from the top, from the left. */
export function inReadingOrder(tiles: readonly Tile[]): Tile[] {
  return [...tiles].sort((left, right) => left.y - right.y || left.x - right.x);
}

/** The names that a parameter gives to queries. */
export function variablesOf(parameter: Parameter): string[] {
  return parameter.kind === "time-range" ? [parameter.start, parameter.end] : [parameter.name];
}

const mentions = (text: string, name: string): boolean => new RegExp(`(?<![\\w$])${escape(name)}(?![\\w$])`).test(text);

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** The base queries that a text uses, themselves and through others, each after those it needs. */
export function baseQueriesOf(dashboard: Dashboard, text: string): { name: string; query: string }[] {
  const all = dashboard.base_queries ?? [];
  const seen = new Set<string>();
  const ordered: { name: string; query: string }[] = [];
  const visit = (from: string): void => {
    for (const one of all) {
      if (seen.has(one.name) || !mentions(from, one.name)) continue;
      seen.add(one.name);
      visit(one.query);
      ordered.push(one);
    }
  };
  visit(text);
  return ordered;
}

/** Whether a query's result depends on a parameter. Without a text nobody knows, so it does. */
export function usesParameter(dashboard: Dashboard, query: string | undefined, parameter: Parameter): boolean {
  if (query === undefined) return true;
  const texts = [query, ...baseQueriesOf(dashboard, query).map((one) => one.query)];
  return variablesOf(parameter).some((name) => texts.some((text) => mentions(text, name)));
}
