import { useInfiniteQuery } from "@tanstack/react-query";
import { peopleQuery } from "./api/people";

/** Reads ids as the usernames people know; an id of somebody not fetched stays as it is. */
export function useNames(): (id: string) => string {
  const { data } = useInfiniteQuery(peopleQuery);
  const names = new Map(data?.pages.flatMap(({ items }) => items.map(({ user_id, username }) => [user_id, username])));
  return (id) => names.get(id) ?? id;
}
