import { expect, test } from "vitest";
import { judgePassword } from "./password";

test.each([
  ["elevenchars", 0, "Too short: 1 more character."],
  ["mika-mika-mika", 1, "Weak: it contains “mika”."],
  ["aaaaaaaaaaaaaaaaaa", 1, "Weak: it repeats a few characters."],
  ["plum socks 42", 2, "Fair: four words in a row would be stronger."],
  ["a quiet ember under ash", 3, "Strong, if nobody else uses this phrase."],
])("%s is judged %i", (password, level, says) => {
  expect(judgePassword(password, ["mika"])).toEqual({ level, says });
});
