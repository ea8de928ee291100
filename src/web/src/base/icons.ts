// The few pictures of the page, as SVG elements that take the colour of the text.

const PATHS = {
  run: "M5 3.2v9.6l8-4.8z",
  stop: "M4 4h8v8H4z",
  plus: "M8 3v10M3 8h10",
  close: "M4 4l8 8M12 4l-8 8",
  menu: "M2.5 4h11M2.5 8h11M2.5 12h11",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  chevron: "M6 4l4 4-4 4",
  down: "M4 6l4 4 4-4",
  table: "M2.5 3h11v10h-11zM2.5 6.3h11M6.5 6.3V13",
  database:
    "M3 4.2c0-1 2.2-1.7 5-1.7s5 .7 5 1.7v7.6c0 1-2.2 1.7-5 1.7s-5-.7-5-1.7zM3 4.2c0 1 2.2 1.7 5 1.7s5-.7 5-1.7M3 8c0 1 2.2 1.7 5 1.7S13 9 13 8",
  function: "M10.5 3c-2-.6-2.7.4-3 2L6 11.5c-.3 1.4-1 2-2.5 1.5M4.5 7h5",
  share:
    "M10.5 5.5L5.6 7.3M10.5 10.6L5.6 8.8M12 6.5a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6zM4 9.8a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6zM12 13.1a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6z",
  format: "M2.5 4h11M5 7h8.5M5 10h6M2.5 13h8",
  filter: "M2.5 3.5h11L9.3 8.6v4L6.7 11V8.6z",
  download: "M8 2.5v7.5M5 7.2l3 3 3-3M3 13h10",
  upload: "M8 10.5V3M5 5.8l3-3 3 3M3 13h10",
  refresh: "M13 8a5 5 0 1 1-1.5-3.6M13 2.5V5h-2.5",
  moon: "M12.8 9.6A5.3 5.3 0 0 1 6.4 3.2a5.3 5.3 0 1 0 6.4 6.4z",
  sun: "M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6zM8 1.5v1.6M8 12.9v1.6M1.5 8h1.6M12.9 8h1.6M3.4 3.4l1.1 1.1M11.5 11.5l1.1 1.1M12.6 3.4l-1.1 1.1M4.5 11.5l-1.1 1.1",
  chart: "M2.5 13.5h11M4.5 11V7.5M8 11V3.5M11.5 11V6",
  clock: "M8 13.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM8 5v3.2l2 1.3",
  book: "M3 3h4.2c.5 0 .8.3.8.8v9c0-.5-.3-.8-.8-.8H3zM13 3H8.8c-.5 0-.8.3-.8.8v9c0-.5.3-.8.8-.8H13z",
  key: "M6.2 9.8a2.7 2.7 0 1 0-3.8-3.8 2.7 2.7 0 0 0 3.8 3.8zM6.4 8H13.5v2.3M11 8v2",
  copy: "M5.5 5.5h8v8h-8zM3 10.5h-.5v-8h8V3",
  grid: "M2.5 2.5h6v6h-6zM10.5 2.5h3v6h-3zM2.5 10.5h3v3h-3zM7.5 10.5h6v3h-6z",
  expand: "M9.5 2.5h4v4M13.5 2.5L9 7M6.5 13.5h-4v-4M2.5 13.5L7 9",
  shrink: "M13.5 6.5h-4v-4M9.5 6.5L14 2M2.5 9.5h4v4M6.5 9.5L2 14",
  pin: "M6 2.5h4l-.5 4 2 2.5h-7l2-2.5zM8 9v4.5",
  edit: "M3 13l.6-2.8 7-7 2.2 2.2-7 7zM9.2 4.6l2.2 2.2",
  move: "M8 2v12M2 8h12M6.3 3.7L8 2l1.7 1.7M6.3 12.3L8 14l1.7-1.7M3.7 6.3L2 8l1.7 1.7M12.3 6.3L14 8l-1.7 1.7",
  undo: "M3 7h6.5a3.5 3.5 0 0 1 0 7H6M3 7l3-3M3 7l3 3",
  back: "M10 4L6 8l4 4",
  check: "M3 8.5l3.2 3.2L13 5",
} as const;

export type IconName = keyof typeof PATHS;

const SVG = "http://www.w3.org/2000/svg";

export function icon(name: IconName): SVGSVGElement {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", "0 0 16 16");
  picture.setAttribute("class", `icon icon-${name}`);
  picture.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  picture.append(path);
  return picture;
}
