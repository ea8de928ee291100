// The parameters of the function whose brackets the cursor is in, shown above it.

import { StateEffect, StateField, type Extension } from "@codemirror/state";
import { closeCompletion, completionStatus } from "@codemirror/autocomplete";
import { EditorView, keymap, showTooltip, ViewPlugin, type Tooltip, type ViewUpdate } from "@codemirror/view";
import { debounce, element } from "../base/dom";
import type { SignatureHelp } from "../server/language";
import type { EditorContext } from "./context";
import { blockIn, signatureIn } from "./scope";

const show = StateEffect.define<Tooltip | null>();

const shown = StateField.define<Tooltip | null>({
  create: () => null,
  update(current, transaction) {
    for (const effect of transaction.effects) if (effect.is(show)) return effect.value;
    return current && transaction.docChanged ? { ...current, pos: transaction.changes.mapPos(current.pos) } : current;
  },
  provide: (field) => showTooltip.from(field),
});

function render(help: SignatureHelp): HTMLElement {
  const signature = help.signatures[help.activeSignature] ?? help.signatures[0];
  const out = element("div", { class: "signature" });
  if (!signature) return out;
  const active = signature.parameters[help.activeParameter];
  const line = element("div", { class: "label" });
  if (active) {
    const end = active.start + active.length;
    line.append(
      signature.label.slice(0, active.start),
      element("strong", {}, signature.label.slice(active.start, end)),
      signature.label.slice(end),
    );
  } else {
    line.append(signature.label);
  }
  out.append(line);
  if (help.signatures.length > 1) {
    out.append(element("div", { class: "count" }, `${help.activeSignature + 1} of ${help.signatures.length}`));
  }
  if (signature.documentation) out.append(element("div", { class: "text" }, signature.documentation));
  return out;
}

/** Whether a bracket is open before the place; what strings hold does not matter much here. */
function insideCall(text: string): boolean {
  let depth = 0;
  for (let at = text.length - 1; at >= 0 && at > text.length - 2000; at -= 1) {
    const letter = text[at];
    if (letter === ")") depth += 1;
    else if (letter === "(" && depth-- === 0) return /[\w]\s*$/.test(text.slice(0, at));
    else if (letter === "|" && depth === 0) return false;
  }
  return false;
}

export function signatures(context: EditorContext): Extension {
  const asker = ViewPlugin.define((view) => {
    let question = 0;
    const ask = debounce(90, async () => {
      const mine = ++question;
      const position = view.state.selection.main.head;
      const block = blockIn(context, view.state.doc.toString(), position);
      const inside = block !== null && view.hasFocus && insideCall(block.text.slice(0, position - block.from));
      const help = inside ? await signatureIn(context, block.text, position - block.from).catch(() => null) : null;
      if (mine !== question) return;
      const tooltip: Tooltip | null = help
        ? { pos: position, above: true, create: () => ({ dom: render(help) }) }
        : null;
      if (tooltip || view.state.field(shown)) view.dispatch({ effects: show.of(tooltip) });
    });
    return {
      update(update: ViewUpdate) {
        if (update.docChanged || (update.selectionSet && update.state.field(shown) !== null)) ask();
      },
    };
  });
  const dismiss = keymap.of([
    {
      key: "Escape",
      run: (view) => {
        if (completionStatus(view.state) !== null) return closeCompletion(view);
        if (view.state.field(shown) === null) return false;
        view.dispatch({ effects: show.of(null) });
        return true;
      },
    },
  ]);
  return [
    shown,
    asker,
    dismiss,
    EditorView.domEventHandlers({
      blur: (_event, view) => {
        if (view.state.field(shown)) window.setTimeout(() => view.dispatch({ effects: show.of(null) }));
      },
    }),
  ];
}
