import { expect, test } from "vitest";
import type { Bundle, BundleSection, Omission } from "./api/bundle";
import { reasonOf, sectionName, sharesOf } from "./bundleWords";

test("bars stand for tokens of the whole budget and never leave the track", () => {
  const bundle = { budget_tokens: 10_000 } as Bundle;
  expect(sharesOf({ budget: 2_500, token_est: 500 } as BundleSection, bundle)).toEqual({ room: 0.25, used: 0.05 });
  expect(sharesOf({ budget: 99_999, token_est: 99_999 } as BundleSection, bundle)).toEqual({ room: 1, used: 1 });
});

test("names nobody has words for are still told", () => {
  expect([sectionName("task_state"), sectionName("side_notes")]).toEqual(["Tasks", "side notes"]);
  expect([reasonOf({ reason: "near_duplicate" } as Omission), reasonOf({ reason: "too_shy" } as unknown as Omission)]).toEqual(["says what something else says", "too shy"]);
});
