// Colours by meaning: the server says of every token whether it is a table, column, function, operator…
// Each block is asked for once and remembered by its text.

import { RangeSetBuilder, StateEffect, StateField, type Extension } from "@codemirror/state";
import { Decoration, EditorView, ViewPlugin, type DecorationSet, type ViewUpdate } from "@codemirror/view";
import { debounce } from "../base/dom";
import type { EditorContext } from "./context";
import { blocksIn, keyOf, tokensIn } from "./scope";

interface Coloured {
  from: number;
  to: number;
  kind: string;
}

const KEPT_BLOCKS = 200;
const LONGEST_BLOCK = 50_000;
const setColours = StateEffect.define<DecorationSet>();

const colours = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(current, transaction) {
    let next = current.map(transaction.changes);
    for (const effect of transaction.effects) if (effect.is(setColours)) next = effect.value;
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});

const marks = new Map<string, Decoration>();

function markOf(kind: string): Decoration {
  let mark = marks.get(kind);
  if (!mark) {
    mark = Decoration.mark({ class: `kql-${kind}` });
    marks.set(kind, mark);
  }
  return mark;
}

export function classification(context: EditorContext): Extension {
  const known = new Map<string, Coloured[]>();

  async function tokensOf(text: string): Promise<Coloured[]> {
    const key = keyOf(context, text);
    const found = known.get(key);
    if (found) return found;
    const tokens = await tokensIn(context, text);
    if (known.size >= KEPT_BLOCKS) known.clear();
    known.set(key, tokens);
    return tokens;
  }

  async function colour(view: EditorView): Promise<void> {
    const doc = view.state.doc;
    const builder = new RangeSetBuilder<Decoration>();
    try {
      for (const block of blocksIn(context, doc.toString())) {
        if (block.text.length > LONGEST_BLOCK) continue;
        for (const token of await tokensOf(block.text)) {
          if (token.to > token.from) builder.add(block.from + token.from, block.from + token.to, markOf(token.kind));
        }
      }
    } catch {
      return; // The colours of the grammar stay.
    }
    if (view.state.doc.eq(doc)) view.dispatch({ effects: setColours.of(builder.finish()) });
  }

  const asker = ViewPlugin.define((view) => {
    const later = debounce(120, () => void colour(view));
    later();
    const stop = context.onContextChange(later);
    return {
      update(update: ViewUpdate) {
        if (update.docChanged) later();
      },
      destroy: stop,
    };
  });
  return [colours, asker];
}
