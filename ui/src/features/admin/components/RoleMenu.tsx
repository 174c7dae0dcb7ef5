import { FilterMenu } from "@/components/FilterMenu";
import { usePrincipal } from "@/lib/principal";
import type { Person } from "../api/people";
import { roles } from "../words";

/** A person's role, to be changed where the rules allow it: only owners make or unmake owners. */
export function RoleMenu({ person, onChange }: { person: Person; onChange: (role: string) => void }) {
  const isOwner = usePrincipal().roles.includes("owner");
  if (person.role === "owner" && !isOwner) return <span title="Only an owner changes an owner’s role">owner</span>;
  const choices = roles.map((role) => (role.value === "owner" && !isOwner ? { ...role, hint: "only owners make owners", disabled: true } : role));
  const none = person.role ? [] : [{ value: "", label: "No role", hint: "may do nothing", disabled: true }];
  return <FilterMenu label={`Role of ${person.username}`} value={person.role ?? ""} rest={person.role ?? ""} choices={[...none, ...choices]} onChange={onChange} />;
}
