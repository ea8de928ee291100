// A rectangle of selected cells: where it began and where it ends, in places of the view.

export interface Place {
  row: number;
  column: number;
}

export class CellSelection {
  private anchor: Place | null = null;
  head: Place | null = null;

  clear(): void {
    this.anchor = null;
    this.head = null;
  }

  set(place: Place): void {
    this.anchor = place;
    this.head = place;
  }

  extend(place: Place): void {
    this.anchor ??= place;
    this.head = place;
  }

  /** Inclusive bounds. */
  get bounds(): { top: number; bottom: number; left: number; right: number } | null {
    if (!this.anchor || !this.head) return null;
    return {
      top: Math.min(this.anchor.row, this.head.row),
      bottom: Math.max(this.anchor.row, this.head.row),
      left: Math.min(this.anchor.column, this.head.column),
      right: Math.max(this.anchor.column, this.head.column),
    };
  }

  contains(row: number, column: number): boolean {
    const bounds = this.bounds;
    return (
      bounds !== null && row >= bounds.top && row <= bounds.bottom && column >= bounds.left && column <= bounds.right
    );
  }
}
