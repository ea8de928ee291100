// Where the page begins.

import "./style/page.css";
import "./style/result.css";
import "./style/ingest.css";
import "./base/theme";
import { mountNotices } from "./base/notice";
import { mountTokenDialog } from "./page/tokenDialog";
import { Shell } from "./page/shell";
import { refreshSchema } from "./server/schema";

const shell = new Shell();
document.getElementById("page")?.replaceChildren(shell.element);
mountNotices();
mountTokenDialog(() => {
  void refreshSchema();
  shell.retry();
});
shell.start();
void refreshSchema();
