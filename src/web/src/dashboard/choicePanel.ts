// The panel that chooses one or many values out of a list, with a search. Lists too long are cut; the search finds the rest.

import { element, replaceContent } from "../base/dom";
import { closePanel, openPanel } from "../base/menu";
import type { ChoiceParameter, Scalar } from "./model";
import type { Choice, ParameterValue } from "./values";

const MOST_SHOWN = 200;

export interface ChoicePanelOptions {
  parameter: ChoiceParameter;
  label: string;
  current: ParameterValue;
  load: () => Promise<Choice[]>;
  choose: (value: Scalar[] | Scalar) => void;
}

export function openChoicePanel(anchor: HTMLElement, options: ChoicePanelOptions): void {
  const { parameter, label } = options;
  const many = parameter.multiple === true;
  let choices: Choice[] = [];
  let chosen: Scalar[] = Array.isArray(options.current)
    ? options.current
    : options.current === null || typeof options.current === "object"
      ? []
      : [options.current];
  const search = element("input", {
    class: "search",
    type: "search",
    placeholder: "Search",
    "aria-label": `Search ${label}`,
    role: "combobox",
    "aria-expanded": "true",
    "aria-controls": "parameter-choices",
    "aria-autocomplete": "list",
  });
  const list = element("div", {
    class: "choices",
    id: "parameter-choices",
    role: "listbox",
    "aria-label": label,
    "aria-multiselectable": many ? "true" : null,
  });
  const note = element("div", { class: "popup-caption", role: "status" }, "Loading…");
  const panel = openPanel(anchor, "dialog", label, element("div", { class: "choice-panel" }, search, list, note));
  if (!panel) return;
  panel.classList.add("parameter-panel");
  let active = 0;

  const has = (value: Scalar): boolean => chosen.some((one) => one === value);
  const apply = (): void => options.choose(many ? (chosen.length === 0 ? null : chosen) : (chosen[0] ?? null));
  const pick = (value: Scalar | undefined): void => {
    if (value === undefined) chosen = [];
    else if (many) chosen = has(value) ? chosen.filter((one) => one !== value) : [...chosen, value];
    else chosen = [value];
    apply();
    if (many) paint();
    else closePanel(true);
  };

  /** The choices that the search leaves; `undefined` stands for all. */
  const matching = (): (Choice | undefined)[] => {
    const wanted = search.value.trim().toLowerCase();
    const found = choices.filter((one) => wanted === "" || one.label.toLowerCase().includes(wanted));
    return parameter.all && wanted === "" ? [undefined, ...found] : found;
  };

  const paint = (): void => {
    const found = matching();
    active = Math.max(0, Math.min(active, Math.min(found.length, MOST_SHOWN) - 1));
    replaceContent(
      list,
      ...found.slice(0, MOST_SHOWN).map((choice, index) => {
        const selected = choice === undefined ? chosen.length === 0 : has(choice.value);
        return element(
          "div",
          {
            class: `choice${index === active ? " active" : ""}`,
            id: `parameter-choice-${index}`,
            role: "option",
            "aria-selected": String(selected),
            onClick: () => {
              active = index;
              pick(choice?.value);
            },
          },
          element("span", { class: many ? "tick box" : "tick", "aria-hidden": "true" }, selected ? "✓" : ""),
          element(
            "span",
            { class: "clip" },
            choice === undefined ? "All" : choice.label === "" ? "(empty)" : choice.label,
          ),
        );
      }),
    );
    search.setAttribute("aria-activedescendant", found.length === 0 ? "" : `parameter-choice-${active}`);
    note.textContent =
      found.length === 0
        ? "Nothing matches."
        : found.length > MOST_SHOWN
          ? `${MOST_SHOWN} of ${found.length} shown; search for the others`
          : many
            ? "Several can be chosen"
            : "";
    note.hidden = note.textContent === "";
    list.querySelector(".active")?.scrollIntoView({ block: "nearest" });
  };

  search.addEventListener("input", () => {
    active = 0;
    paint();
  });
  panel.addEventListener("keydown", (event) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      active += step;
      paint();
    } else if (event.key === "Enter") {
      event.preventDefault();
      const found = matching();
      if (found.length > 0) pick(found[active]?.value);
    }
  });
  search.focus();
  options.load().then(
    (found) => {
      // What is chosen stays in sight even when the data does not hold it any more.
      const lost = chosen.filter((value) => !found.some((one) => one.value === value));
      choices = [...lost.map((value) => ({ value, label: String(value) })), ...found];
      active = Math.max(
        0,
        matching().findIndex((one) => one !== undefined && has(one.value)),
      );
      paint();
    },
    (failure: unknown) => {
      note.textContent = failure instanceof Error ? failure.message : String(failure);
      note.classList.add("bad");
    },
  );
}
