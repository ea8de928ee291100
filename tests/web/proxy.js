// Serves a build of the page with the server behind it, so that the page can be worked on without building the server:
// `node proxy.js DIST SERVER_URL PORT`. Sends the same content security policy as `src/server/web.rs`.

import { createReadStream, existsSync } from "node:fs";
import { createServer, request } from "node:http";
import { extname, join, normalize } from "node:path";

const [folder, server, port] = process.argv.slice(2);
const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'";

createServer((asked, answer) => {
  const path = normalize(new URL(asked.url, "http://x").pathname);
  const isPage = path === "/" || path === "/dashboards" || path.startsWith("/dashboards/");
  const file = join(folder, isPage ? "index.html" : path);
  if ((isPage || path.startsWith("/web/")) && existsSync(file)) {
    answer.setHeader("content-type", TYPES[extname(file)] ?? "application/octet-stream");
    answer.setHeader("content-security-policy", POLICY);
    const isCompressed = existsSync(`${file}.gz`);
    if (isCompressed) answer.setHeader("content-encoding", "gzip");
    createReadStream(isCompressed ? `${file}.gz` : file).pipe(answer);
    return;
  }
  const passed = request(new URL(asked.url, server), { method: asked.method, headers: asked.headers }, (found) => {
    // The server says who may see it; the page is the one that is built.
    if (/^\/embed\/[^/]+$/.test(path) && found.statusCode === 200) {
      found.resume();
      answer.setHeader("content-type", "text/html");
      answer.setHeader("content-security-policy", POLICY);
      createReadStream(join(folder, "embed.html")).pipe(answer);
      return;
    }
    answer.writeHead(found.statusCode ?? 502, found.headers);
    found.pipe(answer);
  });
  passed.on("error", () => answer.writeHead(502).end());
  answer.on("close", () => passed.destroy());
  asked.pipe(passed);
}).listen(Number(port), "127.0.0.1");
