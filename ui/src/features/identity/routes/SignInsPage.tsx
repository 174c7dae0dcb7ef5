import { useQuery } from "@tanstack/react-query";
import { ErrorNote } from "@/components/ErrorNote";
import { PageHead } from "@/components/PageHead";
import { Waiting } from "@/components/Waiting";
import { useTitle } from "@/lib/useTitle";
import { signInsQuery } from "../api";
import { SignInRow } from "../components/SignInRow";

export function SignInsPage() {
  useTitle("Signed-in devices");
  const signIns = useQuery(signInsQuery);
  return (
    <div className="flex h-full flex-col">
      <PageHead title="Signed-in devices" note="Where your account is open now. End what you do not recognise." />
      {signIns.isError && (
        <div className="p-5">
          <ErrorNote error={signIns.error} onRetry={() => void signIns.refetch()} />
        </div>
      )}
      {signIns.isPending && <Waiting label="Loading devices" rows={2} />}
      <ul className="min-h-0 overflow-y-auto">
        {signIns.data?.sessions.map((signIn) => (
          <SignInRow key={signIn.session_id} signIn={signIn} />
        ))}
      </ul>
    </div>
  );
}
