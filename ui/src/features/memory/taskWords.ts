import type { Tone } from "@/components/StateWord";
import type { Task, TaskStatus } from "./api/work";

export const taskStatuses: { value: TaskStatus; label: string; tone: Tone }[] = [
  { value: "open", label: "open", tone: "rest" },
  { value: "doing", label: "doing", tone: "busy" },
  { value: "done", label: "done", tone: "good" },
  { value: "cancelled", label: "cancelled", tone: "bad" },
];

interface Step {
  to: TaskStatus;
  label: string;
  said: string;
}
const start: Step = { to: "doing", label: "Start", said: "Begun" };
const done: Step = { to: "done", label: "Done", said: "Done" };
const cancel: Step = { to: "cancelled", label: "Cancel task", said: "Cancelled" };
const reopen: Step = { to: "open", label: "Reopen", said: "Open again" };

const steps: Record<string, Step[]> = { open: [start, done, cancel], doing: [done, reopen, cancel], done: [reopen], cancelled: [reopen] };

/** Where a task may go from where it stands; the likeliest first. */
export const stepsOf = ({ status }: Pick<Task, "status">): Step[] => steps[status] ?? [];

/** Whether a task should have been done by now. */
export const isLate = ({ due_at, status }: Task, now = Date.now()) => Boolean(due_at) && (status === "open" || status === "doing") && Date.parse(due_at as string) < now;
