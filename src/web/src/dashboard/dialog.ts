// Dialogs of the dashboards: a form with fields, a problem line and its actions. Escape and Cancel close.

import { element, type Child } from "../base/dom";

export interface DialogOptions {
  title: string;
  /** The label of the button that does it; without one the dialog only shows. */
  action?: string;
  danger?: boolean;
  wide?: boolean;
  content: Child[];
  /** Does it; what it throws is shown, and the dialog stays. `false` keeps it open without a word. */
  run?: () => Promise<boolean | void> | boolean | void;
  /** Asked when Escape would close it; `false` keeps it open. */
  mayClose?: () => boolean;
  onClose?: () => void;
}

export interface Dialog {
  close(): void;
  showProblem(text: string): void;
  element: HTMLDialogElement;
}

export function openDialog(options: DialogOptions): Dialog {
  const problem = element("p", { class: "bad", role: "alert", hidden: true });
  const cancel = element("button", { class: "button", type: "button" }, options.run ? "Cancel" : "Close");
  const submit = options.run
    ? element(
        "button",
        { class: `button primary${options.danger ? " danger" : ""}`, type: "submit" },
        options.action ?? "OK",
      )
    : null;
  const form = element(
    "form",
    { method: "dialog" },
    element("h2", {}, options.title),
    ...options.content,
    problem,
    element("div", { class: "actions" }, cancel, submit),
  );
  const dialog = element(
    "dialog",
    { class: `dialog${options.wide ? " wide-dialog" : ""}`, "aria-label": options.title },
    form,
  );
  const opener = document.activeElement instanceof HTMLElement ? document.activeElement : null;
  const showProblem = (text: string): void => {
    problem.textContent = text;
    problem.hidden = text === "";
  };
  const close = (): void => dialog.close();
  cancel.addEventListener("click", close);
  // Escape in an editor is for the editor; elsewhere it closes, unless something would be lost.
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    const inEditor = event.composedPath().some((one) => one instanceof Element && one.classList.contains("cm-editor"));
    if (inEditor || options.mayClose?.() === false) event.preventDefault();
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    opener?.focus();
    options.onClose?.();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { run } = options;
    if (!run) return close();
    showProblem("");
    submit?.setAttribute("disabled", "");
    void (async () => {
      try {
        if ((await run()) !== false) close();
      } catch (failure) {
        showProblem(failure instanceof Error ? failure.message : String(failure));
      } finally {
        submit?.removeAttribute("disabled");
      }
    })();
  });
  document.body.append(dialog);
  dialog.showModal();
  return { close, showProblem, element: dialog };
}

export function labelled(label: string, field: HTMLElement, hint = ""): HTMLElement {
  return element(
    "label",
    { class: "labelled" },
    element("span", {}, label),
    field,
    hint === "" ? null : element("span", { class: "hint" }, hint),
  );
}

export function textField(
  value: string,
  attributes: Record<string, string | number | boolean | null> = {},
): HTMLInputElement {
  const input = element("input", { type: "text", ...attributes });
  input.value = value;
  return input;
}

export function choiceField(
  values: readonly (readonly [value: string, label: string])[],
  chosen: string,
): HTMLSelectElement {
  return element(
    "select",
    {},
    ...values.map(([value, label]) => element("option", { value, selected: value === chosen }, label)),
  );
}

export function tickField(label: string, ticked: boolean): { label: HTMLElement; input: HTMLInputElement } {
  const input = element("input", { type: "checkbox" });
  input.checked = ticked;
  return { input, label: element("label", { class: "tick-label" }, input, element("span", {}, label)) };
}
