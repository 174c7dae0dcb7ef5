import { useState } from "react";
import { cx } from "@/lib/cx";
import { formatClock, formatDateTime, formatDay } from "@/lib/format";
import type { TimelineRow } from "../timelineRows";
import { actorName, eventText, looksLikeCode } from "../words";

/** Longer texts open on demand, so that one paste does not bury a day. */
const foldAt = 1200;

interface TimelineEntryProps {
  row: TimelineRow;
  highlighted: boolean;
  onSession: (session: string) => void;
}

export function TimelineEntry({ row: { event, opens }, highlighted, onSession }: TimelineEntryProps) {
  const [unfolded, setUnfolded] = useState(false);
  const text = eventText(event);
  const folded = !unfolded && text.length > foldAt;
  const labels = [event.kind !== "message" && event.kind.replace("_", " "), event.channel !== "private" && event.channel, event.sensitivity !== "none" && event.sensitivity, event.truncated && "excerpt"].filter(Boolean);
  return (
    <div>
      {opens && (
        <h2 className={cx("flex flex-wrap items-baseline gap-x-3 px-7 pb-1.5 max-md:px-4", opens.newDay ? "border-t border-line pt-5" : "pt-4")}>
          {opens.newDay && <span className="font-semibold">{formatDay(opens.day)}</span>}
          <button type="button" onClick={() => onSession(opens.session)} className="min-h-6 text-sm text-muted hover:text-ember" title="Show this session only">
            {opens.session}
          </button>
        </h2>
      )}
      <article
        aria-current={highlighted || undefined}
        className={cx("grid grid-cols-[3.25rem_minmax(0,1fr)] gap-x-4 border-l-2 px-7 py-1.5 max-md:px-4", highlighted ? "border-glow bg-wash" : "border-transparent")}
      >
        <time dateTime={event.ts} title={formatDateTime(event.ts)} className="pt-px text-sm text-faint tabular-nums">
          {formatClock(event.ts)}
        </time>
        <div className="max-w-[72ch] min-w-0">
          <p className="text-sm">
            <span className="font-medium">{actorName(event)}</span>
            {labels.map((label) => (
              <span key={String(label)} className="pl-2 text-faint">
                {label}
              </span>
            ))}
          </p>
          <p className={cx("break-words whitespace-pre-wrap", looksLikeCode(event, text) && "font-mono text-sm")}>{folded ? `${text.slice(0, foldAt)}…` : text}</p>
          {folded && (
            <button type="button" onClick={() => setUnfolded(true)} className="min-h-6 text-ember">
              Show all {text.length.toLocaleString("en-US")} characters
            </button>
          )}
        </div>
      </article>
    </div>
  );
}
