import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { Button } from "@/components/Button";
import { Empty } from "@/components/Empty";
import { ErrorNote } from "@/components/ErrorNote";
import { VirtualList } from "@/components/VirtualList";
import { Waiting } from "@/components/Waiting";
import { endOfDay } from "@/lib/days";
import { usePageFeed } from "@/lib/usePageFeed";
import { useTitle } from "@/lib/useTitle";
import { timelineQuery } from "../api/recall";
import { FirstSteps } from "../components/FirstSteps";
import { TimelineEntry } from "../components/TimelineEntry";
import { TimelineFilters } from "../components/TimelineFilters";
import { timelineRows, type TimelineRow } from "../timelineRows";
import { useMemoryPage } from "../useMemoryPage";

const keyOf = (row: TimelineRow) => row.event.event_id;
/** How far back an opened event is looked for before the reader has to scroll. */
const mostEventsSearched = 2000;

export function TimelinePage() {
  useTitle("Timeline");
  const page = useMemoryPage();
  const { search, stats, change } = page;
  const filter = { session_id: search.session, agent_id: search.agent, kind: search.kind, before: search.day && endOfDay(search.day) };
  const timeline = useInfiniteQuery(timelineQuery(filter));
  const { items: events, more: older } = usePageFeed(timeline);
  const { pages } = timeline.data ?? {};
  const rows = useMemo(() => timelineRows(pages ?? []), [pages]);
  const isSought = search.event !== undefined && events.length < mostEventsSearched && events.every((event) => event.event_id !== search.event);
  useEffect(() => {
    if (isSought) older();
  }, [isSought, older]);

  if (stats.data?.events === 0) return <FirstSteps />;
  return (
    <div className="flex h-full flex-col">
      <h1 className="sr-only">Timeline</h1>
      <TimelineFilters page={page} />
      {search.q && (
        <p role="status" className="border-b border-line bg-wash px-7 py-2 max-md:px-4">
          Which turn should “{search.q}” have found? Pick it.
        </p>
      )}
      {timeline.isError && (
        <div className="p-5">
          <ErrorNote error={timeline.error} onRetry={() => void timeline.refetch()} />
        </div>
      )}
      {timeline.isPending && <Waiting label="Loading the timeline" />}
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
          estimate={30}
          keyOf={keyOf}
          label="Events, newest first"
          reveal={search.event}
          onNearEnd={older}
          after={<p className="px-7 py-6 text-sm text-faint max-md:px-4">{timeline.hasNextPage ? "Loading older events…" : "This is where it begins."}</p>}
          render={(row) => <TimelineEntry row={row} highlighted={row.event.event_id === search.event} onSession={(session) => change({ session, event: undefined })} question={search.q} />}
        />
      )}
    </div>
  );
}
