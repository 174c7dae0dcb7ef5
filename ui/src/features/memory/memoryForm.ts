import { endOfDay } from "@/lib/days";
import type { MemoryItem, MemoryPatch, MemoryType, NewMemory } from "./api/memories";
import type { Channel } from "./api/recall";
import { dayOf } from "./filters";

const textOf = (form: FormData, name: string) => String(form.get(name) ?? "").trim();
/** Labels as they are typed: between commas, each once. */
export const readTags = (typed: string) => [...new Set(typed.split(",").map((tag) => tag.trim()))].filter(Boolean);
const dayIn = (iso: string | null | undefined) => (iso ? dayOf(iso) : "");

/** What a form makes of a memory: only what differs from the version that was looked at. */
export function patchOf(form: FormData, memory: MemoryItem): MemoryPatch {
  const text = String(form.get("text") ?? "");
  const [type, subject, reason] = [textOf(form, "type"), textOf(form, "subject"), textOf(form, "reason")];
  const [validTo, expires, importance] = [textOf(form, "valid_to"), textOf(form, "expires_at"), Number(form.get("importance"))];
  const tags = readTags(textOf(form, "tags"));
  return {
    ...(text !== memory.text && { text }),
    ...(type !== memory.type && { type: type as MemoryType }),
    ...(subject && subject !== memory.subject && { subject }),
    ...(importance.toFixed(2) !== memory.importance.toFixed(2) && { importance }),
    ...(validTo && validTo !== dayIn(memory.valid_to) && { valid_to: endOfDay(validTo) }),
    ...(expires && expires !== dayIn(memory.expires_at) && { expires_at: endOfDay(expires) }),
    ...(tags.join() !== memory.tags.join() && { tags }),
    ...(reason && { reason }),
    expected_version: memory.version,
  };
}

/** Whether a patch says anything beside why and of which version. */
export const changesSomething = (patch: MemoryPatch) => Object.keys(patch).some((name) => name !== "reason" && name !== "expected_version");

export function newMemoryOf(form: FormData): NewMemory {
  const [subject, expires] = [textOf(form, "subject"), textOf(form, "expires_at")];
  return {
    text: textOf(form, "text"),
    type: textOf(form, "type") as MemoryType,
    channel: textOf(form, "channel") as Channel,
    subject: subject || undefined,
    tags: readTags(textOf(form, "tags")),
    pinned: form.get("pinned") !== null,
    expires_at: expires ? endOfDay(expires) : undefined,
  };
}

/** The days a form starts with. */
export const daysOf = ({ valid_to, expires_at }: MemoryItem) => ({ validTo: dayIn(valid_to), expires: dayIn(expires_at) });
