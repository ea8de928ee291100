// A query editor inside a dialog: it knows the parameters and base queries of the dashboard.

import { QueryEditor } from "../../editor/editor";
import { schema } from "../../server/schema";

export interface QueryFieldOptions {
  text: string;
  database: () => string;
  prelude: () => string;
  onRun?: () => void;
  onChange?: (text: string) => void;
}

export interface QueryField {
  element: HTMLElement;
  text(): string;
  focus(): void;
}

export function queryField(options: QueryFieldOptions): QueryField {
  let text = options.text;
  const editor = new QueryEditor({
    database: options.database,
    prelude: options.prelude,
    isWhole: true,
    onContextChange: (listener) => schema.watch(listener),
    onRun: () => options.onRun?.(),
    onChange: (now) => {
      text = now;
      options.onChange?.(now);
    },
  });
  editor.show("field", text);
  const box = document.createElement("div");
  box.className = "query-field";
  box.append(editor.element);
  return { element: box, text: () => text, focus: () => editor.focus() };
}
