import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { body, client } from "@/api/client";
import type { components, paths } from "@/api/schema";

type Schemas = components["schemas"];
export type MemoryEvent = Schemas["Event"];
export type EventKind = Schemas["EventKind"];
export type Channel = Schemas["Channel"];
export type SearchMode = Schemas["SearchMode"];
export type MemoryItem = Schemas["MemoryItem"];
export type Hit = Schemas["SearchHit"];
export type SearchAnswer = Schemas["SearchAnswer"];
export type SearchRequest = Schemas["SearchRequest"];
export type Session = Schemas["SessionSummary"];
export type Stats = Schemas["MemoryStats"];
export type EventPage = Schemas["EventPage"];
export type TimelineFilter = Omit<NonNullable<paths["/api/v1/memory/timeline"]["get"]["parameters"]["query"]>, "limit" | "cursor">;

/** Who said it; a memory is named by its type. */
export const speakerOf = (hit: Hit) => hit.actor?.name || hit.actor?.id || hit.type;

/** One addend of a score. The API's document leaves the form of a part open; these fields are what people read. */
export interface ScorePart {
  group: string;
  label: string;
  value: number;
}
export const scoreParts = (hit: Hit) => (hit.explain?.parts ?? []) as unknown as ScorePart[];
export const matchedForms = (hit: Hit): string[] => hit.explain?.terms.flatMap((term) => term.matched) ?? [];

export const nextCursor = (page: { next_cursor?: string | null }) => page.next_cursor ?? undefined;
export const firstPage = undefined as string | undefined;

/** Asks again by itself, often while nothing is remembered, so that the page greets the first event. */
export const statsQuery = queryOptions({
  queryKey: ["memory", "stats"],
  queryFn: () => body(client.GET("/api/v1/memory/stats")),
  refetchInterval: ({ state }) => (state.data?.events === 0 ? 3_000 : 30_000),
});

/** Conversations, latest first, read anew when memory has grown. */
export const sessionsQuery = (events: number) =>
  infiniteQueryOptions({
    queryKey: ["memory", "sessions", events],
    queryFn: ({ pageParam: cursor }) => body(client.GET("/api/v1/sessions", { params: { query: { limit: 50, cursor } } })),
    initialPageParam: firstPage,
    getNextPageParam: nextCursor,
    placeholderData: keepPreviousData,
    enabled: events > 0,
  });

/** One event, which never changes; an absent one is not asked for twice. */
export const eventQuery = (event_id: string) =>
  queryOptions({
    queryKey: ["memory", "event", event_id],
    queryFn: () => body(client.GET("/api/v1/events/{event_id}", { params: { path: { event_id } } })),
    staleTime: Infinity,
  });

export const searchQuery = (request: SearchRequest) =>
  queryOptions({
    queryKey: ["memory", "search", request],
    queryFn: () => body(client.POST("/api/v1/memories/search", { body: { ...request, neighbours: 1, explain: true } })),
    placeholderData: keepPreviousData,
  });

/** Events, latest first. */
export const timelineQuery = (filter: TimelineFilter) =>
  infiniteQueryOptions({
    queryKey: ["memory", "timeline", filter],
    queryFn: ({ pageParam: cursor }) => body(client.GET("/api/v1/memory/timeline", { params: { query: { ...filter, limit: 100, cursor } } })),
    initialPageParam: firstPage,
    getNextPageParam: nextCursor,
  });
