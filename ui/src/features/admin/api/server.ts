import { queryOptions } from "@tanstack/react-query";
import { body, client } from "@/api/client";
import type { components } from "@/api/schema";

type Schemas = components["schemas"];
export type Dependency = Schemas["Dependency"];
export type Setting = Schemas["Shown"];
export type RetentionRule = Schemas["RuleBody"];
export type Warning = Schemas["Finding"];

export const dependenciesQuery = queryOptions({
  queryKey: ["admin", "dependencies"],
  queryFn: () => body(client.GET("/api/v1/admin/dependencies")),
  refetchInterval: 5_000,
});

export const configurationQuery = queryOptions({
  queryKey: ["admin", "configuration"],
  queryFn: () => body(client.GET("/api/v1/admin/configuration")),
});

export const retentionQuery = queryOptions({
  queryKey: ["admin", "retention"],
  queryFn: () => body(client.GET("/api/v1/admin/retention")),
});
