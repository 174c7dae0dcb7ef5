import type { MemoryItem } from "./api/memories";

export interface ValidityShape {
  /** Part of the line (0–1) in which the memory is so. */
  from: number;
  to: number;
  /** Where the memory was written down, and where the present lies. */
  recorded: number;
  now: number;
  /** Still so at the end of the line. */
  goesOn: boolean;
}

/** Places of a memory's instants on a line from its first to its last, with a little room at both ends. */
export function validityShape({ valid_from, valid_to, recorded_at }: Pick<MemoryItem, "valid_from" | "valid_to" | "recorded_at">, now = Date.now()): ValidityShape {
  const [since, recorded] = [Date.parse(valid_from), Date.parse(recorded_at)];
  const until = valid_to ? Date.parse(valid_to) : null;
  const instants = [since, recorded, now, ...(until === null ? [] : [until])];
  const first = Math.min(...instants);
  const span = Math.max(...instants) - first || 1;
  const place = (at: number) => 0.02 + (0.96 * (at - first)) / span;
  return { from: place(since), to: until === null ? 1 : place(until), recorded: place(recorded), now: place(now), goesOn: until === null };
}
