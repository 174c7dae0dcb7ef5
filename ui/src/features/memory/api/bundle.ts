import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { body, client } from "@/api/client";
import type { components } from "@/api/schema";

type Schemas = components["schemas"];
export type Bundle = Schemas["Bundle"];
export type BundleRequest = Schemas["BundleRequest"];
export type BundleSection = Schemas["BundleSection"];
export type BundleItem = Schemas["BundleItem"];
export type Omission = Schemas["BundleOmission"];

export const bundleQuery = (request: BundleRequest) =>
  queryOptions({
    queryKey: ["memory", "bundle", request],
    queryFn: () => body(client.POST("/api/v1/acb/build", { body: request })),
    placeholderData: keepPreviousData,
  });
