// Moving and resizing tiles: with the mouse by head and corner, with the keyboard by the handle of each tile.

import { element } from "../../base/dom";
import { icon } from "../../base/icons";
import type { Board } from "../board";
import { placed, type Place } from "../layout";
import { COLUMNS, type Tile } from "../model";
import type { TileView } from "../tile";

export interface HandleActions {
  /** The tile has a new place, and others with it. */
  place(places: Map<string, Place>): void;
  edit(tile: Tile): void;
  remove(tile: Tile): void;
  duplicate(tile: Tile): void;
  say(text: string): void;
}

const STEPS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export function addHandles(board: Board, view: TileView, actions: HandleActions): void {
  const { tile } = view;
  const head = view.element.querySelector<HTMLElement>(".tile-head");
  if (!head || view.element.querySelector(".tile-handle")) return;
  const name = tile.title ?? tile.id;
  const handle = element(
    "button",
    {
      class: "icon-button tile-handle",
      type: "button",
      "aria-label": `Place of ${name}`,
      "aria-description": "Arrows move, Shift and arrows resize, Enter edits, Control D duplicates, Delete deletes",
      title: "Drag to move. Arrows move, Shift+arrows resize, Enter edits, Ctrl+D duplicates, Delete deletes.",
    },
    icon("move"),
  );
  handle.addEventListener("keydown", (event) => onKey(event, board, view, actions));
  head.prepend(handle);
  const edit = element(
    "button",
    {
      class: "icon-button tile-button tile-edit",
      type: "button",
      "aria-label": `Edit ${name}`,
      title: "Edit",
      onClick: () => actions.edit(tile),
    },
    icon("edit"),
  );
  head.querySelector(".tile-button")?.before(edit);
  const corner = element("div", { class: "tile-corner", "aria-hidden": "true", title: "Drag to resize" });
  view.element.append(corner);
  head.addEventListener("pointerdown", (event) => {
    const onButton = event.target instanceof Element && event.target.closest("button:not(.tile-handle)");
    if (!onButton) drag(event, board, view, actions, (from, x, y) => ({ ...from, x: from.x + x, y: from.y + y }));
  });
  head.addEventListener("dblclick", () => actions.edit(tile));
  corner.addEventListener("pointerdown", (event) =>
    drag(event, board, view, actions, (from, x, y) => ({
      ...from,
      width: Math.min(COLUMNS - from.x, from.width + x),
      height: from.height + y,
    })),
  );
}

function placeOf(tile: Tile): Place {
  return { x: tile.x, y: tile.y, width: tile.width, height: tile.height };
}

function onKey(event: KeyboardEvent, board: Board, view: TileView, actions: HandleActions): void {
  const { tile } = view;
  const step = STEPS[event.key];
  if (step && !event.ctrlKey && !event.altKey && !event.metaKey) {
    event.preventDefault();
    const from = placeOf(tile);
    const [x, y] = step;
    const wish = event.shiftKey
      ? { ...from, width: Math.min(COLUMNS - from.x, from.width + x), height: from.height + y }
      : { ...from, x: from.x + x, y: from.y + y };
    const places = placed(board.page?.tiles ?? [], tile.id, wish);
    actions.place(places);
    board.views.get(tile.id)?.element.querySelector<HTMLElement>(".tile-handle")?.focus();
    const now = places.get(tile.id) ?? from;
    actions.say(`Column ${now.x + 1}, row ${now.y + 1}, ${now.width} wide, ${now.height} high`);
  } else if (event.key === "Delete") {
    actions.remove(tile);
  } else if (event.key === "Enter") {
    event.preventDefault();
    actions.edit(tile);
  } else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "d") {
    event.preventDefault();
    actions.duplicate(tile);
  }
}

function drag(
  event: PointerEvent,
  board: Board,
  view: TileView,
  actions: HandleActions,
  change: (from: Place, x: number, y: number) => Place,
): void {
  const style = getComputedStyle(board.grid);
  // In one column there is nothing to place.
  if (event.button !== 0 || style.display !== "grid" || view.isFull) return;
  event.preventDefault();
  const gap = Number.parseFloat(style.columnGap) || 0;
  const inner = board.grid.clientWidth - Number.parseFloat(style.paddingLeft) - Number.parseFloat(style.paddingRight);
  const column = (inner + gap) / COLUMNS;
  const row = Number.parseFloat(style.gridAutoRows) + gap;
  const from = placeOf(view.tile);
  const scroll = board.grid.parentElement;
  const scrolled = scroll?.scrollTop ?? 0;
  let places: Map<string, Place> | null = null;
  view.element.classList.add("dragged");
  const move = (moved: PointerEvent): void => {
    const x = Math.round((moved.clientX - event.clientX) / column);
    const y = Math.round((moved.clientY - event.clientY + (scroll?.scrollTop ?? 0) - scrolled) / row);
    places = placed(board.page?.tiles ?? [], view.tile.id, change(from, x, y));
    for (const [id, place] of places) board.views.get(id)?.place(place);
  };
  const end = (): void => {
    window.removeEventListener("pointermove", move);
    window.removeEventListener("pointerup", end);
    window.removeEventListener("pointercancel", end);
    view.element.classList.remove("dragged");
    const now = places?.get(view.tile.id);
    if (places && now && JSON.stringify(now) !== JSON.stringify(from)) actions.place(places);
  };
  window.addEventListener("pointermove", move);
  window.addEventListener("pointerup", end);
  window.addEventListener("pointercancel", end);
}
