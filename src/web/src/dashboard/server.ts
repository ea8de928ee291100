// What the server offers for dashboards: files, runs of tiles, values of parameters, embedded ones. Knows no elements.

import { postJson, send, ServerError } from "../server/client";
import { readAnswer, type Answer } from "../server/query";
import type { Dashboard } from "./model";
import type { Choice, Values } from "./values";

export interface Listed {
  database: string;
  name: string;
  title: string;
  description: string;
  source: "database" | "file" | "built-in";
  writable: boolean;
  /** What is wrong with its file. */
  problem?: string | null;
}

export interface Stored {
  /** `null` where the file cannot be read; `problems` tells why. */
  dashboard: Dashboard | null;
  problems?: FileRemark[];
  /** The file; an embedded dashboard has none. */
  text: string;
  format: "yaml" | "json";
  source: string;
  writable: boolean;
  etag: string;
  theme?: string | null;
  /** Of embedded ones: the parameters that cannot be changed, the values fixed in the token, when it ends. */
  locked?: string[];
  values?: Values;
  parameters?: Values;
  expires?: string;
  tile?: string | null;
  page?: string | number | null;
}

/** Where tiles and choices of one dashboard come from. */
export interface Source {
  /** `null` when the data is what it was at the tag. */
  run(
    tile: string,
    values: Values,
    tag: string | null,
    signal: AbortSignal,
  ): Promise<{ answer: Answer; tag: string | null } | null>;
  choices(parameter: string, values: Values): Promise<Choice[]>;
}

/** `-` stands for the dashboards of no database. */
export const pathPart = (database: string): string => encodeURIComponent(database === "" ? "-" : database);
export const pathOf = (database: string, name: string): string => `${pathPart(database)}/${encodeURIComponent(name)}`;
export const addressOf = (database: string, name: string): string => `/dashboards/${pathOf(database, name)}`;

const api = (database: string, name: string): string => `/v1/dashboards/${pathOf(database, name)}`;

export async function listDashboards(): Promise<Listed[]> {
  const response = await send("/v1/dashboards", {});
  return ((await response.json()) as { dashboards: Listed[] }).dashboards;
}

export async function readDashboard(database: string, name: string): Promise<Stored> {
  const response = await send(api(database, name), { cache: "no-store" });
  const stored = (await response.json()) as Stored;
  return { ...stored, etag: stored.etag ?? response.headers.get("etag") ?? "" };
}

/** Stores a file; with a tag only over the version that it names. `*` as `none` asks that there is none yet. */
export async function writeDashboard(
  database: string,
  name: string,
  text: string,
  format: "yaml" | "json",
  guard: { match?: string; none?: boolean } = {},
): Promise<void> {
  const headers: Record<string, string> = { "content-type": `application/${format}` };
  if (guard.match) headers["if-match"] = guard.match.startsWith('"') ? guard.match : `"${guard.match}"`;
  if (guard.none) headers["if-none-match"] = "*";
  await send(api(database, name), { method: "PUT", body: text, headers });
}

export async function deleteDashboard(database: string, name: string): Promise<void> {
  await send(api(database, name), { method: "DELETE" });
}

export interface FileRemark {
  severity: string;
  message: string;
  line: number;
  column: number;
  path: string;
}

/** What is wrong with a file, by its places (from 1). */
export async function checkDashboard(text: string, format: "yaml" | "json", database: string): Promise<FileRemark[]> {
  try {
    const response = await send(`/v1/dashboards/check?database=${encodeURIComponent(database)}`, {
      method: "POST",
      body: text,
      headers: { "content-type": `application/${format}` },
    });
    const answer = (await response.json()) as { diagnostics?: Partial<FileRemark>[] };
    return (answer.diagnostics ?? []).map((one) => ({
      severity: one.severity ?? "Error",
      message: one.message ?? "",
      line: one.line ?? 1,
      column: one.column ?? 1,
      path: one.path ?? "",
    }));
  } catch (failure) {
    if (failure instanceof ServerError && failure.line !== null) {
      return [
        { severity: "Error", message: failure.message, line: failure.line, column: failure.column ?? 1, path: "" },
      ];
    }
    throw failure;
  }
}

export interface Imported {
  dashboard: Dashboard;
  text: string;
  warnings: { path: string; message: string }[];
}

export async function importDashboard(text: string, database: string): Promise<Imported> {
  const response = await send(`/v1/dashboards/import?database=${encodeURIComponent(database)}`, {
    method: "POST",
    body: text,
    headers: { "content-type": "application/json" },
  });
  return (await response.json()) as Imported;
}

export interface EmbedWish {
  tile?: string;
  page?: string;
  expires: string;
  parameters?: Values;
  locked?: string[];
  theme?: string;
}

export async function makeEmbed(
  database: string,
  name: string,
  wish: EmbedWish,
): Promise<{ url: string; expires: string }> {
  return postJson(`${api(database, name)}/embed`, wish);
}

function sourceAt(base: string): Source {
  return {
    async run(tile, values, tag, signal) {
      try {
        const response = await send(`${base}/tiles/${encodeURIComponent(tile)}/run`, {
          method: "POST",
          body: JSON.stringify({ parameters: values }),
          headers: { "content-type": "application/json", ...(tag ? { "if-none-match": tag } : {}) },
          signal,
        });
        return { answer: readAnswer(await response.text()), tag: response.headers.get("etag") };
      } catch (failure) {
        if (failure instanceof ServerError && failure.status === 304) return null;
        throw failure;
      }
    },
    async choices(parameter, values) {
      const found = await postJson<{ values: { value: Choice["value"]; label?: string | null }[] }>(
        `${base}/parameters/${encodeURIComponent(parameter)}/values`,
        { parameters: values },
      );
      return found.values.map((one) => ({ value: one.value, label: one.label ?? String(one.value) }));
    },
  };
}

export const storedSource = (database: string, name: string): Source => sourceAt(api(database, name));

export const embedSource = (token: string): Source => sourceAt(`/embed/${encodeURIComponent(token)}`);

export async function readEmbedded(token: string): Promise<Stored> {
  const response = await send(`/embed/${encodeURIComponent(token)}/dashboard`, { cache: "no-store" });
  return (await response.json()) as Stored;
}
