import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { ProblemError } from "@/api/problem";
import { Button } from "@/components/Button";
import { Dialog } from "@/components/Dialog";
import { ErrorNote } from "@/components/ErrorNote";
import { Field } from "@/components/Field";
import { TextArea } from "@/components/TextArea";
import { endOfDay } from "@/lib/days";
import { notify } from "@/lib/toasts";
import { addTask, changeTask, tasksKey, type Task, type TaskPatch } from "../api/work";
import { dayOf } from "../filters";

function readTask(form: FormData): TaskPatch {
  const text = (name: string) => String(form.get(name) ?? "").trim();
  const due = text("due_at");
  return {
    title: text("title"),
    details: text("details"),
    priority: Number(form.get("priority")),
    ...(due && { due_at: endOfDay(due) }),
    ...(text("assignee") && { assignee: text("assignee") }),
  };
}

interface TaskDialogProps {
  /** The task to change; a new one when absent. */
  task: Task | undefined;
  onClose: () => void;
}

export function TaskDialog({ task, onClose }: TaskDialogProps) {
  const queries = useQueryClient();
  const save = useMutation({
    mutationFn: (patch: TaskPatch) => (task ? changeTask(task.task_id, patch) : addTask(patch)),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: tasksKey });
      notify(task ? "Saved" : "The task is on the list");
      onClose();
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    save.mutate(readTask(new FormData(event.currentTarget)));
  };
  const fault = save.error instanceof ProblemError ? save.error.fields : {};
  return (
    <Dialog open onClose={onClose} title={task ? "Edit task" : "Add a task"} description="Agents see open tasks in their context.">
      <form onSubmit={submit} className="grid gap-4">
        {save.error && <ErrorNote error={save.error} />}
        <Field label="What is to be done" name="title" required maxLength={500} defaultValue={task?.title} error={fault.title} />
        <TextArea label="More about it" name="details" maxLength={8000} defaultValue={task?.details} error={fault.details} />
        <div className="grid grid-cols-3 gap-4 max-sm:grid-cols-2">
          <Field label="Priority" name="priority" type="number" min={-100} max={100} required defaultValue={task?.priority ?? 0} hint="larger is more urgent" error={fault.priority} />
          <Field label="Due" name="due_at" type="date" defaultValue={task?.due_at ? dayOf(task.due_at) : ""} required={Boolean(task?.due_at)} error={fault.due_at} />
          <Field label="Who does it" name="assignee" maxLength={256} defaultValue={task?.assignee ?? ""} required={Boolean(task?.assignee)} error={fault.assignee} />
        </div>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="fire" busy={save.isPending && "Saving…"}>
            {task ? "Save" : "Add"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
