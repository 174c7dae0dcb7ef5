import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { renderPage, serve } from "@/test-support";
import { AuditPage } from "./AuditPage";

const row = (at: number) => ({
  audit_id: `aud_${at}`,
  at: new Date(Date.UTC(2026, 2, 1) - at * 1000).toISOString(),
  principal_kind: "user",
  principal_id: "usr_ana",
  credential_id: "ses_1",
  action: at % 2 ? "identity.set_role" : "identity.sign_in",
  resource: "user:usr_ana",
  outcome: "success",
  address: "10.4.0.9",
  request_id: `req_${at}`,
  fields: ["role"],
});
const users = { "GET /api/v1/users": () => ({ body: { items: [{ user_id: "usr_ana", username: "ana", role: "member", created_at: "2026-03-01T00:00:00Z" }], next_cursor: null } }) };
const rows = Array.from({ length: 12 }, (_, at) => row(at));

test("the filters of the address are what the server is asked for, page by page", async () => {
  const asked = serve({
    ...users,
    "GET /api/v1/audit": (_, url) => ({ body: url.searchParams.get("cursor") ? { items: rows.slice(6), next_cursor: null } : { items: rows.slice(0, 6), next_cursor: "next" } }),
  });
  renderPage(AuditPage, "/admin/audit?outcome=success&action=identity&since=2026-03-01&until=2026-03-02");
  await waitFor(() => expect(screen.getAllByRole("button", { name: "Set role" })).toHaveLength(6));
  const pages = asked.map(({ url }) => new URL(url)).filter(({ pathname }) => pathname === "/api/v1/audit");
  expect(pages.map(({ searchParams }) => searchParams.get("cursor"))).toEqual([null, "next"]);
  const { since, until, ...plain } = Object.fromEntries(pages[0]?.searchParams ?? []);
  expect(plain).toEqual({ outcome: "success", action: "identity", limit: "100" });
  expect(Date.parse(String(until)) - Date.parse(String(since))).toBe(2 * 86_400_000 - 1);
});

test("a row opens whole, with the names people know", async () => {
  serve({ ...users, "GET /api/v1/audit": () => ({ body: { items: rows.slice(1, 2), next_cursor: null } }) });
  renderPage(AuditPage, "/admin/audit");
  expect(await screen.findByText("user ana")).toBeTruthy();
  await userEvent.click(await screen.findByRole("button", { name: "Set role" }));
  const pane = await screen.findByRole("dialog", { name: "Set role" });
  expect(pane.textContent).toContain("req_1");
  expect(pane.textContent).toContain("user:usr_ana");
});

test("a broken chain names its first broken row", async () => {
  serve({
    ...users,
    "GET /api/v1/audit": () => ({ body: { items: rows, next_cursor: null } }),
    "POST /api/v1/audit/verify": () => ({ body: { tenant_id: "default", intact: false, rows: 40, unchained: 0, head_seq: 40, head_hash: "00", broken: { audit_id: "aud_7", seq: 7, problem: "it was changed" } } }),
  });
  renderPage(AuditPage, "/admin/audit");
  await userEvent.click(await screen.findByRole("button", { name: "Verify chain" }));
  expect(await screen.findByText("The chain is broken")).toBeTruthy();
  expect(screen.getByText("aud_7")).toBeTruthy();
});
