import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, type ReactNode } from "react";

interface VirtualListProps<T> {
  items: T[];
  estimate: number;
  keyOf: (item: T) => string;
  render: (item: T, index: number) => ReactNode;
  /** Called when the end comes near; the caller ignores it while a page is on its way. */
  onNearEnd: () => void;
  /** Row to bring into view, once. */
  reveal?: string;
  label: string;
  before?: ReactNode;
  after?: ReactNode;
}

/** Draws only the rows in sight, however many there are. */
export function VirtualList<T>({ items, estimate, keyOf, render, onNearEnd, reveal, label, before, after }: VirtualListProps<T>) {
  const viewport = useRef<HTMLDivElement>(null);
  const revealed = useRef<string>(undefined);
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => viewport.current,
    estimateSize: () => estimate,
    getItemKey: (index) => keyOf(items[index] as T),
    overscan: 8,
  });
  const drawn = rows.getVirtualItems();
  const last = drawn.at(-1)?.index ?? -1;

  useEffect(() => {
    if (last >= items.length - 10) onNearEnd();
  }, [last, items.length, onNearEnd]);

  useEffect(() => {
    if (!reveal || revealed.current === reveal) return;
    const index = items.findIndex((item) => keyOf(item) === reveal);
    if (index < 0) return;
    revealed.current = reveal;
    rows.scrollToIndex(index, { align: "center" });
  }, [reveal, items, keyOf, rows]);

  return (
    // A scrolling region takes the focus so that the arrow keys scroll it.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div ref={viewport} className="min-h-0 grow overflow-y-auto" tabIndex={0} role="region" aria-label={label}>
      {before}
      <div role="list" aria-label={label} className="relative" style={{ height: rows.getTotalSize() }}>
        {drawn.map((row) => (
          <div
            key={row.key}
            ref={rows.measureElement}
            data-index={row.index}
            role="listitem"
            className="absolute inset-x-0 top-0"
            style={{ transform: `translateY(${row.start}px)` }}
          >
            {render(items[row.index] as T, row.index)}
          </div>
        ))}
      </div>
      {after}
    </div>
  );
}
