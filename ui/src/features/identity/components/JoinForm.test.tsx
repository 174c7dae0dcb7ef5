import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { renderPage, serve } from "@/test-support";
import { JoinForm } from "./JoinForm";

test("joining makes the account, ends its tokens and signs the page in", async () => {
  const asked = serve({
    "POST /auth/register": () => ({ status: 201, body: { refresh_token: "hr_1", user: { tenant_id: "harbour" } } }),
    "POST /auth/token/revoke": () => ({ body: { revoked: true } }),
    "POST /api/v1/session": () => ({ body: { user: { tenant_id: "harbour" } } }),
  });
  const onDone = vi.fn();
  renderPage(() => <JoinForm invitation="hi_1" onDone={onDone} />, "/join");
  await userEvent.type(await screen.findByLabelText("Your username"), "ben");
  await userEvent.type(screen.getByLabelText("Password"), "a quiet ember");
  await userEvent.click(screen.getByRole("button", { name: "Join" }));
  await waitFor(() => expect(onDone).toHaveBeenCalledOnce());
  const sent = await Promise.all(asked.map((request) => request.json()));
  expect(sent).toEqual([
    { invitation: "hi_1", username: "ben", password: "a quiet ember" },
    { refresh_token: "hr_1" },
    { tenant: "harbour", username: "ben", password: "a quiet ember" },
  ]);
});
