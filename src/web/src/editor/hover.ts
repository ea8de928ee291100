// Help for the name under the pointer.

import type { Extension } from "@codemirror/state";
import { hoverTooltip } from "@codemirror/view";
import type { EditorContext } from "./context";
import { renderMarkdown } from "./markdown";
import { blockIn, hoverIn } from "./scope";

export function hover(context: EditorContext): Extension {
  return hoverTooltip(
    async (view, position) => {
      const block = blockIn(context, view.state.doc.toString(), position);
      if (!block) return null;
      const found = await hoverIn(context, block.text, position - block.from).catch(() => null);
      if (!found) return null;
      return {
        pos: block.from + found.start,
        end: block.from + found.start + found.length,
        above: true,
        create: () => ({ dom: renderMarkdown(found.markdown) }),
      };
    },
    { hoverTime: 350 },
  );
}
