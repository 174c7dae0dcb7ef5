import { FilterMenu } from "@/components/FilterMenu";
import type { MemoryPage } from "../useMemoryPage";
import { kinds } from "../words";
import { DayJump } from "./DayJump";
import { ScopeFilters } from "./ScopeFilters";

const kindChoices = [{ value: "", label: "any kind" }, ...kinds.map((kind) => ({ value: kind, label: kind.replace("_", " ") }))];

export function TimelineFilters({ page }: { page: MemoryPage }) {
  const { search, change } = page;
  return (
    <div className="flex gap-1.5 border-b border-line px-7 py-4 max-md:overflow-x-auto max-md:px-4 max-md:py-3">
      <ScopeFilters page={page} />
      <FilterMenu label="Kind" value={search.kind ?? ""} rest="" choices={kindChoices} onChange={(kind) => change({ kind: kind || undefined, event: undefined })} />
      <DayJump day={search.day} onChange={(day) => change({ day, event: undefined })} />
    </div>
  );
}
