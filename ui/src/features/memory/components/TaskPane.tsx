import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { Button } from "@/components/Button";
import { Facts } from "@/components/Facts";
import { SidePane } from "@/components/SidePane";
import { StateWord } from "@/components/StateWord";
import { linkLook } from "@/components/looks";
import { formatDate, formatDateTime } from "@/lib/format";
import type { Task } from "../api/work";
import { dayOf } from "../filters";
import { stepsOf, taskStatuses } from "../taskWords";
import { useTaskChange } from "../useTaskChange";
import { TaskDialog } from "./TaskDialog";

interface TaskPaneProps {
  task: Task;
  /** Title of another task, where it is known. */
  titleOf: (id: string) => string;
  onClose: () => void;
}

export function TaskPane({ task, titleOf, onClose }: TaskPaneProps) {
  const { move } = useTaskChange();
  const [editing, setEditing] = useState(false);
  const { title, details, status, priority, due_at, assignee, blocked_by, session_id, event_id, recorded_at, updated_at, external_id, task_id } = task;
  const tone = taskStatuses.find(({ value }) => value === status)?.tone ?? "rest";
  const [first, ...others] = stepsOf(task);
  const foot = (
    <>
      <Button look="quiet" onClick={() => setEditing(true)}>
        Edit
      </Button>
      {others.map(({ to, label, said }) => (
        <Button key={to} onClick={() => move(task, to, said)}>
          {label}
        </Button>
      ))}
      {first && (
        <Button look="fire" onClick={() => move(task, first.to, first.said)}>
          {first.label}
        </Button>
      )}
    </>
  );
  return (
    <SidePane title={title} note={<StateWord tone={tone}>{status}</StateWord>} onClose={onClose} foot={foot}>
      {details && <p className="break-words whitespace-pre-wrap">{details}</p>}
      <Facts
        facts={[
          ["Priority", priority],
          ["Due", due_at && formatDate(due_at)],
          ["Who does it", assignee],
          ["Waits for", blocked_by.length > 0 && <ul key="blocked">{blocked_by.map((id) => <li key={id}>{titleOf(id)}</li>)}</ul>],
          ["Recorded", formatDateTime(recorded_at)],
          ["Changed", updated_at !== recorded_at && formatDateTime(updated_at)],
          ["Session", <Link key="session" to="/memory/timeline" search={{ session: session_id, day: dayOf(updated_at), event: event_id }} className={linkLook}>{session_id}</Link>],
          ["Own id", external_id],
          ["Id", <code key="id" className="font-mono text-sm break-all">{task_id}</code>],
        ]}
      />
      {editing && <TaskDialog task={task} onClose={() => setEditing(false)} />}
    </SidePane>
  );
}
