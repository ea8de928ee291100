// Links to a query: database and text in the fragment, which the browser does not send anywhere.

export interface SharedQuery {
  database: string;
  text: string;
}

export function linkTo(query: SharedQuery): string {
  const fragment = new URLSearchParams({ db: query.database, q: query.text }).toString();
  return `${window.location.origin}${window.location.pathname}#${fragment}`;
}

/** The query that the address holds, taken out of it. */
export function takeShared(): SharedQuery | null {
  const parts = new URLSearchParams(window.location.hash.slice(1));
  const text = parts.get("q");
  if (text === null || text === "") return null;
  window.history.replaceState(null, "", window.location.pathname + window.location.search);
  return { database: parts.get("db") ?? "NetDefaultDB", text };
}
