import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Button } from "@/components/Button";
import { Fetched } from "@/components/Fetched";
import { formatRelative } from "@/lib/format";
import { notify } from "@/lib/toasts";
import { describeAgent } from "@/lib/userAgent";
import { endSession, sessionsQuery, type Person, type SignIn } from "../api/people";

/** Where a person is signed in now; each can be ended. */
export function PersonSessions({ person }: { person: Person }) {
  const queries = useQueryClient();
  const query = sessionsQuery(person.user_id);
  const sessions = useQuery(query);
  const end = useMutation({
    mutationFn: (session: SignIn) => endSession(person.user_id, session.session_id),
    onSuccess: (_, session) => {
      queries.setQueryData(query.queryKey, (before) => before && { ...before, sessions: before.sessions.filter((one) => one !== session) });
      notify("Session ended", `${person.username} has to sign in again there.`);
    },
    onError: (error) => notify("The session goes on", error.message),
    onSettled: () => queries.invalidateQueries({ queryKey: query.queryKey }),
  });
  const open = sessions.data?.sessions ?? [];
  return (
    <section aria-labelledby="sessions-of-person">
      <h3 id="sessions-of-person" className="mb-1 font-medium">
        Signed in
      </h3>
      <Fetched query={sessions} what="sessions" rows={1} empty={open.length === 0 && <p className="text-muted">Nowhere at present.</p>}>
        <ul>
          {open.map((session) => (
            <li key={session.session_id} className="flex items-center gap-3 border-b border-line py-2 last:border-0">
              <div className="min-w-0 grow">
                <p className="truncate">
                  {describeAgent(session.user_agent)}
                  {session.current && <span className="text-sm text-faint"> this device</span>}
                </p>
                <p className="truncate text-sm text-muted tabular-nums">{[session.address, `used ${formatRelative(session.last_used_at)}`].filter(Boolean).join(" · ")}</p>
              </div>
              {!session.current && (
                <Button onClick={() => end.mutate(session)} busy={end.isPending && end.variables === session && "Ending…"} aria-label={`End session on ${describeAgent(session.user_agent)}`}>
                  End
                </Button>
              )}
            </li>
          ))}
        </ul>
      </Fetched>
    </section>
  );
}
