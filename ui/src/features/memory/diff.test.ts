import { expect, test } from "vitest";
import { diff } from "./diff";

const said = (old: string, now: string) =>
  diff(old, now)
    .map(({ text, kind }) => ({ same: text, gone: `[-${text}-]`, new: `[+${text}+]` })[kind])
    .join("");

test("a change of words is shown where it happened", () => {
  expect(said("The boat is called Marlin.", "The boat is called Osprey.")).toBe("The boat is called [-Marlin-][+Osprey+].");
  expect(said("at nine", "at nine on weekdays")).toBe("at nine[+ on weekdays+]");
  expect(said("same", "same")).toBe("same");
  expect(said("", "new")).toBe("[+new+]");
});

test("the pieces hold both texts to the letter, however they differ", () => {
  const texts = ["", "a  b\n c", "a b c", "<b>ü</b> naïve 海の 3.5%", "c b a a b", "x ".repeat(4000), "y ".repeat(4000)];
  for (const old of texts) {
    for (const now of texts) {
      const pieces = diff(old, now);
      const without = (kind: string) => pieces.filter((piece) => piece.kind !== kind).map(({ text }) => text).join("");
      expect([without("new"), without("gone")]).toEqual([old, now]);
    }
  }
});
