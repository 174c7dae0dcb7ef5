import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { ProblemError } from "@/api/problem";
import { Button } from "@/components/Button";
import { Dialog } from "@/components/Dialog";
import { ErrorNote } from "@/components/ErrorNote";
import { Field } from "@/components/Field";
import { TextArea } from "@/components/TextArea";
import { notify } from "@/lib/toasts";
import { blocksKey, changeBlock, makeBlock, readBlock, type Block } from "../api/blocks";
import { Diffed } from "./Diffed";

const isStale = (error: unknown) => error instanceof ProblemError && error.status === 409;

interface BlockDialogProps {
  /** The block to change; a new one when absent. */
  block: Block | undefined;
  onClose: () => void;
}

/** Writes a block anew; what somebody else wrote meanwhile is shown before anything takes its place. */
export function BlockDialog({ block, onClose }: BlockDialogProps) {
  const queries = useQueryClient();
  const [theirs, setTheirs] = useState<Block>();
  const save = useMutation({
    mutationFn: (form: FormData) => {
      const text = (name: string) => String(form.get(name) ?? "");
      const shape = { description: text("description").trim(), limit_chars: Number(text("limit_chars")), read_only: form.get("read_only") !== null };
      if (!block) return makeBlock({ ...shape, label: text("label").trim(), agent_id: text("agent_id").trim() || undefined, text: text("text") });
      return changeBlock(block, { ...shape, rethink: text("text"), expected_version: (theirs ?? block).version });
    },
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: blocksKey });
      notify(block ? "Saved" : "The block is there", block && "The old version stays.");
      onClose();
    },
    onError: async (error) => {
      if (block && isStale(error)) setTheirs(await readBlock(block));
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    save.mutate(new FormData(event.currentTarget));
  };
  const fault = save.error instanceof ProblemError ? save.error.fields : {};
  return (
    <Dialog open onClose={onClose} title={block ? `Edit ${block.label}` : "Make a block"} description="A text that agents have before them in every step, and may rewrite.">
      <form onSubmit={submit} className="grid gap-4">
        {save.isError && !theirs && <ErrorNote error={save.error} />}
        {block && theirs && (
          <div role="alert" className="grid gap-2 rounded border border-warn/50 bg-raised p-3">
            <p className="font-medium">It was changed while you were writing. Theirs, version {theirs.version}:</p>
            <div className="max-h-40 overflow-y-auto">
              <Diffed before={block.text} now={theirs.text} />
            </div>
          </div>
        )}
        {!block && (
          <div className="grid grid-cols-2 gap-4">
            <Field label="Name" name="label" required maxLength={256} placeholder="persona" error={fault.label} />
            <Field label="Agent" name="agent_id" maxLength={256} placeholder="all agents" error={fault.agent_id} />
          </div>
        )}
        <TextArea label="Text" name="text" rows={6} defaultValue={block?.text} error={fault.text ?? fault.rethink} />
        <Field label="What it is for" name="description" maxLength={1000} defaultValue={block?.description} error={fault.description} />
        <div className="grid grid-cols-2 items-end gap-4">
          <Field label="Characters at most" name="limit_chars" type="number" min={1} max={20000} required defaultValue={block?.limit_chars ?? 20000} error={fault.limit_chars} />
          <label htmlFor="block-read-only" className="flex min-h-9 items-center gap-2">
            <input id="block-read-only" type="checkbox" name="read_only" defaultChecked={block?.read_only} className="size-4 accent-fire" /> Agents only read it
          </label>
        </div>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="fire" busy={save.isPending && "Saving…"}>
            {theirs ? "Save mine over it" : block ? "Save" : "Make block"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
