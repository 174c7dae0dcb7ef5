import { Button } from "@/components/Button";
import { FilterMenu } from "@/components/FilterMenu";
import { FilterPopover } from "@/components/FilterPopover";
import { chipLook, chosenChipLook } from "@/components/looks";
import { cx } from "@/lib/cx";
import type { MemoryItem } from "../api/memories";
import type { MemorySearch } from "../filters";
import type { MemoryPage } from "../useMemoryPage";
import { channels, states, types } from "../words";
import { ScopeFilters } from "./ScopeFilters";

const any = "any";
const none: Partial<MemorySearch> = { type: undefined, state: undefined, channel: undefined, pinned: undefined, tag: undefined, session: undefined, agent: undefined };
const isNarrowed = (search: MemorySearch) => Object.keys(none).some((name) => search[name as keyof MemorySearch] !== undefined);

/** What narrows the list of memories; labels are suggested from the rows there are. */
export function MemoryFilters({ page, rows }: { page: MemoryPage; rows: MemoryItem[] }) {
  const { search, change } = page;
  const tags = [...new Set(rows.flatMap((row) => row.tags))].sort().slice(0, 30);
  return (
    <div className="flex shrink-0 items-center gap-1.5 border-b border-line px-6 py-2.5 max-md:overflow-x-auto max-md:px-4">
      <FilterMenu label="State" value={search.state ?? "active"} rest="active" choices={states} onChange={(state) => change({ state: state === "active" ? undefined : state })} />
      <FilterMenu label="Type" value={search.type ?? any} rest={any} choices={[{ value: any, label: "any type" } as const, ...types]} onChange={(type) => change({ type: type === any ? undefined : type })} />
      <FilterMenu label="Channel" value={search.channel ?? any} rest={any} choices={[{ value: any, label: "any channel" } as const, ...channels.map(({ value, label }) => ({ value, label }))]} onChange={(channel) => change({ channel: channel === any ? undefined : channel })} />
      <button type="button" aria-pressed={search.pinned === "yes"} className={cx(chipLook, search.pinned && chosenChipLook)} onClick={() => change({ pinned: search.pinned ? undefined : "yes" })}>
        pinned
      </button>
      <FilterPopover label="Label" rest="any label" value={search.tag} suggestions={tags.map((tag) => ({ value: tag, label: tag }))} onChange={(tag) => change({ tag })} />
      <ScopeFilters page={page} />
      {isNarrowed(search) && (
        <Button look="quiet" className="h-6! px-2 text-sm" onClick={() => change(none)}>
          Clear
        </Button>
      )}
    </div>
  );
}
