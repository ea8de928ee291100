// Runs something again and again, while somebody looks: a hidden page waits, and catches up when it is seen again.

import { timespanSeconds } from "../chart/values";

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SHORTEST = 1000;

/** A timespan literal in milliseconds; 0 where it is none. */
export function intervalMilliseconds(text: string | null | undefined): number {
  if (!text) return 0;
  const parts = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim());
  const milliseconds = parts ? Number(parts[1]) * (UNITS[parts[2] ?? ""] ?? 0) : timespanSeconds(text.trim()) * 1000;
  return Number.isFinite(milliseconds) && milliseconds > 0 ? Math.max(SHORTEST, milliseconds) : 0;
}

export class RefreshTimer {
  private milliseconds = 0;
  private timer = 0;
  private isDue = false;
  private readonly onVisibility = (): void => {
    if (!document.hidden && this.isDue) void this.fire();
  };

  constructor(private readonly run: () => Promise<void>) {
    document.addEventListener("visibilitychange", this.onVisibility);
  }

  set(milliseconds: number): void {
    this.milliseconds = milliseconds;
    this.schedule();
  }

  dispose(): void {
    this.set(0);
    document.removeEventListener("visibilitychange", this.onVisibility);
  }

  private schedule(): void {
    window.clearTimeout(this.timer);
    this.isDue = false;
    if (this.milliseconds === 0) return;
    this.timer = window.setTimeout(() => {
      this.isDue = true;
      if (!document.hidden) void this.fire();
    }, this.milliseconds);
  }

  /** The next round counts from the end of this one: slow queries do not pile up. */
  private async fire(): Promise<void> {
    this.isDue = false;
    try {
      await this.run();
    } finally {
      this.schedule();
    }
  }
}
