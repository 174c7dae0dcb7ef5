import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { renderPage, serve } from "@/test-support";
import { around, page } from "../testData";
import type { Block } from "../api/blocks";
import { BlocksPage } from "./BlocksPage";

const persona: Block = { block_id: "blk_1", label: "persona", text: "Be brief.", limit_chars: 200, read_only: false, description: "who the agent is", user_id: "usr_1", version: 2, recorded_at: "2026-03-03T00:00:00Z" };
const versions = [
  { version: 2, text: "Be brief.", recorded_at: "2026-03-03T00:00:00Z", actor: "key_1" },
  { version: 1, text: "Be <i>kind</i>.", recorded_at: "2026-03-02T00:00:00Z", actor: "usr_1" },
];

test("a block shows what each version changed, and a stale change shows the other's words", async () => {
  let kept = persona;
  const asked = serve({
    ...around,
    "GET /api/v1/blocks": () => page([kept]),
    "GET /api/v1/blocks/persona": () => ({ body: kept }),
    "GET /api/v1/blocks/persona/versions": () => page(versions),
    "PATCH /api/v1/blocks/persona": async (request) => {
      if (((await request.json()) as { expected_version: number }).expected_version === 2) {
        kept = { ...persona, version: 3, text: "Be quick." };
        return { status: 409, body: { status: 409, code: "version_mismatch", title: "Conflict", detail: "it has changed since" } };
      }
      return { body: kept };
    },
  });
  renderPage(BlocksPage, "/memory/blocks");
  await userEvent.click(await screen.findByRole("button", { name: "persona" }));
  const pane = await screen.findByRole("dialog", { name: "persona" });
  const list = await within(pane).findByRole("list", { name: "Versions, last first" });
  await within(list).findByText(/Version 2 by an API key/);
  expect([list.querySelector("del")?.textContent, list.querySelector("ins")?.textContent]).toEqual(["<i>kind</i>", "brief"]);
  await userEvent.click(within(pane).getByRole("button", { name: "Edit" }));
  const form = await screen.findByRole("dialog", { name: "Edit persona" });
  await userEvent.clear(within(form).getByLabelText("Text"));
  await userEvent.type(within(form).getByLabelText("Text"), "Be slow.");
  await userEvent.click(within(form).getByRole("button", { name: "Save" }));
  expect((await within(form).findByRole("alert")).textContent).toContain("Theirs, version 3");
  await userEvent.click(within(form).getByRole("button", { name: "Save mine over it" }));
  const sent = await Promise.all(asked.filter(({ method }) => method === "PATCH").map((request) => request.json()));
  expect(sent.map(({ expected_version, rethink }) => [expected_version, rethink])).toEqual([[2, "Be slow."], [3, "Be slow."]]);
});
