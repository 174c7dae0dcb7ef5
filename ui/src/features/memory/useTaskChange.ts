import { useMutation, useQueryClient } from "@tanstack/react-query";
import { notify } from "@/lib/toasts";
import { changeTask, tasksKey, type Task, type TaskPatch, type TaskStatus } from "./api/work";

interface Change {
  task: Task;
  patch: TaskPatch;
  said: string;
  undo?: TaskPatch;
}

const fits = (list: unknown, status: string) => (list === "live" ? status === "open" || status === "doing" : list === status);

/** Changes a task at once, with a way back; a refusal puts it back and says why. */
export function useTaskChange() {
  const queries = useQueryClient();
  const { mutate } = useMutation({
    mutationFn: ({ task, patch }: Change) => changeTask(task.task_id, patch),
    onMutate: async ({ task, patch }) => {
      await queries.cancelQueries({ queryKey: tasksKey });
      const changed = { ...task, ...patch, title: patch.title ?? task.title, status: patch.status ?? task.status } as Task;
      for (const [key, data] of queries.getQueriesData<Task[]>({ queryKey: tasksKey })) {
        if (data) queries.setQueryData<Task[]>(key, data.map((one) => (one.task_id === task.task_id ? changed : one)).filter((one) => fits(key[tasksKey.length], one.status)));
      }
    },
    onSuccess: (_, { task, said, undo }) => notify(said, task.title, undo && { label: "Undo", run: () => mutate({ task, patch: undo, said: "As it was" }) }),
    onError: (error) => notify("The task stays as it is", error.message),
    onSettled: () => queries.invalidateQueries({ queryKey: tasksKey }),
  });
  const move = (task: Task, to: TaskStatus, said: string) => mutate({ task, patch: { status: to }, said, undo: { status: task.status as TaskStatus } });
  return { move };
}
