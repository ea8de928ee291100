// The query editor: CodeMirror with KQL. It lives in a shadow root, because there the library takes its styles as
// style sheets, which the page's content security policy allows; inline styles it does not.

import { closeBrackets, closeBracketsKeymap, closeCompletion, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab, toggleComment } from "@codemirror/commands";
import { bracketMatching, indentUnit } from "@codemirror/language";
import { lintKeymap } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState, Prec, RangeSetBuilder } from "@codemirror/state";
import {
  Decoration,
  drawSelection,
  EditorView,
  highlightSpecialChars,
  keymap,
  lineNumbers,
  placeholder,
  ViewPlugin,
  type DecorationSet,
  type ViewUpdate,
} from "@codemirror/view";
import type { ServerError } from "../server/client";
import { askFormatted } from "../server/language";
import { blockAt, blocksOf, type Block } from "./blocks";
import { classification } from "./classification";
import { completion } from "./completion";
import type { EditorContext } from "./context";
import { diagnostics, noteRun } from "./diagnostics";
import { placeOf } from "./failure";
import { kqlGrammar } from "./grammar";
import { hover } from "./hover";
import { signatures } from "./signature";
import styles from "../style/editor.css?inline";

export interface EditorOptions extends EditorContext {
  onRun(): void;
  onChange(text: string): void;
}

/** The block at the cursor has a line at its left: it is what runs. */
const activeBlock = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;

    constructor(view: EditorView) {
      this.decorations = this.build(view);
    }

    update(update: ViewUpdate): void {
      if (update.docChanged || update.selectionSet) this.decorations = this.build(update.view);
    }

    build(view: EditorView): DecorationSet {
      const { doc, selection } = view.state;
      const builder = new RangeSetBuilder<Decoration>();
      const block = blockAt(doc.toString(), selection.main.head);
      if (block) {
        const last = doc.lineAt(block.to).number;
        for (let number = doc.lineAt(block.from).number; number <= last; number += 1) {
          const start = doc.line(number).from;
          builder.add(start, start, Decoration.line({ class: "active-block" }));
        }
      }
      return builder.finish();
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

export class QueryEditor {
  readonly element: HTMLElement;
  private readonly view: EditorView;
  private readonly states = new Map<string, EditorState>();
  private current = "";

  constructor(private readonly options: EditorOptions) {
    this.element = document.createElement("div");
    this.element.className = "editor";
    const root = this.element.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(styles);
    root.adoptedStyleSheets = [sheet];
    const host = document.createElement("div");
    host.className = "host";
    root.append(host);
    this.view = new EditorView({ state: this.newState(""), parent: host, root });
  }

  private newState(text: string): EditorState {
    const run = (view: EditorView): boolean => {
      closeCompletion(view);
      this.options.onRun();
      return true;
    };
    return EditorState.create({
      doc: text,
      extensions: [
        Prec.highest(
          keymap.of([
            { key: "Shift-Enter", run },
            { key: "Mod-Enter", run },
            { key: "F5", run },
            { key: "Shift-Alt-f", run: () => (void this.format(), true) },
            { key: "Mod-k", run: toggleComment },
          ]),
        ),
        lineNumbers(),
        highlightSpecialChars(),
        history(),
        drawSelection(),
        indentUnit.of("    "),
        EditorState.allowMultipleSelections.of(true),
        bracketMatching(),
        closeBrackets(),
        highlightSelectionMatches(),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({
          "aria-label": "Query",
          "aria-description": "Shift+Enter runs. Escape, then Tab leaves the editor.",
          spellcheck: "false",
          tabindex: "0",
        }),
        placeholder("Write a query, then Shift+Enter"),
        this.options.isWhole ? [] : activeBlock,
        kqlGrammar,
        classification(this.options),
        completion(this.options),
        hover(this.options),
        signatures(this.options),
        diagnostics(this.options),
        keymap.of([
          ...closeBracketsKeymap,
          ...defaultKeymap,
          ...searchKeymap,
          ...historyKeymap,
          ...completionKeymap,
          ...lintKeymap,
          indentWithTab,
        ]),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) this.options.onChange(update.state.doc.toString());
        }),
      ],
    });
  }

  /** Shows the text of a tab; undo history and cursor of each tab are kept. */
  show(tab: string, text: string): void {
    if (this.current !== "") this.states.set(this.current, this.view.state);
    const kept = this.states.get(tab);
    this.current = tab;
    this.view.setState(kept && kept.doc.toString() === text ? kept : this.newState(text));
  }

  forget(tab: string): void {
    this.states.delete(tab);
    if (this.current === tab) this.current = "";
  }

  focus(): void {
    this.view.focus();
  }

  /** What a run means now: the selection, or the block at the cursor. */
  toRun(): Block | null {
    const { from, to } = this.view.state.selection.main;
    const text = this.view.state.doc.toString();
    if (this.options.isWhole) return { from: 0, to: text.length, text };
    if (from !== to) return { from, to, text: text.slice(from, to) };
    return blockAt(text, from) ?? blocksOf(text)[0] ?? null;
  }

  insert(text: string): void {
    this.view.dispatch(this.view.state.replaceSelection(text), { userEvent: "input", scrollIntoView: true });
    this.view.focus();
  }

  /** Puts the cursor to a line and column (from 1) of the block that ran. */
  goTo(block: Block, line: number, column: number): void {
    const lines = block.text.split("\n").slice(0, line - 1);
    const offset = lines.reduce((sum, text) => sum + text.length + 1, 0) + column - 1;
    const anchor = Math.min(block.from + offset, this.view.state.doc.length);
    this.view.dispatch({ selection: { anchor }, scrollIntoView: true });
    this.view.focus();
  }

  /** Underlines what a run complained of; nothing when it went well or told no place. */
  noteRun(block: Block, error: ServerError | null): void {
    const place = error && placeOf(block.text, error);
    noteRun(this.view, block.text, error && place && { ...place, code: error.code, message: error.message });
  }

  /** Formats the block at the cursor. */
  async format(): Promise<void> {
    const block = this.toRun();
    if (!block) return;
    const formatted = (await askFormatted(block.text)).trimEnd();
    const doc = this.view.state.doc.toString();
    if (doc.slice(block.from, block.to) !== block.text || formatted === block.text) return;
    this.view.dispatch({
      changes: { from: block.from, to: block.to, insert: formatted },
      selection: { anchor: Math.min(this.view.state.selection.main.head, block.from + formatted.length) },
    });
  }
}
