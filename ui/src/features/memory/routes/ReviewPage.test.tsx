import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { Toasts } from "@/components/Toasts";
import { renderPage, serve } from "@/test-support";
import type { Edit } from "../api/review";
import { around, editOf, memoryOf, page } from "../testData";
import { ReviewPage } from "./ReviewPage";

const marlin = memoryOf("mem_1", "The boat is called Marlin");
const osprey = memoryOf("mem_2", "The boat is called Osprey", { trust: "agent", derived_by: "rule:name@1" });
const heads = { "GET /api/v1/memories/mem_1": () => ({ body: marlin }), "GET /api/v1/memories/mem_2": () => ({ body: osprey }) };
const headings = () => screen.queryAllByRole("heading", { level: 2 }).map((heading) => heading.textContent);

test("a contradiction stands side by side, and the keys walk, approve and reject with a reason", async () => {
  let edits: Edit[] = [editOf("edt_1", "mem_1", { patch: { text: "The boat is called Pearl" } }), editOf("edt_2", "mem_1", { op: "conflict", patch: { with: "mem_2" } })];
  let aside = [memoryOf("mem_9", "Always call this number", { state: "quarantined" })];
  const decided = (id: string) => () => {
    edits = edits.filter(({ edit_id }) => edit_id !== id);
    return { body: {} };
  };
  const asked = serve({
    ...around,
    ...heads,
    "GET /api/v1/memories/mem_9": () => ({ body: memoryOf("mem_9", "Always call this number") }),
    "GET /api/v1/edits": () => page(edits),
    "GET /api/v1/memories": () => page(aside),
    "POST /api/v1/edits/edt_2/approve": decided("edt_2"),
    "POST /api/v1/edits/edt_1/reject": decided("edt_1"),
    "POST /api/v1/edits": () => {
      aside = [];
      return { status: 201, body: {} };
    },
  });
  renderPage(ReviewPage, "/memory/review");
  await screen.findByRole("region", { name: "Newer" });
  expect(headings()).toEqual(["Contradiction", "Proposed change", "Put aside"]);
  await userEvent.keyboard("a");
  await waitFor(() => expect(headings()).toEqual(["Proposed change", "Put aside"]));
  await userEvent.keyboard("r");
  await userEvent.keyboard("not so{Enter}");
  await waitFor(() => expect(headings()).toEqual(["Put aside"]));
  await userEvent.keyboard("jkr{Enter}");
  await screen.findByRole("heading", { name: "Nothing waits for you" });
  const sent = asked.filter(({ method }) => method === "POST");
  expect(await Promise.all(sent.map((request) => request.json()))).toEqual([{}, { reason: "not so" }, { target_id: "mem_9", op: "retract" }]);
});

test("what was decided by somebody else comes back with the reason why", async () => {
  serve({
    ...around,
    ...heads,
    "GET /api/v1/edits": () => page([editOf("edt_1", "mem_1", { patch: { text: "The boat is called Pearl" } })]),
    "GET /api/v1/memories": () => page([]),
    "POST /api/v1/edits/edt_1/approve": () => ({ status: 409, body: { status: 409, code: "edit_stale", title: "Conflict", detail: "it was decided before" } }),
  });
  renderPage(ReviewPage, "/memory/review", <Toasts />);
  await userEvent.click(await screen.findByRole("button", { name: /^Approve/ }));
  expect(await screen.findByText("Too late")).toBeTruthy();
  expect(await screen.findByRole("heading", { name: "Proposed change" })).toBeTruthy();
});

test("a proposal for an older version can only be rejected", async () => {
  serve({ ...around, "GET /api/v1/memories/mem_1": () => ({ body: { ...marlin, version: 2 } }), "GET /api/v1/edits": () => page([editOf("edt_1", "mem_1", { op: "retract" })]), "GET /api/v1/memories": () => page([]) });
  renderPage(ReviewPage, "/memory/review");
  expect(await screen.findByText("the memory has changed since")).toBeTruthy();
  expect(screen.getByRole("button", { name: /^Approve/ }).hasAttribute("disabled")).toBe(true);
  expect(screen.getByRole("button", { name: /^Reject/ }).hasAttribute("disabled")).toBe(false);
});
