// Where tiles stand: a grid of 24 columns, tiles never over each other. Pure arithmetic, knows no elements.

import { COLUMNS, inReadingOrder, type Tile } from "./model";

export interface Place {
  x: number;
  y: number;
  width: number;
  height: number;
}

export const SMALLEST: { width: number; height: number } = { width: 2, height: 1 };

export function overlap(left: Place, right: Place): boolean {
  return (
    left.x < right.x + right.width &&
    right.x < left.x + left.width &&
    left.y < right.y + right.height &&
    right.y < left.y + left.height
  );
}

/** Inside the grid, in whole cells, and large enough to hold something. */
export function clamp(place: Place): Place {
  const width = Math.max(SMALLEST.width, Math.min(COLUMNS, Math.round(place.width)));
  return {
    width,
    height: Math.max(SMALLEST.height, Math.min(100, Math.round(place.height))),
    x: Math.max(0, Math.min(COLUMNS - width, Math.round(place.x))),
    y: Math.max(0, Math.round(place.y)),
  };
}

/** The places of all tiles when one takes a new place: what it meets goes down, the rest stays. */
export function placed(tiles: readonly Tile[], id: string, wish: Place): Map<string, Place> {
  const moved = clamp(wish);
  const settled: Place[] = [moved];
  const places = new Map<string, Place>([[id, moved]]);
  for (const tile of inReadingOrder(tiles)) {
    if (tile.id === id) continue;
    const place = { x: tile.x, y: tile.y, width: tile.width, height: tile.height };
    for (let met = settled.find((one) => overlap(one, place)); met; met = settled.find((one) => overlap(one, place))) {
      place.y = met.y + met.height;
    }
    settled.push(place);
    places.set(tile.id, place);
  }
  return places;
}

/** The first place that is free for a new tile. */
export function freePlace(tiles: readonly Tile[], width: number, height: number): Place {
  const bottom = tiles.reduce((most, tile) => Math.max(most, tile.y + tile.height), 0);
  for (let y = 0; y < bottom; y += 1) {
    for (let x = 0; x + width <= COLUMNS; x += 1) {
      const place = { x, y, width, height };
      if (!tiles.some((tile) => overlap(tile, place))) return place;
    }
  }
  return { x: 0, y: bottom, width, height };
}
