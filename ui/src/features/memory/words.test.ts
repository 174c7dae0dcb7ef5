import { expect, test } from "vitest";
import { defaultOwner, degradedInWords } from "./words";

test("one's own memory opens first, the fullest when one has none", () => {
  const owners = [{ user_id: "ana", events: 3 }, { user_id: "ben", events: 9 }, { user_id: "usr_1", events: 1 }];
  expect(defaultOwner(owners, "usr_1")).toBe("usr_1");
  expect(defaultOwner(owners, "usr_2")).toBe("ben");
  expect(defaultOwner([], "usr_1")).toBeUndefined();
});

test("a reduction nobody has words for is still told", () => {
  expect(degradedInWords("no_embedding_model")).toContain("No embedding model");
  expect(degradedInWords("shard_asleep")).toBe("Reduced: shard asleep.");
});
