import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { Toasts } from "@/components/Toasts";
import { problem, renderPage, serve } from "@/test-support";
import type { Decision } from "../api/work";
import { around, taskOf } from "../testData";
import { DecisionsPage } from "./DecisionsPage";
import { TasksPage } from "./TasksPage";

const decision = (decision_id: string, text: string, more: Partial<Decision>): Decision => ({
  decision_id,
  event_id: "evt_1",
  ts: "2026-03-03T00:00:00Z",
  status: "active",
  scope: "project",
  decision: text,
  rationale: [],
  constraints: [],
  alternatives: [],
  consequences: [],
  refs: [],
  user_id: "usr_1",
  session_id: "s-1",
  channel: "private",
  sensitivity: "none",
  ...more,
});
const rows = [
  decision("dec_2", "Moor in Porto", { supersedes: "dec_1", subject: "harbour", rationale: ["cheaper"] }),
  decision("dec_1", "Moor in Lima", { superseded_by: "dec_2", status: "superseded", subject: "harbour" }),
];

test("a chain shows what holds, on demand what held before, and takes the next link", async () => {
  const asked = serve({
    ...around,
    "GET /api/v1/decisions": (_, url) => ({ body: rows.filter(({ status }) => status === url.searchParams.get("status")) }),
    "POST /api/v1/decisions": () => ({ status: 201, body: {} }),
  });
  renderPage(DecisionsPage, "/memory/decisions");
  expect(await screen.findByText("cheaper")).toBeTruthy();
  expect(screen.queryByText("Moor in Lima")).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Show 1 earlier decision" }));
  expect(screen.getByText("Moor in Lima")).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "Supersede: Moor in Porto" }));
  await userEvent.type(await screen.findByLabelText("Decision"), "Moor in Quito");
  await userEvent.type(screen.getByLabelText("Why"), "nearer{Enter}quieter");
  await userEvent.click(screen.getAllByRole("button", { name: "Decide" }).at(-1) as HTMLElement);
  await waitFor(() => expect(asked.some(({ method }) => method === "POST")).toBe(true));
  const sent = await asked.find(({ method }) => method === "POST")?.json();
  expect(sent).toMatchObject({ decision: "Moor in Quito", supersedes: "dec_2", subject: "harbour", rationale: ["nearer", "quieter"], alternatives: [] });
});

test("a task moves at once, back by undo, and a refusal puts it back", async () => {
  let status = "open";
  let refuses = false;
  serve({
    ...around,
    "GET /api/v1/tasks": () => ({ body: status === "done" ? [] : [taskOf("tsk_1", "Buy rope", { status, due_at: "2020-01-01T00:00:00Z" })] }),
    "PATCH /api/v1/tasks/tsk_1": async (request) => {
      if (refuses) return problem(409, "the tasks wait for each other");
      status = ((await request.json()) as { status: string }).status;
      return { body: taskOf("tsk_1", "Buy rope", { status }) };
    },
  });
  renderPage(TasksPage, "/memory/tasks", <Toasts />);
  expect(await screen.findByText("late, 1 Jan 2020")).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "Start: Buy rope" }));
  await screen.findByRole("button", { name: "Done: Buy rope" });
  await userEvent.click(await screen.findByRole("button", { name: "Undo" }));
  await screen.findByRole("button", { name: "Start: Buy rope" });
  refuses = true;
  await userEvent.click(screen.getByRole("button", { name: "Start: Buy rope" }));
  expect(await screen.findByText("The tasks wait for each other.")).toBeTruthy();
  expect(await screen.findByRole("button", { name: "Start: Buy rope" })).toBeTruthy();
});
