// A tile's query as a text that runs by itself: parameters and base queries become `let` statements before it.

import { baseQueriesOf, usesParameter, type Dashboard, type Parameter, type Scalar } from "./model";
import { isTimeRange, type ParameterValue, type Values } from "./values";

const quoted = (text: string): string =>
  `'${text.replace(/[\\'\n\r\t]/g, (letter) => ({ "\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t" })[letter] ?? "")}'`;

/** Only what a literal of that type may hold goes into its brackets. */
const plain = (text: string): string => text.replace(/[^\w:.+\- ]/g, "");

function timespan(text: string): string {
  return /^\d+(\.\d+)?(d|h|m|s|ms|microsecond|tick)$/.test(text) ? text : `time(${plain(text)})`;
}

function scalarLiteral(value: Scalar, type: string): string {
  if (type === "string") return value === null ? "''" : quoted(String(value));
  if (value === null) return `${type}(null)`;
  return `${type}(${plain(String(value))})`;
}

function declarations(parameter: Parameter, value: ParameterValue): string[] {
  if (parameter.kind === "time-range") {
    const range = isTimeRange(value) ? value : {};
    if (range.last !== undefined) {
      return [`let ${parameter.end} = now();`, `let ${parameter.start} = ${parameter.end} - ${timespan(range.last)};`];
    }
    return [
      `let ${parameter.start} = datetime(${plain(range.from ?? "null")});`,
      range.to === undefined ? `let ${parameter.end} = now();` : `let ${parameter.end} = datetime(${plain(range.to)});`,
    ];
  }
  const type = parameter.type ?? "string";
  if (parameter.kind === "choice" && parameter.multiple) {
    const list = Array.isArray(value) ? value : [];
    return [`let ${parameter.name} = dynamic(${JSON.stringify(list)});`];
  }
  const single = Array.isArray(value) || isTimeRange(value) ? null : value;
  return [`let ${parameter.name} = ${scalarLiteral(single, type)};`];
}

/** What stands before a query: its parameters with their values, and the base queries it uses. A line each. */
export function preludeOf(dashboard: Dashboard, query: string, values: Values, everything = false): string {
  const used = (dashboard.parameters ?? []).filter((one) => everything || usesParameter(dashboard, query, one));
  const names = (dashboard.base_queries ?? []).map((one) => one.name).join(" ");
  const bases = baseQueriesOf(dashboard, everything ? names : query);
  const lines = [
    ...used.flatMap((one) => declarations(one, values[one.name] ?? null)),
    ...bases.map((one) => `let ${one.name} = ${withoutBlankLines(one.query).replace(/;\s*$/, "")};`),
  ];
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

/** Blank lines part the statements of the query page. */
export function withoutBlankLines(text: string): string {
  return text.trim().replace(/\n\s*\n/g, "\n");
}

export function standaloneQuery(dashboard: Dashboard, query: string, values: Values): string {
  return preludeOf(dashboard, query, values) + withoutBlankLines(query);
}
