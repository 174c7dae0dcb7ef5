import { useRef, type KeyboardEvent, type ReactNode } from "react";
import { Button } from "@/components/Button";
import type { Hit } from "../api/recall";
import { HitRow } from "./HitRow";

interface HitsProps {
  hits: Hit[];
  selectedId: string | undefined;
  onSelect: (hit: Hit) => void;
  onMore: (() => void) | undefined;
  /** What to do about a hit that is not there. */
  missing: ReactNode;
}

/** The hits, best first. Arrow keys walk them. */
export function Hits({ hits, selectedId, onSelect, onMore, missing }: HitsProps) {
  const list = useRef<HTMLUListElement>(null);
  const walk = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    const next = hits[hits.findIndex((hit) => hit.id === selectedId) + step];
    if (step === 0 || !next) return;
    event.preventDefault();
    onSelect(next);
    list.current?.querySelector<HTMLElement>(`[data-hit="${CSS.escape(next.id)}"]`)?.focus();
  };
  return (
    <div className="min-h-0 grow overflow-y-auto">
      {/* The buttons inside take the keys; the list only moves between them. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <ul ref={list} onKeyDown={walk} aria-label="Hits">
        {hits.map((hit) => (
          <li key={hit.id} className="[contain-intrinsic-size:auto_76px] [content-visibility:auto]">
            <HitRow hit={hit} selected={hit.id === selectedId} onSelect={() => onSelect(hit)} />
          </li>
        ))}
      </ul>
      {onMore && (
        <div className="p-4 text-center">
          <Button onClick={onMore}>Show more</Button>
        </div>
      )}
      <div className="p-5 max-md:px-4">{missing}</div>
    </div>
  );
}
