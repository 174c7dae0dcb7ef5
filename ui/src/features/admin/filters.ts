import { endOfDay, readDay, startOfDay } from "@/lib/days";
import { searchText } from "@/lib/searchText";
import type { AuditFilter } from "./api/audit";

/** What the address of an Admin page holds; absent means not narrowed. */
export interface AdminSearch {
  action?: string;
  principal?: string;
  outcome?: string;
  resource?: string;
  /** Days as YYYY-MM-DD, both included. */
  since?: string;
  until?: string;
  state?: string;
  kind?: string;
  q?: string;
}

export function readAdminSearch(raw: Record<string, unknown>): AdminSearch {
  const read: AdminSearch = {
    action: searchText(raw.action),
    principal: searchText(raw.principal),
    outcome: searchText(raw.outcome),
    resource: searchText(raw.resource),
    since: readDay(searchText(raw.since)),
    until: readDay(searchText(raw.until)),
    state: searchText(raw.state),
    kind: searchText(raw.kind),
    q: searchText(raw.q),
  };
  return Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined));
}

/** Days of the address as the instants the server asks for. */
export const auditFilter = ({ action, principal, outcome, resource, since, until }: AdminSearch): AuditFilter => ({
  action,
  principal,
  outcome,
  resource,
  since: since && startOfDay(since),
  until: until && endOfDay(until),
});
