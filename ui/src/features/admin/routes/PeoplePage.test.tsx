import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { ToastHost } from "@/components/ToastHost";
import { problem, renderPage, serve } from "@/test-support";
import { PeoplePage } from "./PeoplePage";

const person = (username: string, role: string) => ({ user_id: `usr_${username}`, username, role, email: null, created_at: "2026-03-01T00:00:00Z", disabled_at: null as string | null });
const people = () => [person("mika", "owner"), person("ana", "member")];
const press = async (name: string) => userEvent.click(await screen.findByRole("button", { name }));
const choose = async (name: RegExp) => userEvent.click(await screen.findByRole("menuitemradio", { name }));

test("a role changes at once and can be taken back", async () => {
  const kept = people();
  const sent: string[] = [];
  serve({
    "GET /api/v1/users": () => ({ body: { items: kept, next_cursor: null } }),
    "PUT /api/v1/users/usr_ana/role": async (request) => {
      const { role } = await request.json();
      sent.push(role);
      kept[1] = person("ana", role);
      return { body: kept[1] };
    },
  });
  renderPage(PeoplePage, "/admin/people", <ToastHost />);
  await press("Role of ana: Member");
  await choose(/Admin/);
  await screen.findByRole("button", { name: "Role of ana: Admin" });
  await press("Undo");
  await screen.findByRole("button", { name: "Role of ana: Member" });
  expect(sent).toEqual(["admin", "member"]);
});

test("a refused role goes back to what it was, with the reason", async () => {
  serve({
    "GET /api/v1/users": () => ({ body: { items: people(), next_cursor: null } }),
    "PUT /api/v1/users/usr_ana/role": () => problem(409, "the last owner stays"),
  });
  renderPage(PeoplePage, "/admin/people", <ToastHost />);
  await press("Role of ana: Member");
  await choose(/Owner/);
  expect(await screen.findByText("The last owner stays.")).toBeTruthy();
  expect(await screen.findByRole("button", { name: "Role of ana: Member" })).toBeTruthy();
});

test("nobody gives up their own role without being asked", async () => {
  const asked = serve({ "GET /api/v1/users": () => ({ body: { items: people(), next_cursor: null } }) });
  renderPage(PeoplePage, "/admin/people");
  await press("Role of mika: Owner");
  await choose(/Viewer/);
  await screen.findByRole("heading", { name: "Make yourself viewer?" });
  await press("Cancel");
  expect(asked.some(({ method }) => method === "PUT")).toBe(false);
});

test("a person is disabled only after asking, and their sessions are shown and ended", async () => {
  const kept = people();
  const session = { session_id: "ses_1", kind: "page", user_agent: "Mozilla/5.0 (iPhone) Safari/605", address: "10.4.0.9", created_at: "2026-03-01T00:00:00Z", last_used_at: "2026-03-01T00:00:00Z", expires_at: "2027-03-01T00:00:00Z", current: false };
  let sessions = [session];
  const asked = serve({
    "GET /api/v1/users": () => ({ body: { items: kept, next_cursor: null } }),
    "GET /api/v1/users/usr_ana/sessions": () => ({ body: { sessions, count: sessions.length } }),
    "DELETE /api/v1/users/usr_ana/sessions/ses_1": () => {
      sessions = [];
      return { status: 204 };
    },
    "POST /api/v1/users/usr_ana/disable": () => {
      kept[1] = { ...person("ana", "member"), disabled_at: "2026-03-02T00:00:00Z" };
      return { body: kept[1] };
    },
  });
  renderPage(PeoplePage, "/admin/people");
  await press("ana");
  await press("End session on Safari on iOS");
  expect(await screen.findByText("Nowhere at present.")).toBeTruthy();
  await press("Disable");
  expect(asked.some(({ method }) => method === "POST")).toBe(false);
  await userEvent.click(within(await screen.findByRole("dialog", { name: "Disable ana?" })).getByRole("button", { name: "Disable" }));
  expect(await screen.findByRole("button", { name: "Enable" })).toBeTruthy();
});

test("an invitation link is shown once and leaves nothing behind", async () => {
  serve({
    "GET /api/v1/users": () => ({ body: { items: people(), next_cursor: null } }),
    "POST /api/v1/invitations": () => ({ status: 201, body: { invitation_id: "inv_1", token: "hi_only_once", role: "member", expires_at: "2026-03-08T00:00:00Z" } }),
  });
  renderPage(PeoplePage, "/admin/people");
  await press("Invite");
  await press("Make link");
  expect((await screen.findByTestId("invitation-link")).textContent).toBe("http://hearth.test/join#hi_only_once");
  await press("Done");
  await waitFor(() => expect(document.body.innerHTML).not.toContain("hi_only_once"));
});
