import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/components/Button";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { DataList, type Column } from "@/components/DataList";
import { Fetched } from "@/components/Fetched";
import { Icon } from "@/components/icons";
import { PageHead } from "@/components/PageHead";
import { formatDate } from "@/lib/format";
import { usePrincipal } from "@/lib/principal";
import { usePageFeed } from "@/lib/usePageFeed";
import { useTitle } from "@/lib/useTitle";
import { peopleQuery, type Person } from "../api/people";
import { InviteDialog } from "../components/InviteDialog";
import { PersonName } from "../components/PersonName";
import { PersonPane } from "../components/PersonPane";
import { RoleMenu } from "../components/RoleMenu";
import { useSetRole } from "../useSetRole";

const keyOf = (person: Person) => person.user_id;

export function PeoplePage() {
  useTitle("People");
  const { username } = usePrincipal();
  const [inviting, setInviting] = useState(false);
  const [opened, setOpened] = useState<string>();
  const [givingUp, setGivingUp] = useState<{ person: Person; role: string }>();
  const people = useInfiniteQuery(peopleQuery);
  const { items, more } = usePageFeed(people);
  const setRole = useSetRole();
  // Who takes their own rights away may not be able to take them back.
  const ask = (person: Person, role: string) => (person.username === username ? setGivingUp : setRole)({ person, role });
  const columns: Column<Person>[] = [
    { head: "Username", track: "minmax(0,1fr)", cell: (person) => <PersonName person={person} /> },
    { head: "Role", track: "9rem", cell: (person) => <span className="relative z-10"><RoleMenu person={person} onChange={(role) => ask(person, role)} /></span> },
    { head: "E-mail", track: "minmax(0,1fr)", cell: (person) => person.email && <span className="block truncate">{person.email}</span> },
    { head: "Joined", track: "7rem", cell: (person) => formatDate(person.created_at) },
  ];
  const person = items.find((one) => one.user_id === opened);

  return (
    <div className="flex h-full flex-col">
      <PageHead title="People" note="Who may sign in to this workspace, and what each may do.">
        <Button look="fire" onClick={() => setInviting(true)}>
          <Icon name="plus" /> Invite
        </Button>
      </PageHead>
      <Fetched query={people} what="people">
        <DataList label="People" columns={columns} items={items} keyOf={keyOf} onNearEnd={more} opened={opened} onOpen={({ user_id }) => setOpened(user_id)} />
      </Fetched>
      {person && <PersonPane key={person.user_id} person={person} onRole={(role) => ask(person, role)} onClose={() => setOpened(undefined)} />}
      <InviteDialog open={inviting} onClose={() => setInviting(false)} />
      {givingUp && (
        <ConfirmDialog
          open
          title={`Make yourself ${givingUp.role}?`}
          consequence="You may lose what this page needs, and only somebody else can give it back."
          action="Change my role"
          keep="Cancel"
          busy={false}
          error={null}
          onConfirm={() => {
            setRole(givingUp);
            setGivingUp(undefined);
          }}
          onClose={() => setGivingUp(undefined)}
        />
      )}
    </div>
  );
}
