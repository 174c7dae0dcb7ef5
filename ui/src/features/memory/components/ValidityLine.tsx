import { formatDate } from "@/lib/format";
import type { MemoryItem } from "../api/memories";
import { validityShape } from "../validity";

const percent = (share: number) => `${(share * 100).toFixed(2)}%`;

/** Since when a memory is so and until when, drawn against the day it was written down and today. */
export function ValidityLine({ memory }: { memory: MemoryItem }) {
  const { from, to, recorded, goesOn } = validityShape(memory);
  const { valid_from, valid_to, recorded_at } = memory;
  return (
    <section aria-label="Validity">
      <div aria-hidden="true" className="relative h-4">
        <span className="absolute inset-x-0 top-1.5 h-1 rounded-full bg-track" />
        <span className={`absolute top-1.5 h-1 bg-words ${goesOn ? "rounded-l-full" : "rounded-full"}`} style={{ left: percent(from), width: percent(Math.max(to - from, 0.01)) }} />
        <span className="absolute top-0.5 -ml-1.5 size-3 rounded-full border-2 border-raised bg-words" style={{ left: percent(from) }} />
        {!goesOn && <span className="absolute top-0.5 -ml-1.5 size-3 rounded-full border-2 border-words bg-raised" style={{ left: percent(to) }} />}
        <span className="absolute top-0 h-4 w-px bg-edge" style={{ left: percent(recorded) }} title="written down" />
      </div>
      <p className="flex justify-between gap-4 text-sm text-muted tabular-nums">
        <span>So since {formatDate(valid_from)}</span>
        <span>{valid_to ? `until ${formatDate(valid_to)}` : "still so"}</span>
      </p>
      <p className="text-sm text-faint tabular-nums">Written down {formatDate(recorded_at)}</p>
    </section>
  );
}
