import { useQuery } from "@tanstack/react-query";
import { endOfDay, startOfDay } from "@/lib/days";
import { searchQuery, type SearchRequest } from "./api/recall";
import type { MemorySearch } from "./filters";
import type { MemoryPage } from "./useMemoryPage";

const pageSize = 20;
/** Hits that the server lists at most. */
export const mostHits = 200;

/** The question of an address, as the server is asked. */
export const requestOf = ({ q, session, agent, channel, mode, find, type, since, until, limit }: MemorySearch): SearchRequest => ({
  query: q ?? "",
  session_id: session,
  agent_id: agent,
  channel,
  mode,
  include: find && [find],
  types: type && [type],
  after: since && startOfDay(since),
  before: until && endOfDay(until),
  limit: limit ?? pageSize,
});

/** The answer to the question in the address. */
export function useSearchAnswer({ search, change }: MemoryPage) {
  const request = requestOf(search);
  const { query } = request;
  const limit = request.limit ?? pageSize;
  const found = useQuery({ ...searchQuery(request), enabled: query !== "" });
  const answer = query ? found.data : undefined;
  const isFull = answer?.items.length === limit && limit < mostHits;
  const more = isFull ? () => change({ limit: Math.min(limit * 2, mostHits) }) : undefined;
  return { query, found, answer, more };
}
