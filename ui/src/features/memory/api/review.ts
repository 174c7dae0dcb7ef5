import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { body, client } from "@/api/client";
import type { components } from "@/api/schema";
import { firstPage, nextCursor } from "./recall";

type Schemas = components["schemas"];
export type Edit = Schemas["Edit"];
export type EditOp = Schemas["EditOp"];
export type EditStatus = "pending" | "approved" | "rejected";

export const editsKey = ["memory", "edits"];

/** Newest first. */
export const editsQuery = (status: EditStatus) =>
  infiniteQueryOptions({
    queryKey: [...editsKey, status],
    queryFn: ({ pageParam: cursor }) => body(client.GET("/api/v1/edits", { params: { query: { status, limit: 50, cursor } } })),
    initialPageParam: firstPage,
    getNextPageParam: nextCursor,
  });

/** How much waits for a decision, up to a page of each kind. */
export const waitingQuery = queryOptions({
  queryKey: [...editsKey, "waiting"],
  queryFn: async () => {
    const [edits, aside] = await Promise.all([
      body(client.GET("/api/v1/edits", { params: { query: { limit: 200 } } })),
      body(client.GET("/api/v1/memories", { params: { query: { state: "quarantined", limit: 200 } } })),
    ]);
    return edits.items.length + aside.items.length;
  },
  refetchInterval: 60_000,
  staleTime: 60_000,
});

export const edit = (target_id: string, op: EditOp, reason?: string) => body(client.POST("/api/v1/edits", { body: { target_id, op, reason } }));
const decision = (edit_id: string, reason?: string) => ({ params: { path: { edit_id } }, body: { reason } });
export const approve = (id: string, reason?: string) => body(client.POST("/api/v1/edits/{edit_id}/approve", decision(id, reason)));
export const reject = (id: string, reason?: string) => body(client.POST("/api/v1/edits/{edit_id}/reject", decision(id, reason)));
