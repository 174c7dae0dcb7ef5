import { useMutation, useQueryClient } from "@tanstack/react-query";
import { patchPages } from "@/lib/patchPages";
import { notify } from "@/lib/toasts";
import { peopleQuery, setRole, type Person } from "./api/people";

interface Change {
  person: Person;
  role: string;
}

/** Changes a role at once, with a way back; a refusal puts the old one in place and says why. */
export function useSetRole(): (change: Change) => void {
  const queries = useQueryClient();
  const { queryKey } = peopleQuery;
  const show = (id: string, role: Person["role"]) => patchPages<Person>(queries, queryKey, (person) => (person.user_id === id ? { ...person, role } : person));
  const { mutate } = useMutation({
    mutationFn: ({ person, role }: Change) => setRole(person.user_id, role),
    onMutate: async ({ person, role }) => {
      await queries.cancelQueries({ queryKey });
      show(person.user_id, role);
    },
    onSuccess: (_, { person, role }) => {
      const before = person.role;
      const undo = before ? { label: "Undo", run: () => mutate({ person: { ...person, role }, role: before }) } : undefined;
      notify(`${person.username} is now ${role}`, undefined, undo);
    },
    onError: (error, { person }) => {
      show(person.user_id, person.role);
      notify(`The role of ${person.username} stays`, error.message);
    },
    onSettled: () => queries.invalidateQueries({ queryKey }),
  });
  return mutate;
}
