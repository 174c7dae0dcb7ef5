import { Radio } from "@base-ui/react/radio";
import { RadioGroup } from "@base-ui/react/radio-group";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { Button } from "@/components/Button";
import { CopyButton } from "@/components/CopyButton";
import { Dialog } from "@/components/Dialog";
import { ErrorNote } from "@/components/ErrorNote";
import { formatDateTime } from "@/lib/format";
import { usePrincipal } from "@/lib/principal";
import { invitationsQuery, invite, type InvitationCreated } from "../api/people";
import { roles } from "../words";

/** The token stays behind the “#”, so that it reaches no server's or proxy's log. */
const linkOf = ({ token }: InvitationCreated) => `${location.origin}/join#${token}`;

function RolePicker({ value, onChange }: { value: string; onChange: (role: string) => void }) {
  const isOwner = usePrincipal().roles.includes("owner");
  return (
    <RadioGroup aria-label="Role" value={value} onValueChange={onChange} className="grid">
      {roles
        .filter((role) => isOwner || role.value !== "owner")
        .map((role) => (
          <label key={role.value} htmlFor={`invite-${role.value}`} className="flex cursor-pointer items-center gap-2.5 rounded py-1.5 max-sm:py-2.5">
            <Radio.Root id={`invite-${role.value}`} value={role.value} className="grid size-4 shrink-0 place-items-center rounded-full border border-edge bg-raised data-checked:border-fire data-checked:bg-fire">
              <Radio.Indicator className="size-1.5 rounded-full bg-on-fire" />
            </Radio.Root>
            <span className="w-20">{role.label}</span>
            <span className="text-sm text-muted">{role.hint}</span>
          </label>
        ))}
    </RadioGroup>
  );
}

function NewLink({ created, onDone }: { created: InvitationCreated; onDone: () => void }) {
  return (
    <>
      <div className="flex items-center gap-2 rounded border border-line bg-raised p-1.5 pl-3">
        <code className="min-w-0 grow font-mono text-sm break-all" data-testid="invitation-link">
          {linkOf(created)}
        </code>
        <CopyButton text={linkOf(created)} />
      </div>
      <div className="flex justify-end">
        <Button look="fire" onClick={onDone}>
          Done
        </Button>
      </div>
    </>
  );
}

/** Makes a link for one person; it is shown this once. */
export function InviteDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const queries = useQueryClient();
  const [role, setRole] = useState("member");
  const make = useMutation({
    mutationFn: () => invite(role),
    onSuccess: () => queries.invalidateQueries({ queryKey: invitationsQuery.queryKey }),
    gcTime: 0,
  });
  const close = () => {
    make.reset();
    onClose();
  };
  if (make.data) {
    return (
      <Dialog open={open} onClose={close} dismissible={false} title="The invitation is ready" description={`Send this link to one person. It works once, until ${formatDateTime(make.data.expires_at)}, and cannot be read again here.`}>
        <NewLink created={make.data} onDone={close} />
      </Dialog>
    );
  }
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <Dialog open={open} onClose={close} title="Invite somebody" description="You get a link that makes one account in this workspace.">
      <form onSubmit={submit} className="grid gap-4">
        {make.error && <ErrorNote error={make.error} />}
        <RolePicker value={role} onChange={setRole} />
        <div className="flex justify-end gap-2">
          <Button onClick={close}>Cancel</Button>
          <Button type="submit" look="fire" busy={make.isPending && "Making the link…"}>
            Make link
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
