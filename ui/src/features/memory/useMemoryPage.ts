import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { usePrincipal } from "@/lib/principal";
import { sessionsQuery, statsQuery } from "./api";
import { readMemorySearch, type MemorySearch } from "./filters";
import { defaultOwner } from "./words";

/** The filters in the address, with the owner settled, and a way to change them. */
export function useMemoryPage() {
  const search = readMemorySearch(useSearch({ strict: false }) as Record<string, unknown>);
  const navigate = useNavigate();
  const principal = usePrincipal();
  const stats = useQuery(statsQuery);
  const owners = stats.data?.owners ?? [];
  const owner = search.owner ?? defaultOwner(owners, principal.userId);
  const sessions = useQuery({ ...sessionsQuery(owner), enabled: stats.isSuccess && owner !== undefined });
  const change = (next: Partial<MemorySearch>) => void navigate({ to: ".", search: (before: object) => ({ ...before, ...next }), replace: true });
  const ownerName = (id: string) => (id === principal.userId ? principal.username : id);
  return { search, stats, owners, owner, ownerName, sessions: sessions.data?.items ?? [], change };
}

export type MemoryPage = ReturnType<typeof useMemoryPage>;
