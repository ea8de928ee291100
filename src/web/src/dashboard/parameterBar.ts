// The row of a dashboard's parameters, and the chips of those that are not at their defaults.

import { debounce, element, replaceContent } from "../base/dom";
import { icon } from "../base/icons";
import { openChoicePanel } from "./choicePanel";
import { parameterLabel, type ChoiceParameter, type Parameter, type TextParameter } from "./model";
import { openTimePanel } from "./timePanel";
import { fixedChoices, readScalar, valueText, type Choice, type ParameterState } from "./values";

export interface ParameterBarOptions {
  state: ParameterState;
  loadChoices: (parameter: ChoiceParameter) => Promise<Choice[]>;
  /** Parameters that are shown but cannot be changed. */
  isLocked: (parameter: Parameter) => boolean;
  /** Parameters that the page shown has. */
  isShown: (parameter: Parameter) => boolean;
  /** Parameters that clicks in tiles set: these have chips. */
  isFiltered: (parameter: Parameter) => boolean;
}

const TYPING_PAUSE = 500;

export class ParameterBar {
  readonly element = element("div", { class: "parameters", role: "group", "aria-label": "Parameters" });
  readonly chips = element("div", { class: "chips", role: "group", "aria-label": "Filters", hidden: true });
  private readonly labels = new Map<string, Map<string, string>>();

  constructor(private readonly options: ParameterBarOptions) {}

  /** The parameters of the dashboard have changed. */
  rebuild(): void {
    const { state } = this.options;
    const shown = state.list.filter((parameter) => this.options.isShown(parameter));
    replaceContent(this.element, ...shown.map((parameter) => this.control(parameter)));
    this.element.hidden = shown.length === 0;
    this.paint();
    for (const parameter of shown) {
      if (parameter.kind === "choice" && state.get(parameter.name) !== null) void this.learnLabels(parameter);
    }
  }

  /** Only values have changed. */
  paint(): void {
    const { state, isFiltered, isLocked } = this.options;
    for (const parameter of state.list) {
      const control = this.element.querySelector<HTMLElement>(`[data-parameter="${CSS.escape(parameter.name)}"]`);
      if (control instanceof HTMLInputElement) {
        const text = String(state.get(parameter.name) ?? "");
        if (document.activeElement !== control) control.value = text;
      } else if (control) {
        const text = this.textOf(parameter);
        replaceContent(
          control,
          parameter.kind === "time-range" ? icon("clock") : null,
          element("span", { class: "clip" }, text),
          isLocked(parameter) ? null : icon("down"),
        );
        control.setAttribute("aria-label", `${parameterLabel(parameter)}: ${text}`);
        control.title = text;
      }
    }
    const filtered = state.list.filter((one) => isFiltered(one) && !isLocked(one) && !state.isDefault(one));
    replaceContent(
      this.chips,
      ...filtered.map((parameter) => {
        const text = `${parameterLabel(parameter)}: ${this.textOf(parameter)}`;
        return element(
          "span",
          { class: "chip" },
          icon("filter"),
          element("span", { class: "clip" }, text),
          element(
            "button",
            {
              class: "icon-button small",
              type: "button",
              "aria-label": `Remove the filter ${text}`,
              onClick: () => state.reset(parameter.name),
            },
            icon("close"),
          ),
        );
      }),
    );
    this.chips.hidden = filtered.length === 0;
  }

  private textOf(parameter: Parameter): string {
    const value = this.options.state.get(parameter.name);
    const known = this.labels.get(parameter.name);
    if (!known || value === null || typeof value === "boolean") return valueText(parameter, value);
    const name = (one: unknown): string => known.get(JSON.stringify(one)) ?? String(one);
    if (Array.isArray(value)) return valueText(parameter, value.map(name));
    return typeof value === "object" ? valueText(parameter, value) : valueText(parameter, name(value));
  }

  private async learnLabels(parameter: ChoiceParameter): Promise<void> {
    const hasLabels =
      Array.isArray(parameter.values) ||
      (parameter.values?.label !== undefined && parameter.values.label !== parameter.values.value);
    if (!hasLabels) return;
    await this.load(parameter).catch(() => undefined);
    this.paint();
  }

  private async load(parameter: ChoiceParameter): Promise<Choice[]> {
    const choices = fixedChoices(parameter) ?? (await this.options.loadChoices(parameter));
    this.labels.set(parameter.name, new Map(choices.map((one) => [JSON.stringify(one.value), one.label])));
    return choices;
  }

  private control(parameter: Parameter): HTMLElement {
    const label = parameterLabel(parameter);
    const locked = this.options.isLocked(parameter);
    const control =
      parameter.kind === "text"
        ? this.textControl(parameter, locked)
        : element("button", {
            class: "parameter-button",
            type: "button",
            "data-parameter": parameter.name,
            "aria-haspopup": "dialog",
            disabled: locked,
          });
    if (control instanceof HTMLButtonElement) control.addEventListener("click", () => this.open(control, parameter));
    return element(
      "div",
      { class: "parameter", title: parameter.description ?? null },
      element("span", { class: "parameter-label", "aria-hidden": "true" }, label),
      control,
    );
  }

  private open(anchor: HTMLElement, parameter: Parameter): void {
    const { state } = this.options;
    const label = parameterLabel(parameter);
    const current = state.get(parameter.name);
    if (parameter.kind === "time-range") {
      openTimePanel(anchor, label, current, (value) => state.set(parameter.name, value));
    } else if (parameter.kind === "choice") {
      openChoicePanel(anchor, {
        parameter,
        label,
        current,
        load: () => this.load(parameter),
        choose: (value) => state.set(parameter.name, value),
      });
    }
  }

  private textControl(parameter: TextParameter, locked: boolean): HTMLInputElement {
    const { state } = this.options;
    const input = element("input", {
      type: "text",
      class: "parameter-text",
      "data-parameter": parameter.name,
      "aria-label": parameterLabel(parameter),
      placeholder: parameter.type && parameter.type !== "string" ? parameter.type : "any",
      disabled: locked,
    });
    const apply = (): void => {
      const isEmpty = input.value === "" && parameter.type !== undefined && parameter.type !== "string";
      const value = isEmpty ? null : readScalar(input.value, parameter.type);
      input.setCustomValidity(value === undefined ? `This is no ${parameter.type ?? "string"}.` : "");
      input.toggleAttribute("aria-invalid", value === undefined);
      if (value !== undefined) state.set(parameter.name, value);
    };
    input.addEventListener("input", debounce(TYPING_PAUSE, apply));
    input.addEventListener("change", apply);
    return input;
  }
}
