import type { Hit, ScorePart } from "./api/recall";

/** The four bands that a score is drawn with, in order. */
export const bands = [
  { id: "words", label: "words", fill: "bg-words" },
  { id: "neighbours", label: "neighbours", fill: "bg-neighbours" },
  { id: "meaning", label: "meaning", fill: "bg-meaning" },
  { id: "context", label: "session, time", fill: "bg-context" },
] as const;

export type BandId = (typeof bands)[number]["id"];

const bandOf: Record<string, BandId> = {
  words: "words",
  lexical: "words",
  phrase: "words",
  entity: "words",
  neighbours: "neighbours",
  meaning: "meaning",
  semantic: "meaning",
  late: "meaning",
};

/** Groups the browser has no band for tell about the surroundings: session, speaker, time, recency. */
export const bandOfPart = (part: ScorePart): BandId => bandOf[part.group] ?? "context";

/** A part as people read it: the question's word with the words of the text that matched it. */
export function partInWords(part: ScorePart, hit: Hit): string {
  const matched = hit.explain?.terms.find(({ term }) => term === part.label)?.matched ?? [];
  const others = matched.map((form) => form.toLowerCase()).filter((form) => form !== part.label);
  return others.length > 0 ? `${part.label} → ${others.join(", ")}` : part.label;
}

/**
 * Share of the track (0–1) for each band. The shares add up to the score: a part
 * that lowered it is taken from the others in proportion, as a bar cannot be negative.
 */
export function bandShares(parts: ScorePart[], score: number): Record<BandId, number> {
  const shares: Record<BandId, number> = { words: 0, neighbours: 0, meaning: 0, context: 0 };
  for (const part of parts) shares[bandOfPart(part)] += part.value;
  for (const { id } of bands) shares[id] = Math.max(0, shares[id]);
  const total = Object.values(shares).reduce((sum, share) => sum + share, 0);
  if (total > 0) for (const { id } of bands) shares[id] *= score / total;
  return shares;
}
