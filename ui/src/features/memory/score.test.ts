import { expect, test } from "vitest";
import { bandShares } from "./score";

const part = (group: string, value: number) => ({ group, label: group, value });
const sum = (shares: Record<string, number>) => Object.values(shares).reduce((total, share) => total + share, 0);

test("shares are grouped into bands and add up to the score", () => {
  const shares = bandShares([part("words", 0.21), part("words", 0.17), part("neighbours", 0.2), part("meaning", 0.08), part("speaker", 0.18), part("time", 0.09)], 0.93);
  expect(shares.words).toBeCloseTo(0.38);
  expect(shares.neighbours).toBeCloseTo(0.2);
  expect(shares.meaning).toBeCloseTo(0.08);
  expect(shares.context).toBeCloseTo(0.27);
  expect(sum(shares)).toBeCloseTo(0.93, 6);
});

test("a part that lowered the score is taken from the others", () => {
  const shares = bandShares([part("words", 0.6), part("meaning", 0.3), part("recency", -0.1)], 0.8);
  expect(shares.context).toBe(0);
  expect(sum(shares)).toBeCloseTo(0.8, 6);
});

test("a group nobody has heard of counts as surroundings", () => {
  expect(bandShares([part("moon", 0.4)], 0.4)).toEqual({ words: 0, neighbours: 0, meaning: 0, context: 0.4 });
});
