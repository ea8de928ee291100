// Edit mode: a draft of the dashboard, what can be done with it, undoing, saving and its conflicts.

import { element, replaceContent } from "../../base/dom";
import { icon, type IconName } from "../../base/icons";
import { openMenu, type MenuItem } from "../../base/menu";
import { notify } from "../../base/notice";
import { ServerError } from "../../server/client";
import type { Board } from "../board";
import { openDialog } from "../dialog";
import { freePlace, placed, type Place } from "../layout";
import type { Dashboard, Tile } from "../model";
import { freeId } from "../pin";
import { readDashboard, writeDashboard, type Stored } from "../server";
import { DraftSource } from "./draft";
import { textWith } from "./file";
import { addHandles } from "./handles";
import { openParameterList } from "./parameterEditor";
import { RawEditor } from "./rawEditor";
import { openSettings } from "./settings";
import { openTileEditor } from "./tileEditor";

export interface EditingOptions {
  stored: Stored;
  database: string;
  name: string;
  board: Board;
  databaseOf(tile: Tile): string;
  /** Editing is over; with what is stored now if it was saved. */
  onEnd(saved: Stored | null): void;
}

const MOST_UNDO = 100;

export class Editing {
  private draft: Dashboard;
  /** The text that the draft's changes are written into, and what the server read from it. */
  private text: string;
  private base: Dashboard;
  private tag: string;
  private raw: RawEditor | null = null;
  private readonly undone: string[] = [];
  private readonly source: DraftSource;
  private readonly undoButton: HTMLButtonElement;
  private readonly saveButton: HTMLButtonElement;
  private readonly textButton: HTMLButtonElement;
  private readonly visualTools: HTMLElement[];
  private readonly live = element("div", { class: "visually-hidden", role: "status", "aria-live": "polite" });
  private isTextChanged = false;
  private readonly onUnload = (event: BeforeUnloadEvent): void => {
    if (this.hasChanges) event.preventDefault();
  };
  private readonly onKey = (event: KeyboardEvent): void => {
    const onField =
      event.target instanceof HTMLElement && event.target.closest("input, textarea, select, dialog, .editor");
    if (!(event.ctrlKey || event.metaKey) || document.querySelector("dialog[open]")) return;
    if (event.key.toLowerCase() === "s") {
      event.preventDefault();
      void this.save();
    } else if (event.key.toLowerCase() === "z" && !event.shiftKey && !onField && !this.raw) {
      event.preventDefault();
      this.undo();
    }
  };

  constructor(private readonly options: EditingOptions) {
    const { stored } = options;
    this.base = stored.dashboard ?? { version: 1, title: options.name, pages: [] };
    this.draft = structuredClone(this.base);
    this.text = stored.text;
    this.tag = stored.etag;
    this.source = new DraftSource(() => this.draft, options.databaseOf, options.database || "NetDefaultDB");
    this.undoButton = this.tool("undo", "Undo", () => this.undo());
    this.saveButton = element(
      "button",
      { class: "button small primary", type: "button", onClick: () => void this.save() },
      icon("check"),
      "Save",
    );
    this.textButton = this.tool("book", "Edit as text", () => this.toggleText());
    const add = this.tool("plus", "Add tile", () => undefined);
    add.setAttribute("aria-haspopup", "menu");
    add.addEventListener("click", () =>
      openMenu(add, "Add", [
        { label: "Query", detail: "chart or table", run: () => this.add(false) },
        { label: "Text", detail: "Markdown", run: () => this.add(true) },
      ]),
    );
    this.visualTools = [
      add,
      this.tool("filter", "Parameters", () => this.editParameters()),
      this.tool("format", "Settings", () => this.editSettings()),
    ];
  }

  get hasChanges(): boolean {
    return this.isTextChanged || JSON.stringify(this.draft) !== JSON.stringify(this.base);
  }

  headContent(): HTMLElement[] {
    return [
      element("div", { class: "dashboard-names" }, element("h1", { class: "clip" }, `Editing: ${this.draft.title}`)),
      element(
        "div",
        { class: "edit-tools", role: "toolbar", "aria-label": "Edit" },
        ...this.visualTools,
        this.textButton,
        this.undoButton,
      ),
      element("div", { class: "spacer" }),
      element("button", { class: "button small", type: "button", onClick: () => this.discard() }, "Discard"),
      this.saveButton,
      this.live,
    ];
  }

  start(asText: boolean): void {
    const { board } = this.options;
    board.source = this.source;
    board.pause();
    board.onTiles = () => this.decorate();
    board.update(this.draft);
    window.addEventListener("beforeunload", this.onUnload);
    document.addEventListener("keydown", this.onKey);
    this.paint();
    if (asText) this.toggleText();
  }

  dispose(): void {
    const { board } = this.options;
    board.onTiles = () => undefined;
    window.removeEventListener("beforeunload", this.onUnload);
    document.removeEventListener("keydown", this.onKey);
    this.closeText();
  }

  tileMenu(tile: Tile): MenuItem[] {
    return [
      { label: "Edit…", run: () => this.edit(tile) },
      { label: "Duplicate", run: () => this.duplicate(tile) },
      ...this.draft.pages.flatMap((page, index) =>
        page === this.options.board.page
          ? []
          : [{ label: `Move to “${page.title ?? index + 1}”`, run: () => this.moveTo(tile, index) }],
      ),
      { label: "Delete", run: () => this.remove(tile) },
    ];
  }

  private tool(name: IconName, label: string, run: () => void): HTMLButtonElement {
    return element(
      "button",
      { class: "button small", type: "button", "aria-label": label, title: label, onClick: run },
      icon(name),
      element("span", { class: "wide" }, label),
    );
  }

  private paint(): void {
    this.undoButton.disabled = this.undone.length === 0 || this.raw !== null;
    this.saveButton.disabled = !this.hasChanges;
    for (const tool of this.visualTools) (tool as HTMLButtonElement).disabled = this.raw !== null;
    const label = this.raw ? "Back to tiles" : "Edit as text";
    this.textButton.setAttribute("aria-label", label);
    this.textButton.title = label;
    replaceContent(this.textButton, icon(this.raw ? "grid" : "book"), element("span", { class: "wide" }, label));
  }

  private say(text: string): void {
    this.live.textContent = text;
  }

  private decorate(): void {
    for (const view of this.options.board.views.values()) {
      addHandles(this.options.board, view, {
        place: (places) => this.place(places),
        edit: (tile) => this.edit(tile),
        remove: (tile) => this.remove(tile),
        duplicate: (tile) => this.duplicate(tile),
        say: (text) => this.say(text),
      });
    }
  }

  /** Keeps what is, for undoing; then changes it. */
  private change(run: () => void): void {
    this.undone.push(JSON.stringify(this.draft));
    if (this.undone.length > MOST_UNDO) this.undone.shift();
    run();
    this.paint();
  }

  private undo(): void {
    const before = this.undone.pop();
    if (before === undefined) return;
    this.draft = JSON.parse(before) as Dashboard;
    this.options.board.update(this.draft);
    this.paint();
    this.say("Undone");
  }

  private tiles(): Tile[] {
    const page = this.options.board.page;
    if (!page) return [];
    page.tiles ??= [];
    return page.tiles;
  }

  private place(places: Map<string, Place>): void {
    this.change(() => {
      for (const tile of this.tiles()) Object.assign(tile, places.get(tile.id) ?? {});
      for (const [id, place] of places) this.options.board.views.get(id)?.place(place);
      this.options.board.arrange();
    });
  }

  private add(isText: boolean): void {
    if (this.draft.pages.length === 0) this.draft.pages.push({ title: "Overview", tiles: [] });
    const place = freePlace(this.tiles(), isText ? 8 : 12, isText ? 3 : 6);
    const tile: Tile = {
      id: freeId(this.draft, isText ? "text" : "tile"),
      ...place,
      ...(isText ? { markdown: "" } : { title: "New tile", query: "" }),
    };
    this.openEditor(tile, true);
  }

  private edit(tile: Tile): void {
    this.openEditor(tile, false);
  }

  private openEditor(tile: Tile, isNew: boolean): void {
    openTileEditor({
      tile,
      isNew,
      dashboard: this.draft,
      databaseOf: this.options.databaseOf,
      values: () => this.options.board.state.values.value,
      source: this.source,
      done: (made) =>
        this.change(() => {
          const tiles = this.tiles();
          if (isNew) tiles.push(made);
          else tiles[tiles.findIndex((one) => one.id === tile.id)] = made;
          const places = placed(tiles, made.id, made);
          for (const one of tiles) Object.assign(one, places.get(one.id) ?? {});
          for (const [id, place] of places) this.options.board.views.get(id)?.place(place);
          this.options.board.replaceTile(made);
        }),
    });
  }

  private duplicate(tile: Tile): void {
    this.change(() => {
      const tiles = this.tiles();
      const copy: Tile = {
        ...structuredClone(tile),
        id: freeId(this.draft, tile.id),
        ...freePlace(tiles, tile.width, tile.height),
      };
      tiles.push(copy);
      this.options.board.replaceTile(copy);
      this.options.board.views.get(copy.id)?.element.scrollIntoView({ block: "nearest" });
    });
    this.say("Duplicated");
  }

  private remove(tile: Tile): void {
    this.change(() => {
      const tiles = this.tiles();
      tiles.splice(
        tiles.findIndex((one) => one.id === tile.id),
        1,
      );
      this.options.board.update(this.draft);
    });
    this.say("Deleted; Undo brings it back");
  }

  private moveTo(tile: Tile, page: number): void {
    this.change(() => {
      const tiles = this.tiles();
      const [moved] = tiles.splice(
        tiles.findIndex((one) => one.id === tile.id),
        1,
      );
      const target = this.draft.pages[page];
      if (!moved || !target) return;
      target.tiles ??= [];
      target.tiles.push({ ...moved, ...freePlace(target.tiles, moved.width, moved.height) });
      this.options.board.update(this.draft);
    });
  }

  private editParameters(): void {
    openParameterList({
      dashboard: this.draft,
      database: this.options.database,
      values: () => this.options.board.state.values.value,
      done: (parameters) =>
        this.change(() => {
          if (parameters.length > 0) this.draft.parameters = parameters;
          else delete this.draft.parameters;
          this.options.board.update(this.draft);
        }),
    });
  }

  private editSettings(): void {
    openSettings(
      this.draft,
      this.options.database,
      () => this.options.board.state.values.value,
      (made) =>
        this.change(() => {
          this.draft = made;
          this.options.board.update(made);
        }),
    );
  }

  private written(): string {
    if (this.raw) return this.raw.text;
    if (JSON.stringify(this.draft) === JSON.stringify(this.base)) return this.text;
    return textWith(this.text, this.options.stored.format, this.draft, this.base);
  }

  private toggleText(): void {
    const { board, stored } = this.options;
    if (!this.raw) {
      const text = this.written();
      const before = this.text;
      this.raw = new RawEditor(text, stored.format, this.options.database, (now) => {
        this.isTextChanged = now !== before;
        this.paint();
      });
      board.element.hidden = true;
      board.element.after(this.raw.element);
      this.raw.focus();
      this.paint();
      return;
    }
    const read = this.raw.read();
    if (!read) {
      notify("The text has errors; mend them first.", "bad");
      return;
    }
    const { text } = this.raw;
    this.closeText();
    if (JSON.stringify(read) !== JSON.stringify(this.draft)) {
      this.undone.push(JSON.stringify(this.draft));
      // From now on changes are written into this text.
      this.text = text;
      this.base = read;
      this.draft = structuredClone(read);
      board.update(this.draft);
    }
    this.paint();
  }

  private closeText(): void {
    if (!this.raw) return;
    this.raw.dispose();
    this.raw.element.remove();
    this.raw = null;
    this.options.board.element.hidden = false;
  }

  private discard(): void {
    if (this.hasChanges && !window.confirm("Discard the changes?")) return;
    this.options.onEnd(null);
  }

  private async save(): Promise<void> {
    if (!this.hasChanges) return;
    const { database, name, stored } = this.options;
    const text = this.written();
    this.saveButton.disabled = true;
    try {
      await writeDashboard(database, name, text, stored.format, { match: this.tag });
      notify("Saved");
      this.options.onEnd(await readDashboard(database, name));
    } catch (failure) {
      this.saveButton.disabled = false;
      if (failure instanceof ServerError && failure.status === 412) this.showConflict();
      else this.showProblem(failure, text);
    }
  }

  /** What the server refused, at its place in the text. */
  private showProblem(failure: unknown, text: string): void {
    const message = failure instanceof Error ? failure.message : String(failure);
    notify(message, "bad");
    if (!(failure instanceof ServerError) || failure.line === null) return;
    if (!this.raw) {
      this.text = text;
      this.isTextChanged = true;
      this.base = this.draft;
      this.toggleText();
    }
    this.raw?.show([{ severity: "Error", message, line: failure.line, column: failure.column ?? 1, path: "" }]);
  }

  private showConflict(): void {
    const { database, name } = this.options;
    const reload = element("button", { class: "button", type: "button" }, "Load theirs, lose mine");
    const dialog = openDialog({
      title: "Somebody else has changed this dashboard",
      action: "Overwrite theirs with mine",
      danger: true,
      content: [
        element("p", {}, "It was stored by somebody else after you began to edit. Nothing of yours is stored yet."),
        element("p", { class: "hint" }, "To keep both, cancel, copy your text with “Edit as text”, and load theirs."),
        reload,
      ],
      run: async () => {
        this.tag = (await readDashboard(database, name)).etag;
        void this.save();
      },
    });
    reload.addEventListener("click", () => {
      dialog.close();
      void readDashboard(database, name).then(
        (theirs) => this.options.onEnd(theirs),
        (failure: unknown) => notify(String(failure), "bad"),
      );
    });
  }
}
