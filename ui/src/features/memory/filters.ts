import { readDay } from "@/lib/days";
import { searchText } from "@/lib/searchText";
import type { MemoryState, MemoryType } from "./api/memories";
import type { Channel, EventKind, SearchMode } from "./api/recall";
import { channels, finds, kinds, modes, states, types, type Finds } from "./words";

/** What the address of a Memory page holds; absent means not narrowed. */
export interface MemorySearch {
  q?: string;
  channel?: Channel;
  session?: string;
  agent?: string;
  mode?: SearchMode;
  kind?: EventKind;
  /** Last day to show, as YYYY-MM-DD. */
  day?: string;
  /** Event to bring into view and mark. */
  event?: string;
  limit?: number;
  /** Estimated tokens of a bundle. */
  tokens?: number;
  /** What a search is to find. */
  find?: Finds;
  /** Days between which a search looks, both included. */
  since?: string;
  until?: string;
  type?: MemoryType;
  state?: MemoryState;
  pinned?: "yes";
  tag?: string;
  /** Memory whose card is open. */
  memory?: string;
  /** Which tasks, or which edits. */
  status?: string;
}

const within = (value: unknown, least: number, most: number) => (Number.isInteger(value) && Number(value) >= least && Number(value) <= most ? Number(value) : undefined);
const oneOf = <T extends string>(known: readonly { value: T }[], value: unknown) => known.find((one) => one.value === value)?.value;

/** Keeps what is known and well formed; an address may have been typed by anybody. */
export function readMemorySearch(raw: Record<string, unknown>): MemorySearch {
  const read: MemorySearch = {
    q: searchText(raw.q),
    channel: oneOf(channels, raw.channel),
    session: searchText(raw.session),
    agent: searchText(raw.agent),
    mode: oneOf(modes, raw.mode),
    kind: oneOf(kinds, raw.kind),
    day: readDay(searchText(raw.day)),
    event: searchText(raw.event),
    limit: within(raw.limit, 1, 200),
    tokens: within(raw.tokens, 1000, 200_000),
    find: oneOf(finds, raw.find),
    since: readDay(searchText(raw.since)),
    until: readDay(searchText(raw.until)),
    type: oneOf(types, raw.type),
    state: oneOf(states, raw.state),
    pinned: raw.pinned === "yes" ? "yes" : undefined,
    tag: searchText(raw.tag),
    memory: searchText(raw.memory),
    status: searchText(raw.status),
  };
  return Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined));
}

/** The day of an instant where the reader lives, as YYYY-MM-DD. */
export function dayOf(iso: string): string {
  const at = new Date(iso);
  const two = (part: number) => String(part).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}
