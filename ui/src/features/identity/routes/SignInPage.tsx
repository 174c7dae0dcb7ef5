import { useRouter, useSearch } from "@tanstack/react-router";
import { Gate } from "../components/Gate";
import { SignInForm } from "../components/SignInForm";

export function SignInPage() {
  const { next } = useSearch({ strict: false });
  const router = useRouter();
  return (
    <Gate title="Welcome back" lead="Sign in to your Hearth.">
      <SignInForm onDone={() => router.history.replace(next ?? "/memory")} />
    </Gate>
  );
}
