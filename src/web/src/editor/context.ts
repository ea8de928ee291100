// What the parts of the editor ask of the page around it.

export interface EditorContext {
  /** The database that names are looked up in. */
  database(): string;
  /** Tells when the database or its schema changes; the answer ends that. */
  onContextChange(listener: () => void): () => void;
  /** Declarations that stand before every text, unseen: the parameters of a dashboard. */
  prelude?(): string;
  /** The whole text is one query, blank lines or not. */
  isWhole?: boolean;
}
