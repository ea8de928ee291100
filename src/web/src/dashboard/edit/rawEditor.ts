// The text mode of editing: the file in an editor, its problems listed below.

import { debounce, element, replaceContent } from "../../base/dom";
import { parseDocument } from "yaml";
import type { Dashboard } from "../model";
import { checkDashboard, type FileRemark } from "../server";
import { TextEditor } from "./textEditor";

export class RawEditor {
  readonly element: HTMLElement;
  private readonly editor: TextEditor;
  private readonly problems = element("div", { class: "raw-problems", role: "status", "aria-live": "polite" });
  private asked = 0;

  constructor(
    text: string,
    private readonly format: "yaml" | "json",
    private readonly database: string,
    onChange: (text: string) => void,
  ) {
    const check = debounce(350, () => void this.check());
    this.editor = new TextEditor(text, `Dashboard as ${format.toUpperCase()}`, (now) => {
      onChange(now);
      check();
    });
    this.element = element("div", { class: "raw-editor" }, this.editor.element, this.problems);
    void this.check();
  }

  get text(): string {
    return this.editor.text;
  }

  focus(): void {
    this.editor.focus();
  }

  dispose(): void {
    this.editor.dispose();
  }

  /** The dashboard that the text says; `null` when it cannot be read, and then it says where. */
  read(): Dashboard | null {
    const parsed = parseDocument(this.text);
    if (parsed.errors.length > 0) {
      void this.check();
      return null;
    }
    const value = parsed.toJS() as Partial<Dashboard> | null;
    if (typeof value !== "object" || value === null || !Array.isArray(value.pages)) {
      this.show([
        { severity: "Error", message: "A dashboard has a list of pages.", line: 1, column: 1, path: "pages" },
      ]);
      return null;
    }
    return value as Dashboard;
  }

  /** What the server said of an attempt to save. */
  show(remarks: readonly FileRemark[]): void {
    this.editor.mark(remarks);
    replaceContent(
      this.problems,
      ...(remarks.length === 0
        ? [element("p", { class: "hint" }, "No problems.")]
        : remarks.map((one) =>
            element(
              "button",
              {
                class: `raw-problem ${/warn|info|sugg/i.test(one.severity) ? "warn" : "bad"}`,
                type: "button",
                onClick: () => this.editor.goTo(one.line, one.column),
              },
              element("span", { class: "place" }, `Line ${one.line}, column ${one.column}`),
              element("span", {}, one.message),
            ),
          )),
    );
  }

  private async check(): Promise<void> {
    this.asked += 1;
    const mine = this.asked;
    try {
      const remarks = await checkDashboard(this.text, this.format, this.database);
      if (mine === this.asked) this.show(remarks);
    } catch (failure) {
      if (mine === this.asked) replaceContent(this.problems, element("p", { class: "bad" }, String(failure)));
    }
  }
}
