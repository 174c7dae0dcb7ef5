import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { problem, serve } from "@/test-support";
import { SignInForm } from "./SignInForm";

async function attempt(tenant?: string) {
  const onDone = vi.fn();
  render(
    <QueryClientProvider client={new QueryClient()}>
      <SignInForm onDone={onDone} />
    </QueryClientProvider>,
  );
  const workspace = screen.getByLabelText<HTMLInputElement>("Workspace");
  const remembered = workspace.value;
  if (tenant) {
    await userEvent.clear(workspace);
    await userEvent.type(workspace, tenant);
  }
  await userEvent.type(screen.getByLabelText("Username"), "mika");
  await userEvent.type(screen.getByLabelText("Password"), "a quiet ember");
  await userEvent.click(screen.getByRole("button", { name: "Sign in" }));
  return { onDone, remembered };
}

test("too many attempts: says when to try again, and forgets the password", async () => {
  serve({ "POST /api/v1/session": () => ({ ...problem(429, "Too many attempts."), headers: { "Retry-After": "24" } }) });
  const { onDone } = await attempt();
  expect((await screen.findByRole("alert")).textContent).toContain("Try again in 24 s.");
  expect(screen.getByLabelText("Password")).toHaveProperty("value", "");
  expect(onDone).not.toHaveBeenCalled();
});

test("the workspace is remembered, the password never", async () => {
  serve({ "POST /api/v1/session": () => ({ body: { user: {} } }) });
  const { onDone, remembered } = await attempt("harbour");
  await vi.waitFor(() => expect(onDone).toHaveBeenCalledOnce());
  expect(remembered).toBe("default");
  expect({ ...localStorage }).toEqual({ "hearth-tenant": "harbour" });
});
