import { infiniteQueryOptions, keepPreviousData } from "@tanstack/react-query";
import { body, client } from "@/api/client";
import type { components, paths } from "@/api/schema";
import { firstPage, nextCursor } from "./recall";

type Schemas = components["schemas"];
export type Block = Schemas["Block"];
export type BlockVersion = Schemas["BlockVersion"];
export type NewBlock = Schemas["NewBlock"];
export type BlockChange = Schemas["BlockChange"];
export type BlockFilter = Omit<NonNullable<paths["/api/v1/blocks"]["get"]["parameters"]["query"]>, "limit" | "cursor">;

export const blocksKey = ["memory", "blocks"];
/** Where a block is: its name, and the agent that it is for, if it is for one. */
const place = ({ label, agent_id }: Pick<Block, "label" | "agent_id">) => ({ path: { label }, query: { agent_id: agent_id ?? undefined } });

/** By name. */
export const blocksQuery = (filter: BlockFilter) =>
  infiniteQueryOptions({
    queryKey: [...blocksKey, "list", filter],
    queryFn: ({ pageParam: cursor }) => body(client.GET("/api/v1/blocks", { params: { query: { ...filter, limit: 50, cursor } } })),
    initialPageParam: firstPage,
    getNextPageParam: nextCursor,
    placeholderData: keepPreviousData,
  });

/** Last version first. */
export const versionsQuery = (block: Block) =>
  infiniteQueryOptions({
    queryKey: [...blocksKey, "versions", block.block_id],
    queryFn: ({ pageParam: cursor }) => {
      const { path, query } = place(block);
      return body(client.GET("/api/v1/blocks/{label}/versions", { params: { path, query: { ...query, limit: 20, cursor } } }));
    },
    initialPageParam: firstPage,
    getNextPageParam: nextCursor,
  });

export const readBlock = (block: Block) => body(client.GET("/api/v1/blocks/{label}", { params: place(block) }));
export const makeBlock = (block: NewBlock) => body(client.POST("/api/v1/blocks", { body: block }));
export const changeBlock = (block: Block, change: BlockChange) => body(client.PATCH("/api/v1/blocks/{label}", { params: place(block), body: change }));
export const deleteBlock = (block: Block) => {
  const { path, query } = place(block);
  return body(client.DELETE("/api/v1/blocks/{label}", { params: { path, query: { ...query, expected_version: block.version } } }));
};
