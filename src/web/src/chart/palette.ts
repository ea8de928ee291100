// The colours of series: told apart on light and on dark, the page's accent first.

import { theme } from "../base/theme";

const LIGHT = [
  "#0b7285",
  "#e8590c",
  "#5f3dc4",
  "#2b8a3e",
  "#c2255c",
  "#b8860b",
  "#1971c2",
  "#846358",
  "#5c940d",
  "#9c36b5",
];
const DARK = [
  "#3bc9db",
  "#ff922b",
  "#9775fa",
  "#69db7c",
  "#f783ac",
  "#ffd43b",
  "#74c0fc",
  "#c9a695",
  "#a9e34b",
  "#da77f2",
];

export function palette(): string[] {
  return theme.value === "dark" ? DARK : LIGHT;
}
