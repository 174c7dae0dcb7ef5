import { expect, test } from "vitest";
import type { MemoryItem } from "./api/memories";
import { changesSomething, newMemoryOf, patchOf } from "./memoryForm";

const memory = { text: "The boat is called Marlin", type: "fact", subject: "boat", importance: 0.5, tags: ["boat"], version: 3 } as MemoryItem;
const form = (more: Record<string, string> = {}) => {
  const data = new FormData();
  for (const [name, value] of Object.entries({ text: memory.text, type: "fact", subject: "boat", importance: "0.5", tags: "boat", valid_to: "", expires_at: "", reason: "", ...more })) data.set(name, value);
  return data;
};

test("only what was changed is sent, with the version that was looked at", () => {
  expect(patchOf(form(), memory)).toEqual({ expected_version: 3 });
  expect(patchOf(form({ text: "The boat is called Osprey", tags: "boat, harbour, boat", reason: "renamed" }), memory)).toEqual({
    text: "The boat is called Osprey",
    tags: ["boat", "harbour"],
    reason: "renamed",
    expected_version: 3,
  });
  expect(patchOf(form({ valid_to: "2026-03-05" }), memory).valid_to).toBe(new Date("2026-03-05T23:59:59.999").toISOString());
});

test("a reason alone is no change", () => {
  expect(changesSomething(patchOf(form({ reason: "because" }), memory))).toBe(false);
  expect(changesSomething(patchOf(form({ importance: "0.8" }), memory))).toBe(true);
});

test("a new memory leaves out what was left empty", () => {
  const typed = form({ text: " Rui feeds the otters ", channel: "team", subject: "", tags: "" });
  expect(newMemoryOf(typed)).toEqual({ text: "Rui feeds the otters", type: "fact", channel: "team", subject: undefined, tags: [], pinned: false, expires_at: undefined });
});
