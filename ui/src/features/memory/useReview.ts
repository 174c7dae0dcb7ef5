import { useMutation, useQueryClient, type InfiniteData } from "@tanstack/react-query";
import { ProblemError } from "@/api/problem";
import { notify } from "@/lib/toasts";
import { listsKey } from "./api/memories";
import { approve, edit, editsKey, reject } from "./api/review";
import { reviewWords, type ReviewItem } from "./reviewItems";
import { useMemoryActions } from "./useMemoryActions";

export interface Verdict {
  item: ReviewItem;
  yes: boolean;
  reason?: string;
}

function send({ item: { id, edit: proposal }, yes, reason }: Verdict): Promise<unknown> {
  if (proposal) return (yes ? approve : reject)(id, reason);
  return edit(id, yes ? "restore" : "retract", reason);
}

type Pages = InfiniteData<{ items: { edit_id?: string; memory_id?: string }[] }>;
const isStale = (error: unknown) => error instanceof ProblemError && error.code === "edit_stale";

/** Decides what waits; it leaves the queue at once, and comes back when the server refuses. */
export function useReview() {
  const queries = useQueryClient();
  const { refresh } = useMemoryActions();
  const leave = (id: string) => {
    const queues = [[...editsKey, "pending"], [...listsKey, { state: "quarantined" }]];
    for (const queryKey of queues) {
      queries.setQueryData<Pages>(queryKey, (data) => data && { ...data, pages: data.pages.map((page) => ({ ...page, items: page.items.filter((row) => (row.edit_id ?? row.memory_id) !== id) })) });
    }
  };
  const { mutate, isPending } = useMutation({
    mutationFn: send,
    onMutate: async ({ item }) => {
      await Promise.all([queries.cancelQueries({ queryKey: editsKey }), queries.cancelQueries({ queryKey: listsKey })]);
      leave(item.id);
    },
    onSuccess: (_, { item, yes }) => {
      const { yesMeans, noMeans } = reviewWords(item);
      const again = () => void edit(item.id, "quarantine").finally(() => refresh(item.targetId));
      const undo = item.aside && { label: "Undo", run: again };
      if (yes) notify(yesMeans, undefined, undo);
      else notify(...noMeans, undo);
    },
    onError: (error) => {
      if (isStale(error)) notify("Too late", "It was decided before, or the memory has changed since. The queue shows what is so now.");
      else notify("Nothing was decided", error.message);
    },
    onSettled: (_, __, { item }) => refresh(item.targetId),
  });
  return { decide: mutate, deciding: isPending };
}
