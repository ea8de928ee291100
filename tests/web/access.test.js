// What a judge of accessibility finds on the page: names of controls, roles, contrast (WCAG 2.1 AA), by axe-core.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openPage, runQuery, startBrowser, startServer } from "./browser.js";
import { complaints } from "./judge.js";

let server;
let browser;

before(async () => {
  server = await startServer();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  server?.stop();
});

const CHART = "Logs | summarize count() by bin(Timestamp, 1m), Level | render timechart with (title='Events')";
const CSV = "when,city,degrees\n2024-01-01T00:00:00Z,Oslo,3.5\n2024-01-02T00:00:00Z,Oslo,-4\n";

/** Each begins where the one before ended. */
const STATES = {
  "the beginning": (page) => page.waitForSelector(".cm-content"),
  "a completion": async (page) => {
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+End");
    await page.keyboard.type("\nLogs | summ");
    await page.locator(".cm-tooltip-autocomplete li").first().waitFor();
  },
  "an open table": async (page) => {
    if (page.viewportSize().width < 700) await page.getByRole("button", { name: "Schema and history" }).click();
    await page.locator("[data-key='Demo/Logs']").click();
    if (page.viewportSize().width < 700) await page.getByRole("button", { name: "Schema and history" }).click();
  },
  "a table": (page) => runQuery(page, "Demo", "Logs | take 50"),
  "a row": (page) => page.locator(".cell").first().dblclick(),
  "a chart": (page) => runQuery(page, "Demo", CHART),
  "a time pivot": (page) =>
    runQuery(page, "Demo", "Logs | take 50 | project Timestamp, Level | render timepivot with (series=Level)"),
  "a pivot": (page) => runQuery(page, "Demo", "Logs | summarize count() by Level, Service | render pivotchart"),
  "a long table": (page) => runQuery(page, "Demo", "Logs | take 500"),
  statistics: (page) => page.getByRole("tab", { name: "Statistics" }).click(),
  "an error": (page) => runQuery(page, "Demo", "Logs | where nothing > 2"),
  "a menu": (page) => page.getByRole("button", { name: "More on this query" }).click(),
  "a file": async (page) => {
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Add data" }).click();
    await page.setInputFiles("#ingest-file", { name: "cities.csv", mimeType: "text/csv", buffer: Buffer.from(CSV) });
    await page.getByLabel("Type of degrees").waitFor();
  },
};

for (const [width, height] of [
  [1280, 800],
  [390, 844],
]) {
  for (const colorScheme of ["light", "dark"]) {
    test(`every state is accessible at ${width} pixels, ${colorScheme}`, async () => {
      const page = await openPage(browser, server.url, { width, height, colorScheme });
      for (const [name, reach] of Object.entries(STATES)) {
        await reach(page);
        assert.deepEqual(await complaints(page), [], name);
      }
      await page.context().close();
    });
  }
}

test("the plain page is accessible", async () => {
  const page = await browser.newPage();
  await page.goto(`${server.url}/plain`);
  await page.getByLabel("Query").fill("range x from 0 to 9 step 1 | extend y = x * x | render linechart");
  await page.getByRole("button", { name: "Run" }).click();
  await page.waitForSelector("svg[data-points='10']");
  assert.deepEqual(await complaints(page), []);
  await page.close();
});
