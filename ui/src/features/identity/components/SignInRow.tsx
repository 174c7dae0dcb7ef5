import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Button } from "@/components/Button";
import { ErrorNote } from "@/components/ErrorNote";
import { StateWord } from "@/components/StateWord";
import { formatDateTime, formatRelative } from "@/lib/format";
import { notify } from "@/lib/toasts";
import { describeAgent } from "@/lib/userAgent";
import { endSignIn, signInsQuery, type SignIn } from "../api";

export function SignInRow({ signIn }: { signIn: SignIn }) {
  const queries = useQueryClient();
  const end = useMutation({
    mutationFn: () => endSignIn(signIn.session_id),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: signInsQuery.queryKey });
      notify("Session ended", "That device has to sign in again.");
    },
  });
  return (
    <li className="grid gap-2 border-b border-line px-6 py-3 max-md:px-4">
      <div className="flex items-center gap-4">
        <div className="min-w-0 grow">
          <p className="font-medium">
            {describeAgent(signIn.user_agent)}
            {signIn.current && (
              <StateWord tone="good" className="ml-2 font-normal">
                this device
              </StateWord>
            )}
          </p>
          <p className="text-sm text-muted tabular-nums">
            {[signIn.address, `since ${formatDateTime(signIn.created_at)}`, signIn.last_used_at && `last used ${formatRelative(signIn.last_used_at)}`].filter(Boolean).join(" · ")}
          </p>
        </div>
        {!signIn.current && (
          <Button onClick={() => end.mutate()} busy={end.isPending && "Ending…"} aria-label={`End session on ${describeAgent(signIn.user_agent)}`}>
            End
          </Button>
        )}
      </div>
      {end.error && <ErrorNote error={end.error} />}
    </li>
  );
}
