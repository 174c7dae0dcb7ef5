import { useMutation, useQueryClient, type InfiniteData } from "@tanstack/react-query";
import { notify } from "@/lib/toasts";
import { listsKey, memoryQuery, oneKey, pin, restore, retract, type MemoryFilter, type MemoryItem } from "./api/memories";
import { edit, editsKey } from "./api/review";

interface Act {
  run: (id: string) => Promise<unknown>;
  /** What it looks like until the server's own word arrives. */
  change: Partial<MemoryItem>;
  said: string;
  note?: string;
  undo?: ActName;
}
export type ActName = "pin" | "unpin" | "stop" | "block" | "back";

const acts: Record<ActName, Act> = {
  pin: { run: (id) => pin(id, true), change: { pinned: true }, said: "Pinned", undo: "unpin" },
  unpin: { run: (id) => pin(id, false), change: { pinned: false }, said: "No longer pinned", undo: "pin" },
  stop: { run: retract, change: { state: "retracted" }, said: "No longer used", note: "It can be brought back.", undo: "back" },
  block: { run: (id) => edit(id, "block"), change: { state: "blocked" }, said: "Blocked", note: "It is not used, and never derived again.", undo: "back" },
  back: { run: restore, change: { state: "active", valid_to: null, superseded_by: null }, said: "In use again" },
};

type Pages = InfiniteData<{ items: MemoryItem[] }>;
const fits = ({ state, pinned }: MemoryFilter, item: MemoryItem) => (state ?? "active") === item.state && (!pinned || item.pinned);

/** Changes a memory at once, with a way back; a refusal says why. */
export function useMemoryActions() {
  const queries = useQueryClient();
  const show = (id: string, change: Partial<MemoryItem>) => {
    for (const [key, data] of queries.getQueriesData<Pages>({ queryKey: listsKey })) {
      const keep = (item: MemoryItem) => item.memory_id !== id || fits(key[listsKey.length] as MemoryFilter, item);
      const items = (list: MemoryItem[]) => list.map((item) => (item.memory_id === id ? { ...item, ...change } : item)).filter(keep);
      if (data) queries.setQueryData<Pages>(key, { ...data, pages: data.pages.map((page) => ({ ...page, items: items(page.items) })) });
    }
    queries.setQueryData(memoryQuery(id).queryKey, (head) => head && { ...head, ...change });
  };
  /** Everything that a change may show in. */
  const refresh = (id: string) => Promise.all([listsKey, oneKey(id), editsKey, ["memory", "search"]].map((queryKey) => queries.invalidateQueries({ queryKey })));
  const { mutate } = useMutation({
    mutationFn: ({ id, name }: { id: string; name: ActName }) => acts[name].run(id),
    onMutate: async ({ id, name }) => {
      await Promise.all([queries.cancelQueries({ queryKey: listsKey }), queries.cancelQueries({ queryKey: oneKey(id) })]);
      show(id, acts[name].change);
    },
    onSuccess: (_, { id, name }) => {
      const { said, note, undo } = acts[name];
      notify(said, note, undo && { label: "Undo", run: () => mutate({ id, name: undo }) });
    },
    onError: (error) => notify("The memory stays as it is", error.message),
    onSettled: (_, __, { id }) => refresh(id),
  });
  return { act: (id: string, name: ActName) => mutate({ id, name }), refresh };
}
