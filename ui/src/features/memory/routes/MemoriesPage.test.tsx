import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { Toasts } from "@/components/Toasts";
import { renderPage, serve } from "@/test-support";
import type { MemoryItem } from "../api/memories";
import { around, memoryOf, page } from "../testData";
import { MemoriesPage } from "./MemoriesPage";

const press = async (name: string | RegExp) => userEvent.click(await screen.findByRole("button", { name }));
const versions = (memory: MemoryItem) => [{ version: 1, op: "ADD", text: memory.text, previous_text: null, fields: { pinned: false }, recorded_at: memory.recorded_at, actor: "usr_1" }];
const one = (memory: () => MemoryItem) => {
  const path = `/api/v1/memories/${memory().memory_id}`;
  return { [`GET ${path}`]: () => ({ body: memory() }), [`GET ${path}/history`]: () => ({ body: versions(memory()) }), [`GET ${path}/sources`]: () => ({ body: [{ event_id: "evt_1", start_byte: 0, end_byte: 3 }] }) };
};
const event = { event_id: "evt_1", kind: "message", session_id: "s-1", ts: "2026-03-02T10:00:00Z", actor_id: "ana", actor_name: "Ana", content: { text: "Rui <b>feeds</b> the otters." } };

test("the card shows the words, where they come from and how they changed, as text", async () => {
  const memory = memoryOf("mem_1", "Rui feeds <img src=x> the otters");
  serve({ ...around, ...one(() => memory), "GET /api/v1/memories": () => page([memory]), "GET /api/v1/events/evt_1": () => ({ body: event }) });
  const router = renderPage(MemoriesPage, "/memory/memories?pinned=yes");
  await press(/^Rui feeds/);
  const card = await screen.findByRole("dialog", { name: "Fact" });
  expect(await within(card).findByText("Remembered")).toBeTruthy();
  expect(card.querySelector("img")).toBeNull();
  expect((await within(card).findByText("Rui")).tagName).toBe("MARK");
  const link = within(card).getByRole("link", { name: /open in timeline/ });
  expect(link.getAttribute("href")).toMatch(/session=s-1.*event=evt_1/);
  expect(router.state.location.search).toMatchObject({ memory: "mem_1" });
});

test("what is forgotten leaves the list at once and comes back by undo", async () => {
  let memory = memoryOf("mem_1", "Rui feeds the otters");
  const asked = serve({
    ...around,
    "GET /api/v1/memories": () => page(memory.state === "active" ? [memory] : []),
    "DELETE /api/v1/memories/mem_1": () => {
      memory = { ...memory, state: "retracted" };
      return { status: 204 };
    },
    "POST /api/v1/memories/mem_1/restore": () => {
      memory = { ...memory, state: "active" };
      return { body: { memory } };
    },
  });
  renderPage(MemoriesPage, "/memory/memories", <Toasts />);
  await press("Forget: Rui feeds the otters");
  await screen.findByRole("heading", { name: "No memory is kept yet" });
  await press("Undo");
  expect(await screen.findByRole("button", { name: "Rui feeds the otters" })).toBeTruthy();
  expect(asked.filter(({ method }) => method !== "GET").map(({ method, url }) => [method, new URL(url).search])).toEqual([["DELETE", ""], ["POST", ""]]);
});

test("an edit of what has changed meanwhile shows the other's words before anything is lost", async () => {
  let memory = memoryOf("mem_1", "The boat is called Marlin");
  const asked = serve({
    ...around,
    ...one(() => memory),
    "GET /api/v1/memories": () => page([memory]),
    "GET /api/v1/events/evt_1": () => ({ body: event }),
    "PATCH /api/v1/memories/mem_1": async (request) => {
      const { expected_version, text } = (await request.json()) as { expected_version: number; text: string };
      if (expected_version === 1) {
        memory = { ...memory, version: 2, text: "The boat is called Osprey" };
        return { status: 409, body: { status: 409, code: "edit_stale", title: "Conflict", detail: "the memory has changed since" } };
      }
      memory = { ...memory, version: 3, text };
      return { body: { edit: { status: "approved" }, memory } };
    },
  });
  renderPage(MemoriesPage, "/memory/memories?memory=mem_1");
  await press("Edit");
  const form = await screen.findByRole("dialog", { name: "Edit this memory" });
  await userEvent.clear(within(form).getByLabelText("Words"));
  await userEvent.type(within(form).getByLabelText("Words"), "The boat is called Pearl");
  await userEvent.click(within(form).getByRole("button", { name: "Save" }));
  expect((await within(form).findByRole("alert")).textContent).toContain("Theirs, version 2");
  expect(form.querySelector("ins")?.textContent).toBe("Osprey");
  expect(within(form).getByLabelText<HTMLTextAreaElement>("Words").value).toBe("The boat is called Pearl");
  await userEvent.click(within(form).getByRole("button", { name: "Save mine over it" }));
  await waitFor(() => expect(screen.queryByRole("dialog", { name: "Edit this memory" })).toBeNull());
  const sent = await Promise.all(asked.filter(({ method }) => method === "PATCH").map((request) => request.json()));
  expect(sent).toEqual([1, 2].map((expected_version) => ({ text: "The boat is called Pearl", expected_version })));
});

test("filters of the address are asked of the server", async () => {
  const asked = serve({ ...around, "GET /api/v1/memories": () => page([]) });
  renderPage(MemoriesPage, "/memory/memories?type=rule&state=blocked&tag=boat&channel=team&pinned=yes");
  await screen.findByRole("heading", { name: "Nothing fits these filters" });
  const query = new URL(asked.find(({ url }) => url.includes("/memories?"))?.url ?? "").searchParams;
  expect(Object.fromEntries(query)).toEqual({ type: "rule", state: "blocked", tag: "boat", channel: "team", pinned: "true", limit: "50" });
});
