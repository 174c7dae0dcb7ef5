import type { Erasure, EraseRequest } from "./api/rights";

export type Target = "session" | "owner" | "tenant";

/** What must be typed again before it is erased. */
export const namedBy = (target: Target, name: string, tenantId: string) => (target === "tenant" ? tenantId : name.trim());

export function eraseRequest(target: Target, name: string, confirm: string): EraseRequest {
  if (target === "tenant") return { tenant: true, confirm };
  return target === "session" ? { session_id: name.trim(), confirm } : { user_id: name.trim(), confirm };
}

const kinds: Record<string, string> = { session: "a conversation", owner: "an owner’s memory", person: "a person", memory: "all memory of the workspace", tenant: "the workspace" };
/** Whose data went; once it is done no name is left to tell. */
export const erasedInWords = ({ kind, session_id, user_id }: Erasure) => [kinds[kind] ?? kind, session_id ?? user_id].filter(Boolean).join(" ");

/** Rows that were there and rows that are gone, over all tables. */
export function erasedRows({ tables }: Erasure): { before: number; removed: number } {
  const counts = Object.values(tables);
  return { before: counts.reduce((sum, one) => sum + one.before, 0), removed: counts.reduce((sum, one) => sum + one.removed, 0) };
}
