import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { ProblemError } from "@/api/problem";
import { Button } from "@/components/Button";
import { Dialog } from "@/components/Dialog";
import { ErrorNote } from "@/components/ErrorNote";
import { TextArea } from "@/components/TextArea";
import { notify } from "@/lib/toasts";
import { holdsQuery, placeHold } from "../api/rights";
import { WhoseFields } from "./WhoseFields";

const choices = [
  { value: "owner" as const, label: "one owner or person", named: "Owner or person", hint: "The user_id that memories were recorded for, or the usr_… id of an account." },
  { value: "tenant" as const, label: "the whole workspace" },
];

export function HoldDialog({ onClose }: { onClose: () => void }) {
  const queries = useQueryClient();
  const [whose, setWhose] = useState<"owner" | "tenant">("owner");
  const [name, setName] = useState("");
  const place = useMutation({
    mutationFn: (reason: string) => placeHold({ reason, ...(whose === "tenant" ? { tenant: true } : { user_id: name.trim() }) }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: holdsQuery.queryKey });
      notify("The hold is in place");
      onClose();
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    place.mutate(String(new FormData(event.currentTarget).get("reason")).trim());
  };
  const fault = place.error instanceof ProblemError ? place.error.fields : {};
  return (
    <Dialog open onClose={onClose} title="Place a legal hold" description="Until you release it, this data cannot be erased.">
      <form onSubmit={submit} className="grid gap-4">
        {place.error && <ErrorNote error={place.error} />}
        <WhoseFields label="Hold" value={whose} choices={choices} name={name} onChange={setWhose} onName={setName} error={fault.user_id} />
        <TextArea label="Why" name="reason" required maxLength={500} error={fault.reason} />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="fire" busy={place.isPending && "Placing…"}>
            Place hold
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
