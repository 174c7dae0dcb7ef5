import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { body, client } from "@/api/client";
import type { components } from "@/api/schema";

type Schemas = components["schemas"];
export type MemoryEvent = Schemas["Event"];
export type Hit = Schemas["SearchHit"];
export type Explain = Schemas["Explain"];
export type ExplainPart = Schemas["ExplainPart"];
export type SearchAnswer = Schemas["SearchAnswer"];
export type Stats = Schemas["MemoryStats"];
export type Owner = Schemas["OwnerCount"];
export type SearchRequest = Schemas["SearchRequest"];
export type EventPage = Schemas["EventPage"];

export interface TimelineFilter {
  user_id?: string;
  session_id?: string;
  agent_id?: string;
  kind?: string;
  before?: string;
  around?: string;
}

/** While nothing is remembered it asks again, so that the page greets the first event by itself. */
export const statsQuery = queryOptions({
  queryKey: ["memory", "stats"],
  queryFn: () => body(client.GET("/api/v1/memory/stats")),
  refetchInterval: ({ state }) => (state.data?.events === 0 ? 3000 : false),
});

/** The latest conversations of one owner, to pick from. */
export const sessionsQuery = (user_id: string | undefined) =>
  queryOptions({
    queryKey: ["memory", "sessions", user_id],
    queryFn: () => body(client.GET("/api/v1/sessions", { params: { query: { user_id, limit: 50 } } })),
  });

export const searchQuery = (request: SearchRequest) =>
  queryOptions({
    queryKey: ["memory", "search", request],
    queryFn: () => body(client.POST("/api/v1/memories/search", { body: { ...request, neighbours: 1, explain: true } })),
    enabled: request.query !== "",
    placeholderData: keepPreviousData,
  });

export const timelineQuery = ({ around, ...filter }: TimelineFilter) =>
  infiniteQueryOptions({
    queryKey: ["memory", "timeline", filter, around],
    queryFn: ({ pageParam: cursor }) =>
      body(client.GET("/api/v1/memory/timeline", { params: { query: { ...filter, limit: 100, ...(cursor ? { cursor } : { around }) } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    getPreviousPageParam: (page) => page.prev_cursor ?? undefined,
  });
