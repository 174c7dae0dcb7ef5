import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { call } from "./call";

export interface Job {
  job_id: string;
  tenant_id: string | null;
  kind: string;
  job_key: string | null;
  state: string;
  tries: number;
  run_at: string;
  created_at: string;
  finished_at: string | null;
  lease_until: string | null;
  last_error: string | null;
  payload: unknown;
}
export interface KindSummary {
  kind: string;
  paused: boolean;
  due: number;
  running: number;
  failed: number;
  dead: number;
  oldest_due_seconds: number | null;
}
export interface Schedule {
  name: string;
  kind: string;
  cron: string;
  time_zone: string;
  catch_up: string;
  next_at: string | null;
  last_fired_at: string | null;
}
export interface JobFilter {
  state?: string;
  kind?: string;
}

const root = ["admin", "jobs"] as const;

export const readKinds = () => call<{ kinds: KindSummary[] }>("get", "/api/v1/admin/jobs/summary");

export const jobKindsQuery = queryOptions({
  queryKey: [...root, "kinds"],
  queryFn: readKinds,
  refetchInterval: 5_000,
});

export const jobsQuery = (filter: JobFilter) =>
  infiniteQueryOptions({
    queryKey: [...root, "list", filter],
    queryFn: ({ pageParam: cursor }) => call<{ items: Job[]; next_cursor: string | null }>("get", "/api/v1/admin/jobs", { query: { ...filter, limit: 50, cursor } }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
    // A list that was scrolled far is left alone.
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) < 2 && 5_000),
  });

export const schedulesQuery = queryOptions({
  queryKey: ["admin", "schedules"],
  queryFn: () => call<{ items: Schedule[] }>("get", "/api/v1/admin/schedules"),
  refetchInterval: 15_000,
});

export const jobsKey = root;
export const moveJob = (id: string, act: "retry" | "cancel") => call("post", `/api/v1/admin/jobs/{id}/${act}`, { path: { id } });
export const switchKind = (kind: string, act: "pause" | "resume") => call("post", `/api/v1/admin/jobs/kinds/{kind}/${act}`, { path: { kind } });
