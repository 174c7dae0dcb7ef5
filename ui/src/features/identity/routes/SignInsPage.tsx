import { useQuery } from "@tanstack/react-query";
import { Fetched } from "@/components/Fetched";
import { PageHead } from "@/components/PageHead";
import { useTitle } from "@/lib/useTitle";
import { signInsQuery } from "../api";
import { SignInRow } from "../components/SignInRow";

export function SignInsPage() {
  useTitle("Signed-in devices");
  const signIns = useQuery(signInsQuery);
  return (
    <div className="flex h-full flex-col">
      <PageHead title="Signed-in devices" note="Where your account is open now. End what you do not recognise." />
      <Fetched query={signIns} what="devices" rows={2}>
        <ul className="min-h-0 overflow-y-auto">
          {signIns.data?.sessions.map((signIn) => (
            <SignInRow key={signIn.session_id} signIn={signIn} />
          ))}
        </ul>
      </Fetched>
    </div>
  );
}
