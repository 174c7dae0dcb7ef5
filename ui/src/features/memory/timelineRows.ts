import type { EventPage, MemoryEvent } from "./api/recall";

export interface TimelineRow {
  event: MemoryEvent;
  /** Set on the first event of a day or of a session within it. */
  opens: { day: string; session: string; newDay: boolean } | null;
  /** The same actor goes on, so the name need not be read again. */
  goesOn: boolean;
}

const dayOf = (event: MemoryEvent) => new Date(event.ts).toDateString();

/** Events as they came (newest first), with headings where the day or the session changes. */
export function timelineRows(pages: EventPage[]): TimelineRow[] {
  const events = pages.flatMap((page) => page.items);
  return events.map((event, index) => {
    const before = events[index - 1];
    const newDay = !before || dayOf(before) !== dayOf(event);
    const opens = newDay || before.session_id !== event.session_id ? { day: event.ts, session: event.session_id, newDay } : null;
    return { event, opens, goesOn: !opens && before?.actor_id === event.actor_id };
  });
}
