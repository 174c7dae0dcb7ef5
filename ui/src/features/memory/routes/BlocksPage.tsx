import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/components/Button";
import { DataList, type Column } from "@/components/DataList";
import { Empty } from "@/components/Empty";
import { Fetched } from "@/components/Fetched";
import { FilterPopover } from "@/components/FilterPopover";
import { Icon } from "@/components/icons";
import { PageHead } from "@/components/PageHead";
import { formatCount, formatDateTime } from "@/lib/format";
import { usePageFeed } from "@/lib/usePageFeed";
import { useTitle } from "@/lib/useTitle";
import { blocksQuery, type Block } from "../api/blocks";
import { BlockDialog } from "../components/BlockDialog";
import { BlockPane } from "../components/BlockPane";
import { useMemoryPage } from "../useMemoryPage";

const keyOf = (block: Block) => block.block_id;

const columns: Column<Block>[] = [
  { head: "Name", track: "minmax(0,2fr)", cell: ({ label }) => <span className="font-medium">{label}</span> },
  { head: "Text", track: "minmax(0,3fr)", isPlain: true, cell: ({ text }) => text && <span className="block truncate">{text}</span> },
  { head: "For", track: "8rem", cell: ({ agent_id }) => <span className="block truncate">{agent_id ?? "all agents"}</span> },
  { head: "Room", track: "8rem", cell: ({ text, limit_chars }) => `${formatCount([...text].length)} of ${formatCount(limit_chars)}` },
  { head: "Version", track: "4.5rem", cell: ({ version }) => version },
  { head: "Changed", track: "10rem", cell: ({ recorded_at }) => formatDateTime(recorded_at) },
];

export function BlocksPage() {
  useTitle("Blocks");
  const { search, change } = useMemoryPage();
  const filter = { prefix: search.q, agent_id: search.agent };
  const blocks = useInfiniteQuery(blocksQuery(filter));
  const { items, more } = usePageFeed(blocks);
  const [opened, setOpened] = useState<string>();
  const [making, setMaking] = useState(false);
  const block = items.find((one) => one.block_id === opened);
  const agents = [...new Set(items.map(({ agent_id }) => agent_id))].filter((agent) => agent != null);
  const empty =
    search.q || search.agent ? (
      <Empty title="No block fits these filters" />
    ) : (
      <Empty title="No block is there yet">
        <p className="text-muted">A block is a text that agents have before them in every step: who they are, who they help, how they work. They may rewrite it; every version stays.</p>
        <Button look="fire" className="justify-self-start" onClick={() => setMaking(true)}>
          Make a block
        </Button>
      </Empty>
    );
  return (
    <div className="flex h-full flex-col">
      <PageHead title="Blocks" note="What agents have before them in every step.">
        <div className="flex items-center gap-1.5">
          <FilterPopover label="Name begins with" rest="any name" value={search.q} suggestions={[]} onChange={(q) => change({ q })} />
          <FilterPopover label="Seen by agent" rest="any agent" value={search.agent} suggestions={agents.map((agent) => ({ value: agent, label: agent }))} onChange={(agent) => change({ agent })} />
          <Button look="fire" className="ml-1.5" onClick={() => setMaking(true)}>
            <Icon name="plus" /> Make
          </Button>
        </div>
      </PageHead>
      <Fetched query={blocks} what="blocks" empty={items.length === 0 && empty}>
        <DataList label="Blocks, by name" columns={columns} items={items} keyOf={keyOf} onNearEnd={more} opened={opened} onOpen={({ block_id }) => setOpened(block_id)} />
      </Fetched>
      {block && <BlockPane key={block.block_id} block={block} onClose={() => setOpened(undefined)} />}
      {making && <BlockDialog block={undefined} onClose={() => setMaking(false)} />}
    </div>
  );
}
