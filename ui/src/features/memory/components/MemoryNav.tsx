import { NavLink, NavTitle } from "@/components/NavLink";
import { formatCount } from "@/lib/format";
import { cx } from "@/lib/cx";
import { useMemoryPage } from "../useMemoryPage";

/** Pages of Memory and the people whose memory it is. */
export function MemoryNav() {
  const { stats, owners, owner, ownerName, change } = useMemoryPage();
  return (
    <>
      <NavTitle>Memory</NavTitle>
      <NavLink to="/memory">Search</NavLink>
      <NavLink to="/memory/timeline" count={stats.data?.events}>
        Timeline
      </NavLink>
      {owners.length > 0 && (
        <div className="max-md:hidden">
          <h2 className="px-3 pt-4 pb-1 text-sm text-faint">People</h2>
          <ul>
            {owners.map((one) => (
              <li key={one.user_id}>
                <button
                  type="button"
                  aria-pressed={one.user_id === owner}
                  onClick={() => change({ owner: one.user_id, session: undefined, event: undefined })}
                  className={cx("flex h-8 w-full items-center justify-between gap-3 rounded px-3 text-left hover:bg-hover", one.user_id === owner && "text-ember")}
                >
                  <span className="truncate">{ownerName(one.user_id)}</span>
                  <span className="text-sm text-faint tabular-nums">{formatCount(one.events)}</span>
                </button>
              </li>
            ))}
          </ul>
        </div>
      )}
    </>
  );
}
