import { expect, test } from "vitest";
import type { Erasure } from "./api/rights";
import { eraseRequest, erasedInWords, erasedRows, namedBy } from "./erasing";

test("each target is asked for by its own name and nothing else", () => {
  expect(eraseRequest("session", " s-14 ", "s-14")).toEqual({ session_id: "s-14", confirm: "s-14" });
  expect(eraseRequest("owner", "ana", "ana")).toEqual({ user_id: "ana", confirm: "ana" });
  expect(eraseRequest("tenant", "ignored", "lab")).toEqual({ tenant: true, confirm: "lab" });
  expect([namedBy("tenant", "x", "lab"), namedBy("session", " s-14 ", "lab")]).toEqual(["lab", "s-14"]);
});

test("progress is told over all tables, and a finished erasure names nobody", () => {
  const erasure = { kind: "session", session_id: null, tables: { events: { before: 4, removed: 3, after: 0 }, chunks: { before: 6, removed: 6, after: 0 } } } as unknown as Erasure;
  expect(erasedRows(erasure)).toEqual({ before: 10, removed: 9 });
  expect(erasedInWords(erasure)).toBe("a conversation");
});
