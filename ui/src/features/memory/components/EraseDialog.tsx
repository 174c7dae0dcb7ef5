import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { Button } from "@/components/Button";
import { Dialog } from "@/components/Dialog";
import { ErrorNote } from "@/components/ErrorNote";
import { Field } from "@/components/Field";
import { usePrincipal } from "@/lib/principal";
import { notify } from "@/lib/toasts";
import { eraseMemory } from "../api/rights";
import { eraseRequest, namedBy, type Target } from "../erasing";
import { WhoseFields } from "./WhoseFields";

const session = { value: "session" as Target, label: "one conversation of mine", named: "Conversation", hint: "Its turns, what was derived from them alone, its decisions and tasks." };
const forAdmins = [
  { value: "owner" as Target, label: "all memory of one owner", named: "Owner", hint: "The user_id that memories were recorded for." },
  { value: "tenant" as Target, label: "all memory of the workspace" },
];

interface EraseDialogProps {
  /** Conversation to begin with. */
  sessionId: string | undefined;
  onClose: () => void;
}

/** Erases for good, after the name of what goes has been typed again. */
export function EraseDialog({ sessionId, onClose }: EraseDialogProps) {
  const queries = useQueryClient();
  const { scopes, tenantId } = usePrincipal();
  const [target, setTarget] = useState<Target>("session");
  const [name, setName] = useState(sessionId ?? "");
  const [typed, setTyped] = useState("");
  const named = namedBy(target, name, tenantId);
  const erase = useMutation({
    mutationFn: () => eraseMemory(eraseRequest(target, name, typed)),
    onSuccess: () => {
      notify("Being erased", "Nobody finds it any more. The certificate comes with the end.");
      onClose();
      return queries.invalidateQueries({ queryKey: ["memory"] });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    erase.mutate();
  };
  return (
    <Dialog open onClose={onClose} title="Erase memory" description="It is gone for good: nobody can bring it back, and it disappears from backups as they expire. You get a signed certificate.">
      <form onSubmit={submit} className="grid gap-4">
        {erase.error && <ErrorNote error={erase.error} />}
        <WhoseFields label="What" value={target} choices={scopes.includes("admin") ? [session, ...forAdmins] : [session]} name={name} onChange={setTarget} onName={setName} />
        {named && (
          <Field
            label="Type it again"
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            autoComplete="off"
            hint={
              <>
                <code className="font-mono break-all text-ink">{named}</code>, letter for letter
              </>
            }
          />
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Keep it</Button>
          <Button type="submit" look="danger" disabled={!named || typed !== named} busy={erase.isPending && "Erasing…"}>
            Erase for good
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
