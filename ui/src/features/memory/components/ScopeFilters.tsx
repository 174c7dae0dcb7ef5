import { FilterPopover } from "@/components/FilterPopover";
import { formatCount } from "@/lib/format";
import type { MemoryPage } from "../useMemoryPage";

/** Which conversation, which agent: the same on search and timeline. */
export function ScopeFilters({ page: { search, sessions, change } }: { page: MemoryPage }) {
  const known = sessions.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <FilterPopover
        label="Session"
        rest="any session"
        value={search.session}
        onChange={(session) => change({ session, event: undefined })}
        suggestions={known.map((one) => ({ value: one.session_id, label: one.session_id, hint: formatCount(one.event_count) }))}
      />
      <FilterPopover label="Agent" rest="any agent" value={search.agent} onChange={(agent) => change({ agent, event: undefined })} suggestions={[]} />
    </>
  );
}
