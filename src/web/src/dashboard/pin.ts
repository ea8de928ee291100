// "Pin to dashboard" of the query page: the query becomes a tile of a dashboard that is there, or of a new one.

import "./dashboard.css";
import { element, replaceContent } from "../base/dom";
import { notify } from "../base/notice";
import { databaseField, emptyDashboard, nameFrom } from "./create";
import { choiceField, labelled, openDialog, textField } from "./dialog";
import { textWith } from "./edit/file";
import { freePlace } from "./layout";
import { allTiles, type Dashboard } from "./model";
import { addressOf, listDashboards, readDashboard, writeDashboard, type Listed } from "./server";

const WIDTH = 12;
const HEIGHT = 6;

export function openPin(database: string, query: string): void {
  const title = textField(titleOf(query), { required: true, maxlength: 200 });
  const target = choiceField([["", "A new dashboard"]], "");
  const page = choiceField([], "");
  const pageLine = labelled("Page", page);
  const newTitle = textField("", { maxlength: 200, placeholder: "My dashboard" });
  const where = databaseField(database);
  const fresh = element(
    "div",
    { class: "field-row" },
    labelled("Its title", newTitle),
    labelled("Its database", where),
  );
  let listed: Listed[] = [];
  const chosen = (): Listed | undefined => listed[Number(target.value)];
  const paint = async (): Promise<void> => {
    const one = target.value === "" ? undefined : chosen();
    fresh.hidden = one !== undefined;
    newTitle.required = one === undefined;
    pageLine.hidden = true;
    if (!one) return;
    const { dashboard } = await readDashboard(one.database, one.name);
    if (one !== chosen()) return;
    const pages = dashboard?.pages ?? [];
    replaceContent(
      page,
      ...pages.map((each, index) => element("option", { value: index }, each.title ?? `Page ${index + 1}`)),
    );
    pageLine.hidden = pages.length < 2;
  };
  target.addEventListener("change", () => void paint());
  void paint();
  listDashboards().then(
    (found) => {
      listed = found.filter((one) => one.writable);
      target.append(
        ...listed.map((one, index) =>
          element("option", { value: index }, `${one.title || one.name} (${one.database})`),
        ),
      );
    },
    () => undefined,
  );
  openDialog({
    title: "Pin to a dashboard",
    action: "Pin",
    content: [labelled("Title of the tile", title), labelled("Dashboard", target), pageLine, fresh],
    run: async () => {
      const one = target.value === "" ? undefined : chosen();
      const place = one ?? { database: where.value, name: nameFrom(newTitle.value) };
      if (!one) {
        if (place.name === "") throw new Error("Give the dashboard a title.");
        await writeDashboard(
          place.database,
          place.name,
          emptyDashboard(newTitle.value.trim(), place.database),
          "yaml",
          { none: true },
        );
      }
      const stored = await readDashboard(place.database, place.name);
      if (!stored.dashboard) throw new Error("The file of that dashboard has errors.");
      const dashboard = structuredClone(stored.dashboard);
      addTile(dashboard, one ? Number(page.value || 0) : 0, title.value.trim(), query, database, place.database);
      await writeDashboard(
        place.database,
        place.name,
        textWith(stored.text, stored.format, dashboard, stored.dashboard),
        stored.format,
        {
          match: stored.etag,
        },
      );
      notify(`Pinned to “${dashboard.title}”`);
      offer(addressOf(place.database, place.name));
    },
  });
  title.select();
}

function addTile(
  dashboard: Dashboard,
  page: number,
  title: string,
  query: string,
  database: string,
  home: string,
): void {
  const target = dashboard.pages[page] ?? dashboard.pages[0];
  if (!target) throw new Error("The dashboard has no page.");
  target.tiles ??= [];
  target.tiles.push({
    id: freeId(dashboard, title),
    title,
    ...freePlace(target.tiles, WIDTH, HEIGHT),
    ...(database === (dashboard.database ?? home) ? {} : { database }),
    query,
  });
}

/** An id out of a title that no tile has. */
export function freeId(dashboard: Dashboard, title: string): string {
  const used = new Set(allTiles(dashboard).map((tile) => tile.id));
  const base = nameFrom(title) || "tile";
  for (let number = 1; ; number += 1) {
    const id = number === 1 ? base : `${base}-${number}`;
    if (!used.has(id)) return id;
  }
}

/** A link to it stays for a while. */
function offer(address: string): void {
  const note = element("div", { class: "notice" }, element("a", { href: address }, "Open the dashboard"));
  document.querySelector(".notices")?.append(note);
  window.setTimeout(() => note.remove(), 8000);
}

/** The title that the query gives its chart, else its first line. */
function titleOf(query: string): string {
  const given = /\btitle\s*=\s*(?:"([^"]*)"|'([^']*)')/.exec(query);
  const line = query.split("\n").find((one) => one.trim() !== "" && !one.trim().startsWith("//"));
  return (given?.[1] ?? given?.[2] ?? line ?? "Query").trim().slice(0, 80);
}
