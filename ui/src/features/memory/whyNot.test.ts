import { expect, test } from "vitest";
import type { Hit, MemoryEvent, SearchAnswer } from "./api/recall";
import { whyNot } from "./whyNot";

const event = { event_id: "e9", sensitivity: "none" } as MemoryEvent;
const hit = (event_id: string, terms: string[] = []) => ({ id: event_id, event: { event_id }, score: 0.1, explain: { parts: [], terms: terms.map((term) => ({ term, matched: [term], weight: 1 })) } }) as unknown as Hit;
const answer = (...items: Hit[]) => ({ items }) as unknown as SearchAnswer;

test("a turn that is a hit is told its place", () => {
  expect(whyNot(event, answer(hit("e1"), hit("e9")), answer()).said).toBe("It is hit 2: 1 other scores higher.");
  expect(whyNot(event, answer(hit("e9")), answer()).said).toBe("It is the first hit.");
});

test("a turn that is none is told what it shares, or what keeps it out", () => {
  expect(whyNot(event, answer(hit("e1")), answer(hit("e2"), hit("e9", ["fish"]))).said).toContain("shares only: fish. Alone in its conversation it would be hit 2");
  expect(whyNot(event, answer(hit("e1")), answer(hit("e9"))).said).toContain("It shares no word with the question.");
  expect(whyNot({ ...event, sensitivity: "secret" }, answer(), answer()).said).toContain("secret");
  expect(whyNot(event, answer(), answer()).said).toContain("not found in its own conversation");
});
