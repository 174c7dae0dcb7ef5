import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/components/Button";
import { DataList, type Column } from "@/components/DataList";
import { Empty } from "@/components/Empty";
import { Fetched } from "@/components/Fetched";
import { FilterMenu } from "@/components/FilterMenu";
import { Icon } from "@/components/icons";
import { PageHead } from "@/components/PageHead";
import { StateWord } from "@/components/StateWord";
import { formatDate, plural } from "@/lib/format";
import { useTitle } from "@/lib/useTitle";
import { tasksQuery, type Task } from "../api/work";
import { TaskDialog } from "../components/TaskDialog";
import { TaskPane } from "../components/TaskPane";
import { isLate, stepsOf, taskStatuses } from "../taskWords";
import { useMemoryPage } from "../useMemoryPage";
import { useTaskChange } from "../useTaskChange";

const keyOf = (task: Task) => task.task_id;
const choices = [{ value: "live", label: "open and doing" }, ...taskStatuses.map(({ value, label }) => ({ value, label }))];

const columns: Column<Task>[] = [
  { head: "Task", track: "minmax(0,1fr)", cell: ({ title }) => <span className="font-medium">{title}</span> },
  { head: "State", track: "6.5rem", isPlain: true, cell: ({ status }) => <StateWord tone={taskStatuses.find(({ value }) => value === status)?.tone ?? "rest"}>{status}</StateWord> },
  { head: "Priority", track: "4.5rem", cell: ({ priority }) => (priority === 0 ? null : priority) },
  { head: "Due", track: "9rem", cell: (task) => task.due_at && (isLate(task) ? <StateWord tone="warn">{`late, ${formatDate(task.due_at)}`}</StateWord> : formatDate(task.due_at)) },
  { head: "Who", track: "8rem", cell: ({ assignee }) => assignee && <span className="block truncate">{assignee}</span> },
  { head: "Waits for", track: "6rem", cell: ({ blocked_by }) => (blocked_by.length > 0 ? plural(blocked_by.length, "task") : null) },
];

export function TasksPage() {
  useTitle("Tasks");
  const { search, change } = useMemoryPage();
  const status = taskStatuses.find(({ value }) => value === search.status)?.value;
  const tasks = useQuery(tasksQuery(status));
  const { move } = useTaskChange();
  const [adding, setAdding] = useState(false);
  const [opened, setOpened] = useState<string>();
  const items = tasks.data ?? [];
  const task = items.find((one) => one.task_id === opened);
  const actions = (row: Task) => {
    const [first] = stepsOf(row);
    return (
      first && (
        <Button look="quiet" className="h-7! px-2 text-sm" onClick={() => move(row, first.to, first.said)} aria-label={`${first.label}: ${row.title.slice(0, 60)}`}>
          {first.label}
        </Button>
      )
    );
  };
  const empty = (
    <Empty title={status ? `No task is ${status}` : "Nothing is to be done"}>
      <p className="text-muted">Agents note tasks and promises as they come up, and find the open ones in their context the next time.</p>
      <Button look="fire" className="justify-self-start" onClick={() => setAdding(true)}>
        Add a task
      </Button>
    </Empty>
  );
  return (
    <div className="flex h-full flex-col">
      <PageHead title="Tasks" note="What agents and people said they would do.">
        <div className="flex items-center gap-3">
          <FilterMenu label="State" value={status ?? "live"} rest="live" choices={choices} onChange={(next) => change({ status: next === "live" ? undefined : next })} />
          <Button look="fire" onClick={() => setAdding(true)}>
            <Icon name="plus" /> Add task
          </Button>
        </div>
      </PageHead>
      <Fetched query={tasks} what="tasks" empty={items.length === 0 && empty}>
        <DataList label="Tasks, most urgent first" columns={columns} items={items} keyOf={keyOf} opened={opened} onOpen={({ task_id }) => setOpened(task_id)} actions={actions} />
      </Fetched>
      {task && <TaskPane key={task.task_id} task={task} titleOf={(id) => items.find((one) => one.task_id === id)?.title ?? id} onClose={() => setOpened(undefined)} />}
      {adding && <TaskDialog task={undefined} onClose={() => setAdding(false)} />}
    </div>
  );
}
