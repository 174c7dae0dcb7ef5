import { QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, RouterProvider } from "@tanstack/react-router";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { problem, serve } from "@/test-support";
import { makeQueryClient } from "./queries";
import { makeRouter } from "./router";

const session = { user: { user_id: "usr_1", tenant_id: "default", tenant_name: "Harbour lab", username: "mika", roles: ["owner"] }, scopes: ["admin"], csrf_token: "t", expires_at: "2027-01-01T00:00:00Z" };
const nobody = { "GET /api/v1/session": () => problem(401, "API key required") };
const ready = { "GET /api/v1/setup": () => ({ body: { needed: false, token_required: true } }) };

function visit(address: string) {
  const queries = makeQueryClient();
  const router = makeRouter(queries);
  router.update({ ...router.options, history: createMemoryHistory({ initialEntries: [address] }) });
  render(
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>,
  );
  return router;
}

async function signIn() {
  await userEvent.type(await screen.findByLabelText("Username"), "mika");
  await userEvent.type(screen.getByLabelText("Password"), "a quiet ember");
  await userEvent.click(screen.getByRole("button", { name: "Sign in" }));
}

test("signing in leads back to the page that was asked for", async () => {
  serve({ ...nobody, ...ready, "POST /api/v1/session": () => ({ body: session }), "GET /auth/sessions": () => ({ body: { sessions: [], count: 0 } }) });
  const router = visit("/settings/devices");
  await signIn();
  expect(await screen.findByRole("heading", { name: "Signed-in devices" })).toBeTruthy();
  expect(router.state.location.pathname).toBe("/settings/devices");
});

test.each(["//evil.example", "https://evil.example/", "/\\evil.example"])("a sign-in link never leads out to %s", async (next) => {
  serve({ ...nobody, ...ready });
  const router = visit(`/sign-in?next=${encodeURIComponent(next)}`);
  await screen.findByRole("heading", { name: "Welcome back" });
  expect(router.state.location.search).toEqual({});
});

test("a server without an owner asks for set-up, one with an owner does not", async () => {
  serve({ ...nobody, "GET /api/v1/setup": () => ({ body: { needed: true, token_required: true } }) });
  visit("/");
  expect(await screen.findByLabelText("Set-up token")).toBeTruthy();

  serve({ ...nobody, ...ready });
  expect(visit("/setup?token=used").state.location.pathname).toBe("/setup");
  expect(await screen.findByRole("heading", { name: "Welcome back" })).toBeTruthy();
});

test("a set-up token made of digits is sent as it stands", async () => {
  const asked = serve({ ...nobody, "GET /api/v1/setup": () => ({ body: { needed: true, token_required: true } }), "POST /api/v1/setup": () => problem(403, "The link is used up.") });
  visit("/setup?token=123e4");
  await userEvent.type(await screen.findByLabelText("Workspace name"), "Harbour lab!");
  await userEvent.type(screen.getByLabelText("Your username"), "mika");
  await userEvent.type(screen.getByLabelText("Password"), "a quiet ember");
  await userEvent.click(screen.getByRole("button", { name: "Create workspace" }));
  await screen.findByRole("alert");
  const sent = await asked.find(({ method }) => method === "POST")?.json();
  expect(sent).toEqual({ setup_token: "123e4", tenant_name: "harbour-lab", username: "mika", password: "a quiet ember" });
});

test("a page that could not be fetched says under which request, and can be tried again", async () => {
  let isDown = true;
  serve({ ...ready, "GET /api/v1/session": () => (isDown ? problem(400, "The server is not well.") : problem(401, "API key required")) });
  visit("/memory");
  expect((await screen.findByRole("alert")).textContent).toContain("req_7f3a");
  isDown = false;
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByRole("heading", { name: "Welcome back" })).toBeTruthy();
});

test("a session that ended elsewhere asks to sign in", async () => {
  serve({ ...ready, "GET /api/v1/session": () => ({ body: session }), "GET /auth/sessions": () => problem(401, "API key required") });
  visit("/settings/devices");
  expect(await screen.findByRole("heading", { name: "Welcome back" })).toBeTruthy();
});
