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
    blocks: "editor/blocks.ts",
    records: "ingest/records.ts",
    delimited: "ingest/delimited.ts",
    values: "ingest/values.ts",
    infer: "ingest/infer.ts",
    upload: "ingest/upload.ts",
    first: "ingest/firstQuery.ts",
    plan: "server/plan.ts",
    pivot: "chart/pivot.ts",
    plotly: "chart/plotly.ts",
    map: "chart/map.ts",
    coast: "chart/coast.ts",
    failure: "editor/failure.ts",
    layout: "dashboard/layout.ts",
    parameters: "dashboard/values.ts",
    literal: "dashboard/literal.ts",
    file: "dashboard/edit/file.ts",
    refresh: "dashboard/refresh.ts",
  })) {
    const bundle = await rolldown({ input: join(web, "src", path), external: [] });
    await bundle.write({ file: join(folder, `${name}.mjs`), format: "esm" });
    globalThis.sessionStorage ??= { getItem: () => null };
    globalThis.localStorage ??= { getItem: () => null };
    globalThis.window ??= { matchMedia: () => ({ matches: false, addEventListener() {} }) };
    globalThis.document ??= { documentElement: { dataset: {} }, addEventListener() {} };
    parts[name] = await import(pathToFileURL(join(folder, `${name}.mjs`)).href);
  }
});
after(() => rmSync(folder, { recursive: true, force: true }));

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

test("JSON is cut between objects, wherever pieces end", () => {
  const array = '[{"a":"]},{"},\n{"a":{"b":[1,2]}}\n,{"a":"\\"}"}]\n';
  const lines = '{"a":1}\n{broken\n\n{"a":2}\n{"a":3}';
  for (const [form, text, objects] of [
    ["json", array, 3],
    ["ndjson", lines, 4],
    ["json", '{"a":1}{"a":2} {"a":', 3],
  ]) {
    const cut = (size) => {
      const cutter = new parts.records.RecordCutter(form);
      const pieces = [];
      for (let at = 0; at < text.length; at += size) pieces.push(cutter.push(text.slice(at, at + size)));
      pieces.push(cutter.finish());
      let line = 1;
      const found = [];
      for (const piece of pieces) {
        assert.equal(piece.line, line);
        line += piece.text.split("\n").length - 1;
        for (const [from, to] of piece.objects) {
          found.push([piece.text.slice(from, to), piece.line + piece.text.slice(0, from).split("\n").length - 1]);
        }
      }
      return found;
    };
    const whole = cut(text.length);
    assert.equal(whole.length, objects);
    if (text === array)
      assert.deepEqual(
        whole.map(([one]) => JSON.parse(one).a.b ?? "text"),
        ["text", [1, 2], "text"],
      );
    if (text === lines)
      assert.deepEqual(
        whole.map(([, line]) => line),
        [1, 2, 4, 5],
      );
    for (let size = 1; size < 12; size += 1) assert.deepEqual(cut(size), whole, `${form} in pieces of ${size}`);
  }
});

test("delimited records are read, wherever pieces end, and a lost quote spoils one line", () => {
  const text = 'a;b\r\n1;"x\ny; ""z"""\n\n2;5" pipe\n"never closed;3\n4;end';
  const read = (size) => {
    const reader = new parts.delimited.DelimitedReader(";");
    const records = [];
    for (let at = 0; at < text.length; at += size) records.push(...reader.push(text.slice(at, at + size)));
    records.push(...reader.finish());
    return records.map(({ fields, line, problem }) => [line, problem ?? fields]);
  };
  const expected = [
    [1, ["a", "b"]],
    [2, ["1", 'x\ny; "z"']],
    [5, ["2", '5" pipe']],
    [6, "a quoted value is not closed"],
    [7, ["4", "end"]],
  ];
  for (const size of [text.length, 1, 2, 3, 5, 7, 11]) assert.deepEqual(read(size), expected, `pieces of ${size}`);
  assert.deepEqual(
    [
      "a,b\n1,2\n3,4",
      "a;b,c\n1;2\n3;4,5\n",
      "a\tb\n1,5\t2\n",
      "x|y|z\n1|2|3\n",
      "only words\nof a text, here\nand more",
    ].map(parts.delimited.likelySeparator),
    [",", ";", "\t", "|", ""],
  );
});

/** Texts of a column, the type found, and the first of them as it is sent. */
const TYPED = [
  [["1", "-2", ""], "long", "1"],
  [["1", "2.5"], "real", "1"],
  [["12,50", "1.234,00"], "real, decimal comma", "12.50"],
  [["1,234", "999"], "long, commas at thousands", "1234"],
  [["1,234.5", "12,345,678"], "real, commas at thousands", "1234.5"],
  [["1,5", "1,234"], "real, decimal comma", "1.5"],
  [["true", "FALSE"], "bool", "true"],
  [["2024-01-31 10:00", "2024-02-01"], "datetime", "2024-01-31T10:00:00Z"],
  [["2024-01-31T10:00:00.1234567+02:00"], "datetime", "2024-01-31T10:00:00.1234567+02:00"],
  [["31.01.2024", "01.02.2024 9:05"], "datetime, day first", "2024-01-31"],
  [["31/01/2024 10:00:01", "01/02/2024 00:00"], "datetime, day first", "2024-01-31T10:00:01Z"],
  [["01/31/2024 3:04 PM", "02/01/2024 12:00 AM"], "datetime, month first", "2024-01-31T15:04:00Z"],
  [["01/02/2024", "03/04/2024"], "datetime, month first", "2024-01-02"],
  [["Jan 5, 2024", "12 Feb 2024 10:00"], "datetime", "2024-01-05"],
  [["Wed, 31 Jan 2024 10:00:00 GMT"], "datetime", "2024-01-31T10:00:00Z"],
  [["31.02.2024"], "string", "31.02.2024"],
  [["00123", "17"], "string", "00123"],
  [["01:02:03", "1.00:00:00"], "timespan", "01:02:03"],
  [["12345678901234567890"], "real", "12345678901234567890"],
  [["6e7dd2f7-6a94-4c58-a5e5-6b4b0c9f0f11"], "guid", "6e7dd2f7-6a94-4c58-a5e5-6b4b0c9f0f11"],
  [['{"a":1}', "[2]"], "dynamic", '{"a":1}'],
  [["a", "1"], "string", "a"],
  [["", ""], "string", ""],
];

test("columns of a file get the narrowest type that all their texts have", () => {
  for (const [texts, label, first] of TYPED) {
    const kind = parts.values.kindOfTexts(texts);
    assert.equal(parts.values.labelOf(kind), label, texts.join(" / "));
    assert.equal(parts.values.convert(texts[0], kind), first);
    assert.deepEqual(parts.values.kindOf(label), kind);
  }
  const refused = [
    ["x7", "real"],
    ["1.5", "long"],
    ["3000000000", "int"],
    ["9223372036854775808", "long"],
    ["2024-13-01", "datetime"],
    ["25:00", "datetime, day first"],
    ["maybe", "bool"],
  ];
  for (const [text, label] of refused)
    assert.equal(parts.values.convert(text, parts.values.kindOf(label)), null, `${text} as ${label}`);
  assert.equal(parts.values.labelOf(parts.values.kindOfTexts(["1,234"], true)), "real, decimal comma");
  assert.equal(
    parts.values.convert("1706695200", parts.values.kindOf("datetime, Unix seconds")),
    "2024-01-31T10:00:00.000Z",
  );
});

/** What the server keeps of JSON in strict columns, as it answered. */
const KEPT = {
  bool: [
    [true, -3, "False", "1"],
    ["yes", "x", [1]],
  ],
  long: [
    [1, true, " 7 ", "-2"],
    [1.5, 1e30, "1.5", "9223372036854775808", [1]],
  ],
  int: [[1, false], [3000000000]],
  real: [
    [1, "1e3", "nan"],
    ["x", { a: 1 }],
  ],
  datetime: [
    ["2024-1-5 9:30", "01/31/2024", "31 Jan 2024"],
    ["31.01.2024", "31/01/2024", "Jan 5, 2024", 5],
  ],
  timespan: [
    ["01:02:03", "5m", "10"],
    [1, "x"],
  ],
  dynamic: [[1, "x", [1]], []],
};

test("values of JSON that the server does not keep are known", () => {
  for (const [type, [keeps, drops]] of Object.entries(KEPT)) {
    for (const value of keeps) assert.ok(parts.values.isKept(value, { type, form: "" }), `${type} ${value}`);
    for (const value of drops) assert.ok(!parts.values.isKept(value, { type, form: "" }), `${type} ${value}`);
  }
});

test("format, separator, names and types are inferred from the beginning of a file", () => {
  const types = (name, text, wishes) => {
    const found = parts.infer.previewOf(name, text, true, wishes);
    const columns = found.columns.map((column) => `${column.name}:${parts.values.labelOf(column.kind)}`);
    return [found.format, found.separator, found.hasHeader, columns.join(" | ")];
  };
  assert.deepEqual(types("a.csv", "t,n,x,b,s\n2024-01-01,1,1.0,true,a b\n2024-01-02,2,3,false,\n"), [
    "delimited",
    ",",
    true,
    "t:datetime | n:long | x:real | b:bool | s:string",
  ]);
  assert.deepEqual(types("orders.csv", "Order Date;Amount (EUR);Paid\n31.01.2024;12,50;true\n1.2.2024;8,00;false\n"), [
    "delimited",
    ";",
    true,
    "Order Date:datetime, day first | Amount (EUR):real, decimal comma | Paid:bool",
  ]);
  assert.deepEqual(types("a.csv", "1,2\n3,4\n"), ["delimited", ",", false, "Column1:long | Column2:long"]);
  assert.deepEqual(types("a.csv", "1,2\n3,4\n", { separator: ",", hasHeader: true }), [
    "delimited",
    ",",
    true,
    "1:long | 2:long",
  ]);
  assert.deepEqual(types("a.csv", "a,a,b\n1,2,3\n"), ["delimited", ",", true, "a:long | a_2:long | b:long"]);
  assert.deepEqual(types("a.json", '{"a":1,"b":{"c":2}}\n{"a":2.5,"d":"2024-01-01T00:00:00Z"}'), [
    "ndjson",
    "",
    false,
    "a:real | b:dynamic | d:datetime",
  ]);
  assert.deepEqual(types("a.json", '[\n{"ts":1706695200000,"v":"x"},\n{"ts":1706695201000,"v":null}]'), [
    "json",
    "",
    false,
    "ts:datetime, Unix milliseconds | v:string",
  ]);
  assert.deepEqual(types("a.log", "one line, or\nanother, too\n"), ["delimited", "", false, "Column1:string"]);
  assert.deepEqual(types("a.csv", "zip\n00123\n"), ["delimited", "", true, "zip:string"]);
});

test("a table that is there brings its names and types", () => {
  const known = [
    { name: "When", type: "datetime" },
    { name: "n", type: "real" },
  ];
  const aligned = (text) => {
    const { columns } = parts.infer.previewOf("a.csv", text, true);
    parts.infer.alignColumns(columns, known);
    return columns.map((column) => `${column.name}:${parts.values.labelOf(column.kind)}`);
  };
  assert.deepEqual(aligned("n,when,other\n1,31.01.2024,x\n"), ["n:real", "When:datetime, day first", "other:string"]);
  assert.deepEqual(aligned("2024-01-31,1\n2024-02-01,2\n"), ["When:datetime", "n:real"]);
});

test("records are written as the server takes them, and what is wrong is told by line and field", () => {
  const text = 'when;amount;note\n31.01.2024;12,50;"a;\nb"\nbroken\n01.02.2024;x7;c\n';
  const { columns, separator, hasHeader } = parts.infer.previewOf("a.csv", text.replace("x7", "1,0"), true);
  const state = { skipped: 0, nulled: 0 };
  const errors = [];
  const maker = parts.upload.delimitedMaker({ columns, separator, hasHeader }, state, (error) => errors.push(error));
  const bodies = [...maker.take(text.slice(0, 40), false), ...maker.take(text.slice(40), true)];
  assert.equal(
    bodies
      .map((body) => body.text)
      .filter(Boolean)
      .join("\n"),
    '2024-01-31,12.50,"a;\nb"\n2024-02-01,,c',
  );
  assert.deepEqual(errors.map(parts.upload.sentence), [
    "Line 4: the record has 1 value where 3 are expected",
    "Line 5, amount: 'x7' is no real, decimal comma",
  ]);
  assert.deepEqual(state, { skipped: 1, nulled: 1 });
  columns[1].included = false;
  const other = parts.upload.delimitedMaker({ columns, separator, hasHeader }, state, () => {});
  assert.equal(other.take(text, true)[0].text, '2024-01-31,"a;\nb"\n2024-02-01,c');
});

test("a new table gets a first query with a chart", () => {
  const query = (text, span) => {
    const { columns, rows } = parts.infer.previewOf("a.csv", text, true);
    return parts.first.queryOf("T 1", parts.first.ideaOf(columns, rows), span);
  };
  assert.equal(
    query(
      "id,when,city,degrees\n1,2024-01-01,Oslo,3.5\n2,2024-01-02,Rome,9\n3,2024-01-03,Oslo,1\n4,2024-01-04,Rome,2",
      3 * 864e5,
    ),
    "['T 1']\n| summarize avg(degrees) by bin(when, 1h), city\n| render timechart",
  );
  assert.match(query("city,n\nOslo,3\nRome,4\n", 0), /summarize Value = avg\(n\) by city\n.*\n\| render columnchart/);
  assert.match(query("a,b\n1,2\n", 0), /take 100/);
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
  const invalid = { message: "the regular expression '(' is not valid", line: null, column: null };
  assert.deepEqual(parts.failure.lineOf(text, invalid), { line: 2, column: 25 });
  assert.equal(found("beyond", 9, 1), null);
});

const sales = {
  name: "",
  visualization: null,
  columns: [
    { name: "Level", type: "string" },
    { name: "Service", type: "string" },
    { name: "n", type: "long" },
  ],
  rows: [
    ["a", "x", 1],
    ["b", "x", 2],
    ["a", "y", 3],
    ["a", "x", 5],
    ["b", "y", null],
  ],
};

test("a pivot puts values to lines and columns", () => {
  const wish = parts.pivot.likelyWish(sales);
  assert.deepEqual(wish, { rows: 0, columns: 1, values: 2, measure: "sum" });
  const pivot = (change) => {
    const { rows, columns, cells, rowTotals, columnTotals, total } = parts.pivot.pivotOf(sales, { ...wish, ...change });
    return { rows, columns, cells, rowTotals, columnTotals, total };
  };
  assert.deepEqual(pivot({}), {
    rows: ["a", "b"],
    columns: ["x", "y"],
    cells: [
      [6, 3],
      [2, null],
    ],
    rowTotals: [9, 2],
    columnTotals: [8, 3],
    total: 11,
  });
  assert.deepEqual(pivot({ measure: "avg" }).cells[0], [3, 3]);
  assert.deepEqual(pivot({ measure: "max", columns: null }).cells, [[5], [2]]);
  assert.deepEqual(pivot({ measure: "count", values: null }).rowTotals, [3, 2]);
});

test("the land has closed outlines within the world", () => {
  const rings = parts.coast.coastRings();
  assert.ok(rings.length > 100);
  for (const ring of rings) {
    assert.deepEqual(ring[0], ring.at(-1));
    assert.ok(ring.every(([x, y]) => Math.abs(x) <= 180 && Math.abs(y) <= 90));
  }
});

test("places of a map are read from numbers and from GeoJSON points", () => {
  const columns = (types) => types.split(" ").map((type, index) => ({ name: `c${index}`, type }));
  const places = (types, rows, chosen) =>
    parts.map.placesOf({ columns: columns(types), rows }, { x: 0, xEnd: 1, y: [], series: [], ...chosen });
  const rows = [
    [2.35, 48.85, "Paris", 3],
    [200, 0, "nowhere", 1],
    [null, 1, "", 1],
  ];
  assert.deepEqual(places("real real string long", rows, { series: [2], y: [3] }), [
    { longitude: 2.35, latitude: 48.85, group: "Paris", size: 3 },
  ]);
  const point = { type: "Point", coordinates: [-74, 40.7] };
  assert.deepEqual(places("dynamic:point", [[point]], { xEnd: null }), [
    { longitude: -74, latitude: 40.7, group: "", size: null },
  ]);
});

test("a Plotly figure is drawn as far as it can be, and says what is not", () => {
  const chart = (value) => parts.plotly.plotlyChart({ columns: [{ name: "plotly", type: "string" }], rows: [[value]] });
  const trace = (more) =>
    JSON.stringify({ data: [{ x: [1, 2], y: [3, 4], ...more }], layout: { title: { text: "T" } } });
  assert.match(chart("no figure"), /Plotly figure/);
  assert.match(chart('{"data":[]}'), /no traces/);
  assert.match(chart(trace({ type: "surface" })), /Not drawn here: surface/);
  assert.equal(chart(trace({})).points, 2);
  assert.match(chart(trace({})).summary, /^T with 1 trace, 2 points$/);
  const packed = { dtype: "f8", bdata: Buffer.from(new Float64Array([1, 2, 3]).buffer).toString("base64") };
  assert.equal(chart(JSON.stringify({ data: [{ y: packed }], layout: {} })).points, 3);
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

test("a tile that moves pushes others down, and none lies over another", () => {
  let seed = 7;
  const random = (below) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return Math.floor((seed / 2147483648) * below);
  };
  for (let round = 0; round < 200; round += 1) {
    const tiles = [];
    for (let index = 0; index < 2 + random(8); index += 1) {
      const [width, height] = [2 + random(12), 1 + random(6)];
      tiles.push({ id: `t${index}`, ...parts.layout.freePlace(tiles, width, height) });
    }
    const wish = { x: random(30) - 3, y: random(12) - 2, width: random(30), height: random(9) };
    const places = parts.layout.placed(tiles, "t0", wish);
    assert.deepEqual(places.get("t0"), parts.layout.clamp(wish), "the moved one is where it was put");
    const list = [...places.values()];
    assert.equal(list.length, tiles.length);
    list.forEach((one, index) => {
      assert.ok(one.x >= 0 && one.y >= 0 && one.x + one.width <= 24);
      for (const other of list.slice(index + 1)) assert.ok(!parts.layout.overlap(one, other), JSON.stringify(places));
    });
  }
});

const CHOICE = { name: "h", kind: "choice", type: "string", all: true };
/** A parameter, a value, how the address carries it. */
const CARRIED = [
  [{ name: "t", kind: "time-range", start: "a", end: "b" }, { last: "1h" }, ["1h"]],
  [
    { name: "t", kind: "time-range", start: "a", end: "b" },
    { from: "2024-05-01T00:00:00.000Z", to: "2024-05-02T00:00:00.000Z" },
    ["2024-05-01T00:00:00.000Z..2024-05-02T00:00:00.000Z"],
  ],
  [{ name: "t", kind: "time-range", start: "a", end: "b" }, { from: "2024-05-01" }, ["2024-05-01.."]],
  [{ ...CHOICE, multiple: true }, ["a", "b c", ""], ["a", "b c", '""']],
  [{ ...CHOICE, multiple: true }, ['"quoted"'], ['"\\"quoted\\""']],
  [{ ...CHOICE, multiple: true }, null, [""]],
  [{ ...CHOICE, multiple: true, type: "long" }, [1, -2], ["1", "-2"]],
  [{ ...CHOICE, type: "bool" }, false, ["false"]],
  [CHOICE, null, [""]],
  [{ name: "x", kind: "text", type: "string" }, "", [""]],
  [{ name: "x", kind: "text", type: "string" }, "a b", ["a b"]],
  [{ name: "x", kind: "text", type: "real" }, 1.5, ["1.5"]],
  [{ name: "x", kind: "text", type: "real" }, null, [""]],
];
test("the address carries values and gives them back", () => {
  for (const [parameter, value, entries] of CARRIED) {
    assert.deepEqual(parts.parameters.toEntries(parameter, value), entries);
    assert.deepEqual(parts.parameters.fromEntries(parameter, entries), value, JSON.stringify(entries));
  }
  for (const [parameter, text] of [
    [{ name: "t", kind: "time-range" }, "soon'); drop"],
    [{ name: "t", kind: "time-range" }, "a..b"],
    [{ name: "x", kind: "text", type: "long" }, "1.5"],
    [{ ...CHOICE, type: "long" }, "x"],
  ]) {
    assert.equal(parts.parameters.fromEntries(parameter, [text]), undefined, text);
  }
});

test("a query that runs by itself declares what it uses, and values stay values", () => {
  const dashboard = {
    parameters: [
      { name: "t", kind: "time-range", start: "_from", end: "_to" },
      { name: "_hosts", kind: "choice", type: "string", multiple: true },
      { name: "_one", kind: "choice", type: "string" },
      { name: "_n", kind: "text", type: "long" },
      { name: "_unused", kind: "text", type: "string" },
    ],
    base_queries: [
      { name: "second", query: "first | where host in (_hosts)" },
      { name: "first", query: "T | where t between (_from .. _to)\n\n| where n > _n;" },
    ],
    pages: [],
  };
  const values = {
    t: { last: "1h" },
    _hosts: ["a'b", 'c"d'],
    _one: "x'; .drop table T",
    _n: "1) | take 1",
    _unused: "u",
  };
  assert.equal(
    parts.literal.standaloneQuery(dashboard, "second\n\n| where host == _one", values),
    `let _to = now();
let _from = _to - 1h;
let _hosts = dynamic(["a'b","c\\"d"]);
let _one = 'x\\'; .drop table T';
let _n = long(1 take 1);
let first = T | where t between (_from .. _to)
| where n > _n;
let second = first | where host in (_hosts);
second
| where host == _one`.replace("long(1 take 1)", "long(1  take 1)"),
  );
});

test("an edit changes its place in the file and nothing else", () => {
  const text = `# head
title: A # a name
pages:
  - title: One
    tiles:
      # the first
      - {id: a, x: 0, y: 0, width: 4, height: 2, query: "T | count"}
      - id: b
        x: 4
        y: 0
        width: 4
        height: 2
        query: |
          T
          | take 1
`;
  const tile = (id, x, query) => ({ id, x, y: 0, width: 4, height: 2, query });
  const base = {
    title: "A",
    pages: [{ title: "One", tiles: [tile("a", 0, "T | count"), tile("b", 4, "T\n| take 1\n")] }],
  };
  assert.equal(parts.file.textWith(text, "yaml", structuredClone(base), base), text);
  const moved = structuredClone(base);
  moved.pages[0].tiles[0].x = 8;
  assert.equal(parts.file.textWith(text, "yaml", moved, base), text.replace("x: 0, y", "x: 8, y"));
  const fewer = structuredClone(base);
  fewer.pages[0].tiles.splice(1, 1);
  fewer.title = "B";
  const written = parts.file.textWith(text, "yaml", fewer, base);
  assert.equal(written, text.slice(0, text.indexOf("      - id: b")).replace("title: A", "title: B"));
  const more = structuredClone(base);
  more.pages[0].tiles.push(tile("c", 12, "T\n| take 2"));
  assert.match(parts.file.textWith(text, "yaml", more, base), /- id: c\n[^]*query: \|-\n\s+T\n\s+\| take 2\n/);
});

test("intervals are timespans", () => {
  for (const [text, milliseconds] of [
    ["30s", 30_000],
    ["1.5m", 90_000],
    ["00:05:00", 300_000],
    ["100ms", 1000],
    ["off", 0],
    ["", 0],
    [undefined, 0],
    ["-5s", 0],
  ]) {
    assert.equal(parts.refresh.intervalMilliseconds(text), milliseconds, text);
  }
});
