// Dark or light: what the system prefers until the user says otherwise.

import { Observable } from "./observable";
import { load, save } from "./storage";

export type Theme = "light" | "dark";

const preference = window.matchMedia("(prefers-color-scheme: dark)");
const chosen = load<Theme | null>("theme", null);

export const theme = new Observable<Theme>(chosen ?? (preference.matches ? "dark" : "light"));

theme.watch((value) => {
  document.documentElement.dataset.theme = value;
});
preference.addEventListener("change", () => {
  if (load<Theme | null>("theme", null) === null) theme.value = preference.matches ? "dark" : "light";
});

export function toggleTheme(): void {
  theme.value = theme.value === "dark" ? "light" : "dark";
  save("theme", theme.value);
}

/** The value of a colour of the style sheet, for what is drawn on a canvas. */
export function themeColour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
