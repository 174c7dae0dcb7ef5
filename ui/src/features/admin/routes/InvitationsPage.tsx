import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/components/Button";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { DataList, type Column } from "@/components/DataList";
import { Empty } from "@/components/Empty";
import { Fetched } from "@/components/Fetched";
import { Icon } from "@/components/icons";
import { PageHead } from "@/components/PageHead";
import { StateWord } from "@/components/StateWord";
import { formatDateTime, formatRelative } from "@/lib/format";
import { notify } from "@/lib/toasts";
import { usePageFeed } from "@/lib/usePageFeed";
import { useTitle } from "@/lib/useTitle";
import { invitationsQuery, revokeInvitation, type Invitation } from "../api/people";
import { InviteDialog } from "../components/InviteDialog";
import { useNames } from "../useNames";

const keyOf = (invitation: Invitation) => invitation.invitation_id;

function State({ invitation }: { invitation: Invitation }) {
  if (invitation.used_at) return <StateWord tone="good">{`used ${formatRelative(invitation.used_at)}`}</StateWord>;
  if (new Date(invitation.expires_at) < new Date()) return <StateWord tone="warn">expired</StateWord>;
  return <StateWord tone="rest">waiting</StateWord>;
}

const isOpen = ({ used_at, expires_at }: Invitation) => !used_at && new Date(expires_at) > new Date();

const none = (
  <Empty title="No invitation waits">
    <p className="text-muted">Invite somebody: you choose a role and get a link to send. The link works once, for seven days, and whoever opens it picks a username and a password.</p>
  </Empty>
);

function RevokeDialog({ invitation, onClose }: { invitation: Invitation; onClose: () => void }) {
  const queries = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => revokeInvitation(invitation.invitation_id),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: invitationsQuery.queryKey });
      notify("The invitation is revoked");
      onClose();
    },
  });
  return (
    <ConfirmDialog
      open
      title="Revoke this invitation?"
      consequence="The link stops working at once. You can make another."
      action="Revoke invitation"
      busy={revoke.isPending && "Revoking…"}
      error={revoke.error}
      onConfirm={() => revoke.mutate()}
      onClose={onClose}
    />
  );
}

export function InvitationsPage() {
  useTitle("Invitations");
  const [inviting, setInviting] = useState(false);
  const [revoking, setRevoking] = useState<Invitation>();
  const invitations = useInfiniteQuery(invitationsQuery);
  const { items, more } = usePageFeed(invitations);
  const nameOf = useNames();
  const columns: Column<Invitation>[] = [
    { head: "Invited as", track: "minmax(0,1fr)", cell: ({ role }) => <span className="font-medium">{role}</span> },
    { head: "State", track: "10rem", isPlain: true, cell: (invitation) => <State invitation={invitation} /> },
    { head: "By", track: "minmax(0,1fr)", cell: ({ created_by }) => <span className="block truncate">{nameOf(created_by)}</span> },
    { head: "Made", track: "10rem", cell: ({ created_at }) => formatDateTime(created_at) },
    { head: "Works until", track: "10rem", cell: ({ expires_at }) => formatDateTime(expires_at) },
  ];
  const actions = (invitation: Invitation) =>
    isOpen(invitation) && (
      <Button look="quiet" onClick={() => setRevoking(invitation)} aria-label={`Revoke the invitation as ${invitation.role}`}>
        Revoke
      </Button>
    );
  return (
    <div className="flex h-full flex-col">
      <PageHead title="Invitations" note="Links that each make one account here.">
        <Button look="fire" onClick={() => setInviting(true)}>
          <Icon name="plus" /> Invite
        </Button>
      </PageHead>
      <Fetched query={invitations} what="invitations" empty={items.length === 0 && none}>
        <DataList label="Invitations" columns={columns} items={items} keyOf={keyOf} onNearEnd={more} actions={actions} />
      </Fetched>
      <InviteDialog open={inviting} onClose={() => setInviting(false)} />
      {revoking && <RevokeDialog invitation={revoking} onClose={() => setRevoking(undefined)} />}
    </div>
  );
}
