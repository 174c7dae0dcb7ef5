import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { body, client } from "@/api/client";
import type { components } from "@/api/schema";

type Schemas = components["schemas"];
export type Job = Schemas["JobBody"];
export type KindSummary = Schemas["KindBody"];
export type Schedule = Schemas["ScheduleBody"];
export interface JobFilter {
  state?: string;
  kind?: string;
}

const root = ["admin", "jobs"] as const;

export const readKinds = () => body(client.GET("/api/v1/admin/jobs/summary"));

export const jobKindsQuery = queryOptions({
  queryKey: [...root, "kinds"],
  queryFn: readKinds,
  refetchInterval: 5_000,
});

export const jobsQuery = (filter: JobFilter) =>
  infiniteQueryOptions({
    queryKey: [...root, "list", filter],
    queryFn: ({ pageParam: cursor }) => body(client.GET("/api/v1/admin/jobs", { params: { query: { ...filter, limit: 50, cursor } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
    // A list that was scrolled far is left alone.
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) < 2 && 5_000),
  });

export const schedulesQuery = queryOptions({
  queryKey: ["admin", "schedules"],
  queryFn: () => body(client.GET("/api/v1/admin/schedules")),
  refetchInterval: 15_000,
});

export const jobsKey = root;
export const moveJob = (id: string, act: "retry" | "cancel") => {
  const params = { path: { id } };
  return body(act === "retry" ? client.POST("/api/v1/admin/jobs/{id}/retry", { params }) : client.POST("/api/v1/admin/jobs/{id}/cancel", { params }));
};
export const switchKind = (kind: string, act: "pause" | "resume") => {
  const params = { path: { kind } };
  return body(act === "pause" ? client.POST("/api/v1/admin/jobs/kinds/{kind}/pause", { params }) : client.POST("/api/v1/admin/jobs/kinds/{kind}/resume", { params }));
};
