// The values of a dashboard's parameters: defaults, what the address carries, what the server is sent, how they read.

import { Observable } from "../base/observable";
import {
  parameterLabel,
  type ChoiceParameter,
  type Dashboard,
  type Parameter,
  type Scalar,
  type TimeRangeDefault,
} from "./model";

/** Of a time range `{last}` or `{from, to}`; of many choices a list, `null` for all; else one value, `null` for all. */
export type ParameterValue = TimeRangeDefault | Scalar[] | Scalar;
export type Values = Record<string, ParameterValue>;

const PREFIX = "p.";

export function isTimeRange(value: ParameterValue): value is TimeRangeDefault {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function defaultOf(parameter: Parameter): ParameterValue {
  if (parameter.kind === "time-range") return parameter.default ?? { last: "1h" };
  if (parameter.kind === "text") return parameter.default ?? (isTextual(parameter.type) ? "" : null);
  const given = parameter.default;
  if (given === undefined || given === null || (given === "all" && parameter.all === true)) return null;
  if (parameter.multiple) return Array.isArray(given) ? given : [given];
  return Array.isArray(given) ? (given[0] ?? null) : given;
}

export function isTextual(type: string | undefined): boolean {
  return type === undefined || type === "string";
}

/** A text as a value of a type; numbers too long for JavaScript stay texts. `undefined` where it is none. */
export function readScalar(text: string, type: string | undefined): Scalar | undefined {
  if (type === "bool") return /^(true|1)$/i.test(text) ? true : /^(false|0)$/i.test(text) ? false : undefined;
  if (type === "long" || type === "int") {
    if (!/^\s*-?\d+\s*$/.test(text)) return undefined;
    return Number.isSafeInteger(Number(text)) ? Number(text) : text.trim();
  }
  if (type === "real" || type === "decimal") {
    return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : undefined;
  }
  if (type === "datetime") return Number.isNaN(Date.parse(text)) ? undefined : text.trim();
  return text;
}

export function sameValue(left: ParameterValue, right: ParameterValue): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

/** An empty text and what begins with a quote are quoted: an empty entry of the address means all. */
const writeEntry = (value: Scalar): string => {
  const text = String(value);
  return text === "" || text.startsWith('"') ? JSON.stringify(text) : text;
};

function readEntry(text: string, type: string | undefined): Scalar | undefined {
  if (text.startsWith('"')) {
    try {
      return readScalar(String(JSON.parse(text)), type);
    } catch {
      return undefined;
    }
  }
  return readScalar(text, type);
}

/** The entries of the address for one value. */
export function toEntries(parameter: Parameter, value: ParameterValue): string[] {
  if (isTimeRange(value)) return [value.last ?? `${value.from ?? ""}..${value.to ?? ""}`];
  if (Array.isArray(value)) return value.length === 0 ? [""] : value.map(writeEntry);
  if (parameter.kind === "text") return [value === null ? "" : String(value)];
  return [value === null ? "" : writeEntry(value)];
}

/** The value that entries of the address carry; `undefined` where they make none. */
export function fromEntries(parameter: Parameter, entries: readonly string[]): ParameterValue | undefined {
  const first = entries[0];
  if (first === undefined) return undefined;
  if (parameter.kind === "time-range") {
    const bounds = /^(.+?)\.\.(.*)$/.exec(first);
    if (bounds) {
      const [, from = "", to = ""] = bounds;
      if (Number.isNaN(Date.parse(from)) || (to !== "" && Number.isNaN(Date.parse(to)))) return undefined;
      return to === "" ? { from } : { from, to };
    }
    return /^[\d.:]+[a-z]*$/i.test(first) ? { last: first } : undefined;
  }
  if (parameter.kind === "text")
    return first === "" && !isTextual(parameter.type) ? null : readScalar(first, parameter.type);
  if (entries.length === 1 && first === "") return null;
  const read = entries.flatMap((entry) => {
    const value = readEntry(entry, parameter.type);
    return value === undefined ? [] : [value];
  });
  if (read.length === 0) return undefined;
  return parameter.multiple ? read : read[0];
}

/** The values shown, with those that the address does not name at their defaults. */
export class ParameterState {
  readonly values = new Observable<Values>({});
  private parameters: Parameter[] = [];

  use(dashboard: Dashboard, search: string): void {
    this.parameters = dashboard.parameters ?? [];
    this.readAddress(search);
  }

  get list(): readonly Parameter[] {
    return this.parameters;
  }

  readAddress(search: string): void {
    const asked = new URLSearchParams(search);
    const values: Values = {};
    for (const parameter of this.parameters) {
      const given = fromEntries(parameter, asked.getAll(PREFIX + parameter.name));
      values[parameter.name] = given === undefined ? defaultOf(parameter) : given;
    }
    this.values.value = values;
  }

  get(name: string): ParameterValue {
    return this.values.value[name] ?? null;
  }

  set(name: string, value: ParameterValue): void {
    if (sameValue(this.get(name), value)) return;
    this.values.value = { ...this.values.value, [name]: value };
  }

  reset(name: string): void {
    const parameter = this.parameters.find((one) => one.name === name);
    if (parameter) this.set(name, defaultOf(parameter));
  }

  isDefault(parameter: Parameter): boolean {
    return sameValue(this.get(parameter.name), defaultOf(parameter));
  }

  /** The address's query with the values that are not at their defaults; keeps what else it holds. */
  toSearch(search: string): string {
    const made = new URLSearchParams(search);
    for (const key of [...made.keys()]) if (key.startsWith(PREFIX)) made.delete(key);
    for (const parameter of this.parameters) {
      if (this.isDefault(parameter)) continue;
      for (const entry of toEntries(parameter, this.get(parameter.name))) made.append(PREFIX + parameter.name, entry);
    }
    const text = made.toString();
    return text === "" ? "" : `?${text}`;
  }
}

/** `30s` as "30 s". */
export function shortDuration(text: string): string {
  const parts = /^(\d+)(s|m|h|d)$/.exec(text);
  return parts ? `${parts[1]} ${parts[2] === "m" ? "min" : parts[2]}` : text;
}

const UNITS: Record<string, string> = { s: "second", m: "minute", h: "hour", d: "day" };

/** `1h` as "1 hour". */
export function durationText(text: string): string {
  const parts = /^(\d+)(s|m|h|d)$/.exec(text);
  if (!parts) return text;
  const unit = UNITS[parts[2] ?? ""] ?? "";
  return `${parts[1]} ${unit}${parts[1] === "1" ? "" : "s"}`;
}

/** A time of UTC without needless zeros. */
export function shortTime(text: string): string {
  const time = Date.parse(text);
  if (Number.isNaN(time)) return text;
  return new Date(time)
    .toISOString()
    .replace("T", " ")
    .replace(/(\.000)?Z$/, "")
    .replace(/:00$/, "");
}

export function valueText(parameter: Parameter, value: ParameterValue): string {
  if (isTimeRange(value)) {
    if (value.last !== undefined) return `Last ${durationText(value.last)}`;
    const from = shortTime(value.from ?? "");
    if (value.to === undefined) return `Since ${from}`;
    const to = shortTime(value.to);
    return from.slice(0, 10) === to.slice(0, 10) ? `${from} – ${to.slice(11)}` : `${from} – ${to}`;
  }
  if (value === null) return parameter.kind === "text" ? "" : "All";
  if (Array.isArray(value)) {
    if (value.length === 0) return "All";
    return value.length > 2 ? `${shown(value[0] ?? "")} and ${value.length - 1} more` : value.map(shown).join(", ");
  }
  return parameter.kind === "text" ? String(value) : shown(value);
}

const shown = (value: Scalar): string => (value === "" ? "(empty)" : String(value));

/** The choices that the file itself lists; `null` where a query gives them. */
export function fixedChoices(parameter: ChoiceParameter): Choice[] | null {
  if (!Array.isArray(parameter.values)) return null;
  return parameter.values.map((one) =>
    typeof one === "object" && one !== null
      ? { value: one.value, label: one.label ?? String(one.value) }
      : { value: one, label: String(one) },
  );
}

export interface Choice {
  value: Scalar;
  label: string;
}

export const describeParameter = (parameter: Parameter, value: ParameterValue): string =>
  `${parameterLabel(parameter)}: ${valueText(parameter, value) || "(empty)"}`;
