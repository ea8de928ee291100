// Asks for the access token when the server wants one. It is kept until the browser window is closed.

import { element } from "../base/dom";
import { hasToken, setToken, tokenMissing } from "../server/client";

export function mountTokenDialog(retry: () => void): void {
  const field = element("input", {
    type: "password",
    "aria-label": "Access token",
    autocomplete: "off",
    required: true,
  });
  const problem = element("p", { class: "bad", hidden: true }, "The server refused that token.");
  const form = element(
    "form",
    { method: "dialog" },
    element("h2", {}, "Access token"),
    element("p", { class: "hint" }, "This server answers only with its token. It stays in this window."),
    field,
    problem,
    element("div", { class: "actions" }, element("button", { class: "button primary", type: "submit" }, "Continue")),
  );
  const dialog = element("dialog", { class: "dialog", "aria-label": "Access token" }, form);
  document.body.append(dialog);
  form.addEventListener("submit", () => {
    setToken(field.value);
    retry();
  });
  tokenMissing.watch((missing) => {
    if (!missing || dialog.open) return;
    problem.hidden = !hasToken();
    dialog.showModal();
  });
}
