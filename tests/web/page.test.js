// The page as a user meets it, in a real browser.

import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { after, before, test } from "node:test";
import { openPage, picture, runQuery, startBrowser, startServer } from "./browser.js";

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

async function withPage(options, use) {
  const page = await openPage(browser, server.url, options);
  try {
    await use(page);
    assert.deepEqual(page.complaints, []);
    assert.deepEqual([...page.hosts], [new URL(server.url).origin], "no other host is asked");
  } finally {
    await page.context().close();
  }
}

async function newQuery(page) {
  await page.getByRole("button", { name: "New query" }).click();
  await page.locator(".cm-content").click();
}

test("the page paints with a small first bundle", (context) =>
  withPage({}, async (page) => {
    await page.reload();
    await page.waitForSelector(".cm-content");
    const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
    context.diagnostic(`first contentful paint after ${Math.round(paint)} ms`);
    // What the page itself names; what is loaded later adds names of its own.
    const bytes = await page.evaluate(async () => {
      const text = await (await fetch("/", { headers: { accept: "text/html" } })).text();
      const names = new Set([...text.matchAll(/(?:src|href)="([^"]+\.(?:js|css))"/g)].map((found) => found[1]));
      const entries = performance
        .getEntriesByType("resource")
        .filter((entry) => names.has(new URL(entry.name).pathname));
      return entries.reduce((sum, entry) => sum + entry.encodedBodySize, 0);
    });
    assert.ok(bytes > 0 && bytes < 100_000, `${bytes} bytes before the first paint`);
    await picture(page, "start");
  }));

test("a query is typed with completion, run, and its chart has its points", () =>
  withPage({}, async (page) => {
    await page.getByLabel("Database", { exact: true }).selectOption("Demo");
    await newQuery(page);
    await page.keyboard.type("Logs | summarize count() by Lev");
    await page.locator(".cm-tooltip-autocomplete li", { hasText: "Level" }).first().waitFor();
    await picture(page, "completion");
    await page.keyboard.press("Enter");
    await page.keyboard.type(", bin(Timestamp, 1m) | render timechart");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Shift+Enter");
    await page.waitForSelector(".chart[data-state=drawn]");
    const points = Number(await page.locator(".chart").getAttribute("data-points"));
    const rows = await (
      await fetch(`${server.url}/query?db=Demo&format=json`, {
        method: "POST",
        body: "Logs | summarize count() by Level, bin(Timestamp, 1m) | count",
      })
    ).json();
    assert.equal(points, rows[0].Count);
    await picture(page, "chart");
  }));

test("an error is underlined at its place and says what is wrong", () =>
  withPage({}, async (page) => {
    await newQuery(page);
    await page.keyboard.type("print a = 1\n| where b > 2");
    await page.keyboard.press("Escape");
    const mark = page.locator(".cm-lintRange-error");
    await mark.waitFor();
    assert.equal(await mark.innerText(), "b");
    await page.keyboard.press("Shift+Enter");
    await page.getByRole("alert").getByText("'b'").waitFor();
    await picture(page, "error");
    await page.getByRole("button", { name: /Go to line 2, column 9/ }).click();
  }));

test("an error that only the run reports is underlined until its text changes", () =>
  withPage({}, async (page) => {
    await newQuery(page);
    await page.keyboard.insertText("print a = 'x'\n| extend b = assert(a == 'y', 'not y')");
    await page.keyboard.press("Shift+Enter");
    const mark = page.locator(".cm-lintRange-error");
    await mark.waitFor();
    assert.equal(await mark.innerText(), "'not y'");
    await page.getByRole("button", { name: "Go to line 2, column 31" }).waitFor();
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.type("!");
    await mark.waitFor({ state: "detached" });
  }));

test("a running query tells what it has read", () =>
  withPage({}, async (page) => {
    await page.getByLabel("Database", { exact: true }).selectOption("Demo");
    await newQuery(page);
    await page.keyboard.insertText(
      "Logs | extend k = 1 | join kind=inner (Logs | extend k = 1) on k | where strcat(Message, Message1) == 'x' | count",
    );
    await page.keyboard.press("Shift+Enter");
    await page.getByText("Rows read").waitFor();
    await page.waitForFunction(() =>
      [...document.querySelectorAll(".running .figure-item")].some((item) => /Rows read[1-9]/.test(item.textContent)),
    );
    await picture(page, "running");
    await page.locator(".run", { hasText: "Cancel" }).click();
    await page.getByText("The query was cancelled.").waitFor();
  }));

test("only the block at the cursor runs", () =>
  withPage({}, async (page) => {
    await newQuery(page);
    await page.keyboard.type("print First = 1\n\nprint Second = 2");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+Home");
    await page.keyboard.press("Shift+Enter");
    await page.getByRole("columnheader", { name: /First/ }).waitFor();
    assert.equal(await page.getByRole("columnheader", { name: /Second/ }).count(), 0);
  }));

test("100,000 rows scroll, sort and filter", () =>
  withPage({}, async (page) => {
    await runQuery(
      page,
      "NetDefaultDB",
      "range n from 1 to 100000 step 1 | extend square = n * n, text = strcat('row ', n)",
    );
    const grid = page.locator(".grid");
    assert.equal(await grid.getAttribute("aria-rowcount"), "100001");
    assert.ok((await page.locator(".grid-row").count()) < 100, "only rows in sight are elements");
    await grid.evaluate((box) => (box.scrollTop = box.scrollHeight));
    await page.locator(".cell", { hasText: "row 100000" }).waitFor();
    await picture(page, "hundred-thousand-rows");
    await page.locator(".head-cell").first().click();
    await page.locator(".head-cell").first().click();
    await grid.evaluate((box) => (box.scrollTop = 0));
    await page.waitForFunction(() => document.querySelector(".cell")?.textContent === "100000");
    await page.getByLabel("Filter rows").fill("row 4242");
    await page.waitForFunction(() => document.querySelector(".result-status").textContent.startsWith("11 rows of"));
  }));

test("cells are selected with the keyboard and copied", () =>
  withPage({}, async (page) => {
    await runQuery(page, "NetDefaultDB", "datatable(a:long, b:string) [1, 'x', 2, 'y, \"z\"']");
    await page.locator(".cell").first().click();
    await page.locator(".grid").focus();
    await page.keyboard.press("Shift+ArrowDown");
    await page.keyboard.press("Shift+ArrowRight");
    await page.keyboard.press("Control+c");
    await page.getByText("Selection copied").waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), '1\tx\n2\ty, "z"');
  }));

test("whole numbers beyond 2^53 keep their digits", () =>
  withPage({}, async (page) => {
    await runQuery(page, "NetDefaultDB", "print big = 9223372036854775807");
    assert.equal(await page.locator(".cell").first().innerText(), "9223372036854775807");
  }));

test("nested values open", () =>
  withPage({}, async (page) => {
    await runQuery(page, "NetDefaultDB", "print d = dynamic({'a': {'b': [1, 2]}})");
    await page.locator(".cell").first().dblclick();
    await page.locator(".json-key", { hasText: "b" }).waitFor();
    await picture(page, "nested");
  }));

test("a running query is cancelled, on the server too", () =>
  withPage({}, async (page) => {
    await newQuery(page);
    await page.keyboard.type("range x from 1 to 4000000000 step 1 | where x % 3 == 7 | count");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Shift+Enter");
    await page.locator(".run", { hasText: "Cancel" }).click();
    await page.getByText("The query was cancelled.").waitFor();
    let running = [1];
    for (let attempt = 0; attempt < 50 && running.length > 0; attempt += 1) {
      const answer = await fetch(`${server.url}/query?format=json`, {
        method: "POST",
        body: ".show running queries | where Text startswith 'range x'",
      });
      running = await answer.json();
    }
    assert.deepEqual(running, []);
  }));

test("a link opens its query", () =>
  withPage({}, async (page) => {
    await runQuery(page, "Demo", "Logs | count");
    await page.getByRole("button", { name: "Share" }).click();
    await page.getByText("Link copied").waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    const parts = new URLSearchParams(new URL(link).hash.slice(1));
    assert.deepEqual([parts.get("db"), parts.get("q")], ["Demo", "Logs | count"]);
  }));

const KINDS = {
  linechart: "range x from 0 to 20 step 1 | extend y = x * x | render linechart",
  areachart: "range x from 0 to 20 step 1 | extend y = x * x | render areachart",
  stackedareachart: "range x from 0 to 20 step 1 | extend y = x * x, z = 100 - x | render stackedareachart",
  columnchart: "datatable(k:string, v:long) ['a', 1, 'b', 3] | render columnchart with (title='Columns')",
  barchart:
    "datatable(k:string, s:string, v:long) ['a', 'x', 1, 'a', 'y', 2, 'b', 'x', 3] | render barchart with (kind=stacked)",
  piechart: "datatable(k:string, v:long) ['a', 1, 'b', 3] | render piechart",
  scatterchart: "range x from 1 to 50 step 1 | extend y = (x * 37) % 50 | render scatterchart with (xaxis=log)",
  treemap: "datatable(k:string, s:string, v:long) ['a', 'x', 1, 'a', 'y', 2, 'b', 'x', 3] | render treemap",
  ladderchart:
    "datatable(k:string, s:datetime, e:datetime) ['a', datetime(2024-01-01), datetime(2024-01-03), 'b', datetime(2024-01-02), datetime(2024-01-05)] | render ladderchart",
  timepivot:
    "range t from datetime(2024-01-01) to datetime(2024-01-02) step 1h | extend k = iff(t > datetime(2024-01-01 12:00), 'late', 'early') | render timepivot with (series=k)",
  anomalychart:
    "range i from 1 to 40 step 1 | extend t = datetime(2024-01-01) + i * 1h, v = iff(i == 20, 90.0, 10.0 + i % 3) | make-series v = avg(v) on t step 1h | extend (anomalies, score, baseline) = series_decompose_anomalies(v) | render anomalychart with (ycolumns=v, anomalycolumns=anomalies)",
  map: "datatable(lon:real, lat:real, city:string) [2.35, 48.85, 'Paris', -74, 40.7, 'New York', 139.7, 35.7, 'Tokyo'] | render scatterchart with (kind=map)",
  "map-points":
    "print place = dynamic({'type': 'Point', 'coordinates': [2.35, 48.85]}), n = 3 | render scatterchart with (kind=map)",
  "map-pies":
    "datatable(lon:real, lat:real, what:string, n:long) [2.35, 48.85, 'a', 3, 2.35, 48.85, 'b', 5, 13.4, 52.5, 'a', 9, 13.4, 52.5, 'b', 2] | render piechart with (kind=map)",
  pivotchart: "datatable(k:string, s:string, v:long) ['a', 'x', 1, 'a', 'y', 2, 'b', 'x', 3] | render pivotchart",
  plotly:
    'print plotly = \'{"data":[{"type":"bar","x":["a","b"],"y":[2,3],"name":"bars"},{"x":["a","b"],"y":[1,4],"name":"line"}],"layout":{"title":{"text":"Both"}}}\' | render plotly',
  panels:
    "range x from 0 to 20 step 1 | extend y = x * x, z = 100 - x | render linechart with (ysplit=panels, title='Panels')",
  axes: "range x from 0 to 20 step 1 | extend y = x * x, z = 100 - x | render linechart with (ysplit=axes)",
};
test("every kind of chart is drawn", () =>
  withPage({}, async (page) => {
    for (const [name, text] of Object.entries(KINDS)) {
      await runQuery(page, "NetDefaultDB", text);
      await page.waitForSelector(".chart[data-state=drawn]").catch(() => assert.fail(`${name} was not drawn`));
      assert.ok(Number(await page.locator(".chart").getAttribute("data-points")) > 0, name);
      await picture(page, `chart-${name}`);
    }
    await runQuery(page, "NetDefaultDB", "print Answer = 42 | render card");
    await page.locator(".card .figure", { hasText: "42" }).waitFor();
  }));

test("a time pivot opens down to its events, and takes a part of the time", () =>
  withPage({}, async (page) => {
    await runQuery(
      page,
      "NetDefaultDB",
      "range n from 0 to 99 step 1 | extend t = datetime(2024-01-01) + n * 1h, level = iff(n % 10 == 0, 'bad', 'good'), host = strcat('h', n % 3) | render timepivot with (series=level, host)",
    );
    const labels = page.locator(".pivot-label");
    await labels.first().waitFor();
    assert.equal(await labels.count(), 2);
    const open = async (text) => {
      await page.locator(".pivot-label", { hasText: text }).first().focus();
      await page.keyboard.press("Enter");
    };
    await open("bad");
    await open("h1");
    await open("2024-01-01 10:00");
    await page.locator(".row-detail", { hasText: "Row 11" }).waitFor();
    await picture(page, "timepivot-open");
    await page.getByRole("button", { name: "Zoom in" }).click();
    await page.getByRole("status").filter({ hasText: "2024-01-02 00:45 – 2024-01-04 02:15" }).waitFor();
    await page.getByRole("button", { name: "No longer by level" }).click();
    await page.locator(".pivot-label", { hasText: "h0" }).first().waitFor();
    assert.equal(await labels.count(), 3);
  }));

test("a pivot takes other columns, measures and forms", () =>
  withPage({}, async (page) => {
    await runQuery(page, "NetDefaultDB", KINDS.pivotchart);
    await page.locator(".pivot-table tfoot td", { hasText: "6" }).first().waitFor();
    await page.getByLabel("Columns").selectOption("");
    await page.getByLabel("Measure").selectOption("max");
    assert.deepEqual(await page.locator(".pivot-table tbody td").allInnerTexts(), ["2", "3"]);
    await page.getByLabel("Shown as").selectOption("columnchart");
    await page.waitForSelector(".pivot .chart[data-state=drawn]");
    assert.equal(await page.locator(".pivot .chart").getAttribute("data-points"), "2");
  }));

test("a file becomes a table, bad records are told by their line", () =>
  withPage({}, async (page) => {
    await page.getByRole("button", { name: "Add data" }).click();
    const table = `cities_${Date.now()}`;
    const content =
      'when,city,degrees\n2024-01-01T00:00:00Z,"Paris, north",3.5\nbroken\n2024-01-02T00:00:00Z,Oslo,-4\n';
    await page.setInputFiles("#ingest-file", {
      name: `${table}.csv`,
      mimeType: "text/csv",
      buffer: Buffer.from(content),
    });
    await page.getByLabel("Type of degrees").waitFor();
    assert.equal(await page.getByLabel("Type of when").inputValue(), "datetime");
    assert.equal(await page.getByLabel("Type of degrees").inputValue(), "real");
    await page.getByLabel("Name of column 2").fill("place");
    await picture(page, "ingest");
    await page.getByRole("button", { name: "Create table and ingest" }).click();
    await page.getByText("2 rows stored").waitFor();
    await page.getByText("Line 3:").waitFor();
    await page.getByRole("button", { name: "Query it" }).click();
    await page.getByRole("columnheader", { name: /place/ }).waitFor();
    await page.locator(".cell", { hasText: "Paris, north" }).waitFor();
  }));

/** Gives a file to the page; the name of the table it proposes. */
async function giveFile(page, name, content) {
  await page.getByRole("button", { name: "Add data" }).click();
  await page.setInputFiles("#ingest-file", { name, mimeType: "text/plain", buffer: Buffer.from(content) });
  await page.getByRole("button", { name: "Create table and ingest" }).waitFor();
}

test("a file as sheets write it becomes a table and a first chart", () =>
  withPage({}, async (page) => {
    const rows = Array.from(
      { length: 24 },
      (_one, at) =>
        `${String(at + 1).padStart(2, "0")}.01.2024 10:00;${at % 2 ? "Möbel" : '"Spiel; Spaß"'};${at},50;"two\nlines"`,
    );
    rows.splice(3, 0, "broken", "30.01.2024 10:00;Möbel;x7;a");
    await giveFile(
      page,
      `orders ${Date.now()}.csv`,
      `\uFEFFOrder Date;Group;Amount (EUR);Note\r\n${rows.join("\r\n")}`,
    );
    assert.equal(await page.getByLabel("Values are parted by").inputValue(), ";");
    assert.equal(await page.getByLabel("Type of Order Date").inputValue(), "datetime, day first");
    assert.equal(await page.getByLabel("Type of Amount (EUR)").inputValue(), "string");
    await page.getByLabel("Type of Amount (EUR)").selectOption("real, decimal comma");
    await page.locator("td.misfit", { hasText: "x7" }).waitFor();
    await page.locator("tr.broken", { hasText: "1 value where 4 are expected" }).waitFor();
    await picture(page, "ingest-messy");
    await page.getByRole("button", { name: "Create table and ingest" }).click();
    await page.getByText("25 rows stored").waitFor();
    // Each of the three records before holds a line end in its last value.
    await page.getByText("Line 8: the record has 1 value where 4 are expected").waitFor();
    await page.getByText("Line 9, Amount (EUR): 'x7' is no real, decimal comma").waitFor();
    await picture(page, "ingest-messy-done");
    await page.getByRole("button", { name: "Draw a chart" }).click();
    await page.waitForSelector(".chart[data-state=drawn]");
    assert.equal(await page.locator(".chart").getAttribute("data-points"), "25");
    await picture(page, "ingest-first-chart");
  }));

test("a file goes into a table that is there", () =>
  withPage({}, async (page) => {
    const table = `there_${Date.now()}`;
    const content = "when,n\n2024-01-01,1\n";
    await giveFile(page, `${table}.csv`, content);
    await page.getByLabel("Type of n").selectOption("real");
    await page.getByRole("button", { name: "Create table and ingest" }).click();
    await page.getByText("1 row stored").waitFor();
    await page.getByRole("button", { name: "Another file" }).click();
    await page.setInputFiles("#ingest-file", {
      name: `${table}.csv`,
      mimeType: "text/csv",
      buffer: Buffer.from(content),
    });
    await page.getByText(`The table ${table} is there`).waitFor();
    assert.equal(await page.getByLabel("Type of n").inputValue(), "real");
    await page.getByRole("button", { name: "Ingest into the table" }).click();
    await page.getByText("1 row stored").waitFor();
    await page.getByLabel("Table", { exact: true }).fill("other_name");
    await page.keyboard.press("Tab");
    await page.getByRole("button", { name: "Create table and ingest" }).waitFor();
  }));

test("another separator or no header reads the file anew", () =>
  withPage({}, async (page) => {
    await giveFile(page, "a.csv", "1|2;x\n3|4;y\n");
    await page.getByLabel("Values are parted by").selectOption("|");
    await page.getByLabel("Type of Column2").waitFor();
    await page.getByLabel("The first line has names").check();
    await page.getByLabel("Type of 2;x").waitFor();
  }));

test("JSON in an array, on lines, and packed becomes a table", () =>
  withPage({}, async (page) => {
    const records = Array.from({ length: 30 }, (_one, at) => ({
      ts: 1706695200000 + at * 60000,
      host: `h${at % 3}`,
      tags: { n: at },
    }));
    const lines = records.map((one) => JSON.stringify(one));
    lines.splice(2, 0, "{broken", '{"ts":1706695200000,"host":"h9","load":{"a":1}}');
    const files = [
      ["array.json", JSON.stringify(records, null, 2), "30 rows stored", null],
      ["lines.ndjson", lines.join("\n"), "31 rows stored", "Line 3:"],
      ["packed.json.gz", gzipSync(lines.join("\n")), "31 rows stored", "Line 3:"],
    ];
    for (const [name, content, stored, problem] of files) {
      await giveFile(page, name, content);
      assert.equal(await page.getByLabel("Type of ts").inputValue(), "datetime, Unix milliseconds");
      await page.getByLabel("Table", { exact: true }).fill(`json_${name.replace(/\W/g, "_")}_${Date.now()}`);
      await page.getByRole("button", { name: "Create table and ingest" }).click();
      await page.getByText(stored).waitFor();
      if (problem) await page.getByText(problem).waitFor();
      await page.getByRole("button", { name: "Query it" }).click();
      await page.locator(".cell", { hasText: "2024-01-31 10:05:00" }).waitFor();
      await page.getByRole("button", { name: "Add data" }).click();
      await page.getByRole("button", { name: "Another file" }).click();
    }
  }));

for (const [width, height] of [
  [1280, 800],
  [390, 844],
]) {
  for (const colorScheme of ["light", "dark"]) {
    test(`nothing overflows at ${width} pixels, ${colorScheme}`, () =>
      withPage({ width, height, colorScheme }, async (page) => {
        await runQuery(
          page,
          "Demo",
          "Logs | summarize count() by bin(Timestamp, 1m), Level | render timechart with (title='Events')",
        );
        await page.waitForSelector(".chart[data-state=drawn]");
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
        await picture(page, `page-${width}-${colorScheme}`);
        if (width < 700) {
          await page.getByRole("button", { name: "Schema and history" }).click();
          await page.locator("[data-key='Demo/Logs']").click();
          await picture(page, `schema-${width}-${colorScheme}`);
        }
      }));
  }
}

test("the side is opened and left by keyboard on a telephone", () =>
  withPage({ width: 390, height: 844 }, async (page) => {
    await page.getByRole("button", { name: "Schema and history" }).focus();
    await page.keyboard.press("Enter");
    await page.locator("[role=tab]:focus", { hasText: "Schema" }).waitFor();
    await page.keyboard.press("ArrowRight");
    await page.locator("[role=tab]:focus", { hasText: "History" }).waitFor();
    await page.getByText("Nothing was run yet.").waitFor();
    await page.keyboard.press("Escape");
    await page.locator(".menu-button:focus[aria-expanded=false]").waitFor();
  }));

test("the plain page queries and draws", async () => {
  const page = await browser.newPage();
  const answer = await page.goto(`${server.url}/plain`);
  if (answer.status() === 404) return;
  await page.getByLabel("Query").fill("range x from 0 to 9 step 1 | extend y = x * x | render linechart");
  await page.getByRole("button", { name: "Run" }).click();
  await page.waitForSelector("svg[data-points='10']");
  assert.equal(await page.locator("tbody tr").count(), 10);
  await picture(page, "plain");
  await page.close();
});
