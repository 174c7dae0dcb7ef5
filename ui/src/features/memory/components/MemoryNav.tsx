import { NavLink, NavTitle } from "@/components/NavLink";
import { VirtualList } from "@/components/VirtualList";
import { cx } from "@/lib/cx";
import { formatCount } from "@/lib/format";
import { usePageFeed } from "@/lib/usePageFeed";
import type { Session } from "../api";
import { useMemoryPage } from "../useMemoryPage";

const keyOf = (session: Session) => session.session_id;

/** Pages of Memory, and the conversations to narrow them by. */
export function MemoryNav() {
  const { search, stats, sessions, change } = useMemoryPage();
  const { items, more } = usePageFeed(sessions);
  return (
    <>
      <NavTitle>Memory</NavTitle>
      <NavLink to="/memory">Search</NavLink>
      <NavLink to="/memory/timeline" count={stats.data?.events}>
        Timeline
      </NavLink>
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
