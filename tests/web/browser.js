// What the tests of the page share: a server with data, a browser, screenshots under target/web.
//
// CONSHELF_WEB_URL names a running server; without it CONSHELF_BINARY (by default target/debug/conshelf) is started on an
// empty directory, with the events of the made-up fleet and a table of 100,000 rows. CHROMIUM names the browser.
// CONSHELF_WEB_DIST names a build of the page that is tested in place of the server's own.

import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = fileURLToPath(new URL("../..", import.meta.url));
const pictures = join(root, "target/web");
const binary = process.env.CONSHELF_BINARY ?? join(root, "target/debug/conshelf");
const ARGUMENTS =
  "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** The build of CONSHELF_WEB_DIST with the server behind it; nothing when none is named. */
async function startProxy(server) {
  const dist = process.env.CONSHELF_WEB_DIST;
  if (!dist) return null;
  const port = await freePort();
  const child = spawn(process.execPath, [join(root, "tests/web/proxy.js"), dist, server, String(port)], {
    stdio: "ignore",
  });
  const url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; ; attempt += 1) {
    if (await fetch(`${url}/ready`).then((answer) => answer.ok, () => false)) break;
    if (attempt > 200) throw new Error("the proxy does not answer");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { url, stop: () => child.kill("SIGTERM") };
}

/** A server with data: `url`, `stop()`. */
export async function startServer() {
  if (process.env.CONSHELF_WEB_URL) return { url: process.env.CONSHELF_WEB_URL, stop() {} };
  const folder = mkdtempSync(join(tmpdir(), "conshelf-web-"));
  const url = `http://127.0.0.1:${await freePort()}`;
  const child = spawn(binary, ["serve", "--listen", url.slice(7), "--data-dir", folder], { stdio: "ignore" });
  for (let attempt = 0; ; attempt += 1) {
    try {
      if ((await fetch(`${url}/ready`)).ok) break;
    } catch (failure) {
      if (attempt > 200) throw failure;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  execFileSync(binary, ["demo", "--url", url, "--past-minutes", "10", "--once"], { stdio: "ignore" });
  const proxy = await startProxy(url);
  return {
    url: proxy?.url ?? url,
    stop() {
      proxy?.stop();
      child.kill("SIGTERM");
      child.on("exit", () => rmSync(folder, { recursive: true, force: true }));
    },
  };
}

export function startBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ARGUMENTS.split(" "),
  });
}

/** A page with an empty store; remembers what the browser complained of and where requests went. */
export async function openPage(browser, url, { width = 1280, height = 800, colorScheme = "light" } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme,
    permissions: ["clipboard-read", "clipboard-write"],
  });
  const page = await context.newPage();
  page.complaints = [];
  page.hosts = new Set();
  page.on("pageerror", (failure) => page.complaints.push(String(failure)));
  page.on("console", (message) => {
    if (/Content Security Policy|Refused to/.test(message.text())) page.complaints.push(message.text());
  });
  page.on("request", (asked) => {
    if (/^https?:/.test(asked.url())) page.hosts.add(new URL(asked.url()).origin);
  });
  await page.goto(url);
  await page.waitForSelector(".shell");
  return page;
}

/** Opens a query by its link, which runs it, and waits for the result. */
export async function runQuery(page, database, text) {
  await page.evaluate(
    (fragment) => {
      window.location.hash = fragment;
    },
    new URLSearchParams({ db: database, q: text }).toString(),
  );
  await page.waitForFunction(
    () =>
      !document.querySelector(".is-running") &&
      /row|Failed|Done/.test(document.querySelector(".result-status").textContent),
  );
  await page.waitForFunction(() => !document.querySelector(".chart[data-state=loading]"));
}

export async function picture(page, name) {
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`) });
}
