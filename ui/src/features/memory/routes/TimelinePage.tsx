import { useInfiniteQuery } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import { Button } from "@/components/Button";
import { Empty } from "@/components/Empty";
import { ErrorNote } from "@/components/ErrorNote";
import { VirtualList } from "@/components/VirtualList";
import { Waiting } from "@/components/Waiting";
import { useTitle } from "@/lib/useTitle";
import { timelineQuery } from "../api";
import { FirstSteps } from "../components/FirstSteps";
import { TimelineEntry } from "../components/TimelineEntry";
import { TimelineFilters } from "../components/TimelineFilters";
import { endOfDay } from "../filters";
import { timelineRows, type TimelineRow } from "../timelineRows";
import { useMemoryPage } from "../useMemoryPage";

const keyOf = (row: TimelineRow) => row.event.event_id;

export function TimelinePage() {
  useTitle("Timeline");
  const page = useMemoryPage();
  const { search, stats, owner, change } = page;
  const filter = { user_id: owner, session_id: search.session, agent_id: search.agent, kind: search.kind, before: search.day && endOfDay(search.day), around: search.event };
  const timeline = useInfiniteQuery({ ...timelineQuery(filter), enabled: stats.isSuccess });
  const { hasNextPage, isFetching, fetchNextPage, hasPreviousPage, fetchPreviousPage } = timeline;
  const older = useCallback(() => {
    if (hasNextPage && !isFetching) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage]);
  const rows = useMemo(() => timelineRows(timeline.data?.pages ?? []), [timeline.data]);
  const failure = stats.error ?? timeline.error;

  if (stats.data?.events === 0) return <FirstSteps />;
  return (
    <div className="flex h-full flex-col">
      <h1 className="sr-only">Timeline</h1>
      <TimelineFilters page={page} />
      {failure && (
        <div className="p-5">
          <ErrorNote error={failure} onRetry={() => void (stats.isError ? stats : timeline).refetch()} />
        </div>
      )}
      {timeline.isPending && !failure && <Waiting label="Loading the timeline" />}
      {timeline.isSuccess && rows.length === 0 && (
        <Empty title="Nothing here">
          <p className="text-muted">No event fits these filters.</p>
          <Button className="justify-self-start" onClick={() => change({ session: undefined, agent: undefined, kind: undefined, day: undefined, event: undefined })}>
            Clear filters
          </Button>
        </Empty>
      )}
      {rows.length > 0 && (
        <VirtualList
          key={JSON.stringify(filter)}
          items={rows}
          estimate={52}
          keyOf={keyOf}
          label="Events, newest first"
          reveal={search.event}
          onNearEnd={older}
          before={
            hasPreviousPage && (
              <div className="p-3 text-center">
                <Button onClick={() => void fetchPreviousPage()}>Show newer</Button>
              </div>
            )
          }
          after={<p className="px-7 py-6 text-sm text-faint max-md:px-4">{hasNextPage ? "Loading older events…" : "This is where it begins."}</p>}
          render={(row) => <TimelineEntry row={row} highlighted={row.event.event_id === search.event} onSession={(session) => change({ session, event: undefined })} />}
        />
      )}
    </div>
  );
}
