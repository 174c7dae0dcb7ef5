import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { ToastHost } from "@/components/ToastHost";
import { problem, renderPage, serve } from "@/test-support";
import { JobsPage } from "./JobsPage";

const dead = { job_id: "job_1", tenant_id: "default", kind: "memory.embed", job_key: "scope_1", state: "dead", tries: 10, run_at: "2026-03-01T00:00:00Z", created_at: "2026-03-01T00:00:00Z", finished_at: "2026-03-01T06:00:00Z", lease_until: null, last_error: "the model is away", payload: { token: "hidden" } };
const kind = { kind: "memory.embed", paused: false, due: 3, running: 0, failed: 0, dead: 1, oldest_due_seconds: 90 };
const press = async (name: string) => userEvent.click(await screen.findByRole("button", { name }));

test("a dead job says why, and is tried again", async () => {
  let job = dead;
  const asked = serve({
    "GET /api/v1/admin/jobs/summary": () => ({ body: { kinds: [kind] } }),
    "GET /api/v1/admin/jobs": () => ({ body: { items: [job], next_cursor: null } }),
    "POST /api/v1/admin/jobs/job_1/retry": () => {
      job = { ...dead, state: "due", tries: 0 };
      return { status: 204 };
    },
  });
  renderPage(JobsPage, "/admin/jobs?state=dead", <ToastHost />);
  await userEvent.click((await screen.findAllByRole("button", { name: "memory.embed" })).at(-1) as HTMLElement);
  const pane = await screen.findByRole("dialog", { name: "memory.embed" });
  expect(pane.textContent).toContain("the model is away");
  await press("Retry now");
  expect(await screen.findByText("The job is due again")).toBeTruthy();
  const list = asked.find(({ url }) => new URL(url).pathname === "/api/v1/admin/jobs");
  expect(new URL(list?.url ?? "").searchParams.get("state")).toBe("dead");
});

test("a kind that could not be paused goes on, with the reason", async () => {
  serve({
    "GET /api/v1/admin/jobs/summary": () => ({ body: { kinds: [kind] } }),
    "GET /api/v1/admin/jobs": () => ({ body: { items: [], next_cursor: null } }),
    "POST /api/v1/admin/jobs/kinds/memory.embed/pause": () => problem(503, "the database is away"),
  });
  renderPage(JobsPage, "/admin/jobs", <ToastHost />);
  await press("Pause memory.embed");
  expect(await screen.findByText("The database is away.")).toBeTruthy();
  expect(await screen.findByRole("button", { name: "Pause memory.embed" })).toBeTruthy();
});
