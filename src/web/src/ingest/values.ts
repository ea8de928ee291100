// What the texts of a file stand for: the types they may have, the forms of times and numbers, and each value as the
// server takes it. A form tells what a text alone does not, e.g. whether the day or the month comes first.

/** A type of a column with the form that its texts have in the file; the plain form is "". */
export interface ColumnKind {
  type: string;
  form: string;
}

/** What is offered, by the name shown. */
export const KINDS: readonly [label: string, kind: ColumnKind][] = [
  ["string", { type: "string", form: "" }],
  ["long", { type: "long", form: "" }],
  ["real", { type: "real", form: "" }],
  ["real, decimal comma", { type: "real", form: "comma" }],
  ["long, commas at thousands", { type: "long", form: "thousands" }],
  ["real, commas at thousands", { type: "real", form: "thousands" }],
  ["datetime", { type: "datetime", form: "" }],
  ["datetime, day first", { type: "datetime", form: "day" }],
  ["datetime, month first", { type: "datetime", form: "month" }],
  ["datetime, Unix seconds", { type: "datetime", form: "seconds" }],
  ["datetime, Unix milliseconds", { type: "datetime", form: "milliseconds" }],
  ["bool", { type: "bool", form: "" }],
  ["dynamic", { type: "dynamic", form: "" }],
  ["timespan", { type: "timespan", form: "" }],
  ["guid", { type: "guid", form: "" }],
  ["int", { type: "int", form: "" }],
  ["decimal", { type: "decimal", form: "" }],
];

export function labelOf(kind: ColumnKind): string {
  return KINDS.find(([, one]) => one.type === kind.type && one.form === kind.form)?.[0] ?? kind.type;
}

export function kindOf(label: string): ColumnKind {
  return KINDS.find(([one]) => one === label)?.[1] ?? { type: "string", form: "" };
}

const WHOLE = /^[+-]?\d+$/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const COMMA_NUMBER = /^[+-]?(\d{1,3}([. \u00a0\u202f']\d{3})+|\d+)(,\d+)?$/;
const THOUSANDS = /^[+-]?\d{1,3}(,\d{3})*(\.\d+)?$/;
const NOT_A_NUMBER = /^([+-]?inf(inity)?|nan)$/i;
const TIMESPAN = /^-?((\d{1,7}\.)?\d{1,2}:\d\d(:\d\d(\.\d+)?)?|\d{1,7}(\.\d+)?\s*(d|h|m|s|ms|us)?)$/;
const GUID = /^\{?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\}?$/i;
const ISO = /^\d{4}-\d\d?-\d\d?([T ]\d\d?:\d\d(:\d\d([.,]\d+)?)?\s*(Z|[+-]\d\d:?(\d\d)?)?)?$/;
const YEAR_FIRST = /^(\d{4})[./](\d\d?)[./](\d\d?)(?:[T ,]+(.*))?$/;
const YEAR_LAST = /^(\d\d?)([./-])(\d\d?)\2(\d{4}|\d\d)(?:[T ,]+(.*))?$/;
const CLOCK = /^(\d\d?):(\d\d)(?::(\d\d)([.,]\d+)?)?\s*([AaPp])?\.?(?:[Mm]\.?)?\s*(Z|[+-]\d\d:?(?:\d\d)?)?$/;
const NAMED =
  /^(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+)?(?:(\d\d?)[\s-]+([a-z]{3})[a-z]*\.?[\s,-]+(\d{4})|([a-z]{3})[a-z]*\.?\s+(\d\d?)(?:st|nd|rd|th)?,?\s+(\d{4}))(?:[T ,]+(.*?))?(?:\s*(?:GMT|UTC))?$/i;
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const LEAST_WHOLE = -9223372036854775808n;
const MOST_WHOLE = 9223372036854775807n;

/** The value as the server takes it; `null` when the text is no such value. An empty text is no value at all. */
export function convert(text: string, kind: ColumnKind): string | null {
  if (kind.type === "string") return text;
  let value = text.trim();
  if (value === "") return "";
  if (kind.form === "thousands") {
    if (!THOUSANDS.test(value) && !NUMBER.test(value)) return null;
    value = value.replaceAll(",", "");
  }
  switch (kind.type) {
    case "long":
    case "int":
      return whole(value, kind.type);
    case "real":
    case "decimal":
      if (kind.form === "comma")
        return COMMA_NUMBER.test(value) ? value.replace(/[. \u00a0\u202f']/g, "").replace(",", ".") : null;
      return NUMBER.test(value) || (kind.type === "real" && NOT_A_NUMBER.test(value)) ? value : null;
    case "bool":
      if (/^(true|t|yes|y|on|1)$/i.test(value)) return "true";
      return /^(false|f|no|n|off|0)$/i.test(value) ? "false" : null;
    case "datetime":
      return time(value, kind.form);
    case "timespan":
      return TIMESPAN.test(value) ? value : null;
    case "guid":
      return GUID.test(value) ? value : null;
    default:
      return text;
  }
}

function whole(value: string, type: string): string | null {
  if (!WHOLE.test(value)) return null;
  if (value.length > 20) return null;
  const number = BigInt(value);
  const fits =
    type === "int" ? number >= -2147483648n && number <= 2147483647n : number >= LEAST_WHOLE && number <= MOST_WHOLE;
  return fits ? value.replace(/^\+/, "") : null;
}

/** A time as ISO 8601. */
function time(value: string, form: string): string | null {
  if (form === "seconds" || form === "milliseconds") {
    if (!NUMBER.test(value)) return null;
    const milliseconds = Number(value) * (form === "seconds" ? 1000 : 1);
    const date = new Date(milliseconds);
    return Number.isNaN(date.getTime()) ? null : date.toISOString();
  }
  if (ISO.test(value)) return Number.isNaN(Date.parse(withMarks(value))) ? null : withMarks(value);
  const yearFirst = YEAR_FIRST.exec(value);
  if (yearFirst) return calendar(yearFirst[1], yearFirst[2], yearFirst[3], yearFirst[4]);
  const yearLast = YEAR_LAST.exec(value);
  if (yearLast) {
    const [, first, mark, second, year, clock] = yearLast;
    const dayFirst = form === "day" || (form !== "month" && mark !== "/");
    return dayFirst ? calendar(year, second, first, clock) : calendar(year, first, second, clock);
  }
  const named = NAMED.exec(value);
  if (!named) return null;
  const month = MONTHS.indexOf((named[2] ?? named[4] ?? "").toLowerCase()) + 1;
  return calendar(named[3] ?? named[6], String(month), named[1] ?? named[5], named[7]);
}

/** `2024-1-5 9:30` as `2024-01-05T09:30:00Z`. */
function withMarks(value: string): string {
  const parts = /^(\d{4})-(\d\d?)-(\d\d?)(?:[T ](\d\d?):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s*(.*))?$/.exec(value);
  if (!parts) return value;
  const [, year, month, day, hour, minute, second, fraction, zone] = parts;
  const two = (text = "00"): string => text.padStart(2, "0");
  const date = `${year}-${two(month)}-${two(day)}`;
  if (hour === undefined) return date;
  const offset = !zone ? "Z" : /^[+-]\d\d$/.test(zone) ? `${zone}:00` : zone.replace(/^([+-]\d\d)(\d\d)$/, "$1:$2");
  return `${date}T${two(hour)}:${two(minute)}:${two(second)}${fraction ? `.${fraction}` : ""}${offset}`;
}

function calendar(year = "", month = "", day = "", clock = ""): string | null {
  const full = year.length === 2 ? `${Number(year) < 70 ? "20" : "19"}${year}` : year;
  const days = new Date(Date.UTC(Number(full), Number(month), 0)).getUTCDate();
  if (Number(month) < 1 || Number(month) > 12 || Number(day) < 1 || Number(day) > days) return null;
  const date = `${full}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
  if (clock.trim() === "") return date;
  const parts = CLOCK.exec(clock.trim());
  if (!parts) return null;
  const [, hour, minute, second = "00", fraction = "", half, zone = ""] = parts;
  let hours = Number(hour);
  if (half && (hours < 1 || hours > 12)) return null;
  if (half) hours = (hours % 12) + (half.toLowerCase() === "p" ? 12 : 0);
  if (hours > 23 || Number(minute) > 59 || Number(second) > 59) return null;
  return withMarks(`${date} ${hours}:${minute}:${second}${fraction.replace(",", ".")}${zone}`);
}

/** The kinds that values of JSON may have: they are sent as they are. */
export const JSON_KINDS = KINDS.filter(([, kind]) => !["comma", "thousands", "day", "month"].includes(kind.form));

/** The order in which types are tried: the first that all texts have is taken. */
const TRIED: readonly ColumnKind[] = [
  { type: "long", form: "" },
  { type: "real", form: "" },
  { type: "long", form: "thousands" },
  { type: "real", form: "thousands" },
  { type: "real", form: "comma" },
  { type: "datetime", form: "" },
  { type: "datetime", form: "day" },
  { type: "datetime", form: "month" },
  { type: "guid", form: "" },
];

/** The narrowest kind that all of the texts have; where semicolons part values, a comma is that of decimals. */
export function kindOfTexts(texts: readonly string[], hasDecimalCommas = false): ColumnKind {
  const values = texts.map((text) => text.trim()).filter((text) => text !== "");
  if (values.length === 0) return { type: "string", form: "" };
  const all = (test: (value: string) => boolean): boolean => values.every(test);
  if (all((value) => /^(true|false)$/i.test(value))) return { type: "bool", form: "" };
  if (all((value) => /^-?(\d+\.)?\d\d:\d\d:\d\d(\.\d+)?$/.test(value))) return { type: "timespan", form: "" };
  // Digits that begin with a zero are names, as of places.
  if (values.some((value) => /^[+-]?0\d/.test(value) && !/[./:-]/.test(value))) return { type: "string", form: "" };
  const tried = hasDecimalCommas ? TRIED.filter((kind) => kind.form !== "thousands") : TRIED;
  const found = tried.find((kind) => all((value) => convert(value, kind) !== null));
  // Which comes first, the day or the month, is shown, for it may be the other way round.
  if (found?.type === "datetime" && found.form === "") {
    const marks = new Set(values.map((value) => YEAR_LAST.exec(value)?.[2] ?? ""));
    if (marks.has("/")) return { type: "datetime", form: "month" };
    if (marks.has(".") || marks.has("-")) return { type: "datetime", form: "day" };
  }
  if (found) return found;
  return all(isNested) ? { type: "dynamic", form: "" } : { type: "string", form: "" };
}

function isNested(text: string): boolean {
  if (!/^[[{]/.test(text) || !/[\]}]$/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The narrowest kind of values of JSON. */
export function kindOfValues(values: readonly unknown[]): ColumnKind {
  const there = values.filter((value) => value !== null && value !== undefined);
  const plain = (type: string): ColumnKind => ({ type, form: "" });
  if (there.length === 0) return plain("dynamic");
  if (there.every((value) => typeof value === "boolean")) return plain("bool");
  if (there.every((value) => typeof value === "number"))
    return plain(there.every((value) => Number.isInteger(value)) ? "long" : "real");
  if (there.every((value) => typeof value === "string")) {
    const texts = there as string[];
    if (texts.every((text) => ISO.test(text) && convert(text, plain("datetime")) !== null)) return plain("datetime");
    return plain(texts.every((text) => GUID.test(text) && text.includes("-")) ? "guid" : "string");
  }
  return plain("dynamic");
}

/** Of `true` and `false` too: they stand for one and zero. */
function isWhole(value: unknown, most: number): boolean {
  return Number.isInteger(Number(value)) && Math.abs(Number(value)) <= most;
}

/** Whether a value of JSON is kept in a column of that kind: the server makes null of others. */
export function isKept(value: unknown, kind: ColumnKind): boolean {
  if (value === null || value === undefined || kind.type === "string" || kind.type === "dynamic") return true;
  if (typeof value === "object") return false;
  const isWord = typeof value === "string";
  switch (kind.type) {
    case "bool":
      return isWord ? /^(true|false|0|1)$/i.test(value.trim()) : isWhole(value, 2 ** 63);
    case "long":
    case "int": {
      if (typeof value === "boolean") return true;
      if (isWord) return convert(value, kind) !== null;
      return isWhole(value, kind.type === "int" ? 2 ** 31 : 2 ** 63);
    }
    case "real":
    case "decimal":
      return typeof value === "number" || (isWord && convert(value, kind) !== null);
    case "datetime":
      if (kind.form !== "") return typeof value === "number";
      // The server reads these forms; the day before the month in digits, or its name before the day, it does not.
      return isWord && !/^(\d\d?[.-]|[a-z]{3,9}\.? \d)/i.test(value.trim()) && convert(value, kind) !== null;
    default:
      return isWord && convert(value, kind) !== null;
  }
}
