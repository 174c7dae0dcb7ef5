/** What the address of a Memory page holds; absent means not narrowed. */
export interface MemorySearch {
  q?: string;
  owner?: string;
  channel?: string;
  session?: string;
  agent?: string;
  mode?: string;
  /** How many days back a search looks. */
  days?: number;
  kind?: string;
  /** Day to jump to, as YYYY-MM-DD. */
  day?: string;
  event?: string;
  limit?: number;
}

const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : undefined);
const keys = ["q", "owner", "channel", "session", "agent", "mode", "kind", "event"] as const;

export function readMemorySearch(raw: Record<string, unknown>): MemorySearch {
  const search: MemorySearch = {};
  for (const key of keys) {
    const value = text(raw[key]);
    if (value) search[key] = value;
  }
  const day = text(raw.day);
  if (day && /^\d{4}-\d{2}-\d{2}$/.test(day)) search.day = day;
  const days = Number(raw.days);
  if (Number.isInteger(days) && days > 0 && days <= 3660) search.days = days;
  const limit = Number(raw.limit);
  if (Number.isInteger(limit) && limit > 20 && limit <= 200) search.limit = limit;
  return search;
}

/** The last instant of a day where the reader lives, for "that day and earlier". */
export const endOfDay = (day: string) => new Date(`${day}T23:59:59.999`).toISOString();

/** Midnight so many days ago: the same all day long, so that a repeated search is answered from memory. */
export function startOfDaysAgo(days: number, now = new Date()): string {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() - days).toISOString();
}
