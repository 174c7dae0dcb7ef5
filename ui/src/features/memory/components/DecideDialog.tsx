import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { ProblemError } from "@/api/problem";
import { Button } from "@/components/Button";
import { Dialog } from "@/components/Dialog";
import { ErrorNote } from "@/components/ErrorNote";
import { Field } from "@/components/Field";
import { Select } from "@/components/Select";
import { TextArea } from "@/components/TextArea";
import { notify } from "@/lib/toasts";
import { decide, decisionsKey, type Decision, type DecisionScope } from "../api/work";

const scopes = [
  { value: "project", label: "the project" },
  { value: "user", label: "one person" },
  { value: "global", label: "everyone" },
];
const lists = [
  { name: "rationale", label: "Why" },
  { name: "constraints", label: "Must respect" },
  { name: "alternatives", label: "Turned down" },
  { name: "consequences", label: "What follows" },
] as const;

interface DecideDialogProps {
  /** The decision whose place the new one takes. */
  before: Decision | undefined;
  onClose: () => void;
}

/** Writes a decision down; the one before stays as the next link of its chain. */
export function DecideDialog({ before, onClose }: DecideDialogProps) {
  const queries = useQueryClient();
  const record = useMutation({
    mutationFn: decide,
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: decisionsKey });
      notify("Decided", before && "The earlier decision stays in the chain.");
      onClose();
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? "").trim();
    const lines = (name: string) => text(name).split("\n").map((line) => line.trim()).filter(Boolean);
    record.mutate({
      decision: text("decision"),
      scope: text("scope") as DecisionScope,
      subject: text("subject") || undefined,
      supersedes: before?.decision_id,
      ...Object.fromEntries(lists.map(({ name }) => [name, lines(name)])),
    });
  };
  const fault = record.error instanceof ProblemError ? record.error.fields : {};
  return (
    <Dialog open onClose={onClose} title={before ? "Decide anew" : "Record a decision"} description={before ? `Instead of: ${before.decision}` : "A later decision about the same takes its place."}>
      <form onSubmit={submit} className="grid gap-4">
        {record.error && <ErrorNote error={record.error} />}
        <TextArea label="Decision" name="decision" required rows={2} error={fault.decision} />
        <div className="grid grid-cols-2 gap-4">
          <Field label="About" name="subject" defaultValue={before?.subject ?? ""} maxLength={256} error={fault.subject} />
          <Select label="Holds for" name="scope" defaultValue={before?.scope ?? "project"} choices={scopes} />
          {lists.map(({ name, label }) => (
            <TextArea key={name} label={label} name={name} rows={2} placeholder="one a line" error={fault[name]} />
          ))}
        </div>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="fire" busy={record.isPending && "Recording…"}>
            Decide
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
