import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { sessionsQuery, statsQuery } from "./api/recall";
import { readMemorySearch, type MemorySearch } from "./filters";

/** The filters in the address, a way to change them, and what there is to choose from. */
export function useMemoryPage() {
  const search = readMemorySearch(useSearch({ strict: false }) as Record<string, unknown>);
  const navigate = useNavigate();
  const stats = useQuery(statsQuery);
  const sessions = useInfiniteQuery(sessionsQuery(stats.data?.events ?? 0));
  const change = (next: Partial<MemorySearch>) => void navigate({ to: ".", search: (before: object) => ({ ...before, ...next }), replace: true });
  return { search, stats, sessions, change };
}

export type MemoryPage = ReturnType<typeof useMemoryPage>;
