// The dialogs that change the parameters: the list of them, and one of them.

import { element, replaceContent } from "../../base/dom";
import { icon } from "../../base/icons";
import { choiceField, labelled, openDialog, textField, tickField } from "../dialog";
import { preludeOf } from "../literal";
import { parameterLabel, type Dashboard, type Parameter, type Scalar } from "../model";
import { readScalar, type Values } from "../values";
import { queryField } from "./queryField";

const KINDS = [
  ["time-range", "Time range"],
  ["choice", "Choice"],
  ["text", "Free text"],
] as const;
const TYPES = ["string", "long", "int", "real", "bool", "datetime", "timespan", "guid", "decimal"];
const IDENTIFIER = "[A-Za-z_][A-Za-z0-9_]*";

export interface ParameterEditorOptions {
  dashboard: Dashboard;
  database: string;
  values(): Values;
  done(parameters: Parameter[]): void;
}

export function openParameterList(options: ParameterEditorOptions): void {
  const list: Parameter[] = structuredClone(options.dashboard.parameters ?? []);
  const rows = element("div", { class: "parameter-rows", role: "list" });
  const button = (name: "edit" | "close" | "chevron", label: string, run: () => void, extra = ""): HTMLElement =>
    element(
      "button",
      { class: `icon-button ${extra}`, type: "button", "aria-label": label, title: label, onClick: run },
      icon(name),
    );
  const swap = (from: number, to: number): void => {
    const [moved] = list.splice(from, 1);
    if (moved) list.splice(to, 0, moved);
    paint();
  };
  const paint = (): void => {
    replaceContent(
      rows,
      ...list.map((parameter, index) =>
        element(
          "div",
          { class: "parameter-row", role: "listitem" },
          element("strong", { class: "clip" }, parameterLabel(parameter)),
          element(
            "code",
            { class: "clip" },
            parameter.kind === "time-range" ? `${parameter.start}, ${parameter.end}` : parameter.name,
          ),
          element("span", { class: "hint" }, KINDS.find(([kind]) => kind === parameter.kind)?.[1] ?? parameter.kind),
          element("div", { class: "spacer" }),
          index > 0
            ? button("chevron", `Move ${parameterLabel(parameter)} up`, () => swap(index, index - 1), "up")
            : null,
          button("edit", `Change ${parameterLabel(parameter)}`, () =>
            open(parameter, (made) => ((list[index] = made), paint())),
          ),
          button("close", `Remove ${parameterLabel(parameter)}`, () => (list.splice(index, 1), paint())),
        ),
      ),
      list.length === 0 ? element("p", { class: "hint" }, "No parameters yet.") : null,
    );
  };
  const open = (parameter: Parameter | null, done: (made: Parameter) => void): void =>
    openParameter(parameter, list, options, done);
  paint();
  openDialog({
    title: "Parameters",
    action: "Apply",
    wide: true,
    content: [
      rows,
      element(
        "button",
        { class: "button small", type: "button", onClick: () => open(null, (made) => (list.push(made), paint())) },
        icon("plus"),
        "Add a parameter",
      ),
    ],
    run: () => options.done(list),
  });
}

/** Values as lines: `value` or `value = label`. */
function linesOf(values: unknown): string {
  if (!Array.isArray(values)) return "";
  return values
    .map((one: Scalar | { value: Scalar; label?: string }) =>
      typeof one === "object" && one !== null
        ? one.label === undefined || one.label === String(one.value)
          ? String(one.value)
          : `${String(one.value)} = ${one.label}`
        : String(one),
    )
    .join("\n");
}

function openParameter(
  before: Parameter | null,
  others: readonly Parameter[],
  options: ParameterEditorOptions,
  done: (made: Parameter) => void,
): void {
  const kind = choiceField(KINDS, before?.kind ?? "choice");
  const name = textField(before?.name ?? "", { required: true, pattern: IDENTIFIER, title: "Letters, digits and _" });
  const label = textField(before?.label ?? "", { maxlength: 100 });
  const description = textField(before?.description ?? "", { maxlength: 500 });
  const range = before?.kind === "time-range" ? before : null;
  const choice = before?.kind === "choice" ? before : null;
  const text = before?.kind === "text" ? before : null;

  const start = textField(range?.start ?? "_startTime", { pattern: IDENTIFIER });
  const end = textField(range?.end ?? "_endTime", { pattern: IDENTIFIER });
  const last = textField(range?.default?.last ?? (range?.default?.from ? "" : "1h"), { placeholder: "1h" });
  const from = textField(range?.default?.from ?? "", { placeholder: "2024-05-01T00:00:00Z" });
  const to = textField(range?.default?.to ?? "", { placeholder: "2024-05-02T00:00:00Z" });
  const rangeFields = element(
    "div",
    { class: "fields" },
    element(
      "div",
      { class: "field-row" },
      labelled("Variable of the start", start),
      labelled("Variable of the end", end),
    ),
    element(
      "div",
      { class: "field-row" },
      labelled("At first, the last", last),
      labelled("or from", from),
      labelled("to", to),
    ),
  );

  const type = choiceField(
    TYPES.map((one) => [one, one] as const),
    choice?.type ?? text?.type ?? "string",
  );
  const many = tickField("Several can be chosen", choice?.multiple ?? true);
  const all = tickField("“All” can be chosen", choice?.all ?? true);
  const queried = choice?.values !== undefined && !Array.isArray(choice.values) ? choice.values : null;
  const origin = choiceField(
    [
      ["query", "From a query"],
      ["fixed", "Listed here"],
    ],
    choice && !queried ? "fixed" : "query",
  );
  const query = queryField({
    text: queried?.query ?? "",
    database: () => options.dashboard.database ?? options.database,
    prelude: () => preludeOf(options.dashboard, "", options.values(), true),
  });
  const valueColumn = textField(queried?.value ?? "", { placeholder: "first" });
  const labelColumn = textField(queried?.label ?? "", { placeholder: "the value" });
  const fixed = element("textarea", { rows: 5, "aria-label": "Values, one a line" });
  fixed.value = linesOf(choice?.values);
  const fromQuery = element(
    "div",
    { class: "fields" },
    query.element,
    element(
      "div",
      { class: "field-row" },
      labelled("Column of values", valueColumn),
      labelled("Column of labels", labelColumn),
    ),
  );
  const fromList = labelled("Values, one a line (value, or value = label)", fixed);
  const first = textField(
    choice
      ? Array.isArray(choice.default)
        ? choice.default.join(", ")
        : String(choice.default ?? "")
      : String(text?.default ?? ""),
    { placeholder: "none" },
  );
  const choiceFields = element(
    "div",
    { class: "fields" },
    many.label,
    all.label,
    labelled("Values", origin),
    fromQuery,
    fromList,
  );
  const typed = element(
    "div",
    { class: "fields" },
    labelled("Type", type),
    choiceFields,
    labelled("At first", first, "For a choice also: all"),
  );
  const paint = (): void => {
    rangeFields.hidden = kind.value !== "time-range";
    typed.hidden = kind.value === "time-range";
    choiceFields.hidden = kind.value !== "choice";
    fromQuery.hidden = origin.value !== "query";
    fromList.hidden = origin.value === "query";
  };
  kind.addEventListener("change", paint);
  origin.addEventListener("change", paint);
  paint();

  const scalar = (given: string): Scalar => {
    const value = readScalar(given, type.value);
    if (value === undefined) throw new Error(`“${given}” is not a value of type ${type.value}.`);
    return value;
  };
  const firstChoice = (): Scalar | Scalar[] | undefined => {
    const given = first.value.trim();
    if (given === "" || given === "all") return given === "" ? undefined : "all";
    const values = given.split(",").map((one) => scalar(one.trim()));
    return many.input.checked ? values : values[0];
  };
  const read = (): Parameter => {
    const base = {
      name: name.value.trim(),
      ...(label.value.trim() === "" ? {} : { label: label.value.trim() }),
      ...(description.value.trim() === "" ? {} : { description: description.value.trim() }),
      ...(before?.pages ? { pages: before.pages } : {}),
    };
    if (kind.value === "time-range") {
      const bounds =
        from.value.trim() === ""
          ? { last: last.value.trim() || "1h" }
          : { from: from.value.trim(), ...(to.value.trim() === "" ? {} : { to: to.value.trim() }) };
      return { ...base, kind: "time-range", start: start.value.trim(), end: end.value.trim(), default: bounds };
    }
    if (kind.value === "text") {
      return {
        ...base,
        kind: "text",
        type: type.value,
        ...(first.value === "" ? {} : { default: scalar(first.value) }),
      };
    }
    const lines = fixed.value.split("\n").filter((line) => line.trim() !== "");
    const values =
      origin.value === "query"
        ? {
            query: query.text(),
            ...(valueColumn.value.trim() === "" ? {} : { value: valueColumn.value.trim() }),
            ...(labelColumn.value.trim() === "" ? {} : { label: labelColumn.value.trim() }),
            ...(queried?.database ? { database: queried.database } : {}),
          }
        : lines.map((line) => {
            const cut = line.indexOf(" = ");
            return cut < 0
              ? scalar(line.trim())
              : { value: scalar(line.slice(0, cut).trim()), label: line.slice(cut + 3).trim() };
          });
    if (!Array.isArray(values) && values.query.trim() === "")
      throw new Error("The choice needs a query for its values.");
    const value = firstChoice();
    return {
      ...base,
      kind: "choice",
      type: type.value,
      ...(many.input.checked ? { multiple: true } : {}),
      ...(all.input.checked ? { all: true } : {}),
      values,
      ...(value === undefined ? {} : { default: value }),
    };
  };
  openDialog({
    title: before ? "Change the parameter" : "Add a parameter",
    action: before ? "Apply" : "Add",
    wide: true,
    content: [
      element(
        "div",
        { class: "field-row" },
        labelled("Kind", kind),
        labelled("Name in queries", name),
        labelled("Label", label),
      ),
      labelled("Description", description),
      rangeFields,
      typed,
    ],
    run: () => {
      const made = read();
      if (others.some((one) => one !== before && one.name === made.name))
        throw new Error(`The name “${made.name}” is taken.`);
      done(made);
    },
  });
}
