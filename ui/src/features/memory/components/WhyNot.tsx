import { useQueries, useQuery } from "@tanstack/react-query";
import { Button } from "@/components/Button";
import { ErrorNote } from "@/components/ErrorNote";
import { eventQuery, searchQuery } from "../api/recall";
import { mostHits, requestOf } from "../useSearchAnswer";
import type { MemoryPage } from "../useMemoryPage";
import { whyNot } from "../whyNot";
import { actorName, eventText } from "../words";
import { Why } from "./HitDetail";

/** What became of one turn that somebody expected to find. */
export function WhyNot({ page: { search, change }, eventId }: { page: MemoryPage; eventId: string }) {
  const event = useQuery(eventQuery(eventId)).data;
  const request = { ...requestOf(search), limit: mostHits };
  const [all, own] = useQueries({
    queries: [{ ...searchQuery(request), enabled: Boolean(search.q) }, { ...searchQuery({ ...request, session_id: event?.session_id }), enabled: Boolean(search.q && event) }],
  });
  const failed = all.isError ? all : own.isError ? own : null;
  const verdict = event && all.data && own.data && !all.isPlaceholderData && !own.isPlaceholderData ? whyNot(event, all.data, own.data) : undefined;
  return (
    <section aria-label="Why not this one" className="grid gap-2 border-b border-line bg-wash/60 px-5 py-4 max-md:px-4">
      <header className="flex items-start justify-between gap-4">
        <h2 className="font-semibold">Why not this one?</h2>
        <Button look="quiet" className="h-6! px-2 text-sm" onClick={() => change({ event: undefined })}>
          Close
        </Button>
      </header>
      {event && (
        <p className="line-clamp-2 break-words text-muted">
          <span className="font-medium">{actorName(event)}: </span>
          {eventText(event)}
        </p>
      )}
      {failed && <ErrorNote error={failed.error} onRetry={() => void failed.refetch()} />}
      <p role="status">{verdict?.said ?? (failed ? "" : "Looking…")}</p>
      {verdict?.hit && <div className="max-w-md"><Why hit={verdict.hit} /></div>}
    </section>
  );
}
