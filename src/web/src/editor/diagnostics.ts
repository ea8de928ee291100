// Errors and warnings underlined while one types, with the corrections that the server proposes.

import { forceLinting, linter, type Diagnostic } from "@codemirror/lint";
import type { Extension } from "@codemirror/state";
import { EditorView, ViewPlugin } from "@codemirror/view";
import { askRemarks, type Remark } from "../server/language";
import { isCommand } from "../server/query";
import { blocksOf, type Block } from "./blocks";
import type { EditorContext } from "./context";

const SEVERITIES: Record<string, Diagnostic["severity"]> = {
  Error: "error",
  Warning: "warning",
  Suggestion: "info",
  Information: "info",
};
const KEPT_BLOCKS = 200;

export function diagnostics(context: EditorContext): Extension {
  let known = new Map<string, Remark[]>();

  async function remarksOf(block: Block): Promise<Remark[]> {
    if (isCommand(block.text) || block.text.replace(/\/\/[^\n]*/g, "").trim() === "") return [];
    const key = `${context.database()}\n${block.text}`;
    const found = known.get(key);
    if (found) return found;
    const remarks = await askRemarks(context.database(), block.text).catch(() => []);
    if (known.size >= KEPT_BLOCKS) known.clear();
    known.set(key, remarks);
    return remarks;
  }

  async function lint(view: EditorView): Promise<Diagnostic[]> {
    const blocks = blocksOf(view.state.doc.toString());
    const found = await Promise.all(blocks.map(remarksOf));
    return blocks.flatMap((block, index) => (found[index] ?? []).map((remark) => diagnosticOf(block, remark)));
  }

  const again = ViewPlugin.define((view) => ({
    destroy: context.onContextChange(() => {
      known = new Map();
      forceLinting(view);
    }),
  }));
  return [linter(lint, { delay: 300 }), again];
}

function diagnosticOf(block: Block, remark: Remark): Diagnostic {
  const from = Math.min(block.from + remark.start, block.to);
  const to = Math.min(from + remark.length, block.to);
  return {
    // Something must be there to underline: at the end of the text the last character.
    from: from === to ? Math.max(block.from, from - 1) : from,
    to,
    severity: SEVERITIES[remark.severity] ?? "error",
    source: remark.code,
    message: [remark.message, ...remark.hints].join("\n"),
    actions: remark.fixes.map((fix) => ({
      name: fix.title,
      apply: (view) =>
        view.dispatch({
          changes: { from: block.from + fix.start, to: block.from + fix.start + fix.length, insert: fix.replacement },
        }),
    })),
  };
}
