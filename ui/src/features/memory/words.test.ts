import { expect, test } from "vitest";
import { endOfDay } from "@/lib/days";
import { dayOf, readMemorySearch } from "./filters";
import { degradedInWords } from "./words";

test("a reduction nobody has words for is still told", () => {
  expect(degradedInWords("no_embedding_model")).toContain("No embedding model");
  expect(degradedInWords("shard_asleep")).toBe("Reduced: shard asleep.");
});

test("an address keeps what is known and drops the rest", () => {
  const typed = { q: "otters", channel: "secret", mode: "lexical", kind: "rumour", day: "yesterday", limit: 4000, find: "memories", since: "2026-03-03", session: 14, evil: "<b>" };
  expect(readMemorySearch(typed)).toEqual({ q: "otters", mode: "lexical", find: "memories", since: "2026-03-03", session: "14" });
});

test("the end of an event's day lies after the event, within a day", () => {
  const at = "2026-03-03T18:02:00Z";
  const ahead = Date.parse(endOfDay(dayOf(at))) - Date.parse(at);
  expect(ahead).toBeGreaterThanOrEqual(0);
  expect(ahead).toBeLessThan(86_400_000);
});
