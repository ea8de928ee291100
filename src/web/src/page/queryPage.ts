// The page of queries: tabs, tool bar, editor above, result below; runs, cancels and remembers.

import { element, replaceContent } from "../base/dom";
import { icon, type IconName } from "../base/icons";
import { copyText } from "../base/notice";
import { Observable } from "../base/observable";
import { linkTo, takeShared } from "../base/share";
import { makeSplitter } from "../base/splitter";
import type { Block } from "../editor/blocks";
import { lineOf } from "../editor/failure";
import { EditorSlot } from "../editor/slot";
import type { History } from "../history/history";
import { ResultPanel } from "../result/panel";
import { makeRequestId, ServerError } from "../server/client";
import { askProgress, cancelQuery, isCommand, runQuery, type RunningState } from "../server/query";
import { refreshSchema, schema } from "../server/schema";
import { Tabs, type QueryTab } from "../tabs/tabs";

interface Running {
  requestId: string;
  database: string;
  abort: AbortController;
  cancelled: boolean;
}

/** What a tab has beside its text: its last result and the query that runs in it. */
interface Session {
  result: ResultPanel;
  running: Running | null;
}

const PROGRESS_AFTER_MILLISECONDS = 400;
const PROGRESS_EVERY_MILLISECONDS = 400;

export class QueryPage {
  readonly element: HTMLElement;
  readonly database = new Observable<string>("NetDefaultDB");
  readonly editor: EditorSlot;
  readonly tabs: Tabs;
  private readonly sessions = new Map<string, Session>();
  private readonly resultBox = element("div", { class: "result-box" });
  private readonly databases = element("select", { class: "database", "aria-label": "Database" });
  private readonly runButton: HTMLButtonElement;
  history: History | null = null;

  constructor() {
    this.editor = new EditorSlot({
      database: () => this.database.value,
      onContextChange: (listener) => {
        const stops = [this.database.watch(listener), schema.watch(listener)];
        return () => stops.forEach((stop) => stop());
      },
      onRun: () => void this.run(),
      onChange: (text) => this.tabs.setText(text),
    });
    this.tabs = new Tabs(
      (tab) => this.show(tab),
      (tab) => this.close(tab),
      () => this.database.value,
    );
    this.runButton = element("button", {
      class: "button primary run",
      type: "button",
      title: "Run the block at the cursor or the selection (Shift+Enter)",
    });
    this.runButton.addEventListener("click", () =>
      this.session().running ? this.cancel(this.session()) : void this.run(),
    );
    this.databases.addEventListener("change", () => this.useDatabase(this.databases.value));
    const editorBox = this.editor.element;
    this.element = element(
      "section",
      { class: "query-page", "aria-label": "Query" },
      element("h1", { class: "visually-hidden" }, "Query"),
      this.tabs.element,
      element(
        "div",
        { class: "toolbar", role: "toolbar", "aria-label": "Query" },
        this.runButton,
        element("label", { class: "database-label" }, icon("database"), this.databases),
        element("div", { class: "spacer" }),
        this.tool("format", "Format", "Format the block (Shift+Alt+F)", () => this.editor.format()),
        this.tool("pin", "Pin", "Pin to a dashboard", () => void this.pin()),
        this.tool("share", "Share", "Copy a link to this query", () => this.share()),
      ),
      editorBox,
      makeSplitter({
        name: "editor",
        label: "Height of the editor",
        direction: "rows",
        minimum: 80,
        maximum: () => Math.max(120, window.innerHeight - 280),
        initial: Math.round(window.innerHeight * 0.34),
        apply: (pixels) => {
          editorBox.style.height = `${pixels}px`;
        },
      }),
      this.resultBox,
    );
    schema.watch(() => this.paintDatabases());
    this.database.watch(() => this.paintDatabases());
  }

  /** Opens what the address or the last visit holds. */
  start(): void {
    this.tabs.start();
    this.openShared();
    window.addEventListener("hashchange", () => this.openShared());
    this.editor.focus();
  }

  useDatabase(name: string): void {
    this.database.value = name;
    this.tabs.setDatabase(name);
  }

  /** Opens a text in a tab of its own and runs it. */
  openAndRun(database: string, text: string): void {
    this.tabs.open(text, database);
    void this.run();
  }

  private openShared(): void {
    const shared = takeShared();
    if (!shared) return;
    this.tabs.open(shared.text, shared.database);
    // A link must not change anything: commands wait for the user.
    if (!isCommand(shared.text)) void this.run();
  }

  private tool(name: IconName, label: string, title: string, run: () => void): HTMLElement {
    return element(
      "button",
      { class: "button small", type: "button", title, "aria-label": label, onClick: run },
      icon(name),
      element("span", { class: "wide" }, label),
    );
  }

  private show(tab: QueryTab): void {
    this.database.value = tab.database;
    this.editor.show(tab.id, tab.text);
    this.editor.focus();
    replaceContent(this.resultBox, this.session().result.element);
    this.paintRun();
  }

  private close(tab: QueryTab): void {
    const session = this.sessions.get(tab.id);
    if (session) {
      this.cancel(session);
      session.result.dispose();
      this.sessions.delete(tab.id);
    }
    this.editor.forget(tab.id);
  }

  /** Of the tab that is shown. */
  private session(): Session {
    const id = this.tabs.active?.id ?? "";
    let session = this.sessions.get(id);
    if (!session) {
      session = { result: new ResultPanel(), running: null };
      this.sessions.set(id, session);
    }
    return session;
  }

  private share(): void {
    const block = this.editor.toRun();
    if (block) void copyText(linkTo({ database: this.database.value, text: block.text }), "Link");
  }

  private async pin(): Promise<void> {
    const block = this.editor.toRun();
    if (!block || block.text.trim() === "") return;
    const { openPin } = await import("../dashboard/pin");
    openPin(this.database.value, block.text);
  }

  private paintRun(): void {
    const running = this.session().running !== null;
    replaceContent(this.runButton, icon(running ? "stop" : "run"), running ? "Cancel" : "Run");
    this.runButton.classList.toggle("danger", running);
  }

  private paintDatabases(): void {
    const names = schema.value.map((one) => one.name);
    if (!names.includes(this.database.value)) names.unshift(this.database.value);
    replaceContent(
      this.databases,
      ...names.map((name) => element("option", { value: name, selected: name === this.database.value }, name)),
    );
  }

  private cancel(session: Session): void {
    const running = session.running;
    if (!running) return;
    running.cancelled = true;
    void cancelQuery(running.database, running.requestId).catch(() => undefined);
    running.abort.abort();
  }

  private async run(): Promise<void> {
    const block = this.editor.toRun();
    if (!block || block.text.trim() === "") return;
    const session = this.session();
    this.cancel(session);
    const mine: Running = {
      requestId: makeRequestId("query"),
      database: this.database.value,
      abort: new AbortController(),
      cancelled: false,
    };
    session.running = mine;
    this.paintRun();
    const note = session.result.showRunning(() => this.cancel(session));
    const stopAsking = this.askForProgress(session, mine, note);
    const started = performance.now();
    const command = isCommand(block.text);
    try {
      const answer = await runQuery(mine.database, block.text, {
        requestId: mine.requestId,
        signal: mine.abort.signal,
      });
      const milliseconds = performance.now() - started;
      if (session.running !== mine) return;
      session.result.show({ answer, database: mine.database, text: block.text, isCommand: command, milliseconds });
      this.remember(block, mine, milliseconds, answer.tables[0]?.rows.length ?? null, answer.problem?.message ?? null);
      this.editor.noteRun(block, answer.problem);
      if (command && !/^\s*\.show/.test(block.text)) void refreshSchema();
    } catch (failure) {
      if (session.running === mine) this.fail(session, failure, block, mine, performance.now() - started);
    } finally {
      stopAsking();
      if (session.running === mine) session.running = null;
      this.paintRun();
    }
  }

  private fail(session: Session, failure: unknown, block: Block, run: Running, milliseconds: number): void {
    if (run.cancelled) {
      session.result.showCancelled();
      return;
    }
    const error = failure instanceof ServerError ? failure : new ServerError(String(failure), 0);
    this.editor.noteRun(block, error);
    const place = lineOf(block.text, error);
    session.result.showError(
      error,
      place && { ...place, run: () => this.editor.goTo(block, place.line, place.column) },
    );
    this.remember(block, run, milliseconds, null, error.message);
  }

  private remember(block: Block, run: Running, milliseconds: number, rows: number | null, error: string | null): void {
    this.history?.add({ text: block.text, database: run.database, at: Date.now(), milliseconds, rows, error });
  }

  private askForProgress(session: Session, run: Running, note: (state: RunningState) => void): () => void {
    let timer = 0;
    const ask = async (): Promise<void> => {
      const state = await askProgress(run.requestId).catch(() => null);
      if (session.running !== run) return;
      if (state) note(state);
      timer = window.setTimeout(() => void ask(), PROGRESS_EVERY_MILLISECONDS);
    };
    timer = window.setTimeout(() => void ask(), PROGRESS_AFTER_MILLISECONDS);
    return () => window.clearTimeout(timer);
  }
}
