import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { ProblemError } from "@/api/problem";
import { Button } from "@/components/Button";
import { Dialog } from "@/components/Dialog";
import { ErrorNote } from "@/components/ErrorNote";
import { usePrincipal } from "@/lib/principal";
import { askExport, exportsQuery } from "../api/rights";
import { WhoseFields } from "./WhoseFields";

type Whose = "mine" | "other" | "tenant";
const mine = { value: "mine" as Whose, label: "what is held about me" };
const others = [
  { value: "other" as Whose, label: "somebody else’s", named: "Owner or person", hint: "The user_id that memories were recorded for, or the usr_… id of an account." },
  { value: "tenant" as Whose, label: "the whole workspace" },
];

export function ExportDialog({ onClose }: { onClose: () => void }) {
  const queries = useQueryClient();
  const isAdmin = usePrincipal().scopes.includes("admin");
  const [whose, setWhose] = useState<Whose>("mine");
  const [name, setName] = useState("");
  const ask = useMutation({
    mutationFn: (objects: boolean) => askExport({ objects, ...(whose === "other" && { user_id: name.trim() }), ...(whose === "tenant" && { tenant: true }) }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: exportsQuery.queryKey });
      onClose();
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    ask.mutate(new FormData(event.currentTarget).get("objects") !== null);
  };
  return (
    <Dialog open onClose={onClose} title="Export" description="The copy is made in the background and waits here when it is ready.">
      <form onSubmit={submit} className="grid gap-4">
        {ask.error && <ErrorNote error={ask.error} />}
        <WhoseFields label="What" value={whose} choices={isAdmin ? [mine, ...others] : [mine]} name={name} onChange={setWhose} onName={setName} error={ask.error instanceof ProblemError ? ask.error.fields.user_id : undefined} />
        <label htmlFor="export-objects" className="flex min-h-9 items-center gap-2">
          <input id="export-objects" type="checkbox" name="objects" className="size-4 accent-fire" /> with long texts and files
        </label>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="fire" busy={ask.isPending && "Asking…"}>
            Export
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
