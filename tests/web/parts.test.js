// The parts of the page that need no browser: the choice of columns, the blocks of a text, files cut into records.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { after, before, test } from "node:test";

const web = fileURLToPath(new URL("../../src/web", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "conshelf-parts-"));
const parts = {};

before(async () => {
  const { rolldown } = await import(pathToFileURL(join(web, "node_modules/rolldown/dist/index.mjs")).href);
  for (const [name, path] of Object.entries({
    columns: "chart/chooseColumns.ts",
    blocks: "editor/blocks.ts",
    records: "ingest/records.ts",
    infer: "ingest/infer.ts",
    plan: "server/plan.ts",
    failure: "editor/failure.ts",
  })) {
    const bundle = await rolldown({ input: join(web, "src", path), external: [] });
    await bundle.write({ file: join(folder, `${name}.mjs`), format: "esm" });
    globalThis.sessionStorage ??= { getItem: () => null };
    parts[name] = await import(pathToFileURL(join(folder, `${name}.mjs`)).href);
  }
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Columns as `name:type`, wishes, what is chosen: names of x, series, y, anomalies. */
const CHOICES = [
  ["Timestamp:datetime Level:string count_:long", { Visualization: "timechart" }, "Timestamp", "Level", "count_", ""],
  ["Level:string Timestamp:datetime count_:long", { Visualization: "timechart" }, "Timestamp", "Level", "count_", ""],
  ["State:string t:datetime count_:long", { Visualization: "linechart" }, "t", "State", "count_", ""],
  ["x:long y:real z:real", { Visualization: "linechart" }, "x", "", "y z", ""],
  ["x:long y:real z:real", { Visualization: "linechart", YColumns: ["z"] }, "x", "", "z", ""],
  ["x:long y:real z:real", { Visualization: "linechart", XColumn: "y" }, "y", "", "x z", ""],
  ["State:string count_:long", { Visualization: "columnchart" }, "State", "", "count_", ""],
  ["t:datetime State:string count_:long", { Visualization: "columnchart" }, "t", "State", "count_", ""],
  ["State:string City:string n:long m:long", { Visualization: "barchart" }, "State", "City", "n m", ""],
  ["State:string City:string n:long", { Visualization: "piechart" }, "", "State", "n", ""],
  ["a:string b:string n:long", { Visualization: "treemap" }, "", "a b", "n", ""],
  ["t:datetime a:string b:string n:long", { Visualization: "timechart", Series: ["a", "b"] }, "t", "a b", "n", ""],
  [
    "n:dynamic:number t:dynamic:datetime bad:dynamic:number",
    { Visualization: "anomalychart", AnomalyColumns: ["bad"] },
    "t",
    "",
    "n",
    "bad",
  ],
  ["State:string min_t:datetime max_t:datetime", { Visualization: "ladderchart" }, "min_t", "State", "", ""],
  ["t:datetime wait:timespan", { Visualization: "timechart" }, "t", "", "wait", ""],
];

test("charts take the columns that Kusto documents", () => {
  const nothing = { XColumn: null, Series: null, YColumns: null, AnomalyColumns: null };
  for (const [schema, wish, x, series, y, anomalies] of CHOICES) {
    const columns = schema
      .split(" ")
      .map((text) => ({ name: text.slice(0, text.indexOf(":")), type: text.slice(text.indexOf(":") + 1) }));
    const chosen = parts.columns.chooseColumns(columns, { ...nothing, ...wish });
    const names = (indexes) => indexes.map((index) => columns[index].name).join(" ");
    assert.equal(typeof chosen, "object", `${schema}: ${chosen}`);
    assert.deepEqual(
      [chosen.x === null ? "" : names([chosen.x]), names(chosen.series), names(chosen.y), names(chosen.anomalies)],
      [x, series, y, anomalies],
      `${schema} ${JSON.stringify(wish)}`,
    );
  }
  const columns = [{ name: "a", type: "string" }];
  assert.match(parts.columns.chooseColumns(columns, { ...nothing, Visualization: "timechart" }), /datetime/);
  assert.match(
    parts.columns.chooseColumns(columns, { ...nothing, Visualization: "linechart", YColumns: ["b"] }),
    /'b'/,
  );
});

test("blank lines part blocks", () => {
  const text = "a\n| b\n\n\n// c\nd  \n   \nprint ```x\n\ny```\n";
  assert.deepEqual(
    parts.blocks.blocksOf(text).map((block) => block.text),
    ["a\n| b", "// c\nd", "print ```x\n\ny```"],
  );
  for (const block of parts.blocks.blocksOf(text)) assert.equal(text.slice(block.from, block.to), block.text);
  assert.equal(parts.blocks.blockAt(text, 5).text, "a\n| b");
  assert.equal(parts.blocks.blockAt(text, 7).text, "a\n| b", "on a blank line the block before");
  assert.equal(parts.blocks.blockAt("\n\na", 0), null);
});

test("files are cut between records, wherever pieces end", () => {
  const files = [
    ["csv", 'a,b\n1,"x\ny, ""z"""\n2,z\n3,end', 4, (text) => text],
    ["json", '[{"a":"]},{"},\n{"a":{"b":[1,2]}}\n,{"a":"\\"}"}]\n', 3, (text) => text.replace(/\s+/g, "")],
    ["txt", 'one "quote\ntwo\nthree', 3, (text) => text],
  ];
  for (const [format, text, records, clean] of files) {
    const cut = (size) => {
      const cutter = new parts.records.RecordCutter(format);
      const pieces = [];
      for (let at = 0; at < text.length; at += size) pieces.push(cutter.push(text.slice(at, at + size)));
      pieces.push(cutter.finish());
      for (const piece of pieces.filter((one) => format === "json" && one.text.trim() !== "")) {
        assert.doesNotThrow(
          () =>
            piece.text
              .trim()
              .split(/\n| (?=\{)/)
              .filter((line) => line.trim())
              .map((line) => JSON.parse(line)),
          piece.text,
        );
      }
      return [clean(pieces.map((piece) => piece.text).join("")), pieces.reduce((sum, piece) => sum + piece.records, 0)];
    };
    const whole = cut(text.length);
    assert.equal(whole[1], records, format);
    for (let size = 1; size < 12; size += 1) assert.deepEqual(cut(size), whole, `${format} in pieces of ${size}`);
  }
});

test("types are inferred from the beginning of a file", () => {
  const types = (name, text) => {
    const found = parts.infer.previewOf(name, text, true);
    return [found.format, found.hasHeader, found.columns.map((column) => `${column.name}:${column.type}`).join(" ")];
  };
  assert.deepEqual(types("a.csv", "t,n,x,b,s\n2024-01-01,1,1.0,true,a b\n2024-01-02,2,3,false,\n"), [
    "csv",
    true,
    "t:datetime n:long x:real b:bool s:string",
  ]);
  assert.deepEqual(types("a.csv", "1,2\n3,4\n"), ["csv", false, "Column1:long Column2:long"]);
  assert.deepEqual(types("a.json", '{"a":1,"b":{"c":2}}\n{"a":2.5,"d":"2024-01-01T00:00:00Z"}'), [
    "json",
    false,
    "a:real b:dynamic d:datetime",
  ]);
  assert.deepEqual(types("a.log", "one line\nanother\n"), ["txt", false, "Column1:string"]);
  assert.deepEqual(types("a.csv", "zip\n00123\n"), ["csv", true, "zip:string"]);
});

test("an error of a run is found in its text", () => {
  const text = "T\n| where a matches regex '(' // '('\n| extend b = 'x', c = 'x'";
  const found = (message, line = null, column = null) => {
    const place = parts.failure.placeOf(text, { message, line, column });
    return place && text.slice(place.start, place.start + place.length);
  };
  assert.equal(found("no column 'a'", 2, 9), "a");
  assert.equal(found("no", 2, 3), "where");
  assert.equal(found("the regular expression '(' is not valid: unclosed group"), "'('");
  assert.equal(found("'x' is wrong"), null, "which of the two is meant?");
  assert.equal(found("out of memory"), null);
  assert.equal(found("beyond", 9, 1), null);
});

test("the plan's lines are read", () => {
  const step = parts.plan.readStep(
    "    Scan D.T [a, b] where x == 'rows=1'  rows=69821 time=17.665ms bytes=8891420 extents=1/1 row_groups=3/31 rows=20/200",
  );
  assert.deepEqual([step.depth, step.name, step.rows, step.milliseconds], [2, "Scan", 69821, 17.665]);
  assert.deepEqual(step.figures, [
    ["bytes", "8891420"],
    ["extents", "1/1"],
    ["row groups", "3/31"],
    ["rows", "20/200"],
  ]);
});
