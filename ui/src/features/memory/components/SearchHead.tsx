import { FilterMenu } from "@/components/FilterMenu";
import { PeriodFilter } from "@/components/PeriodFilter";
import { formatCount, formatMs } from "@/lib/format";
import type { SearchAnswer } from "../api/recall";
import type { MemoryPage } from "../useMemoryPage";
import { channels, finds, modes, types } from "../words";
import { ScopeFilters } from "./ScopeFilters";
import { ScoreLegend } from "./ScoreBar";
import { SearchBox } from "./SearchBox";

const all = { value: "all", label: "everything" } as const;
const anyType = { value: "any", label: "any type" } as const;

/** The question and what narrows it, with the count and the time its answer took. */
export function SearchHead({ page, answer }: { page: MemoryPage; answer: SearchAnswer | undefined }) {
  const { search, stats, change } = page;
  const kept = stats.data?.events;
  const found = answer && (kept === undefined ? `${answer.items.length}` : `${answer.items.length} of ${formatCount(kept)}`);
  return (
    <div className="grid shrink-0 grid-cols-[minmax(0,1fr)] gap-2.5 border-b border-line px-7 py-4 max-md:px-4 max-md:py-3">
      <SearchBox query={search.q ?? ""} note={answer ? `${found} · ${formatMs(answer.took_ms)}` : ""} onSearch={(q) => change({ q: q || undefined, limit: undefined })} />
      <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2">
        <div className="flex min-w-0 gap-1.5 max-sm:-mx-4 max-sm:overflow-x-auto max-sm:px-4 max-sm:py-1 sm:flex-wrap">
          <FilterMenu label="Channel" value={search.channel ?? "private"} rest="private" choices={channels} onChange={(channel) => change({ channel })} />
          <ScopeFilters page={page} />
          <FilterMenu label="Find" value={search.find ?? all.value} rest={all.value} choices={[all, ...finds]} onChange={(find) => change({ find: find === all.value ? undefined : find, type: undefined })} />
          {search.find === "memories" && (
            <FilterMenu label="Type of memory" value={search.type ?? anyType.value} rest={anyType.value} choices={[anyType, ...types]} onChange={(type) => change({ type: type === anyType.value ? undefined : type })} />
          )}
          <PeriodFilter value={search} onChange={change} />
          <FilterMenu label="Compare" value={search.mode ?? "auto"} rest="auto" choices={modes} onChange={(mode) => change({ mode })} />
        </div>
        {answer && <ScoreLegend />}
      </div>
    </div>
  );
}
