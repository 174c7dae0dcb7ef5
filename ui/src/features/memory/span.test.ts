import { expect, test } from "vitest";
import { spanOf } from "./span";

test("a span is counted in bytes, whatever the script", () => {
  const text = "Größe: 海の家 is open";
  const start = new TextEncoder().encode("Größe: ").length;
  const end = start + new TextEncoder().encode("海の家").length;
  expect(spanOf(text, start, end, 100)).toEqual({ before: "Größe: ", span: "海の家", after: " is open" });
  expect(spanOf(text, start, end, 3)).toEqual({ before: "…e: ", span: "海の家", after: " is…" });
});

test("without a span, or with one outside the text, the text itself is shown", () => {
  for (const [start, end] of [[null, null], [3, 2], [0, 999]]) expect(spanOf("short", start, end, 10)).toEqual({ before: "short", span: "", after: "" });
});
