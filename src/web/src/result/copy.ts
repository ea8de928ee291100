// Selected cells as text: a single value as it is, more as lines with tabs between, as sheets take them.

import { cellText } from "./cell";
import type { RowView } from "./rows";
import type { CellSelection } from "./selection";

export function selectionText(view: RowView, selection: CellSelection, withNames: boolean): string | null {
  const bounds = selection.bounds;
  if (!bounds) return null;
  const { columns, rows } = view.table;
  const clean = (text: string): string => text.replace(/[\t\r\n]+/g, " ");
  const lines: string[] = [];
  if (withNames)
    lines.push(
      columns
        .slice(bounds.left, bounds.right + 1)
        .map((column) => clean(column.name))
        .join("\t"),
    );
  const single = bounds.top === bounds.bottom && bounds.left === bounds.right;
  for (let row = bounds.top; row <= bounds.bottom; row += 1) {
    const values = rows[view.shown[row] ?? 0] ?? [];
    const texts = values.slice(bounds.left, bounds.right + 1).map(cellText);
    lines.push((single ? texts : texts.map(clean)).join("\t"));
  }
  return lines.join("\n");
}
