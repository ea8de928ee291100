// The little Markdown that the server's help is written in, as elements: paragraphs, code, lists, bold. No HTML goes through.

import { element } from "../base/dom";

export function renderMarkdown(text: string): HTMLElement {
  const out = element("div", { class: "markdown" });
  const parts = text.split(/```[a-z]*\n([\s\S]*?)```/);
  parts.forEach((part, index) => {
    if (index % 2 === 1) {
      out.append(element("pre", {}, part.trimEnd()));
      return;
    }
    for (const paragraph of part.split(/\n{2,}/)) {
      if (paragraph.trim() === "") continue;
      const lines = paragraph.trim().split("\n");
      if (lines.every((line) => /^[-*] /.test(line))) {
        const list = element("ul");
        for (const line of lines) list.append(inline("li", line.slice(2)));
        out.append(list);
      } else {
        out.append(inline("p", paragraph.trim().replace(/^#+ /, "")));
      }
    }
  });
  return out;
}

function inline(name: "p" | "li", text: string): HTMLElement {
  const out = element(name);
  for (const part of text.split(/(`[^`]+`|\*\*[^*]+\*\*)/)) {
    if (part.startsWith("`") && part.length > 1) out.append(element("code", {}, part.slice(1, -1)));
    else if (part.startsWith("**") && part.length > 3) out.append(element("strong", {}, part.slice(2, -2)));
    else out.append(part);
  }
  return out;
}
