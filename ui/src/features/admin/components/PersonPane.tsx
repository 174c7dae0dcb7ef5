import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/components/Button";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { Facts } from "@/components/Facts";
import { SidePane } from "@/components/SidePane";
import { formatDateTime } from "@/lib/format";
import { usePrincipal } from "@/lib/principal";
import { notify } from "@/lib/toasts";
import { disablePerson, enablePerson, peopleQuery, sessionsQuery, type Person } from "../api/people";
import { PersonSessions } from "./PersonSessions";
import { RoleMenu } from "./RoleMenu";

interface PersonPaneProps {
  person: Person;
  onRole: (role: string) => void;
  onClose: () => void;
}

/** One person: role, open sessions, and whether they may come in. */
export function PersonPane({ person, onRole, onClose }: PersonPaneProps) {
  const queries = useQueryClient();
  const { username, roles } = usePrincipal();
  const [asking, setAsking] = useState(false);
  const allow = useMutation({
    mutationFn: (may: boolean) => (may ? enablePerson : disablePerson)(person.user_id),
    onSuccess: async (_, may) => {
      await Promise.all([queries.invalidateQueries({ queryKey: peopleQuery.queryKey }), queries.invalidateQueries({ queryKey: sessionsQuery(person.user_id).queryKey })]);
      setAsking(false);
      notify(may ? `${person.username} may sign in again` : `${person.username} is disabled`);
    },
    onError: (error, may) => may && notify(`${person.username} stays disabled`, error.message),
  });
  const mayChange = person.username !== username && (person.role !== "owner" || roles.includes("owner"));
  const foot = person.disabled_at ? (
    <Button onClick={() => allow.mutate(true)} busy={allow.isPending && "Enabling…"}>
      Enable
    </Button>
  ) : (
    <Button onClick={() => setAsking(true)}>Disable</Button>
  );
  return (
    <SidePane title={person.username} onClose={onClose} foot={mayChange && foot}>
      <Facts
        facts={[
          ["Role", <RoleMenu key="role" person={person} onChange={onRole} />],
          ["E-mail", person.email],
          ["Joined", formatDateTime(person.created_at)],
          ["Disabled", person.disabled_at && formatDateTime(person.disabled_at)],
          ["Id", <code key="id" className="font-mono text-sm">{person.user_id}</code>],
        ]}
      />
      <PersonSessions person={person} />
      <ConfirmDialog
        open={asking}
        title={`Disable ${person.username}?`}
        consequence="They are signed out everywhere at once, and their keys open nothing. What they recorded stays, and you can enable them again."
        action="Disable"
        keep="Cancel"
        busy={allow.isPending && "Disabling…"}
        error={allow.error}
        onConfirm={() => allow.mutate(false)}
        onClose={() => setAsking(false)}
      />
    </SidePane>
  );
}
