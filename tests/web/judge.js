// What axe-core finds wrong with a page for those who do not see it or use no mouse: WCAG 2.1 AA and good practice.

import { readFileSync } from "node:fs";

const judge = readFileSync(new URL("./node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

/** A line for each rule that is broken, with the elements. */
export async function complaints(page) {
  await page.evaluate(judge);
  return page.evaluate(async () => {
    const found = await window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"] });
    // A menu stands beside what opened it, outside of the landmarks.
    // The list of completions is scrolled by the arrow keys of the editor, which keeps the focus.
    const meant = (id, target) =>
      (id === "region" && String(target[0]).startsWith(".popup")) ||
      (id === "scrollable-region-focusable" && JSON.stringify(target).includes("#cm-ac"));
    const place = (one) => one.nodes.every((node) => meant(one.id, node.target));
    return found.violations
      .filter((one) => !place(one))
      .map(
        (one) =>
          `${one.id}: ${one.nodes.map((node) => `${node.target.join(" ")} ${node.any[0]?.message ?? ""}`).join("; ")}`,
      );
  });
}
