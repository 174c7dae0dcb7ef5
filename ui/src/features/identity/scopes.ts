/** The scopes that a key can be given here, in the order people meet them. */
export const scopes = [
  { name: "memory:write", grants: "Record events: what agents saw, said and did." },
  { name: "memory:read", grants: "Search memory and read the timeline." },
  { name: "admin", grants: "Everything in this workspace, also keys and people. For your own scripts only." },
] as const;
