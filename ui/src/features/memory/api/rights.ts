import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { body, client } from "@/api/client";
import type { components } from "@/api/schema";
import { firstPage, nextCursor } from "./recall";

type Schemas = components["schemas"];
export type Export = Schemas["ExportBody"];
export type ExportRequest = Schemas["ExportRequest"];
export type Erasure = Schemas["ErasureBody"];
export type EraseRequest = Schemas["EraseRequest"];
export type Hold = Schemas["HoldBody"];
export type HoldRequest = Schemas["HoldRequest"];

/** While something is under way its progress is asked for, ms. */
const whileUnderWay = (pages: { items: { state: string }[] }[] | undefined) => (pages?.some((page) => page.items.some((item) => item.state !== "done")) ? 1_500 : false);

export const exportsQuery = infiniteQueryOptions({
  queryKey: ["memory", "exports"],
  queryFn: ({ pageParam: cursor }) => body(client.GET("/api/v1/memory/export", { params: { query: { limit: 20, cursor } } })),
  initialPageParam: firstPage,
  getNextPageParam: nextCursor,
  refetchInterval: ({ state }) => whileUnderWay(state.data?.pages),
});

export const erasuresQuery = infiniteQueryOptions({
  queryKey: ["memory", "erasures"],
  queryFn: ({ pageParam: cursor }) => body(client.GET("/api/v1/memory/erasures", { params: { query: { limit: 20, cursor } } })),
  initialPageParam: firstPage,
  getNextPageParam: nextCursor,
  refetchInterval: ({ state }) => whileUnderWay(state.data?.pages),
});

export const holdsQuery = queryOptions({ queryKey: ["memory", "holds"], queryFn: () => body(client.GET("/api/v1/legal-holds")) });

export const askExport = (request: ExportRequest) => body(client.POST("/api/v1/memory/export", { body: request }));
export const eraseMemory = (request: EraseRequest) => body(client.POST("/api/v1/memory/erasures", { body: request }));
export const placeHold = (request: HoldRequest) => body(client.POST("/api/v1/legal-holds", { body: request }));
export const releaseHold = (hold_id: string) => body(client.DELETE("/api/v1/legal-holds/{hold_id}", { params: { path: { hold_id } } }));

/** A broken download goes on where it stopped: the server takes ranges and names the file's hash. */
export const exportHref = (id: string) => `/api/v1/memory/export/${id}/file`;
export const certificateHref = (id: string) => `/api/v1/memory/erasures/${id}/certificate`;

export type Imported = Schemas["Imported"];
/** Sends a file as it is; a check reads all of it and writes nothing. */
export const importFile = (file: File, dry_run: boolean) =>
  body(
    client.POST("/api/v1/memory/import", {
      params: { query: { dry_run } },
      headers: { "Content-Type": "application/x-ndjson" },
      body: file as unknown as string,
      bodySerializer: (whole) => whole as unknown as Blob,
    }),
  );
