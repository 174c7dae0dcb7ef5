import { plural } from "@/lib/format";
import type { Hit, MemoryEvent, SearchAnswer } from "./api/recall";

export interface Verdict {
  /** What became of the turn, in words. */
  said: string;
  /** The hit it is, where it is one, to show what made its score. */
  hit?: Hit;
}

const isOf = (hit: Hit, event: MemoryEvent) => hit.event?.event_id === event.event_id;

/**
 * Why a turn is not among the first hits: its place among all that the server lists, else its place among the turns of its own
 * conversation, else what keeps it out of every search.
 */
export function whyNot(event: MemoryEvent, all: SearchAnswer, own: SearchAnswer): Verdict {
  const place = all.items.findIndex((hit) => isOf(hit, event));
  if (place >= 0) return { said: place === 0 ? "It is the first hit." : `It is hit ${place + 1}: ${plural(place, "other scores", "others score")} higher.`, hit: all.items[place] };
  if (event.sensitivity === "secret") return { said: "It holds a secret, and secrets are never searched." };
  const near = own.items.findIndex((hit) => isOf(hit, event));
  const hit = own.items[near];
  if (!hit) return { said: "It was not found in its own conversation either: it shares no word and no meaning with the question, or the filters leave it out." };
  const words = hit.explain?.terms.map(({ term }) => term) ?? [];
  const shares = words.length > 0 ? `It shares only: ${words.join(", ")}.` : "It shares no word with the question.";
  return { said: `It is not among the first ${all.items.length} hits. ${shares} Alone in its conversation it would be hit ${near + 1}, with this score:`, hit };
}
