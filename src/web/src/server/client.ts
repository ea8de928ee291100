// Requests to the server: the token, the id of a request, errors as sentences. Knows no query.

import { Observable } from "../base/observable";

/** A refusal or failure, with the place in the text where the server names one (both from 1). */
export class ServerError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code = "",
    readonly line: number | null = null,
    readonly column: number | null = null,
  ) {
    super(message);
  }
}

/** True while the server asks for a token that the page does not have. */
export const tokenMissing = new Observable<boolean>(false);

let token = keptToken();

/** Inside a frame of another site there may be no store. */
function keptToken(): string {
  try {
    return sessionStorage.getItem("conshelf.token") ?? "";
  } catch {
    return "";
  }
}

export function setToken(value: string): void {
  token = value.trim();
  sessionStorage.setItem("conshelf.token", token);
  tokenMissing.value = false;
}

export function hasToken(): boolean {
  return token !== "";
}

export function makeRequestId(kind: string): string {
  const random = crypto.getRandomValues(new Uint32Array(4));
  return `web.${kind};${[...random].map((word) => word.toString(16).padStart(8, "0")).join("")}`;
}

export function headersWith(more: Record<string, string> = {}): Record<string, string> {
  const headers: Record<string, string> = { "x-ms-app": "Conshelf web", ...more };
  if (token !== "") headers.authorization = `Bearer ${token}`;
  return headers;
}

export async function send(
  path: string,
  options: RequestInit & { headers?: Record<string, string> },
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { ...options, headers: headersWith(options.headers) });
  } catch (failure) {
    if (failure instanceof DOMException && failure.name === "AbortError") throw failure;
    throw new ServerError("The server cannot be reached.", 0);
  }
  if (response.status === 401) tokenMissing.value = true;
  if (!response.ok) throw readError(response.status, await response.text());
  return response;
}

export async function postJson<Answer>(path: string, body: unknown, signal?: AbortSignal): Promise<Answer> {
  const response = await send(path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
    signal,
  });
  return (await response.json()) as Answer;
}

interface ErrorBody {
  code?: string;
  message?: string;
  "@message"?: string;
  "@errorMessage"?: string;
  "@errorCode"?: string;
  "@line"?: number;
  "@posInLine"?: number;
  /** The form of routes that are not Kusto's: both from 1. */
  line?: number;
  column?: number;
  innererror?: ErrorBody;
}

/** The innermost description: it is the one that names the place. */
export function errorOf(body: ErrorBody, status: number): ServerError {
  let inner = body;
  while (inner.innererror) inner = inner.innererror;
  const message = inner["@errorMessage"] ?? inner["@message"] ?? inner.message ?? "The server gave no reason.";
  const column = inner["@posInLine"];
  return new ServerError(
    message,
    status,
    inner["@errorCode"] ?? inner.code ?? "",
    inner["@line"] ?? inner.line ?? null,
    column === undefined ? (inner.column ?? null) : column + 1,
  );
}

function readError(status: number, text: string): ServerError {
  try {
    const parsed = JSON.parse(text) as { error?: ErrorBody };
    if (parsed.error) return errorOf(parsed.error, status);
  } catch {
    // Not JSON: the text itself is the message.
  }
  return new ServerError(text.trim() || `The server answered with status ${status}.`, status);
}
