// Completion from the server: names, operators, functions that fit at the cursor.

import {
  autocompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
} from "@codemirror/autocomplete";
import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import type { CompletionItem } from "../server/language";
import type { EditorContext } from "./context";
import { renderMarkdown } from "./markdown";
import { blockIn, completionIn } from "./scope";

const OPENERS = /[\s(|.,=\[]$/;

export function completion(context: EditorContext): Extension {
  async function source(asked: CompletionContext): Promise<CompletionResult | null> {
    const text = asked.state.doc.toString();
    const block = blockIn(context, text, asked.pos) ?? { from: asked.pos, to: asked.pos, text: "" };
    const word = asked.matchBefore(/[\w$-]+/);
    const before = text.slice(Math.max(block.from, asked.pos - 2), asked.pos);
    if (!asked.explicit && !word && !OPENERS.test(before)) return null;
    if (!asked.explicit && block.text.trim() === "" && !word) return null;
    const stop = new AbortController();
    asked.addEventListener("abort", () => stop.abort());
    try {
      const answer = await completionIn(context, block.text, asked.pos - block.from, stop.signal);
      if (asked.aborted || answer.items.length === 0) return null;
      const ranked = [...answer.items].sort((left, right) => (left.sortText < right.sortText ? -1 : 1));
      return {
        from: block.from + answer.start,
        to: Math.max(block.from + answer.start + answer.length, asked.pos),
        options: ranked.map((item, index) => optionOf(item, index)),
        validFor: /^[\w$]*$/,
      };
    } catch {
      return null;
    }
  }
  return autocompletion({
    override: [source],
    activateOnTypingDelay: 60,
    maxRenderedOptions: 60,
    icons: false,
    optionClass: (option) => `option-${option.type ?? "text"}`,
    addToOptions: [{ render: badge, position: 20 }],
  });
}

/** One letter for the kind, read out as its name. */
function badge(option: Completion): Node {
  const mark = document.createElement("span");
  mark.className = "kind";
  mark.title = option.type ?? "";
  mark.textContent = (option.type ?? "·").charAt(0).toUpperCase();
  return mark;
}

function optionOf(item: CompletionItem, index: number): Completion {
  return {
    label: item.label,
    type: item.kind,
    detail: item.detail,
    boost: Math.max(-99, 50 - index),
    info: item.documentation === "" ? undefined : () => renderMarkdown(item.documentation),
    apply: (view: EditorView, _option: Completion, from: number, to: number) => {
      view.dispatch({
        changes: { from, to, insert: item.insertText },
        selection: { anchor: from + (item.caret ?? item.insertText.length) },
        userEvent: "input.complete",
        scrollIntoView: true,
      });
    },
  };
}
