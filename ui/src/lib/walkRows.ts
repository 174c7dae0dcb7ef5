import type { KeyboardEvent } from "react";

/** The arrow keys walk from row to row of a list, each of whose rows is opened by its `data-row`. */
export function walkRows(event: KeyboardEvent<HTMLElement>) {
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  const here = event.currentTarget.closest("[data-index]");
  const next = step && here?.parentElement?.querySelector<HTMLElement>(`[data-index="${Number(here.getAttribute("data-index")) + step}"] [data-row]`);
  if (!next) return;
  event.preventDefault();
  next.focus();
}
