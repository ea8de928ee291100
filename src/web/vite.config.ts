// How the page is built: hashed files under /web/, charts in a bundle of their own that is loaded when first needed.
// Two entries: the page itself, and the small one that shows an embedded dashboard.
// `npm run dev` serves it with a running server behind it (CONSHELF_URL, by default http://127.0.0.1:8080).

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const server = process.env.CONSHELF_URL ?? "http://127.0.0.1:8080";

const folder = process.env.CONSHELF_WEB_OUT ?? "dist";

/** Beside every file its compressed form: what the server embeds and sends. */
const compress: Plugin = {
  name: "compress",
  closeBundle() {
    for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      if (!/\.(html|js|css|svg)$/.test(name)) continue;
      const path = join(folder, name);
      writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
    }
  },
};

export default defineConfig({
  plugins: [compress],
  base: "/",
  build: {
    outDir: folder,
    emptyOutDir: true,
    assetsDir: "web",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
    target: "es2022",
    rolldownOptions: { input: ["index.html", "embed.html"] },
  },
  server: {
    proxy: Object.fromEntries(["/query", "/ingest/", "/v1/", "/v2/", "/docs", "/health"].map((path) => [path, server])),
  },
});
