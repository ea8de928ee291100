// Errors and warnings underlined while one types, with the corrections that the server proposes; and the errors that
// only a run reported, until the text they are of changes.

import { linter, type Diagnostic } from "@codemirror/lint";
import { StateEffect, type Extension } from "@codemirror/state";
import { EditorView, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import type { Remark } from "../server/language";
import { isCommand } from "../server/query";
import type { Block } from "./blocks";
import type { EditorContext } from "./context";
import type { Place } from "./failure";
import { blocksIn, keyOf, remarksIn } from "./scope";

const SEVERITIES: Record<string, Diagnostic["severity"]> = {
  Error: "error",
  Warning: "warning",
  Suggestion: "info",
  Information: "info",
};
const KEPT_BLOCKS = 200;
const KEPT_FAILURES = 20;

export interface Failure extends Place {
  code: string;
  message: string;
}

/** By the text that ran. */
const failures = new Map<string, Failure>();
const lookAgain = StateEffect.define<null>();

/** Remembers what a run of the text said; `null` when it went well. */
export function noteRun(view: EditorView, text: string, failure: Failure | null): void {
  if (!failures.delete(text) && failure === null) return;
  if (failure) failures.set(text, failure);
  const [oldest] = failures.keys();
  if (failures.size > KEPT_FAILURES && oldest !== undefined) failures.delete(oldest);
  view.dispatch({ effects: lookAgain.of(null) });
}

export function diagnostics(context: EditorContext): Extension {
  let known = new Map<string, Remark[]>();

  async function remarksOf(block: Block): Promise<Remark[]> {
    if (isCommand(block.text) || block.text.replace(/\/\/[^\n]*/g, "").trim() === "") return [];
    const key = keyOf(context, block.text);
    const found = known.get(key);
    if (found) return found;
    const remarks = await remarksIn(context, block.text).catch(() => []);
    if (known.size >= KEPT_BLOCKS) known.clear();
    known.set(key, remarks);
    return remarks;
  }

  async function lint(view: EditorView): Promise<Diagnostic[]> {
    const blocks = blocksIn(context, view.state.doc.toString());
    const found = await Promise.all(blocks.map(remarksOf));
    return blocks.flatMap((block, index) => {
      const remarks = found[index] ?? [];
      return [...remarks, ...failuresOf(block, remarks)].map((remark) => diagnosticOf(block, remark));
    });
  }

  const again = ViewPlugin.define((view) => {
    // The first calls come while the editor is being made.
    let isMade = false;
    const stop = context.onContextChange(() => {
      known = new Map();
      if (isMade) view.dispatch({ effects: lookAgain.of(null) });
    });
    isMade = true;
    return { destroy: stop };
  });
  const needsRefresh = (update: ViewUpdate): boolean =>
    update.transactions.some((one) => one.effects.some((effect) => effect.is(lookAgain)));
  return [linter(lint, { delay: 300, needsRefresh }), again];
}

/** Of the runs of the block or of a part of it, where no remark says as much already. */
function failuresOf(block: Block, remarks: readonly Remark[]): Remark[] {
  const found: Remark[] = [];
  for (const [text, failure] of failures) {
    const at = block.text.indexOf(text);
    if (at < 0) continue;
    const start = at + failure.start;
    if (remarks.some((one) => one.severity === "Error" && one.start <= start && start <= one.start + one.length))
      continue;
    const { code, message, length } = failure;
    found.push({ severity: "Error", code, message, start, length, hints: [], fixes: [] });
  }
  return found;
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
