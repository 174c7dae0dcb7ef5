import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { ScoreBar } from "./ScoreBar";

test("the filled length is the score", () => {
  render(<ScoreBar score={0.75} parts={[{ group: "words", label: "feed", value: 0.5 }, { group: "session", label: "session", value: 0.25 }]} />);
  const bar = screen.getByRole("img", { name: "Score 0.75: words 0.50, neighbours 0.00, meaning 0.00, session, time 0.25" });
  const widths = [...bar.querySelectorAll<HTMLElement>("[data-band]")].map((band) => Number.parseFloat(band.style.width));
  expect(widths).toEqual([50, 0, 0, 25]);
});
