import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, type RefObject } from "react";
import { Button } from "@/components/Button";
import { inputLook } from "@/components/Field";
import { StateWord } from "@/components/StateWord";
import { cx } from "@/lib/cx";
import { formatDateTime, formatRelative } from "@/lib/format";
import { statsQuery } from "../api/recall";
import { actorInWords } from "../memoryWords";
import { reviewWords, type ReviewItem } from "../reviewItems";
import { ReviewBody, useIsStale } from "./ReviewBody";

interface ReviewCardProps {
  item: ReviewItem;
  selected: boolean;
  /** The keys led here, so the focus follows. */
  focused: boolean;
  reason: string;
  reasonInput: RefObject<HTMLInputElement | null>;
  onReason: (reason: string) => void;
  onSelect: () => void;
  onDecide: (yes: boolean) => void;
}

const Key = ({ children }: { children: string }) => (
  <kbd aria-hidden="true" className="rounded-xs border border-current/40 px-1 font-sans text-xs opacity-80 max-md:hidden">
    {children}
  </kbd>
);

function Head({ item, stale }: { item: ReviewItem; stale: boolean }) {
  const me = useQuery(statsQuery).data?.user_id;
  const { edit } = item;
  return (
    <header className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5">
      <h2 className="font-semibold">{reviewWords(item).title}</h2>
      <p className="text-sm text-muted tabular-nums">
        {item.edit ? `by ${actorInWords(item.edit.proposed_by, me)}, ${formatRelative(item.edit.recorded_at)}` : `written down ${formatRelative(item.aside.recorded_at)}`}
      </p>
      {stale && <StateWord tone="warn">the memory has changed since</StateWord>}
      {edit && edit.status !== "pending" && (
        <p className="text-sm">
          <StateWord tone={edit.status === "approved" ? "good" : "rest"}>{edit.status}</StateWord>{" "}
          <span className="text-muted tabular-nums">{edit.decided_at && `${formatDateTime(edit.decided_at)} by ${actorInWords(edit.decided_by ?? "", me)}`}</span>
        </p>
      )}
      {edit?.reason && <p className="w-full text-muted">“{edit.reason}”</p>}
    </header>
  );
}

/** One thing to decide, with all that the decision needs. */
export function ReviewCard({ item, selected, focused, reason, reasonInput, onReason, onSelect, onDecide }: ReviewCardProps) {
  const card = useRef<HTMLElement>(null);
  const stale = useIsStale(item);
  const { yes, no } = reviewWords(item);
  const waits = !item.edit || item.edit.status === "pending";
  useEffect(() => {
    if (focused) card.current?.focus({ preventScroll: true });
  }, [focused]);
  return (
    <article
      ref={card}
      tabIndex={-1}
      aria-current={selected || undefined}
      className={cx("grid gap-3 border-b border-line px-6 py-4 outline-none max-md:px-4", selected && "bg-wash/60 shadow-[inset_2px_0_var(--color-glow)]")}
    >
      <Head item={item} stale={stale} />
      <ReviewBody item={item} />
      {waits && (
        <div className="flex flex-wrap items-center gap-2">
          <Button look={selected ? "fire" : "plain"} disabled={stale} onClick={() => onDecide(true)}>
            {yes} {selected && <Key>a</Key>}
          </Button>
          <Button onClick={() => onDecide(false)}>
            {no} {selected && <Key>r</Key>}
          </Button>
          {selected ? (
            <form
              className="min-w-48 grow sm:max-w-80"
              onSubmit={(event) => {
                event.preventDefault();
                onDecide(false);
              }}
            >
              <input ref={reasonInput} value={reason} maxLength={1000} onChange={(event) => onReason(event.target.value)} aria-label="Why" placeholder="Why (kept with the decision)" className={cx(inputLook, "h-8")} />
            </form>
          ) : (
            <Button look="quiet" onClick={onSelect}>
              Say why…
            </Button>
          )}
        </div>
      )}
    </article>
  );
}
