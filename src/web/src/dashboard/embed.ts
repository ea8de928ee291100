// Where the page of an embedded dashboard or tile begins: read-only, no editor, no way to the rest of the server.

import "../style/page.css";
import "../style/result.css";
import "./dashboard.css";
import { element, replaceContent } from "../base/dom";
import { mountNotices } from "../base/notice";
import { theme } from "../base/theme";
import { ServerError } from "../server/client";
import { Board } from "./board";
import { allTiles, type Dashboard, type Page } from "./model";
import { embedSource, readEmbedded, type Stored } from "./server";
import type { Values } from "./values";

const page = document.getElementById("page");
const token = decodeURIComponent(window.location.pathname.split("/")[2] ?? "");

async function start(): Promise<void> {
  try {
    show(await readEmbedded(token));
  } catch (failure) {
    refuse(failure);
  }
}

function show(stored: Stored): void {
  if (!stored.dashboard) throw new Error("The dashboard has errors.");
  const wish = stored.theme ?? new URLSearchParams(window.location.search).get("theme");
  if (wish === "dark" || wish === "light") theme.value = wish;
  const dashboard = withValues(stored.dashboard, stored.values ?? stored.parameters ?? {});
  document.title = dashboard.title;
  const tiles = allTiles(dashboard);
  const single = tiles.length === 1 && (stored.tile ?? null) !== null;
  const board = new Board({
    source: embedSource(token),
    locked: stored.locked ?? [],
    hideLocked: single,
    menu: () => [],
    readSearch: () => window.location.search,
    writeSearch: (search) => {
      try {
        window.history.replaceState(null, "", window.location.pathname + search);
      } catch {
        // A frame without an origin of its own keeps its address.
      }
    },
  });
  board.element.classList.toggle("single", single);
  if (page) {
    replaceContent(
      page,
      element(
        "main",
        { class: `embedded${single ? " single" : ""}` },
        single
          ? element("h1", { class: "visually-hidden" }, dashboard.title)
          : element(
              "header",
              { class: "dashboard-head" },
              element("h1", { class: "clip", title: dashboard.title }, dashboard.title),
            ),
        board.element,
      ),
    );
  }
  board.open(dashboard);
}

/** The values that the token fixes become the defaults. */
function withValues(dashboard: Dashboard, values: Values): Dashboard {
  const parameters = (dashboard.parameters ?? []).map((parameter) =>
    parameter.name in values
      ? ({ ...parameter, default: values[parameter.name] ?? undefined } as typeof parameter)
      : parameter,
  );
  const pages: Page[] = dashboard.pages ?? [];
  return { ...dashboard, parameters, pages };
}

function refuse(failure: unknown): void {
  const status = failure instanceof ServerError ? failure.status : 0;
  const reason = failure instanceof Error ? failure.message : String(failure);
  if (!page) return;
  replaceContent(
    page,
    element(
      "main",
      { class: "embed-refused", role: "alert" },
      element("h1", {}, status === 403 || status === 401 ? "This link is not valid" : "This cannot be shown now"),
      element("p", {}, reason),
    ),
  );
}

mountNotices();
void start();
