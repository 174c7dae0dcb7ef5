import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { problem, renderPage, serve } from "@/test-support";
import { ApiKeysPage } from "./ApiKeysPage";

const secret = "hk_live_only_once_9d2f";
const key = { key_id: "key_1", name: "bot", prefix: "hk_live", scopes: ["memory:read"], user_id: null, created_at: "2026-03-01T00:00:00Z", expires_at: null, last_used_at: null, revoked_at: null };
const press = (name: string) => userEvent.click(screen.getByRole("button", { name }));

async function openForm(name: string) {
  await screen.findByText("No key yet");
  await press("New key");
  await userEvent.type(await screen.findByLabelText("Name"), name);
}

test("a key is shown once, until the person has stored it", async () => {
  const kept: unknown[] = [];
  const asked = serve({
    "GET /api/v1/api-keys": () => ({ body: { items: kept, next_cursor: null } }),
    "POST /api/v1/api-keys": () => {
      kept.push(key);
      return { status: 201, body: { ...key, api_key: secret } };
    },
  });
  renderPage(ApiKeysPage, "/settings/api-keys");
  await openForm("bot");
  await userEvent.click(screen.getByRole("checkbox", { name: /memory:write/ }));
  await userEvent.click(screen.getByRole("radio", { name: /Anyone’s/ }));
  await press("Create key");

  expect((await screen.findByTestId("api-key")).textContent).toBe(secret);
  expect(screen.getByText(/^curl/).textContent).toContain('"user_id": "ana"');
  expect(screen.getByRole("button", { name: "Done" })).toHaveProperty("disabled", true);
  await userEvent.keyboard("{Escape}");
  expect(screen.getByTestId("api-key").textContent).toBe(secret);
  const sent = await asked.find(({ method }) => method === "POST")?.json();
  expect(sent).toMatchObject({ name: "bot", scopes: ["memory:read"], acts_for: "anyone" });
  expect(new Date(sent.expires_at).getTime()).toBeGreaterThan(Date.now() + 89 * 86_400_000);

  await userEvent.click(screen.getByRole("checkbox", { name: "I have stored it" }));
  await press("Done");
  await waitFor(() => expect(screen.queryByTestId("api-key")).toBeNull());
  await press("New key");
  expect(await screen.findByLabelText("Name")).toHaveProperty("value", "");
  expect(document.body.innerHTML).not.toContain(secret);
});

test("a refused key says which field, why, and under which request", async () => {
  serve({
    "GET /api/v1/api-keys": () => ({ body: { items: [], next_cursor: null } }),
    "POST /api/v1/api-keys": () => problem(400, "the key could not be made", [{ field: "name", message: "is taken" }]),
  });
  renderPage(ApiKeysPage, "/settings/api-keys");
  await openForm("bot");
  await press("Create key");
  const alert = await screen.findByRole("alert");
  expect(alert.textContent).toContain("The key could not be made.");
  expect(alert.textContent).toContain("req_7f3a");
  expect(screen.getByLabelText("Name").getAttribute("aria-invalid")).toBe("true");
  expect(screen.getByText("Name is taken.")).toBeTruthy();
});

test("a key is revoked only after asking", async () => {
  const kept: (typeof key | Record<string, unknown>)[] = [key];
  const asked = serve({
    "GET /api/v1/api-keys": () => ({ body: { items: kept, next_cursor: null } }),
    "DELETE /api/v1/api-keys/key_1": () => {
      kept[0] = { ...key, revoked_at: "2026-03-02T00:00:00Z" };
      return { status: 204 };
    },
  });
  renderPage(ApiKeysPage, "/settings/api-keys");
  await userEvent.click(await screen.findByRole("button", { name: "Revoke bot" }));
  expect(asked.some(({ method }) => method === "DELETE")).toBe(false);
  await userEvent.click(await screen.findByRole("button", { name: "Revoke key" }));
  expect(await screen.findByText("revoked")).toBeTruthy();
});
