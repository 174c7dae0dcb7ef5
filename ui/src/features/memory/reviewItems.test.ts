import { expect, test } from "vitest";
import type { MemoryItem } from "./api/memories";
import type { Edit } from "./api/review";
import { reviewItems, reviewWords, rivalOf } from "./reviewItems";

const edit = (edit_id: string, op: string, patch = {}) => ({ edit_id, op, patch, target_id: "mem_1" }) as unknown as Edit;

test("contradictions come first, what was put aside last", () => {
  const items = reviewItems([edit("edt_1", "amend"), edit("edt_2", "conflict", { with: "mem_2" })], [{ memory_id: "mem_9" } as MemoryItem]);
  expect(items.map(({ id }) => id)).toEqual(["edt_2", "edt_1", "mem_9"]);
  expect(items.map((item) => reviewWords(item).yes)).toEqual(["Take the newer", "Approve", "Use it"]);
});

test("only a contradiction has a rival", () => {
  expect(rivalOf(edit("edt_1", "conflict", { with: "mem_2" }))).toBe("mem_2");
  expect(rivalOf(edit("edt_1", "amend", { with: "mem_2" }))).toBeUndefined();
  expect(reviewWords({ id: "x", targetId: "y", edit: edit("edt_1", "transmute") }).title).toBe("Proposed: transmute");
});
