import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { renderPage, serve } from "@/test-support";
import { SearchPage } from "./SearchPage";

const actor = { type: "human", id: "ana", name: "Ana" };
const hit = {
  kind: "event",
  id: "e2",
  type: "message",
  event: { event_id: "e2", kind: "message", channel: "private", session_id: "s-14", seq: 2, ts: "2026-03-03T18:02:00Z" },
  text: "Feeding the otters is the best part.",
  score: 0.93,
  session_id: "s-14",
  seq: 2,
  actor,
  occurred_at: "2026-03-03T18:02:00Z",
  neighbours: [
    { event_id: "e3", text: "You should see the big one.", actor: "Ana", offset: 1 },
    { event_id: "e1", text: "How is the new job?", actor: "Ben", offset: -1 },
  ],
  explain: {
    parts: [{ group: "words", label: "feed", value: 0.63 }, { group: "neighbours", label: "next turn: fish", value: 0.3 }],
    terms: [{ term: "feed", matched: ["Feeding"], weight: 0.63 }],
  },
};
const stats = { user_id: "usr_1", events: 1204, sessions: 3, embedding: { state: "none" } };
const around = { "GET /api/v1/memory/stats": () => ({ body: stats }), "GET /api/v1/sessions": () => ({ body: { items: [], next_cursor: null } }) };

test("an answer shows its hits marked, why, what was around, and what it lacked", async () => {
  const asked = serve({
    ...around,
    "POST /api/v1/memories/search": () => ({ body: { items: [hit], query: { terms: ["feed"] }, mode: "lexical", degraded: ["no_embedding_model", "vectors_missing"], missing_vectors: 2, took_ms: 2.14 } }),
  });
  renderPage(SearchPage, "/memory");
  await userEvent.type(await screen.findByRole("searchbox"), "Which animals does Ana feed?{Enter}");

  const row = await screen.findByRole("button", { pressed: true });
  expect(row.querySelector("mark")?.textContent).toBe("Feeding");
  const why = within(screen.getByRole("table", { name: "Why this one" })).getAllByRole("row");
  expect(why.map((line) => line.textContent)).toEqual(["feed → feeding0.630", "next turn: fish0.300", "score0.930"]);
  expect(screen.getByText("Around it").nextSibling?.textContent).toBe("Ben: How is the new job?Ana: Feeding the otters is the best part.Ana: You should see the big one.");
  expect(screen.getByText("1 of 1,204 · 2.1 ms")).toBeTruthy();
  expect(screen.getByText(/^No embedding model is set up/)).toBeTruthy();
  expect(screen.getByText("2 events wait for a vector and can be found by words only.")).toBeTruthy();
  const request = asked.find(({ method }) => method === "POST");
  expect(await request?.json()).toEqual({ query: "Which animals does Ana feed?", limit: 20, neighbours: 1, explain: true });
});

test("a new workspace is taught its first step instead", async () => {
  serve({ ...around, "GET /api/v1/memory/stats": () => ({ body: { ...stats, events: 0 } }) });
  renderPage(SearchPage, "/memory");
  expect(await screen.findByRole("link", { name: "Make an API key" })).toBeTruthy();
  expect(screen.getByText(/curl http:\/\/hearth\.test\/api\/v1\/events\/batch/)).toBeTruthy();
});
