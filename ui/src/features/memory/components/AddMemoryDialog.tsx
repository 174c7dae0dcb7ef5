import { useMutation } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { ProblemError } from "@/api/problem";
import { Button } from "@/components/Button";
import { Dialog } from "@/components/Dialog";
import { ErrorNote } from "@/components/ErrorNote";
import { Field } from "@/components/Field";
import { Select } from "@/components/Select";
import { TextArea } from "@/components/TextArea";
import { plural } from "@/lib/format";
import { notify } from "@/lib/toasts";
import { add } from "../api/memories";
import { newMemoryOf } from "../memoryForm";
import { useMemoryActions } from "../useMemoryActions";
import { channels, types } from "../words";

interface AddMemoryDialogProps {
  onAdded: (memoryId: string) => void;
  onClose: () => void;
}

/** Keeps what a person says; the same words in the same place are kept once. */
export function AddMemoryDialog({ onAdded, onClose }: AddMemoryDialogProps) {
  const { refresh } = useMemoryActions();
  const keep = useMutation({
    mutationFn: add,
    onSuccess: async ({ memory, merged }) => {
      await refresh(memory.memory_id);
      notify(merged ? "This was known already" : "Remembered", merged ? `It has now been said ${plural(memory.merged_count + 1, "time")}.` : undefined);
      onClose();
      onAdded(memory.memory_id);
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    keep.mutate(newMemoryOf(new FormData(event.currentTarget)));
  };
  const fault = keep.error instanceof ProblemError ? keep.error.fields : {};
  return (
    <Dialog open onClose={onClose} title="Remember something" description="Agents find it from now on, as far as its channel reaches.">
      <form onSubmit={submit} className="grid gap-4">
        {keep.error && <ErrorNote error={keep.error} />}
        <TextArea label="Words" name="text" required maxLength={8000} placeholder="Ana starts at the aquarium on 1 March." error={fault.text} />
        <div className="grid grid-cols-2 gap-4">
          <Select label="Type" name="type" defaultValue="fact" choices={types.map(({ value }) => ({ value, label: value }))} />
          <Select label="Channel" name="channel" defaultValue="private" choices={channels} />
          <Field label="About" name="subject" maxLength={256} placeholder="job" error={fault.subject} />
          <Field label="Labels" name="tags" placeholder="work, otters" error={fault.tags} />
          <Field label="Forget on" name="expires_at" type="date" error={fault.expires_at} />
          <label htmlFor="new-pinned" className="flex min-h-9 items-center gap-2 self-end">
            <input id="new-pinned" type="checkbox" name="pinned" className="size-4 accent-fire" /> Pin it
          </label>
        </div>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="fire" busy={keep.isPending && "Remembering…"}>
            Remember
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
