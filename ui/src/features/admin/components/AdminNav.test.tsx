import { screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { problem, renderPage, serve } from "@/test-support";
import { AdminNav } from "./AdminNav";

const links = () => screen.getAllByRole("link").map((link) => link.textContent);

test("who does not run the server sees no page of it, and is asked about only once", async () => {
  const asked = serve({ "GET /api/v1/admin/jobs/summary": () => problem(403, "this is for the operators of the server") });
  renderPage(AdminNav, "/admin/people");
  await screen.findByRole("link", { name: "People" });
  await waitFor(() => expect(asked).toHaveLength(1));
  expect(screen.queryByRole("group", { name: "Server" })).toBeNull();
  expect(links()).toEqual(["API keys", "Signed-in devices", "People", "Invitations", "Audit"]);
});

test("an operator sees the pages of the server", async () => {
  serve({ "GET /api/v1/admin/jobs/summary": () => ({ body: { kinds: [] } }) });
  renderPage(AdminNav, "/admin/people");
  expect(await screen.findByRole("link", { name: "Jobs" })).toBeTruthy();
});
