import { useQuery } from "@tanstack/react-query";
import { searchQuery } from "./api";
import { startOfDaysAgo } from "./filters";
import type { MemoryPage } from "./useMemoryPage";

const pageSize = 20;
const mostHits = 200;

/** The answer to the question in the address, once it is known whose memory to ask. */
export function useSearchAnswer({ search, stats, owner, change }: MemoryPage) {
  const limit = search.limit ?? pageSize;
  const query = search.q ?? "";
  const found = useQuery({
    ...searchQuery({
      query,
      user_id: owner,
      session_id: search.session,
      agent_id: search.agent,
      channel: search.channel ?? "private",
      mode: search.mode ?? "auto",
      after: search.days === undefined ? undefined : startOfDaysAgo(search.days),
      limit,
    }),
    enabled: query !== "" && !stats.isPending,
  });
  const answer = query ? found.data : undefined;
  const isFull = answer?.items.length === limit && limit < mostHits;
  const more = isFull ? () => change({ limit: Math.min(limit * 2, mostHits) }) : undefined;
  return { query, found, answer, more };
}
