// A bar between two areas that is dragged, or moved with the arrow keys, to share the room between them.

import { element } from "./dom";
import { load, save } from "./storage";

export interface SplitterOptions {
  /** The place of the size is remembered under this name. */
  name: string;
  label: string;
  direction: "columns" | "rows";
  minimum: number;
  maximum: () => number;
  initial: number;
  apply: (pixels: number) => void;
}

export function makeSplitter(options: SplitterOptions): HTMLElement {
  let size = load<number>(`split.${options.name}`, options.initial);
  const bar = element("div", {
    class: `splitter ${options.direction}`,
    role: "separator",
    tabindex: 0,
    "aria-label": options.label,
    "aria-orientation": options.direction === "columns" ? "vertical" : "horizontal",
  });
  const set = (pixels: number, keep: boolean): void => {
    size = Math.round(Math.max(options.minimum, Math.min(options.maximum(), pixels)));
    bar.setAttribute("aria-valuenow", String(size));
    options.apply(size);
    if (keep) save(`split.${options.name}`, size);
  };
  bar.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    bar.setPointerCapture(event.pointerId);
    const from = options.direction === "columns" ? event.clientX : event.clientY;
    const start = size;
    const move = (moved: PointerEvent): void =>
      set(start + (options.direction === "columns" ? moved.clientX : moved.clientY) - from, false);
    const end = (): void => {
      bar.removeEventListener("pointermove", move);
      set(size, true);
    };
    bar.addEventListener("pointermove", move);
    bar.addEventListener("lostpointercapture", end, { once: true });
  });
  bar.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -16, ArrowUp: -16, ArrowRight: 16, ArrowDown: 16 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    set(size + step, true);
  });
  queueMicrotask(() => set(size, false));
  window.addEventListener("resize", () => set(size, false));
  return bar;
}
