// Short messages at the edge of the page, read out by screen readers; they go away by themselves.

import { element } from "./dom";

const region = element("div", { class: "notices", role: "status", "aria-live": "polite" });

export function mountNotices(): void {
  document.body.append(region);
}

export function notify(text: string, kind: "plain" | "bad" = "plain"): void {
  const note = element("div", { class: `notice ${kind}` }, text);
  region.append(note);
  window.setTimeout(() => note.remove(), kind === "bad" ? 7000 : 2600);
}

export async function copyText(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without a secure context there is only the old way.
    const area = element("textarea", { class: "off-screen" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  notify(`${what} copied`);
}

export function download(name: string, content: Blob): void {
  const address = URL.createObjectURL(content);
  const link = element("a", { href: address, download: name });
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
