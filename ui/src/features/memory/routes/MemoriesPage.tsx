import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/components/Button";
import { Empty } from "@/components/Empty";
import { Fetched } from "@/components/Fetched";
import { Icon } from "@/components/icons";
import { PageHead } from "@/components/PageHead";
import { VirtualList } from "@/components/VirtualList";
import { usePageFeed } from "@/lib/usePageFeed";
import { useTitle } from "@/lib/useTitle";
import { memoriesQuery, type MemoryItem } from "../api/memories";
import { AddMemoryDialog } from "../components/AddMemoryDialog";
import { MemoryFilters } from "../components/MemoryFilters";
import { MemoryPane } from "../components/MemoryPane";
import { MemoryRow } from "../components/MemoryRow";
import { useMemoryActions } from "../useMemoryActions";
import { useMemoryPage } from "../useMemoryPage";

const keyOf = (memory: MemoryItem) => memory.memory_id;

export function MemoriesPage() {
  useTitle("Memories");
  const page = useMemoryPage();
  const { search, change } = page;
  const { type, state, channel, tag, session, agent } = search;
  const filter = { type, state, channel, tag, session_id: session, agent_id: agent, pinned: search.pinned ? true : undefined };
  const isNarrowed = Object.values(filter).some((value) => value !== undefined);
  const memories = useInfiniteQuery(memoriesQuery(filter));
  const { items, more } = usePageFeed(memories);
  const { act } = useMemoryActions();
  const [adding, setAdding] = useState(false);
  const open = (memory: string | undefined) => change({ memory });
  const empty = isNarrowed ? (
    <Empty title="Nothing fits these filters">
      <p className="text-muted">Memories that are put aside, taken back or blocked have a state of their own in the first filter.</p>
    </Empty>
  ) : (
    <Empty title="No memory is kept yet">
      <p className="text-muted">Memories are derived from what agents record: facts, preferences, plans. You can also say one yourself; agents find it at once.</p>
      <Button look="fire" className="justify-self-start" onClick={() => setAdding(true)}>
        Remember something
      </Button>
    </Empty>
  );
  return (
    <div className="flex h-full flex-col">
      <PageHead title="Memories" note="What was derived from conversations or said to be remembered.">
        <Button look="fire" onClick={() => setAdding(true)}>
          <Icon name="plus" /> Remember
        </Button>
      </PageHead>
      <MemoryFilters page={page} rows={items} />
      <Fetched query={memories} what="memories" empty={items.length === 0 && empty}>
        <VirtualList
          key={JSON.stringify(filter)}
          label="Memories, newest first"
          items={items}
          estimate={76}
          keyOf={keyOf}
          onNearEnd={more}
          render={(memory) => (
            <MemoryRow
              memory={memory}
              opened={memory.memory_id === search.memory}
              onOpen={() => open(memory.memory_id)}
              onPin={() => act(memory.memory_id, memory.pinned ? "unpin" : "pin")}
              onStop={() => act(memory.memory_id, "stop")}
            />
          )}
        />
      </Fetched>
      {search.memory && <MemoryPane key={search.memory} memoryId={search.memory} onClose={() => open(undefined)} />}
      {adding && <AddMemoryDialog onAdded={open} onClose={() => setAdding(false)} />}
    </div>
  );
}
