import { infiniteQueryOptions, keepPreviousData } from "@tanstack/react-query";
import { body, client } from "@/api/client";
import type { components, paths } from "@/api/schema";

export type AuditRow = components["schemas"]["AuditRow"];
export type AuditFilter = Omit<NonNullable<paths["/api/v1/audit"]["get"]["parameters"]["query"]>, "limit" | "cursor">;
export type Verdict = components["schemas"]["Verdict"];

/** Newest first. */
export const auditQuery = (filter: AuditFilter) =>
  infiniteQueryOptions({
    queryKey: ["admin", "audit", filter],
    queryFn: ({ pageParam: cursor }) => body(client.GET("/api/v1/audit", { params: { query: { ...filter, limit: 100, cursor } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
  });

export const verifyChain = () => body(client.POST("/api/v1/audit/verify"));

/** Address of a download with the rows that fit the filter. */
export const exportHref = (format: "jsonl" | "csv", filter: AuditFilter) => {
  const given = Object.entries(filter).filter((pair): pair is [string, string] => Boolean(pair[1]));
  return `/api/v1/audit/export?${new URLSearchParams([["format", format], ...given])}`;
};
