import { expect, test } from "vitest";
import type { MemoryItem, Version } from "./api/memories";
import { actorInWords, changedFields, originOf, stateOf } from "./memoryWords";
import { validityShape } from "./validity";

const item = (more: Partial<MemoryItem>) => ({ state: "active", ...more }) as MemoryItem;
const version = (fields: Record<string, unknown>) => ({ fields }) as unknown as Version;

test("a memory whose place another took is not called in use", () => {
  expect(stateOf(item({})).word).toBe("in use");
  expect(stateOf(item({ superseded_by: "mem_2", valid_to: "2026-01-01T00:00:00Z" })).word).toBe("superseded");
  expect(stateOf(item({ valid_to: "2099-01-01T00:00:00Z" })).word).toBe("in use");
  expect(stateOf(item({ state: "blocked", superseded_by: "mem_2" })).word).toBe("blocked");
});

test("origins and hands are said in words, unknown ones as they came", () => {
  expect(originOf("rule:home_town@3")).toBe("rule “home town”, version 3");
  expect(originOf("model:qwen3:8b")).toBe("model qwen3:8b");
  expect(originOf("oracle")).toBe("oracle");
  expect([actorInWords("usr_1", "usr_1"), actorInWords("key_9", "usr_1"), actorInWords("rule:habit@1", "usr_1")]).toEqual(["you", "an API key", "rule “habit”, version 1"]);
});

test("only fields that changed are told", () => {
  const before = version({ pinned: false, importance: 0.5, tags: ["boat"], valid_to: null, type: "fact" });
  const after = version({ pinned: true, importance: 0.9, tags: [], valid_to: "2026-03-05T12:00:00Z", type: "fact" });
  expect(changedFields(before, after)).toEqual(["pinned: no → yes", "importance: 0.5 → 0.9", "tags: boat → none", "valid until: none → 5 Mar 2026"]);
  expect(changedFields(undefined, after)).toEqual([]);
});

test("the line of validity keeps the order of its instants and never leaves the track", () => {
  const now = Date.parse("2026-06-01T00:00:00Z");
  const over = validityShape({ valid_from: "2026-01-01T00:00:00Z", valid_to: "2026-03-01T00:00:00Z", recorded_at: "2026-02-01T00:00:00Z" }, now);
  expect(over.from < over.recorded && over.recorded < over.to && over.to < over.now).toBe(true);
  const open = validityShape({ valid_from: "2026-01-01T00:00:00Z", valid_to: null, recorded_at: "2026-01-01T00:00:00Z" }, now);
  expect([open.goesOn, open.to]).toEqual([true, 1]);
  const born = validityShape({ valid_from: "2026-06-01T00:00:00Z", valid_to: null, recorded_at: "2026-06-01T00:00:00Z" }, now);
  expect(Object.values(born).every((place) => typeof place === "boolean" || (place >= 0 && place <= 1))).toBe(true);
});
