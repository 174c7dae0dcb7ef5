import { cx } from "@/lib/cx";
import { formatDateTime } from "@/lib/format";
import { matchedForms, scoreParts, speakerOf, type Hit } from "../api/recall";
import { Marked } from "./Marked";
import { ScoreBar } from "./ScoreBar";

interface HitRowProps {
  hit: Hit;
  selected: boolean;
  onSelect: () => void;
}

export function HitRow({ hit, selected, onSelect }: HitRowProps) {
  return (
    <button
      type="button"
      data-hit={hit.id}
      aria-pressed={selected}
      onClick={onSelect}
      className={cx(
        "grid w-full grid-cols-[1fr_auto] gap-x-4 gap-y-1.5 border-b border-line px-5 py-3 text-left transition-colors duration-100 focus-visible:-outline-offset-2 max-md:px-4",
        selected ? "bg-wash" : "hover:bg-hover",
      )}
    >
      <span className="line-clamp-3 min-w-0 break-words whitespace-pre-line">
        <Marked text={hit.text} forms={matchedForms(hit)} />
      </span>
      <span className="font-semibold tabular-nums">{hit.score.toFixed(2)}</span>
      <span className="col-span-2 grid items-center gap-x-4 gap-y-1.5 text-sm text-muted sm:grid-cols-[minmax(0,24rem)_15rem]">
        <span className="truncate tabular-nums">
          <span className="text-ink">{speakerOf(hit)}</span>
          <span className="pl-3">
            {hit.session_id ? `${hit.session_id} · ` : ""}
            {formatDateTime(hit.occurred_at)}
          </span>
        </span>
        <ScoreBar parts={scoreParts(hit)} score={hit.score} />
      </span>
    </button>
  );
}
