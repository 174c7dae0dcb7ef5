import { expect, test } from "vitest";
import { highlight } from "./highlight";

const marked = (text: string, forms: string[]) => highlight(text, forms).flatMap((piece) => (piece.marked ? [piece.text] : []));

test("whole matched forms are marked in any case, and only they", () => {
  const text = "Feeding the otters: feed them, overfeed nobody.";
  expect(marked(text, ["feeding", "feed"])).toEqual(["Feeding", "feed"]);
  expect(highlight(text, ["feeding", "feed"]).map((piece) => piece.text).join("")).toBe(text);
});

test("forms are text, not patterns or markup", () => {
  expect(marked("a.b(c) <b> axb", ["a.b(c)", "<b>"])).toEqual(["a.b(c)", "<b>"]);
});

test("scripts without spaces are marked inside a run", () => {
  expect(marked("水族館の仕事", ["仕事"])).toEqual(["仕事"]);
});

test("accented words have their own edges", () => {
  expect(marked("Zoë, zoë’s zoo, Zoëland", ["zoë"])).toEqual(["Zoë", "zoë"]);
});
