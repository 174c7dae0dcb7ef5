import type { MemoryState, MemoryType } from "./api/memories";
import type { Channel, EventKind, MemoryEvent, SearchMode } from "./api/recall";

interface Word<T extends string> {
  value: T;
  label: string;
  hint?: string;
}

export const channels: Word<Channel>[] = [
  { value: "private", label: "private", hint: "own words, team, public" },
  { value: "team", label: "team", hint: "team and public" },
  { value: "public", label: "public", hint: "public only" },
  { value: "agent", label: "agent", hint: "agent, team, public" },
];

export const modes: Word<SearchMode>[] = [
  { value: "auto", label: "best available", hint: "words, and meaning if there is a model" },
  { value: "lexical", label: "words only" },
  { value: "hybrid", label: "words and meaning" },
  { value: "dense", label: "meaning only" },
];

export const kinds: Word<EventKind>[] = [
  { value: "message", label: "messages" },
  { value: "tool_call", label: "tool calls" },
  { value: "tool_result", label: "tool results" },
  { value: "decision", label: "decisions" },
  { value: "task_update", label: "task updates" },
  { value: "artifact", label: "artifacts" },
  { value: "note", label: "notes" },
];

export const types: Word<MemoryType>[] = [
  { value: "fact", label: "facts" },
  { value: "preference", label: "preferences" },
  { value: "episode", label: "episodes" },
  { value: "decision", label: "decisions" },
  { value: "task", label: "tasks" },
  { value: "rule", label: "rules" },
  { value: "procedure", label: "procedures" },
  { value: "summary", label: "summaries" },
];

export const states: Word<MemoryState>[] = [
  { value: "active", label: "in use" },
  { value: "quarantined", label: "put aside", hint: "wait for a review" },
  { value: "retracted", label: "taken back", hint: "can be brought back" },
  { value: "blocked", label: "blocked", hint: "never derived again" },
];

export type Finds = "events" | "memories";
export const finds: Word<Finds>[] = [
  { value: "events", label: "turns", hint: "word for word" },
  { value: "memories", label: "memories", hint: "what was made of them" },
];

export const modeInWords = (mode: SearchMode) => modes.find((one) => one.value === mode)?.label ?? mode;

const degradedWords: Record<string, string> = {
  no_embedding_model: "No embedding model is set up, so words are compared and meaning is not.",
  embeddings_unavailable: "The embedding model does not answer, so words are compared and meaning is not.",
  cold_scope: "This memory is larger than its cache, so searching it is slower.",
};

/** What a `degraded` entry means for the reader; an unknown one is shown as it came. */
export const degradedInWords = (code: string) => degradedWords[code] ?? `Reduced: ${code.replaceAll("_", " ")}.`;

export const actorName = (event: MemoryEvent) => event.actor_name || event.actor_id;

/** What an event says, as plain text: its words, or its whole content when it has none. */
export function eventText(event: MemoryEvent): string {
  const { text, excerpt_text } = event.content as Record<string, unknown>;
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
  ].filter((label) => label !== false);
