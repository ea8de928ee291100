// Help for the name under the pointer.

import type { Extension } from "@codemirror/state";
import { hoverTooltip } from "@codemirror/view";
import { askHover } from "../server/language";
import { blockTouching } from "./blocks";
import type { EditorContext } from "./context";
import { renderMarkdown } from "./markdown";

export function hover(context: EditorContext): Extension {
  return hoverTooltip(
    async (view, position) => {
      const block = blockTouching(view.state.doc.toString(), position);
      if (!block) return null;
      const found = await askHover(context.database(), block.text, position - block.from).catch(() => null);
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
