import type { InfiniteData, QueryClient, QueryKey } from "@tanstack/react-query";

/** Changes rows of paged answers in place, until the server's own word arrives. */
export function patchPages<T>(queries: QueryClient, queryKey: QueryKey, change: (item: T) => T) {
  queries.setQueriesData<InfiniteData<{ items: T[] }>>({ queryKey }, (data) => data && { ...data, pages: data.pages.map((page) => ({ ...page, items: page.items.map(change) })) });
}
