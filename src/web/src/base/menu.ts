// Menus and small panels that open beside a button: one at a time, closed by Escape, a click elsewhere or a choice.

import { element, type Child } from "./dom";

export interface MenuItem {
  label: string;
  detail?: string;
  run: () => void;
}

let open: { panel: HTMLElement; anchor: HTMLElement } | null = null;

export function closePanel(returnFocus = false): void {
  if (open === null) return;
  const { panel, anchor } = open;
  open = null;
  anchor.setAttribute("aria-expanded", "false");
  panel.remove();
  if (returnFocus) anchor.focus();
}

document.addEventListener("pointerdown", (event) => {
  if (open === null || !(event.target instanceof Node)) return;
  if (!open.panel.contains(event.target) && !open.anchor.contains(event.target)) closePanel();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && open !== null) {
    event.stopPropagation();
    closePanel(true);
  }
});

/** Shows a panel below an element, within the window; again for the same element closes it. */
export function openPanel(
  anchor: HTMLElement,
  role: "menu" | "dialog",
  label: string,
  ...children: Child[]
): HTMLElement | null {
  const wasOpen = open?.anchor === anchor;
  closePanel();
  if (wasOpen) return null;
  const panel = element("div", { class: "popup", role, "aria-label": label, tabindex: -1 }, ...children);
  document.body.append(panel);
  const place = anchor.getBoundingClientRect();
  const size = panel.getBoundingClientRect();
  const left = Math.max(8, Math.min(place.left, window.innerWidth - size.width - 8));
  const below = place.bottom + 4;
  const top = below + size.height > window.innerHeight - 8 ? Math.max(8, place.top - size.height - 4) : below;
  panel.style.left = `${left}px`;
  panel.style.top = `${top}px`;
  anchor.setAttribute("aria-expanded", "true");
  open = { panel, anchor };
  return panel;
}

export function openMenu(anchor: HTMLElement, label: string, items: readonly MenuItem[]): void {
  const buttons = items.map((item) =>
    element(
      "button",
      {
        class: "menu-item",
        role: "menuitem",
        type: "button",
        onClick: () => {
          closePanel(true);
          item.run();
        },
      },
      element("span", {}, item.label),
      item.detail ? element("span", { class: "detail" }, item.detail) : null,
    ),
  );
  const panel = openPanel(anchor, "menu", label, ...buttons);
  if (panel === null) return;
  panel.addEventListener("keydown", (event) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const current = buttons.findIndex((button) => button === document.activeElement);
    buttons[(current + step + buttons.length) % buttons.length]?.focus();
  });
  buttons[0]?.focus();
}
