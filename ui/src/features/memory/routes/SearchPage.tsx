import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Empty } from "@/components/Empty";
import { ErrorNote } from "@/components/ErrorNote";
import { FilterMenu } from "@/components/FilterMenu";
import { Waiting } from "@/components/Waiting";
import { formatCount, formatMs } from "@/lib/format";
import { useTitle } from "@/lib/useTitle";
import { searchQuery } from "../api";
import { AnswerNotes } from "../components/AnswerNotes";
import { DetailPane } from "../components/DetailPane";
import { FirstSteps } from "../components/FirstSteps";
import { Hits } from "../components/Hits";
import { Invitation } from "../components/Invitation";
import { ScopeFilters } from "../components/ScopeFilters";
import { ScoreLegend } from "../components/ScoreBar";
import { SearchBox } from "../components/SearchBox";
import { useMemoryPage } from "../useMemoryPage";
import { channels, modeInWords, modes } from "../words";

const pageSize = 20;

export function SearchPage() {
  useTitle("Search memory");
  const page = useMemoryPage();
  const { search, stats, owner, owners, change } = page;
  const [pickedId, setPickedId] = useState<string>();
  const limit = search.limit ?? pageSize;
  const request = { query: search.q ?? "", user_id: owner, session_id: search.session, agent_id: search.agent, channel: search.channel ?? "private", mode: search.mode ?? "auto", limit };
  const found = useQuery({ ...searchQuery(request), enabled: request.query !== "" && !stats.isPending });
  const answer = request.query ? found.data : undefined;
  const hits = answer?.items ?? [];
  const selected = hits.find((hit) => hit.id === pickedId) ?? hits[0];
  const kept = owners.find((one) => one.user_id === owner)?.events;
  const note = answer ? [`${hits.length}${kept === undefined ? "" : ` of ${formatCount(kept)}`}`, formatMs(answer.took_ms)].join(" · ") : "";
  const onMore = hits.length === limit && limit < 200 ? () => change({ limit: Math.min(limit * 2, 200) }) : undefined;

  if (stats.data?.events === 0) return <FirstSteps />;
  return (
    <div className="flex h-full flex-col">
      <h1 className="sr-only">Search memory</h1>
      <div className="grid gap-2.5 border-b border-line px-7 py-4 max-md:px-4 max-md:py-3">
        <SearchBox query={request.query} note={note} onSearch={(q) => change({ q: q || undefined, limit: undefined })} />
        <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2">
          <div className="flex gap-1.5 max-sm:-mx-4 max-sm:overflow-x-auto max-sm:px-4 max-sm:py-1 sm:flex-wrap">
            <ScopeFilters page={page} />
            <FilterMenu label="Channel" value={request.channel} rest="private" choices={channels} onChange={(channel) => change({ channel })} />
            <FilterMenu label="Compare" value={request.mode} rest="auto" choices={modes} onChange={(mode) => change({ mode })} />
          </div>
          {answer && <ScoreLegend />}
        </div>
      </div>
      <div className="flex min-h-0 grow">
        <div className="flex min-w-0 grow flex-col" aria-busy={found.isFetching}>
          {found.isError && (
            <div className="p-5">
              <ErrorNote error={found.error} onRetry={() => void found.refetch()} />
            </div>
          )}
          {stats.isError && (
            <div className="p-5">
              <ErrorNote error={stats.error} onRetry={() => void stats.refetch()} />
            </div>
          )}
          {!request.query && <Invitation stats={stats.data} />}
          {request.query && found.isPending && !stats.isError && <Waiting label="Searching" />}
          {answer && <AnswerNotes answer={answer} />}
          {answer && hits.length === 0 && (
            <Empty title="Nothing matches">
              <p className="text-muted">Compared: {modeInWords(answer.mode)}. Try fewer or other words, another person, or a wider channel.</p>
            </Empty>
          )}
          {hits.length > 0 && <Hits hits={hits} selectedId={selected?.id} onSelect={(hit) => setPickedId(hit.id)} onMore={onMore} />}
        </div>
        <DetailPane hit={selected} owner={owner} picked={pickedId !== undefined} onClose={() => setPickedId(undefined)} />
      </div>
    </div>
  );
}
