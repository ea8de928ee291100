// The place of the editor. The page is there before the editor's library is: until then the text stands here plainly,
// and what is asked of the editor waits for it.

import { element } from "../base/dom";
import { blocksOf, type Block } from "./blocks";
import type { ServerError } from "../server/client";
import type { EditorOptions, QueryEditor } from "./editor";

export class EditorSlot {
  readonly element = element("div", { class: "editor-box" });
  private readonly waiting = element("pre", { class: "editor-waiting" });
  private ready: Promise<QueryEditor> | null = null;
  private editor: QueryEditor | null = null;

  constructor(private readonly options: EditorOptions) {
    this.element.append(this.waiting);
  }

  show(tab: string, text: string): void {
    this.waiting.textContent = text;
    this.later((editor) => editor.show(tab, text));
  }

  forget(tab: string): void {
    this.later((editor) => editor.forget(tab));
  }

  focus(): void {
    this.later((editor) => editor.focus());
  }

  insert(text: string): void {
    this.later((editor) => editor.insert(text));
  }

  format(): void {
    this.later((editor) => void editor.format());
  }

  goTo(block: Block, line: number, column: number): void {
    this.later((editor) => editor.goTo(block, line, column));
  }

  noteRun(block: Block, error: ServerError | null): void {
    this.later((editor) => editor.noteRun(block, error));
  }

  toRun(): Block | null {
    return this.editor ? this.editor.toRun() : (blocksOf(this.waiting.textContent ?? "")[0] ?? null);
  }

  /** In order, at once if the editor is there. */
  private later(run: (editor: QueryEditor) => void): void {
    if (this.editor) run(this.editor);
    else void this.load().then(run);
  }

  private load(): Promise<QueryEditor> {
    this.ready ??= import("./editor").then((library) => {
      this.editor = new library.QueryEditor(this.options);
      this.element.replaceChildren(this.editor.element);
      return this.editor;
    });
    return this.ready;
  }
}
