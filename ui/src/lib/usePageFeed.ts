import { useCallback } from "react";

interface PagedQuery<T> {
  data: { pages: { items: T[] }[] } | undefined;
  hasNextPage: boolean;
  isFetching: boolean;
  fetchNextPage: () => unknown;
}

/** The rows of a paged query so far, and a way to ask for more that may be called too often. */
export function usePageFeed<T>({ data, hasNextPage, isFetching, fetchNextPage }: PagedQuery<T>) {
  const more = useCallback(() => {
    if (hasNextPage && !isFetching) fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage]);
  return { items: data?.pages.flatMap((page) => page.items) ?? [], more };
}
