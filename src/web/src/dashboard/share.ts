// The dialog that makes a link for an iframe: the whole dashboard or one tile, how long, with which values.

import { element, replaceContent } from "../base/dom";
import { copyText } from "../base/notice";
import type { Board } from "./board";
import { choiceField, labelled, openDialog, textField, tickField } from "./dialog";
import { allTiles, type Tile } from "./model";
import { makeEmbed, type EmbedWish } from "./server";
import { describeParameter, type Values } from "./values";

const EXPIRIES = [
  ["1h", "1 hour"],
  ["1d", "1 day"],
  ["7d", "7 days"],
  ["30d", "30 days"],
  ["90d", "90 days"],
  ["365d", "1 year"],
] as const;

const THEMES = [
  ["", "As the reader's system"],
  ["light", "Light"],
  ["dark", "Dark"],
] as const;

export function openShare(database: string, name: string, board: Board, tile?: Tile): void {
  const tiles = allTiles(board.dashboard).filter((one) => one.id !== "");
  const what = choiceField(
    [["", "The whole dashboard"], ...tiles.map((one) => [one.id, `Tile: ${one.title ?? one.id}`] as const)],
    tile?.id ?? "",
  );
  const expires = choiceField([...EXPIRIES, ["custom", "Until a date…"]], "30d");
  const until = element("input", { type: "date", "aria-label": "Last day", hidden: true });
  const theme = choiceField(THEMES, "");
  expires.addEventListener("change", () => {
    until.hidden = expires.value !== "custom";
    until.required = !until.hidden;
  });
  const locks = board.state.list.map((parameter) => ({
    parameter,
    tick: tickField(describeParameter(parameter, board.state.get(parameter.name)), false),
  }));
  const outcome = element("div", { class: "embed-outcome", "aria-live": "polite" });
  const link = `${window.location.origin}${window.location.pathname}${board.search(tile)}`;
  openDialog({
    title: "Share",
    action: "Make embed link",
    wide: true,
    content: [
      element(
        "div",
        { class: "copy-line" },
        labelled("Link for people who may use this server", textField(link, { readonly: true })),
        copyButton(() => link, "Link"),
      ),
      element("h3", {}, "Embed"),
      element(
        "p",
        { class: "hint" },
        "Whoever has an embed link sees the data without signing in, until it expires. It cannot change anything.",
      ),
      labelled("What", what),
      element("div", { class: "field-row" }, labelled("Valid for", expires), until, labelled("Colours", theme)),
      locks.length === 0
        ? null
        : element(
            "fieldset",
            {},
            element("legend", {}, "Fixed: readers cannot change these values"),
            ...locks.map(({ tick }) => tick.label),
          ),
      outcome,
    ],
    run: async () => {
      const values: Values = {};
      for (const { parameter } of locks) values[parameter.name] = board.state.get(parameter.name);
      const wish: EmbedWish = {
        expires: expires.value === "custom" ? `${until.value}T23:59:59Z` : expires.value,
        parameters: values,
        locked: locks.filter(({ tick }) => tick.input.checked).map(({ parameter }) => parameter.name),
      };
      if (what.value !== "") wish.tile = what.value;
      if (theme.value !== "") wish.theme = theme.value;
      const made = await makeEmbed(database, name, wish);
      const address = new URL(made.url, window.location.origin).href;
      const title =
        what.value === "" ? board.dashboard.title : (tiles.find((one) => one.id === what.value)?.title ?? what.value);
      const frame = `<iframe src="${address}" title="${escapeAttribute(title)}" width="100%" height="${what.value === "" ? 720 : 360}" loading="lazy" referrerpolicy="no-referrer"></iframe>`;
      replaceContent(
        outcome,
        element("p", {}, `Valid until ${new Date(made.expires).toISOString().slice(0, 16).replace("T", " ")} UTC.`),
        copyLine("Embed link", address),
        copyLine("HTML", frame),
        what.value === "" ? null : copyLine("Picture, for pages without frames", pictureOf(address, what.value, title)),
        element("a", { href: address, target: "_blank", rel: "noopener" }, "Look at it"),
      );
      outcome.scrollIntoView({ block: "nearest" });
      return false;
    },
  });
}

function pictureOf(address: string, tile: string, title: string): string {
  const source = `${address}/tiles/${encodeURIComponent(tile)}/chart?format=svg&width=800&height=400`;
  return `<img src="${escapeAttribute(source)}" alt="${escapeAttribute(title)}" width="800" height="400">`;
}

function copyLine(label: string, text: string): HTMLElement {
  return element(
    "div",
    { class: "copy-line" },
    labelled(label, textField(text, { readonly: true })),
    copyButton(() => text, label),
  );
}

function copyButton(text: () => string, what: string): HTMLElement {
  return element(
    "button",
    { class: "button", type: "button", "aria-label": `Copy ${what}`, onClick: () => void copyText(text(), what) },
    "Copy",
  );
}

function escapeAttribute(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;");
}
