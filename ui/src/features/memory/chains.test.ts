import { expect, test } from "vitest";
import type { Decision } from "./api/work";
import { chains, findChains } from "./chains";

const decision = (id: string, ts: string, more: Partial<Decision> = {}) =>
  ({ decision_id: id, ts, decision: id, rationale: [], constraints: [], alternatives: [], consequences: [], ...more }) as unknown as Decision;

const all = [
  decision("d3", "2026-03-03T00:00:00Z", { supersedes: "d2", rationale: ["cheaper moorings"] }),
  decision("d1", "2026-01-01T00:00:00Z", { superseded_by: "d2" }),
  decision("d9", "2026-02-01T00:00:00Z"),
  decision("d2", "2026-02-02T00:00:00Z", { supersedes: "d1", superseded_by: "d3" }),
];

test("each chain begins with the decision that holds", () => {
  expect(chains(all).map(({ head, before }) => [head.decision_id, before.map((one) => one.decision_id)])).toEqual([["d3", ["d2", "d1"]], ["d9", []]]);
});

test("a successor out of reach hides nothing, and a circle ends", () => {
  expect(chains([decision("d1", "2026-01-01T00:00:00Z", { superseded_by: "d2" })])).toHaveLength(1);
  const circle = [decision("a", "2026-01-01T00:00:00Z", { supersedes: "b" }), decision("b", "2026-01-01T00:00:00Z", { supersedes: "a", superseded_by: "a" })];
  expect(chains(circle).map(({ before }) => before.length)).toEqual([1]);
});

test("a chain is found by any of its decisions", () => {
  expect(findChains(chains(all), "CHEAPER moor").map(({ head }) => head.decision_id)).toEqual(["d3"]);
  expect(findChains(chains(all), "d1").map(({ head }) => head.decision_id)).toEqual(["d3"]);
  expect(findChains(chains(all), "otter")).toEqual([]);
});
