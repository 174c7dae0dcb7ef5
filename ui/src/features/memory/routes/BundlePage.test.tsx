import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { problem, renderPage, serve } from "@/test-support";
import type { Bundle, BundleItem } from "../api/bundle";
import { around } from "../testData";
import { BundlePage } from "./BundlePage";

const item = { type: "text" as const, text: "Feeding <b>the</b> otters", refs: ["mem_1", "chk_2"], source: "message", actor: "Ana", trust: "user", occurred_at: "2026-03-03T18:02:00Z", token_est: 9 } satisfies BundleItem;
const bundle: Bundle = {
  acb_id: "acb_1",
  budget_tokens: 4000,
  token_used_est: 209,
  sections: [
    { name: "identity", budget: 400, token_est: 0, items: [] },
    { name: "retrieved_evidence", budget: 2000, token_est: 200, items: [item] },
  ],
  omissions: [{ reason: "near_duplicate", section: "retrieved_evidence", candidates: ["chk_7"], count: 3 }],
  provenance: {
    intent: "feed",
    query_terms: ["feed"],
    candidate_pool_size: 12,
    filters: { sensitivity_allowed: ["none"], channels_allowed: ["private", "team"] },
    scoring: { alpha: 1, beta: 0, gamma: 0.1 },
    path: "retrieval",
    reads: 7,
    bytes_read: 1200,
    dedupe_count: 3,
    estimator: "chars4",
    reference_date: "2026-03-04T00:00:00Z",
    snapshot: {},
    degraded: ["no_embedding_model"],
    digest: "abc",
  },
  capsules: [],
  edits_applied: [],
  conflicts: [{ kind: "number", memory_id: "mem_9", event_id: "evt_9", memory_says: ["32K"], event_says: ["65K"] }],
  partial: true,
};
const address = "/memory/context?q=feed&session=s-1&agent=helper&tokens=4000";

test("sections stand against their budgets and open to where every line comes from", async () => {
  const asked = serve({ ...around, "POST /api/v1/acb/build": () => ({ body: bundle }) });
  renderPage(BundlePage, address);
  const evidence = await screen.findByRole("button", { name: /^Evidence/ });
  expect(within(evidence).getByRole("img").getAttribute("aria-label")).toBe("200 of 2,000 tokens");
  expect(screen.getByRole<HTMLButtonElement>("button", { name: /^Identity/ }).disabled).toBe(true);
  await userEvent.click(evidence);
  const line = screen.getByText("Feeding <b>the</b> otters").closest("li") as HTMLElement;
  expect(within(line).getByRole("link", { name: "mem_1" }).getAttribute("href")).toContain("memory=mem_1");
  expect(screen.getByText(/says what something else says/).textContent).toContain("3 from Evidence");
  expect(screen.getByText(/says 32K;/).textContent).toContain("says 65K");
  expect(screen.getByText("partial")).toBeTruthy();
  const sent = asked.find(({ method }) => method === "POST");
  expect(await sent?.json()).toEqual({ intent: "feed", session_id: "s-1", agent_id: "helper", channel: "private", max_tokens: 4000 });
});

test("a refusal is told, and nothing is asked before the form is filled", async () => {
  const asked = serve({ ...around, "POST /api/v1/acb/build": () => problem(400, "intent is 1 to 4,000 characters") });
  renderPage(BundlePage, "/memory/context?q=feed");
  expect(await screen.findByRole("heading", { name: "See what an agent sees" })).toBeTruthy();
  await userEvent.type(screen.getByLabelText("Session"), "s-1");
  await userEvent.click(screen.getByRole("button", { name: "Build" }));
  expect((await screen.findByRole("alert")).textContent).toContain("Intent is 1 to 4,000 characters.");
  expect(asked.filter(({ method }) => method === "POST")).toHaveLength(1);
});
