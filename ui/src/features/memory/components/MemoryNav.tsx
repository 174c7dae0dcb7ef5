import { useQuery } from "@tanstack/react-query";
import { useRef } from "react";
import { NavLink, NavTitle } from "@/components/NavLink";
import { VirtualList } from "@/components/VirtualList";
import { cx } from "@/lib/cx";
import { formatCount } from "@/lib/format";
import { useCurrentInView } from "@/lib/useCurrentInView";
import { usePageFeed } from "@/lib/usePageFeed";
import type { Session } from "../api/recall";
import { waitingQuery } from "../api/review";
import { places } from "../places";
import { useMemoryPage } from "../useMemoryPage";

const keyOf = (session: Session) => session.session_id;

/** Pages of Memory, and the conversations to narrow them by. */
export function MemoryNav() {
  const { search, stats, sessions, change } = useMemoryPage();
  const { items, more } = usePageFeed(sessions);
  const waiting = useQuery(waitingQuery);
  const list = useRef<HTMLDivElement>(null);
  useCurrentInView(list, (stats.data?.events ?? 0) + (waiting.data ?? 0));
  const counts: Record<string, number | undefined> = { "/memory/timeline": stats.data?.events, "/memory/review": waiting.data || undefined };
  return (
    <>
      <NavTitle>Memory</NavTitle>
      <div ref={list} className="max-md:flex">
        {places.map(({ to, label }) => (
          <NavLink key={to} to={to} count={counts[to]} urgent={to === "/memory/review"}>
            {label}
          </NavLink>
        ))}
      </div>
      {items.length > 0 && (
        <div className="flex min-h-0 grow flex-col max-md:hidden">
          <h2 className="px-3 pt-4 pb-1 text-sm text-faint">Sessions</h2>
          <VirtualList
            items={items}
            estimate={32}
            keyOf={keyOf}
            label="Sessions"
            onNearEnd={more}
            render={({ session_id, event_count }) => {
              const chosen = session_id === search.session;
              return (
                <button
                  type="button"
                  aria-pressed={chosen}
                  onClick={() => change({ session: chosen ? undefined : session_id, event: undefined, day: undefined })}
                  className={cx("flex h-8 w-full items-center justify-between gap-3 rounded px-3 text-left hover:bg-hover focus-visible:-outline-offset-2", chosen && "text-ember")}
                >
                  <span className="truncate">{session_id}</span>
                  <span className="text-sm text-faint tabular-nums">{formatCount(event_count)}</span>
                </button>
              );
            }}
          />
        </div>
      )}
    </>
  );
}
