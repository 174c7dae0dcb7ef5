import { useQuery } from "@tanstack/react-query";
import { searchQuery } from "./api/recall";
import { startOfDaysAgo } from "./filters";
import type { MemoryPage } from "./useMemoryPage";

const pageSize = 20;
const mostHits = 200;

/** The answer to the question in the address. */
export function useSearchAnswer({ search, change }: MemoryPage) {
  const limit = search.limit ?? pageSize;
  const query = search.q ?? "";
  const request = {
    query,
    session_id: search.session,
    agent_id: search.agent,
    channel: search.channel,
    mode: search.mode,
    after: search.days === undefined ? undefined : startOfDaysAgo(search.days),
    limit,
  };
  const found = useQuery({ ...searchQuery(request), enabled: query !== "" });
  const answer = query ? found.data : undefined;
  const isFull = answer?.items.length === limit && limit < mostHits;
  const more = isFull ? () => change({ limit: Math.min(limit * 2, mostHits) }) : undefined;
  return { query, found, answer, more };
}
