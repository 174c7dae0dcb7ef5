import { queryOptions } from "@tanstack/react-query";
import { call } from "./call";

export interface Dependency {
  name: string;
  configured: boolean;
  up?: boolean | null;
  since: string | null;
  latency_ms: number | null;
  last_error: string | null;
  detail: string;
}
export interface Setting {
  name: string;
  value: string | null;
  source: string;
  is_secret: boolean;
  meaning: string;
  default: string;
  needs_restart: boolean;
}

export interface Warning {
  severity: string;
  variable: string;
  text: string;
}

export const dependenciesQuery = queryOptions({
  queryKey: ["admin", "dependencies"],
  queryFn: () => call<{ items: Dependency[] }>("get", "/api/v1/admin/dependencies"),
  refetchInterval: 5_000,
});

export const configurationQuery = queryOptions({
  queryKey: ["admin", "configuration"],
  queryFn: () => call<{ settings: Setting[]; warnings: Warning[] }>("get", "/api/v1/admin/configuration"),
});
