import type { MemoryEvent, Owner } from "./api";

export const channels = [
  { value: "private", label: "private", hint: "own words, team, public" },
  { value: "team", label: "team", hint: "team and public" },
  { value: "public", label: "public", hint: "public only" },
  { value: "agent", label: "agent", hint: "agent, team, public" },
];

export const modes = [
  { value: "auto", label: "best available", hint: "words, and meaning if there is a model" },
  { value: "lexical", label: "words only" },
  { value: "hybrid", label: "words and meaning" },
  { value: "dense", label: "meaning only" },
];

export const spans = [
  { value: "0", label: "any time" },
  { value: "7", label: "last 7 days" },
  { value: "30", label: "last 30 days" },
  { value: "365", label: "last year" },
];

export const kinds = ["message", "tool_call", "tool_result", "decision", "task_update", "artifact", "note"];

const modeWords: Record<string, string> = { lexical: "words only", dense: "meaning only", hybrid: "words and meaning" };
export const modeInWords = (mode: string) => modeWords[mode] ?? mode;

const degradedWords: Record<string, string> = {
  no_embedding_model: "No embedding model is set up, so words are compared and meaning is not.",
  embedding_unavailable: "The embedding model does not answer, so words are compared and meaning is not.",
  missing_vectors: "Some events wait for their vectors and are found by words only.",
  cold_scope: "This memory is larger than its cache, so searching it is slower.",
  rerank_timeout: "The second ranking took too long; the first one is shown.",
};

/** What a `degraded` entry means for the reader; an unknown one is shown as it came. */
export const degradedInWords = (code: string) => degradedWords[code] ?? `Reduced: ${code.replaceAll("_", " ")}.`;

/** Whose memory to open first: one's own, or the fullest when one has none. */
export function defaultOwner(owners: Owner[], ownId: string): string | undefined {
  if (owners.some((owner) => owner.user_id === ownId && owner.events > 0)) return ownId;
  return [...owners].sort((a, b) => b.events - a.events)[0]?.user_id;
}

export const actorName = (event: MemoryEvent) => event.actor_name || event.actor_id;

/** What an event says, as plain text: its words, or its whole content when it has none. */
export function eventText(event: MemoryEvent): string {
  const { text, excerpt_text } = event.content;
  if (typeof text === "string") return text;
  if (typeof excerpt_text === "string") return excerpt_text;
  return JSON.stringify(event.content, null, 2);
}

/** Whether columns matter: tool traffic, fenced or indented lines. */
export const looksLikeCode = (event: MemoryEvent, text: string) => event.kind.startsWith("tool_") || /```|\n(\t| {2,})\S/.test(text);

/** What sets an event apart from an ordinary private message. */
export const eventLabels = (event: MemoryEvent): string[] =>
  [
    event.kind !== "message" && event.kind.replace("_", " "),
    event.channel !== "private" && event.channel,
    event.sensitivity !== "none" && event.sensitivity,
    event.truncated && "excerpt",
  ].filter((label) => label !== false && label !== undefined);
