// The file itself in an editor: YAML or JSON, with what is wrong underlined at its place.

import { closeBrackets } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, indentUnit, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import styles from "../../style/editor.css?inline";
import type { FileRemark } from "../server";

/** Enough of YAML to tell keys, texts and comments apart. */
const language = StreamLanguage.define<{ isValue: boolean }>({
  name: "yaml",
  startState: () => ({ isValue: false }),
  token(stream, state) {
    if (stream.sol()) state.isValue = false;
    if (stream.eatSpace()) return null;
    if (stream.match(/^#.*/)) return "comment";
    if (stream.match(/^"([^"\\]|\\.)*"?/) || stream.match(/^'([^']|'')*'?/))
      return stream.match(/^\s*:/, false) ? "keyword" : "string";
    if (stream.match(/^[A-Za-z_][\w-]*(?=\s*:(\s|$))/)) return "keyword";
    if (stream.match(/^-?\d+(\.\d+)?(?![\w.-])/)) return "number";
    if (stream.match(/^[\w-]+/)) return null;
    stream.next();
    return null;
  },
  languageData: { commentTokens: { line: "#" } },
});

const colours = HighlightStyle.define([
  { tag: tags.comment, class: "kql-comment" },
  { tag: tags.string, class: "kql-string" },
  { tag: tags.number, class: "kql-number" },
  { tag: tags.keyword, class: "kql-keyword" },
]);

export class TextEditor {
  readonly element = document.createElement("div");
  private readonly view: EditorView;

  constructor(text: string, label: string, onChange: (text: string) => void) {
    this.element.className = "editor";
    const root = this.element.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(styles);
    root.adoptedStyleSheets = [sheet];
    const host = document.createElement("div");
    host.className = "host";
    root.append(host);
    this.view = new EditorView({
      parent: host,
      root,
      state: EditorState.create({
        doc: text,
        extensions: [
          lineNumbers(),
          history(),
          drawSelection(),
          indentUnit.of("  "),
          bracketMatching(),
          closeBrackets(),
          language,
          syntaxHighlighting(colours),
          lintGutter(),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({
            "aria-label": label,
            tabindex: "0",
            "aria-description": "Escape, then Tab leaves the editor.",
            spellcheck: "false",
          }),
          keymap.of([...defaultKeymap, ...searchKeymap, ...historyKeymap, indentWithTab]),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) onChange(update.state.doc.toString());
          }),
        ],
      }),
    });
  }

  get text(): string {
    return this.view.state.doc.toString();
  }

  focus(): void {
    this.view.focus();
  }

  mark(remarks: readonly FileRemark[]): void {
    const { doc } = this.view.state;
    const found = remarks.map((remark): Diagnostic => {
      const line = doc.line(Math.max(1, Math.min(doc.lines, remark.line)));
      const from = Math.min(line.to, line.from + Math.max(0, remark.column - 1));
      const rest = doc.sliceString(from, line.to);
      const length = /^[\w$-]+|^\S+/.exec(rest)?.[0].length ?? 0;
      return {
        from: length === 0 ? Math.max(line.from, from - 1) : from,
        to: from + length,
        severity: /warn/i.test(remark.severity) ? "warning" : /info|sugg/i.test(remark.severity) ? "info" : "error",
        message: remark.message,
      };
    });
    this.view.dispatch(setDiagnostics(this.view.state, found));
  }

  goTo(lineNumber: number, column: number): void {
    const { doc } = this.view.state;
    const line = doc.line(Math.max(1, Math.min(doc.lines, lineNumber)));
    this.view.dispatch({ selection: { anchor: Math.min(line.to, line.from + column - 1) }, scrollIntoView: true });
    this.view.focus();
  }

  dispose(): void {
    this.view.destroy();
  }
}
