import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { ProblemError } from "@/api/problem";
import { Button } from "@/components/Button";
import { Dialog } from "@/components/Dialog";
import { ErrorNote } from "@/components/ErrorNote";
import { Field } from "@/components/Field";
import { Select } from "@/components/Select";
import { TextArea } from "@/components/TextArea";
import { notify } from "@/lib/toasts";
import { amend, memoryQuery, type MemoryItem, type MemoryPatch } from "../api/memories";
import { changesSomething, daysOf, patchOf } from "../memoryForm";
import { useMemoryActions } from "../useMemoryActions";
import { types } from "../words";
import { Diffed } from "./Diffed";

const isStale = (error: unknown) => error instanceof ProblemError && error.code === "edit_stale";

/** What somebody else wrote meanwhile, against what this form began with. */
function Theirs({ before, theirs, onTake }: { before: MemoryItem; theirs: MemoryItem; onTake: () => void }) {
  return (
    <div role="alert" className="grid gap-2 rounded border border-warn/50 bg-raised p-3">
      <p className="font-medium">It was changed while you were writing. Theirs, version {theirs.version}:</p>
      <div className="max-h-40 overflow-y-auto">
        <Diffed before={before.text} now={theirs.text} />
      </div>
      <Button className="justify-self-start" onClick={onTake}>
        Start again from theirs
      </Button>
    </div>
  );
}

interface EditMemoryDialogProps {
  memory: MemoryItem;
  onClose: () => void;
}

/** Changes words and fields as a new version; the old one stays in the history. */
export function EditMemoryDialog({ memory, onClose }: EditMemoryDialogProps) {
  const queries = useQueryClient();
  const { refresh } = useMemoryActions();
  /** The version the form began with. */
  const [base, setBase] = useState(memory);
  const [theirs, setTheirs] = useState<MemoryItem>();
  const save = useMutation({
    mutationFn: (patch: MemoryPatch) => amend(memory.memory_id, patch),
    onSuccess: async ({ edit }) => {
      await refresh(memory.memory_id);
      notify(edit.status === "pending" ? "Proposed" : "Saved", edit.status === "pending" ? "Its owner decides." : "The old version stays in the history.");
      onClose();
    },
    onError: async (error) => {
      if (!isStale(error)) return;
      setTheirs(await queries.fetchQuery({ ...memoryQuery(memory.memory_id), staleTime: 0 }));
      await refresh(memory.memory_id);
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const patch = patchOf(new FormData(event.currentTarget), base);
    if (changesSomething(patch)) save.mutate({ ...patch, expected_version: (theirs ?? base).version });
    else onClose();
  };
  const take = () => {
    if (theirs) setBase(theirs);
    setTheirs(undefined);
    save.reset();
  };
  const fault = save.error instanceof ProblemError ? save.error.fields : {};
  const days = daysOf(base);
  return (
    <Dialog open onClose={onClose} title="Edit this memory" description="It becomes a new version; the old one stays in the history.">
      <form key={base.version} onSubmit={submit} className="grid gap-4">
        {save.isError && !isStale(save.error) && <ErrorNote error={save.error} />}
        {theirs && <Theirs before={base} theirs={theirs} onTake={take} />}
        <TextArea label="Words" name="text" defaultValue={base.text} required maxLength={8000} error={fault.text} />
        <div className="grid grid-cols-2 gap-4">
          <Select label="Type" name="type" defaultValue={base.type} choices={types.map(({ value }) => ({ value, label: value }))} />
          <Field label="Importance" name="importance" type="number" min={0} max={1} step={0.05} defaultValue={Number(base.importance.toFixed(2))} required error={fault.importance} />
          <Field label="About" name="subject" defaultValue={base.subject ?? ""} required={Boolean(base.subject)} maxLength={256} error={fault.subject} />
          <Field label="Labels" name="tags" defaultValue={base.tags.join(", ")} placeholder="boat, harbour" error={fault.tags} />
          <Field label="So until" name="valid_to" type="date" defaultValue={days.validTo} required={Boolean(days.validTo)} error={fault.valid_to} />
          <Field label="Forget on" name="expires_at" type="date" defaultValue={days.expires} required={Boolean(days.expires)} error={fault.expires_at} />
        </div>
        <Field label="Why" name="reason" maxLength={1000} placeholder="shown in the history" error={fault.reason} />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="fire" busy={save.isPending && "Saving…"}>
            {theirs ? "Save mine over it" : "Save"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
