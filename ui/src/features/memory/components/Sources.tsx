import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { ProblemError } from "@/api/problem";
import { Button } from "@/components/Button";
import { ErrorNote } from "@/components/ErrorNote";
import { formatDateTime, plural } from "@/lib/format";
import { sourcesQuery, type Source } from "../api/memories";
import { eventQuery } from "../api/recall";
import { dayOf } from "../filters";
import { spanOf } from "../span";
import { actorName, eventText } from "../words";

const atFirst = 5;
/** Characters shown on each side of the span. */
const around = 240;

function SourceRow({ source: { event_id, start_byte, end_byte } }: { source: Source }) {
  const { data: event, error } = useQuery(eventQuery(event_id));
  if (error) return <li className="border-l-2 border-line pl-3 text-muted">{error instanceof ProblemError && error.status === 404 ? "The turn is no longer there." : error.message}</li>;
  if (!event) return <li className="h-10 border-l-2 border-line" aria-label="Loading a source" />;
  const { before, span, after } = spanOf(eventText(event), start_byte, end_byte, around);
  return (
    <li className="border-l-2 border-line pl-3">
      <p className="line-clamp-6 break-words whitespace-pre-wrap">
        <span className="font-medium">{actorName(event)}: </span>
        {before}
        {span && <mark>{span}</mark>}
        {after}
      </p>
      <Link to="/memory/timeline" search={{ session: event.session_id, day: dayOf(event.ts), event: event_id }} className="inline-flex min-h-6 items-center text-sm text-ember hover:underline">
        {formatDateTime(event.ts)}, open in timeline
      </Link>
    </li>
  );
}

/** The turns a memory was taken from, with the words it rests on marked. */
export function Sources({ memoryId }: { memoryId: string }) {
  const sources = useQuery(sourcesQuery(memoryId));
  const [all, setAll] = useState(false);
  const rows = sources.data ?? [];
  return (
    <section>
      <h3 className="pb-1.5 font-semibold">Taken from</h3>
      {sources.isError && <ErrorNote error={sources.error} onRetry={() => void sources.refetch()} />}
      {sources.isSuccess && rows.length === 0 && <p className="text-muted">No turn: it was said to be remembered.</p>}
      <ul className="grid gap-3">
        {rows.slice(0, all ? undefined : atFirst).map((source) => (
          <SourceRow key={source.event_id} source={source} />
        ))}
      </ul>
      {!all && rows.length > atFirst && (
        <Button look="quiet" className="mt-1" onClick={() => setAll(true)}>
          Show {plural(rows.length - atFirst, "more turn")}
        </Button>
      )}
    </section>
  );
}
