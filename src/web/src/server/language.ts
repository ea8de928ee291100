// What the server knows of a text while it is written. All places are UTF-16 units from the start of the text sent.

import { postJson } from "./client";

export interface CompletionItem {
  label: string;
  kind: string;
  insertText: string;
  caret: number | null;
  detail: string;
  documentation: string;
  sortText: string;
}

export interface Completion {
  start: number;
  length: number;
  items: CompletionItem[];
}

export interface Hover {
  start: number;
  length: number;
  markdown: string;
}

export interface SignatureHelp {
  signatures: { label: string; documentation: string; parameters: { start: number; length: number }[] }[];
  activeSignature: number;
  activeParameter: number;
}

export interface Fix {
  title: string;
  start: number;
  length: number;
  replacement: string;
}

export interface Remark {
  severity: string;
  code: string;
  message: string;
  start: number;
  length: number;
  hints: string[];
  fixes: Fix[];
}

export interface Tokens {
  kinds: string[];
  tokens: [number, number, number][];
}

export const askCompletion = (db: string, csl: string, position: number, signal?: AbortSignal): Promise<Completion> =>
  postJson("/v1/kql/complete", { db, csl, position }, signal);

export const askHover = (db: string, csl: string, position: number): Promise<Hover | null> =>
  postJson("/v1/kql/hover", { db, csl, position });

export const askSignature = (db: string, csl: string, position: number): Promise<SignatureHelp | null> =>
  postJson("/v1/kql/signature", { db, csl, position });

export const askTokens = (db: string, csl: string): Promise<Tokens> => postJson("/v1/kql/tokens", { db, csl });

export async function askFormatted(csl: string): Promise<string> {
  return (await postJson<{ text: string }>("/v1/kql/format", { csl })).text;
}

export async function askRemarks(db: string, csl: string): Promise<Remark[]> {
  return (await postJson<{ diagnostics: Remark[] }>("/v1/kql/check", { db, csl })).diagnostics;
}
