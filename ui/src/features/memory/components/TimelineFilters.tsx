import { FilterMenu } from "@/components/FilterMenu";
import type { MemoryPage } from "../useMemoryPage";
import { kinds } from "../words";
import { DayJump } from "./DayJump";
import { ScopeFilters } from "./ScopeFilters";

const anyKind = { value: "any", label: "any kind" } as const;

export function TimelineFilters({ page }: { page: MemoryPage }) {
  const { search, change } = page;
  return (
    <div className="flex shrink-0 gap-1.5 border-b border-line px-7 py-4 max-md:overflow-x-auto max-md:px-4 max-md:py-3">
      <ScopeFilters page={page} />
      <FilterMenu
        label="Kind"
        value={search.kind ?? anyKind.value}
        rest={anyKind.value}
        choices={[anyKind, ...kinds]}
        onChange={(kind) => change({ kind: kind === anyKind.value ? undefined : kind, event: undefined })}
      />
      <DayJump day={search.day} onChange={(day) => change({ day, event: undefined })} />
    </div>
  );
}
