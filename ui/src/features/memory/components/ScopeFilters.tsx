import { FilterMenu } from "@/components/FilterMenu";
import { FilterPopover } from "@/components/FilterPopover";
import { formatCount } from "@/lib/format";
import type { MemoryPage } from "../useMemoryPage";

/** Whose memory, which conversation, which agent: the same on search and timeline. */
export function ScopeFilters({ page }: { page: MemoryPage }) {
  const { search, owners, owner, ownerName, sessions, change } = page;
  return (
    <>
      {owner !== undefined && (
        <FilterMenu
          label="Owner"
          value={owner}
          rest=""
          onChange={(next) => change({ owner: next, session: undefined, event: undefined })}
          choices={owners.map((one) => ({ value: one.user_id, label: ownerName(one.user_id), hint: formatCount(one.events) }))}
        />
      )}
      <FilterPopover
        label="Session"
        rest="any session"
        value={search.session}
        onChange={(session) => change({ session, event: undefined })}
        suggestions={sessions.map((one) => ({ value: one.session_id, label: one.session_id, hint: formatCount(one.event_count) }))}
      />
      <FilterPopover label="Agent" rest="any agent" value={search.agent} onChange={(agent) => change({ agent, event: undefined })} suggestions={[]} />
    </>
  );
}
