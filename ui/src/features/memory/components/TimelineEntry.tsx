import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { linkLook } from "@/components/looks";
import { cx } from "@/lib/cx";
import { formatClock, formatCount, formatDateTime, formatDay } from "@/lib/format";
import type { TimelineRow } from "../timelineRows";
import { actorName, eventLabels, eventText, looksLikeCode } from "../words";

/** Longer texts open on demand, so that one paste does not bury a day. */
const foldAt = 1200;
const gutter = "px-7 max-md:px-4";

interface TimelineEntryProps {
  row: TimelineRow;
  highlighted: boolean;
  onSession: (session: string) => void;
  /** The question that should have found one of these turns. */
  question?: string;
}

function Heading({ opens, onSession }: { opens: NonNullable<TimelineRow["opens"]>; onSession: (session: string) => void }) {
  return (
    <h2 className={cx("flex flex-wrap items-baseline gap-x-3 pt-4 pb-1.5", gutter)}>
      {opens.newDay && <span className="font-semibold">{formatDay(opens.day)}</span>}
      <button type="button" onClick={() => onSession(opens.session)} className="min-h-6 text-sm text-muted hover:text-ember" title="Show this session only">
        {opens.session}
      </button>
      <span aria-hidden="true" className="h-px min-w-8 grow self-center bg-line" />
    </h2>
  );
}

export function TimelineEntry({ row: { event, opens, goesOn }, highlighted, onSession, question }: TimelineEntryProps) {
  const [unfolded, setUnfolded] = useState(false);
  const text = eventText(event);
  const folded = !unfolded && text.length > foldAt;
  return (
    <>
      {opens && <Heading opens={opens} onSession={onSession} />}
      <article
        aria-current={highlighted || undefined}
        className={cx("grid grid-cols-[3rem_minmax(0,1fr)] gap-x-4 py-1 md:grid-cols-[3rem_8rem_minmax(0,1fr)_auto]", gutter, highlighted ? "bg-wash shadow-[inset_2px_0_var(--color-glow)]" : "hover:bg-hover/60")}
      >
        <time dateTime={event.ts} title={formatDateTime(event.ts)} className="text-sm leading-5.25 text-faint tabular-nums max-md:row-span-3">
          {formatClock(event.ts)}
        </time>
        <p className="truncate font-medium">
          <span className={cx(goesOn && "sr-only")}>{actorName(event)}</span>
        </p>
        <div className="max-w-[76ch] min-w-0 max-md:col-start-2">
          <p className={cx("break-words whitespace-pre-wrap", looksLikeCode(event, text) && "font-mono text-sm leading-5.25")}>{folded ? `${text.slice(0, foldAt)}…` : text}</p>
          {folded && (
            <button type="button" onClick={() => setUnfolded(true)} className="min-h-6 text-ember">
              Show all {formatCount(text.length)} characters
            </button>
          )}
        </div>
        <p className="text-sm leading-5.25 text-faint max-md:col-start-2">
          {eventLabels(event).join(" · ")}
          {question && (
            <Link to="/memory" search={{ q: question, event: event.event_id }} className={cx(linkLook, "ml-3")}>
              Why not this one?
            </Link>
          )}
        </p>
      </article>
    </>
  );
}
