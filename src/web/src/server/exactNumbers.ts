// Reads JSON without rounding: integers that a JavaScript number cannot hold become their text.

type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown;

const reviver: Reviver = (_key, value, context) =>
  typeof value === "number" && !Number.isSafeInteger(value) && context?.source && /^-?\d+$/.test(context.source)
    ? context.source
    : value;

/** The slow way is only gone where the text has a long run of digits that is a number of its own. */
export function parseExact(text: string): unknown {
  if (/[[,:]-?\d{16,}[,\]}]/.test(text)) {
    return JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
  }
  return JSON.parse(text);
}
