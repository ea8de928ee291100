// A value that tells of its changes.

export class Observable<Value> {
  private readonly watchers = new Set<(value: Value) => void>();

  constructor(private current: Value) {}

  get value(): Value {
    return this.current;
  }

  set value(next: Value) {
    if (Object.is(next, this.current)) return;
    this.current = next;
    this.notify();
  }

  /** Calls the watcher now and after every change; the answer ends that. */
  watch(watcher: (value: Value) => void): () => void {
    this.watchers.add(watcher);
    watcher(this.current);
    return () => this.watchers.delete(watcher);
  }

  /** For changes inside the value. */
  notify(): void {
    for (const watcher of [...this.watchers]) watcher(this.current);
  }
}
