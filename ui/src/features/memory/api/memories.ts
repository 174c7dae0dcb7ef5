import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { body, client } from "@/api/client";
import type { components, paths } from "@/api/schema";
import { firstPage, nextCursor, type MemoryItem } from "./recall";

type Schemas = components["schemas"];
export type MemoryType = Schemas["MemoryType"];
export type MemoryState = NonNullable<MemoryFilter["state"]>;
export type MemoryPatch = Schemas["MemoryPatch"];
export type NewMemory = Schemas["NewMemory"];
export type Version = Schemas["MemoryVersion"];
export type Source = Schemas["MemorySource"];
export type MemoryFilter = Omit<NonNullable<paths["/api/v1/memories"]["get"]["parameters"]["query"]>, "limit" | "cursor">;
export type { MemoryItem };

/** Every list of memories, whatever its filter. */
export const listsKey = ["memory", "list"];
/** All that is known of one memory. */
export const oneKey = (id: string) => ["memory", "one", id];

const path = (memory_id: string) => ({ params: { path: { memory_id } } });

/** Newest first. */
export const memoriesQuery = (filter: MemoryFilter) =>
  infiniteQueryOptions({
    queryKey: [...listsKey, filter],
    queryFn: ({ pageParam: cursor }) => body(client.GET("/api/v1/memories", { params: { query: { ...filter, limit: 50, cursor } } })),
    initialPageParam: firstPage,
    getNextPageParam: nextCursor,
    placeholderData: keepPreviousData,
  });

export const memoryQuery = (id: string) =>
  queryOptions({ queryKey: [...oneKey(id), "head"], queryFn: () => body(client.GET("/api/v1/memories/{memory_id}", path(id))) });
/** First version first. */
export const historyQuery = (id: string) =>
  queryOptions({ queryKey: [...oneKey(id), "history"], queryFn: () => body(client.GET("/api/v1/memories/{memory_id}/history", path(id))) });
export const sourcesQuery = (id: string) =>
  queryOptions({ queryKey: [...oneKey(id), "sources"], queryFn: () => body(client.GET("/api/v1/memories/{memory_id}/sources", path(id))) });

export const add = (memory: NewMemory) => body(client.POST("/api/v1/memories", { body: memory }));
export const amend = (id: string, patch: MemoryPatch) => body(client.PATCH("/api/v1/memories/{memory_id}", { ...path(id), body: patch }));
export const pin = (id: string, pinned: boolean) => body(client.POST("/api/v1/memories/{memory_id}/pin", { ...path(id), body: { pinned } }));
export const restore = (id: string) => body(client.POST("/api/v1/memories/{memory_id}/restore", path(id)));
export const retract = (id: string) => body(client.DELETE("/api/v1/memories/{memory_id}", path(id)));
export const erase = (memory_id: string) => body(client.DELETE("/api/v1/memories/{memory_id}", { params: { path: { memory_id }, query: { erase: true } } }));
