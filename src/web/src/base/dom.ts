// Builds elements: `element("button", { class: "plain", onClick: run }, "Run")`. Knows nothing of what is built.

export type Child = Node | string | number | null | undefined | false;
type Listener<E extends Event> = (event: E) => void;

/** Attributes by their HTML names; `on…` entries become listeners; `null` and `false` leave an attribute out. */
export interface Attributes {
  [name: string]: string | number | boolean | null | undefined | Listener<never>;
}

export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      made.addEventListener(key.slice(2).toLowerCase(), value as unknown as EventListener);
    } else if (value !== null && value !== undefined && value !== false) {
      made.setAttribute(key, value === true ? "" : String(value));
    }
  }
  append(made, children);
  return made;
}

export function append(parent: Element | DocumentFragment, children: readonly Child[]): void {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    parent.append(child instanceof Node ? child : String(child));
  }
}

export function replaceContent(parent: Element, ...children: Child[]): void {
  parent.replaceChildren();
  append(parent, children);
}

/** Runs a function when its calls have paused for a while. */
export function debounce<Arguments extends unknown[]>(
  milliseconds: number,
  run: (...values: Arguments) => void,
): (...values: Arguments) => void {
  let timer = 0;
  return (...values) => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => run(...values), milliseconds);
  };
}
