// Dashboards as a user meets them: looked at, filtered, edited, imported, embedded.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openPage, picture, runQuery, startBrowser, startServer } from "./browser.js";
import { complaints } from "./judge.js";

let server;
let browser;

/** Rows of three hosts, one a minute, in a time of their own: every number below follows from it. */
const FILE = `# Kept when somebody edits
version: 1
title: Hosts
description: Three hosts, a row a minute.
database: NetDefaultDB
parameters:
  - {name: _time, label: Time range, kind: time-range, start: _from, end: _to, default: {from: 2024-05-01T00:00:00Z, to: 2024-05-01T00:59:00Z}}
  - {name: _hosts, label: Host, kind: choice, type: string, multiple: true, all: true, values: {query: "rows | distinct host | order by host asc", value: host}, default: all}
  - {name: _least, label: At least, kind: text, type: long, default: 0}
base_queries:
  - name: rows
    query: range t from _from to _to step 1m | extend n = tolong((t - datetime(2024-05-01)) / 1m) | mv-expand host = dynamic(['alpha', 'beta', 'gamma']) to typeof(string)
  - name: chosen # the rows that are wanted
    query: rows | where isempty(_hosts) or array_length(_hosts) == 0 or host in (_hosts) | where n >= _least
pages:
  - title: Overview
    tiles:
      - {id: load, title: Load, x: 0, y: 0, width: 14, height: 6, query: "chosen | summarize v = sum(n * strlen(host)) by t, host | render timechart", cross_filter: [{column: host, parameter: _hosts}, {drag: x, parameter: _time}]}
      - {id: total, title: Rows, x: 14, y: 0, width: 4, height: 3, query: chosen | count | render card}
      - {id: about, x: 18, y: 0, width: 6, height: 6, markdown: "## Hosts\\n\\nOf **three** hosts; see [queries](/) or [nothing](javascript:alert(1)).\\n\\n<img src=x onerror=alert(1)>"}
      - {id: shares, title: Shares, x: 14, y: 3, width: 4, height: 3, query: chosen | summarize count() by host | render piechart, cross_filter: [{column: host, parameter: _hosts}]}
      - {id: rows, title: By host, x: 0, y: 6, width: 12, height: 5, query: chosen | summarize count() by host | order by host asc, cross_filter: [{column: host, parameter: _hosts}]}
      - {id: wrong, title: Wrong, x: 12, y: 6, width: 6, height: 5, query: "chosen\\n| where missing > 1"}
      - {id: none, title: None, x: 18, y: 6, width: 6, height: 5, query: chosen | where false}
  - title: Second
    tiles:
      - {id: other, title: Other, x: 0, y: 0, width: 24, height: 6, query: chosen | summarize count() by host | render columnchart}
`;

async function put(name, text, headers = {}) {
  const answer = await fetch(`${server.url}/v1/dashboards/NetDefaultDB/${name}`, {
    method: "PUT",
    body: text,
    headers: { "content-type": "application/yaml", ...headers },
  });
  assert.ok(answer.ok, await answer.text());
}

const read = async (name) => (await fetch(`${server.url}/v1/dashboards/NetDefaultDB/${name}`)).json();

async function command(text) {
  const answer = await fetch(`${server.url}/query?format=json`, { method: "POST", body: text });
  assert.ok(answer.ok, await answer.text());
}

before(async () => {
  server = await startServer();
  browser = await startBrowser();
  await put("hosts", FILE);
});
after(async () => {
  await browser?.close();
  server?.stop();
});

async function withPage(path, options, use) {
  const page = await openPage(browser, server.url + path, options);
  try {
    await use(page);
    assert.deepEqual(page.complaints, []);
    assert.deepEqual([...page.hosts], [new URL(server.url).origin], "no other host is asked");
  } finally {
    await page.context().close();
  }
}

const tile = (page, id) => page.locator(`[data-tile="${id}"]`);

/** Waits until a tile shows that many points or rows. */
const shows = (page, id, points) => page.waitForSelector(`[data-tile="${id}"][data-points="${points}"]`);

async function quiet(page) {
  await page.waitForFunction(() => {
    const tiles = [...document.querySelectorAll(".tile")];
    const seen = tiles.filter((one) => one.getBoundingClientRect().top < window.innerHeight);
    return (
      seen.length > 0 &&
      seen.every((one) => one.dataset.state && !one.hasAttribute("aria-busy")) &&
      !document.querySelector(".chart[data-state=loading]")
    );
  });
}

test("the list shows what there is and opens it", () =>
  withPage("/dashboards", {}, async (page) => {
    await page.getByRole("link", { name: /Hosts/ }).waitFor();
    assert.ok((await page.locator(".dashboard-card").count()) >= 3, "the built-in ones are there too");
    await picture(page, "dashboard-list");
    await page.getByLabel("Search dashboards").fill("three hosts");
    assert.equal(await page.locator(".dashboard-card").count(), 1);
    await page.getByRole("link", { name: /Hosts/ }).click();
    await shows(page, "load", 180);
    assert.equal(new URL(page.url()).pathname, "/dashboards/NetDefaultDB/hosts");
    await page.goBack();
    await page.getByRole("link", { name: /Hosts/ }).waitFor();
  }));

test("tiles show their data, their errors with the place, and that there is nothing", () =>
  withPage("/dashboards/NetDefaultDB/hosts", {}, async (page) => {
    await shows(page, "load", 180);
    await tile(page, "total").getByText("180").waitFor();
    await shows(page, "rows", 3);
    await tile(page, "wrong").getByText("line 2, column 9").waitFor();
    assert.equal(await tile(page, "wrong").locator("mark").innerText(), "missing");
    await tile(page, "none").getByText("No data").waitFor();
    const text = tile(page, "about");
    assert.equal(await text.getByRole("link").count(), 1, "only the safe link is one");
    assert.equal(await text.locator("img").count(), 0, "no HTML goes through");
    await quiet(page);
    await picture(page, "dashboard-1280-light");
  }));

test("the built-in dashboards have no errors", () =>
  withPage("/dashboards", {}, async (page) => {
    for (const name of ["fleet", "server"]) {
      await page.goto(`${server.url}/dashboards/-/${name}`);
      await quiet(page);
      await picture(page, `dashboard-${name}`);
      for (const tab of await page.getByRole("tab").all()) {
        await tab.click();
        await quiet(page);
        assert.deepEqual(await page.locator(".tile-error").allInnerTexts(), [], `${name}, ${await tab.innerText()}`);
      }
    }
  }));

test("parameters change what is shown, and the address carries them", () =>
  withPage("/dashboards/NetDefaultDB/hosts", {}, async (page) => {
    await shows(page, "load", 180);
    await page.getByRole("button", { name: "Host: All" }).click();
    await page.getByLabel("Search Host").fill("be");
    await page.getByRole("option", { name: "beta" }).click();
    await shows(page, "load", 60);
    await picture(page, "dashboard-choice");
    await page.keyboard.press("Escape");
    await page.getByRole("textbox", { name: "At least" }).fill("30");
    await shows(page, "load", 30);
    await page.getByRole("button", { name: /^Time range/ }).click();
    await picture(page, "dashboard-time");
    await page.getByLabel("To", { exact: true }).fill("2024-05-01T00:39:00");
    await page.getByRole("button", { name: "Apply times" }).click();
    await shows(page, "load", 10);
    const search = new URL(page.url()).searchParams;
    assert.deepEqual(search.getAll("p._hosts"), ["beta"]);
    assert.equal(search.get("p._least"), "30");
    await page.reload();
    await shows(page, "load", 10);
    await page.getByRole("textbox", { name: "At least" }).fill("x");
    assert.equal(await page.locator(".parameter-text").evaluate((field) => field.validity.valid), true);
    await page.keyboard.press("Enter");
    assert.equal(await page.locator(".parameter-text").evaluate((field) => field.validity.valid), false);
    await shows(page, "load", 10);
  }));

test("a click on a row, a slice, a legend entry or a drag sets a parameter, and its chip takes it back", () =>
  withPage("/dashboards/NetDefaultDB/hosts", {}, async (page) => {
    await shows(page, "load", 180);
    await quiet(page);
    await tile(page, "rows").locator(".cell", { hasText: "gamma" }).click({ delay: 120 });
    await shows(page, "load", 60);
    await picture(page, "dashboard-cross-filter");
    await page.getByRole("button", { name: "Remove the filter Host: gamma" }).click();
    await shows(page, "load", 180);
    await quiet(page);
    const box = await tile(page, "load").locator(".canvas").boundingBox();
    await page.mouse.move(box.x + box.width * 0.4, box.y + box.height * 0.5);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, box.y + box.height * 0.5, { steps: 4 });
    await page.mouse.up();
    const chip = page.locator(".chip", { hasText: "Time range" });
    await chip.waitFor();
    await page.waitForFunction(() => {
      const points = Number(document.querySelector("[data-tile=load]").dataset.points);
      return points > 0 && points < 100;
    });
    await chip.getByRole("button").click();
    await shows(page, "load", 180);
    await quiet(page);
    const shares = await tile(page, "shares").locator(".canvas").boundingBox();
    // The first slice begins at the top and goes right: inside the ring there.
    const radius = Math.min(shares.width, shares.height) * 0.5 * 0.65;
    await page.mouse.click(
      shares.x + shares.width * 0.28 + radius * 0.75,
      shares.y + shares.height / 2 - radius * 0.65,
    );
    await page.locator(".chip", { hasText: "Host: alpha" }).waitFor();
    await shows(page, "load", 60);
  }));

test("values are chosen without a mouse too", () =>
  withPage("/dashboards/NetDefaultDB/hosts", {}, async (page) => {
    await shows(page, "load", 180);
    await quiet(page);
    await tile(page, "load").getByRole("button", { name: "More" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("menuitem", { name: "Filter by a value…" }).click();
    await page.getByRole("button", { name: /beta/ }).press("Enter");
    await shows(page, "load", 60);
    await tile(page, "load").getByRole("button", { name: "Full screen" }).press("Enter");
    await page.waitForSelector(".tile.full");
    assert.equal(new URL(page.url()).searchParams.get("tile"), "load");
    await picture(page, "dashboard-full");
    await page.keyboard.press("Escape");
    await page.waitForSelector(".tile.full", { state: "detached" });
  }));

test("refreshing shows new data, and asks for nothing that has not changed", async () => {
  await command(".create table dashboard_events (n: long)");
  await command(".ingest inline into table dashboard_events <|\n1\n2");
  await put(
    "events",
    `version: 1
title: Events
pages:
  - title: One
    tiles:
      - {id: count, title: Events, x: 0, y: 0, width: 6, height: 4, query: dashboard_events | count | render card}
      - {id: sum, title: Sum, x: 6, y: 0, width: 6, height: 4, query: dashboard_events | summarize sum(n) | render card}
`,
  );
  await withPage("/dashboards/NetDefaultDB/events?refresh=1s", {}, async (page) => {
    const unchanged = page.waitForResponse((answer) => answer.status() === 304 && answer.url().includes("/run"));
    await tile(page, "count").locator(".figure", { hasText: /^2$/ }).waitFor();
    await unchanged;
    await command(".ingest inline into table dashboard_events <|\n40");
    await tile(page, "count").locator(".figure", { hasText: /^3$/ }).waitFor();
    await tile(page, "sum").locator(".figure", { hasText: /^43$/ }).waitFor();
    await page.getByLabel("Refresh every").selectOption("");
    assert.equal(new URL(page.url()).searchParams.get("refresh"), null);
  });
});

test("a query opens in the editor with its parameters, and is pinned from there", () =>
  withPage("/dashboards/NetDefaultDB/hosts?p._hosts=alpha", {}, async (page) => {
    await shows(page, "load", 60);
    await tile(page, "load").hover();
    await tile(page, "load").getByRole("button", { name: "More" }).click();
    await page.getByRole("menuitem", { name: "Open query in editor" }).click();
    await page.waitForSelector(".result .chart[data-state=drawn]");
    assert.equal(await page.locator(".result .chart").getAttribute("data-points"), "60");
    await runQuery(page, "NetDefaultDB", "range x from 1 to 7 step 1 | extend y = x * x | render linechart with (title='Squares')");
    await page.getByRole("button", { name: "Pin", exact: true }).click();
    assert.equal(await page.getByLabel("Title of the tile").inputValue(), "Squares");
    await page.getByLabel("Its title").fill("Pinned things");
    await page.getByRole("dialog").getByRole("button", { name: "Pin", exact: true }).click();
    await page.getByRole("link", { name: "Open the dashboard" }).click();
    await shows(page, "squares", 7);
  }));

test("tiles are moved, added and saved; comments of the file stay", async () => {
  await put("edited", FILE);
  await withPage("/dashboards/NetDefaultDB/edited", {}, async (page) => {
    await page.getByRole("button", { name: "Edit", exact: true }).click();
    await shows(page, "load", 180);
    await quiet(page);
    await picture(page, "dashboard-edit");
    const handle = tile(page, "total").getByRole("button", { name: "Place of Rows" });
    await handle.focus();
    await page.keyboard.press("Shift+ArrowDown");
    await page.keyboard.press("Control+z");
    await handle.focus();
    await page.keyboard.press("Shift+ArrowLeft");
    const head = await tile(page, "rows").locator("h2").boundingBox();
    await page.mouse.move(head.x + 4, head.y + 4);
    await page.mouse.down();
    await page.mouse.move(head.x + 4, head.y + 4 + 44 * 12, { steps: 6 });
    await page.mouse.up();
    await page.getByRole("button", { name: "Add tile" }).click();
    await page.getByRole("menuitem", { name: /Query/ }).click();
    const dialog = page.getByRole("dialog");
    await dialog.locator(".cm-content").click();
    await page.keyboard.type("chosen | where ho");
    await page.locator(".cm-tooltip-autocomplete li", { hasText: "host" }).first().waitFor();
    await picture(page, "dashboard-tile-completion");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+a");
    await page.keyboard.press("Delete");
    await page.keyboard.type("chosen | summarize Most = max(n) by host");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Shift+Enter");
    await dialog.locator("[data-points='3']").waitFor();
    await dialog.getByLabel("Title", { exact: true }).fill("Most");
    await dialog.getByLabel("Kind").selectOption("columnchart");
    await dialog.getByRole("button", { name: "Preview" }).click();
    await dialog.locator(".chart[data-state=drawn]").waitFor();
    await picture(page, "dashboard-tile-editor");
    await dialog.getByRole("button", { name: "Add", exact: true }).last().click();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved").waitFor();
    await page.reload();
    await shows(page, "load", 180);
    await page.locator(".tile", { hasText: "Most" }).locator(".chart[data-state=drawn]").waitFor();
    const { text, dashboard } = await read("edited");
    assert.match(text, /^# Kept when somebody edits/);
    assert.match(text, /name: chosen # the rows that are wanted/);
    const tiles = dashboard.pages[0].tiles;
    const placeOf = (id) => tiles.filter((one) => one.id === id).map(({ x, y, width, height }) => [x, y, width, height])[0];
    assert.deepEqual(placeOf("total"), [14, 0, 3, 3]);
    assert.deepEqual(placeOf("rows"), [0, 18, 12, 5]);
    assert.equal(tiles.find((one) => one.title === "Most").visualization.kind, "columnchart");
  });
});

test("what somebody else stored meanwhile is not lost silently", async () => {
  await put("contended", FILE);
  await withPage("/dashboards/NetDefaultDB/contended", {}, async (page) => {
    await page.getByRole("button", { name: "Edit", exact: true }).click();
    await tile(page, "total").getByRole("button", { name: "Place of Rows" }).focus();
    await page.keyboard.press("Delete");
    await put("contended", FILE.replace("title: Hosts", "title: Theirs"));
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "Somebody else has changed this dashboard" }).waitFor();
    await picture(page, "dashboard-conflict");
    assert.equal((await read("contended")).dashboard.title, "Theirs");
    await page.getByRole("button", { name: "Load theirs, lose mine" }).click();
    await page.getByRole("heading", { name: "Theirs" }).waitFor();
    await tile(page, "total").waitFor();
  });
});

test("going back does not lose what is not saved", () =>
  withPage("/dashboards", {}, async (page) => {
    await page.getByRole("link", { name: /Hosts/ }).first().click();
    await tile(page, "total").waitFor();
    const address = page.url();
    await page.getByRole("button", { name: "Edit", exact: true }).click();
    await tile(page, "total").getByRole("button", { name: "Place of Rows" }).press("Delete");
    const asked = page.waitForEvent("dialog");
    const answered = asked.then((dialog) => dialog.dismiss());
    await page.evaluate(() => window.history.back());
    await answered;
    await page.getByRole("heading", { name: /^Editing/ }).waitFor();
    assert.equal(page.url(), address);
    await page.getByRole("button", { name: "Undo" }).click();
    await tile(page, "total").waitFor();
  }));

test("the file is edited as text, errors are told at their line", async () => {
  await put("raw", FILE);
  await withPage("/dashboards/NetDefaultDB/raw", {}, async (page) => {
    await page.getByRole("button", { name: "More", exact: true }).first().click();
    await page.getByRole("menuitem", { name: "Edit as text" }).click();
    const editor = page.locator(".raw-editor .cm-content");
    await editor.click();
    await page.keyboard.press("Control+Home");
    await page.keyboard.type("titel: Hosts\n");
    await page.getByRole("button", { name: /Line 1, column 1/ }).waitFor();
    await picture(page, "dashboard-text");
    await page.getByRole("button", { name: "Save" }).click();
    await page.locator(".notice.bad").waitFor();
    await editor.click();
    await page.keyboard.press("Control+Home");
    await page.keyboard.press("Shift+ArrowDown");
    await page.keyboard.press("Delete");
    await page.keyboard.press("Control+End");
    await page.keyboard.type("# the end\n");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved").waitFor();
    assert.match((await read("raw")).text, /# the end/);
  });
});

const FOREIGN = {
  $schema: "https://dataexplorer.azure.com/static/d/schema/60/dashboard.json",
  schema_version: "60",
  title: "Sales of the shop",
  dataSources: [
    { id: "d", name: "shop", kind: "manual-kusto", clusterUri: "https://x.kusto.windows.net", database: "Shop" },
  ],
  pages: [{ id: "p", name: "Main" }],
  parameters: [
    {
      id: "t",
      kind: "duration",
      displayName: "Time",
      beginVariableName: "_startTime",
      endVariableName: "_endTime",
      defaultValue: { kind: "dynamic", count: 1, unit: "hours" },
      showOnPages: { kind: "all" },
    },
  ],
  baseQueries: [],
  queries: [
    {
      id: "q",
      text: "range x from 1 to 5 step 1\n| extend y = x * 2",
      dataSource: { kind: "inline", dataSourceId: "d" },
      usedVariables: [],
    },
  ],
  tiles: [
    {
      id: "one",
      title: "Doubles",
      visualType: "line",
      pageId: "p",
      layout: { x: 0, y: 0, width: 12, height: 6 },
      queryRef: { kind: "query", queryId: "q" },
      visualOptions: { xColumn: "x", yColumns: ["y"], colorRules: [{ id: "r" }] },
    },
    {
      id: "map",
      title: "A map",
      visualType: "map",
      pageId: "p",
      layout: { x: 12, y: 0, width: 12, height: 6 },
      queryRef: { kind: "query", queryId: "q" },
      visualOptions: {},
    },
  ],
};

test("a dashboard of Azure Data Explorer is imported, with what could not be taken over", () =>
  withPage("/dashboards", {}, async (page) => {
    await page.getByRole("button", { name: "Import" }).click();
    await page.getByLabel("File").setInputFiles({
      name: "dashboard-Sales.json",
      mimeType: "application/json",
      buffer: Buffer.from(JSON.stringify(FOREIGN)),
    });
    await page.getByText("Sales of the shop").waitFor();
    assert.ok((await page.locator(".warnings li").count()) > 0, "the map is warned of");
    await picture(page, "dashboard-import");
    await page.getByRole("dialog").getByLabel("Database").selectOption("NetDefaultDB");
    await page.getByText("Sales of the shop").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Import" }).click();
    await page.getByRole("heading", { name: "Sales of the shop" }).waitFor();
    await page.locator(".tile", { hasText: "Doubles" }).and(page.locator("[data-points='5']")).waitFor();
    await picture(page, "dashboard-imported");
  }));

test("an embed link shows what it names, and nothing else", async () => {
  let link = "";
  await withPage("/dashboards/NetDefaultDB/hosts?p._hosts=alpha", {}, async (page) => {
    await shows(page, "load", 60);
    await page.getByRole("button", { name: "Share", exact: true }).click();
    await page.getByRole("checkbox", { name: "Host: alpha" }).check();
    await page.getByRole("combobox", { name: /^Colours/ }).selectOption("dark");
    await page.getByRole("button", { name: "Make embed link" }).click();
    link = await page.getByRole("textbox", { name: "Embed link" }).inputValue();
    assert.match(await page.getByRole("textbox", { name: "HTML" }).inputValue(), /^<iframe src="/);
    await picture(page, "dashboard-share");
  });
  const context = await browser.newContext({ viewport: { width: 800, height: 600 } });
  const page = await context.newPage();
  const scripts = [];
  page.on("response", async (answer) => {
    if (answer.url().endsWith(".js")) scripts.push(answer.url());
  });
  await page.goto(link);
  await shows(page, "load", 60);
  assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
  assert.equal(await page.getByRole("button", { name: "Host: alpha" }).isDisabled(), true);
  assert.equal(await page.getByRole("button", { name: /Edit|Share/ }).count(), 0);
  assert.ok(!scripts.some((name) => name.includes("editor")), "the editor is not loaded");
  await quiet(page);
  await picture(page, "embed-800");
  await page.setViewportSize({ width: 390, height: 844 });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
  await picture(page, "embed-390");
  const token = link.split("/").pop();
  const forged = token.slice(0, -4) + (token.endsWith("AAAA") ? "BBBB" : "AAAA");
  const answer = await page.goto(`${server.url}/embed/${forged}`);
  assert.equal(answer.status(), 403);
  await page.getByText(/not signed/i).waitFor();
  await picture(page, "embed-forged");
  await context.close();
});

test("a dashboard is taken away as a file, and a tile as a picture", () =>
  withPage("/dashboards/NetDefaultDB/hosts", {}, async (page) => {
    await shows(page, "load", 180);
    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: "More", exact: true }).first().click();
    await page.getByRole("menuitem", { name: "Download as YAML" }).click();
    assert.equal((await saved).suggestedFilename(), "hosts.yaml");
    await tile(page, "load").hover();
    await tile(page, "load").getByRole("button", { name: "More" }).click();
    await page.getByRole("menuitem", { name: "Embed tile…" }).click();
    await page.getByRole("button", { name: "Make embed link" }).click();
    const markup = await page.getByRole("textbox", { name: "Picture" }).inputValue();
    const source = /src="([^"]+)"/.exec(markup)[1].replaceAll("&amp;", "&");
    const answer = await fetch(source);
    assert.match(answer.headers.get("content-type"), /^image\/svg\+xml/);
    assert.match(await answer.text(), /^<svg|^<\?xml/);
  }));

test("an embed link ends when it expires, and one of a tile shows the tile alone", async () => {
  const make = async (wish) => {
    const answer = await fetch(`${server.url}/v1/dashboards/NetDefaultDB/hosts/embed`, {
      method: "POST",
      body: JSON.stringify(wish),
      headers: { "content-type": "application/json" },
    });
    return (await answer.json()).url;
  };
  const page = await browser.newPage({ viewport: { width: 600, height: 400 } });
  await page.goto(server.url + (await make({ tile: "load", expires: "1h", locked: ["_time", "_hosts", "_least"] })));
  await shows(page, "load", 180);
  assert.equal(await page.locator(".tile").count(), 1);
  assert.equal(await page.locator(".parameter").count(), 0, "what is fixed takes no room");
  await quiet(page);
  await picture(page, "embed-tile");
  const short = server.url + (await make({ expires: "1s" }));
  let status = 200;
  for (let attempt = 0; status === 200 && attempt < 200; attempt += 1) {
    status = (await page.goto(short)).status();
  }
  assert.equal(status, 403);
  await page.getByText(/expired/i).waitFor();
  await picture(page, "embed-expired");
  await page.close();
});

for (const colorScheme of ["light", "dark"]) {
  test(`one column on a telephone, ${colorScheme}`, () =>
    withPage("/dashboards/NetDefaultDB/hosts", { width: 390, height: 844, colorScheme }, async (page) => {
      await shows(page, "load", 180);
      await quiet(page);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
      const lefts = await page.locator(".tile").evaluateAll((tiles) => [
        ...new Set(tiles.map((one) => Math.round(one.getBoundingClientRect().left))),
      ]);
      assert.equal(lefts.length, 1);
      await picture(page, `dashboard-390-${colorScheme}`);
      await tile(page, "wrong").scrollIntoViewIfNeeded();
      await quiet(page);
      await picture(page, `dashboard-390-below-${colorScheme}`);
      await page.getByRole("button", { name: "Edit", exact: true }).click();
      await page.getByRole("button", { name: "Edit Load" }).click();
      await page.getByRole("dialog").locator(".chart[data-state=drawn]").waitFor();
      await picture(page, `dashboard-390-tile-${colorScheme}`);
    }));
}

test("dark colours", () =>
  withPage("/dashboards/NetDefaultDB/hosts", { colorScheme: "dark" }, async (page) => {
    await shows(page, "load", 180);
    await quiet(page);
    await picture(page, "dashboard-1280-dark");
  }));

/** Each begins where the one before ended. */
const STATES = {
  "the list": (page) => page.getByRole("link", { name: /Hosts/ }).first().waitFor(),
  "a dialog": (page) => page.getByRole("button", { name: "New dashboard" }).click(),
  "a dashboard": async (page) => {
    await page.keyboard.press("Escape");
    await page.goto(`${server.url}/dashboards/NetDefaultDB/hosts?p._hosts=alpha`);
    await shows(page, "load", 60);
    await quiet(page);
  },
  "a time range": (page) => page.getByRole("button", { name: /^Time range/ }).click(),
  "a choice": async (page) => {
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: /^Host/ }).click();
    await page.getByRole("option", { name: "beta" }).waitFor();
  },
  sharing: async (page) => {
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Share", exact: true }).click();
    await page.getByRole("button", { name: "Make embed link" }).click();
    await page.getByRole("textbox", { name: "Embed link" }).waitFor();
  },
  editing: async (page) => {
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Edit", exact: true }).click();
    await page.waitForSelector(".tile-handle");
    await quiet(page);
  },
  "a tile": async (page) => {
    await page.getByRole("button", { name: "Edit Load" }).click();
    await page.getByRole("dialog").locator(".chart[data-state=drawn]").waitFor();
  },
  "the parameters": async (page) => {
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "Parameters" }).click();
    await page.getByRole("button", { name: "Change Host" }).waitFor();
  },
  "a parameter": (page) => page.getByRole("button", { name: "Change Host" }).click(),
  "the text": async (page) => {
    await page.getByRole("dialog", { name: "Change the parameter" }).getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "Edit as text" }).click();
    await page.getByText(/Line \d+|No problems/).first().waitFor();
  },
};
for (const [width, height, colorScheme] of [
  [1280, 800, "light"],
  [390, 844, "dark"],
]) {
  test(`dashboards are accessible at ${width} pixels, ${colorScheme}`, () =>
    withPage("/dashboards", { width, height, colorScheme }, async (page) => {
      for (const [name, reach] of Object.entries(STATES)) {
        await reach(page);
        assert.deepEqual(await complaints(page), [], name);
      }
    }));
}
