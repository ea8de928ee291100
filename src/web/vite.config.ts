// How the page is built: hashed files under /web/, charts in a bundle of their own that is loaded when first needed.
// `npm run dev` serves it with a running server behind it (CONSHELF_URL, by default http://127.0.0.1:8080).

import { defineConfig } from "vite";

const server = process.env.CONSHELF_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  base: "/",
  build: {
    outDir: process.env.CONSHELF_WEB_OUT ?? "dist",
    emptyOutDir: true,
    assetsDir: "web",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
    target: "es2022",
  },
  server: { proxy: Object.fromEntries(["/query", "/ingest/", "/v1/", "/v2/", "/docs", "/health"].map((path) => [path, server])) },
});
