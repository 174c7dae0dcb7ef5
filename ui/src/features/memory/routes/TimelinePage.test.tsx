import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { problem, renderPage, serve } from "@/test-support";
import type { MemoryEvent } from "../api/recall";
import { TimelinePage } from "./TimelinePage";

const event = (event_id: string, ts: string, text: string, more: Partial<MemoryEvent> = {}): MemoryEvent => ({
  event_id,
  ts,
  user_id: "ana",
  session_id: "s-1",
  seq: 1,
  channel: "private",
  sensitivity: "none",
  kind: "message",
  actor_type: "human",
  actor_id: "ana",
  actor_name: "Ana",
  content: { text },
  recorded_at: ts,
  tenant_id: "harbour-lab",
  tags: [],
  refs: [],
  token_est: 1,
  truncated: false,
  trust: "user",
  ...more,
});
const stats = { user_id: "usr_1", events: 3, sessions: 2, embedding: { state: "none" } };
const around = { "GET /api/v1/memory/stats": () => ({ body: stats }), "GET /api/v1/sessions": () => ({ body: { items: [], next_cursor: null } }) };

test("older pages follow by cursor, under one heading for each day and session", async () => {
  const asked = serve({
    ...around,
    "GET /api/v1/memory/timeline": (_, url) =>
      url.searchParams.get("cursor") === "older"
        ? { body: { items: [event("e1", "2026-03-02T10:00:00Z", "first", { session_id: "s-0" })], next_cursor: null } }
        : { body: { items: [event("e3", "2026-03-03T10:05:00Z", "third"), event("e2", "2026-03-03T10:00:00Z", "second")], next_cursor: "older" } },
  });
  renderPage(TimelinePage, "/memory/timeline");
  expect(await screen.findByText("first")).toBeTruthy();
  const list = screen.getByRole("list", { name: "Events, newest first" });
  expect(within(list).getAllByRole("article").map((row) => row.querySelector("div")?.textContent)).toEqual(["third", "second", "first"]);
  expect(within(list).getAllByRole("heading").map((heading) => heading.textContent)).toEqual(["Tuesday, 3 March 2026s-1", "Monday, 2 March 2026s-0"]);
  const pages = asked.map((request) => new URL(request.url)).filter((url) => url.pathname.endsWith("/timeline"));
  expect(pages.map((url) => url.searchParams.get("cursor"))).toEqual([null, "older"]);
  expect(screen.getByText("This is where it begins.")).toBeTruthy();
});

test("content is text: markup is shown, line breaks stay", async () => {
  const code = 'if x:\n    <img src=x onerror="alert(1)">';
  serve({ ...around, "GET /api/v1/memory/timeline": () => ({ body: { items: [event("e9", "2026-03-03T10:00:00Z", code)], next_cursor: null } }) });
  renderPage(TimelinePage, "/memory/timeline");
  const row = await screen.findByRole("article");
  expect(row.textContent).toContain(code);
  expect(row.querySelector("img")).toBeNull();
});

test("an opened event is looked for page by page and marked", async () => {
  const pages = [0, 1, 2].map((page) => Array.from({ length: 100 }, (_, row) => event(`e${page * 100 + row}`, "2026-03-03T10:00:00Z", `turn ${page * 100 + row}`)));
  const asked = serve({
    ...around,
    "GET /api/v1/memory/timeline": (_, url) => {
      const page = Number(url.searchParams.get("cursor") ?? 0);
      return { body: { items: pages[page], next_cursor: page < 2 ? String(page + 1) : null } };
    },
  });
  renderPage(TimelinePage, "/memory/timeline?session=s-1&day=2026-03-03&event=e150");
  await screen.findByText("turn 0");
  await waitFor(() => expect(asked.filter(({ url }) => url.includes("cursor=1"))).toHaveLength(1));
  expect(asked.some(({ url }) => url.includes("cursor=2"))).toBe(false);
  const first = new URL(asked.find(({ url }) => url.includes("/timeline"))?.url ?? "").searchParams;
  expect([first.get("session_id"), first.get("before")?.slice(0, 10)]).toEqual(["s-1", "2026-03-03"]);
});

test("a refusal says why, with the request id", async () => {
  serve({ ...around, "GET /api/v1/memory/timeline": () => problem(403, "Your role may not read this memory.") });
  renderPage(TimelinePage, "/memory/timeline");
  const alert = await screen.findByRole("alert");
  expect(alert.textContent).toContain("Your role may not read this memory.");
  expect(alert.textContent).toContain("req_7f3a");
});
