import { useInfiniteQuery } from "@tanstack/react-query";
import { useCallback, useRef, useState } from "react";
import { Empty } from "@/components/Empty";
import { Fetched } from "@/components/Fetched";
import { FilterMenu } from "@/components/FilterMenu";
import { PageHead } from "@/components/PageHead";
import { VirtualList } from "@/components/VirtualList";
import { useHotkey } from "@/lib/hotkeys";
import { usePageFeed } from "@/lib/usePageFeed";
import { useTitle } from "@/lib/useTitle";
import { memoriesQuery } from "../api/memories";
import { editsQuery, type EditStatus } from "../api/review";
import { ReviewCard } from "../components/ReviewCard";
import { reviewItems, type ReviewItem } from "../reviewItems";
import { useMemoryPage } from "../useMemoryPage";
import { useReview } from "../useReview";

const keyOf = (item: ReviewItem) => item.id;
const statuses: { value: EditStatus; label: string }[] = [
  { value: "pending", label: "waiting" },
  { value: "approved", label: "approved" },
  { value: "rejected", label: "rejected" },
];

const nothing = (
  <Empty title="Nothing waits for you">
    <p className="text-muted">Here you decide what agents may not decide alone: changes they propose, memories that contradict each other, and texts that look like instructions.</p>
  </Empty>
);

export function ReviewPage() {
  useTitle("Review");
  const { search, change } = useMemoryPage();
  const status = statuses.find(({ value }) => value === search.status)?.value ?? "pending";
  const edits = useInfiniteQuery(editsQuery(status));
  const aside = useInfiniteQuery({ ...memoriesQuery({ state: "quarantined" }), enabled: status === "pending" });
  const { items: proposals, more: moreEdits } = usePageFeed(edits);
  const { items: quarantined, more: moreAside } = usePageFeed(aside);
  const items = reviewItems(proposals, status === "pending" ? quarantined : []);
  const [at, setAt] = useState(0);
  const [byKey, setByKey] = useState(false);
  const [reason, setReason] = useState("");
  const reasonInput = useRef<HTMLInputElement>(null);
  const { decide } = useReview();
  const chosen = Math.min(at, items.length - 1);
  const selected = items[chosen];

  const go = (place: number, keyed: boolean) => {
    setAt(Math.max(0, Math.min(place, items.length - 1)));
    setByKey(keyed);
    setReason("");
  };
  const settle = (item: ReviewItem | undefined, yes: boolean) => {
    if (!item || (item.edit && item.edit.status !== "pending")) return;
    decide({ item, yes, reason: (item === selected && reason.trim()) || undefined });
    setReason("");
    setByKey(true);
  };
  useHotkey("j", () => go(chosen + 1, true));
  useHotkey("k", () => go(chosen - 1, true));
  useHotkey("a", () => settle(selected, true));
  useHotkey("r", () => reasonInput.current?.focus());
  const more = useCallback(() => {
    moreEdits();
    moreAside();
  }, [moreEdits, moreAside]);
  const query = edits.isError || edits.isPending || status !== "pending" ? edits : aside;

  return (
    <div className="flex h-full flex-col">
      <PageHead title="Review" note="What agents may not decide alone.">
        <FilterMenu label="Decisions" value={status} rest="pending" choices={statuses} onChange={(next) => change({ status: next === "pending" ? undefined : next })} />
      </PageHead>
      <Fetched query={query} what="what waits" empty={items.length === 0 && (status === "pending" ? nothing : <Empty title={`Nothing was ${status} yet`} />)}>
        <VirtualList
          key={status}
          label="To decide"
          items={items}
          estimate={150}
          keyOf={keyOf}
          reveal={byKey ? selected?.id : undefined}
          onNearEnd={more}
          render={(item, index) => (
            <ReviewCard
              item={item}
              selected={index === chosen}
              focused={byKey && index === chosen}
              reason={reason}
              reasonInput={reasonInput}
              onReason={setReason}
              onSelect={() => go(index, false)}
              onDecide={(yes) => settle(item, yes)}
            />
          )}
          after={<p className="px-6 py-3 text-sm text-faint max-md:hidden">j and k walk, a approves, r asks why and rejects with Enter.</p>}
        />
      </Fetched>
    </div>
  );
}
