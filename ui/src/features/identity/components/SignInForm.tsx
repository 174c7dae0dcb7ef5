import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { Button } from "@/components/Button";
import { ErrorNote } from "@/components/ErrorNote";
import { Field } from "@/components/Field";
import { sessionQuery, signIn } from "../api";
import { rememberedTenant, rememberTenant } from "../tenant";

export function SignInForm({ onDone }: { onDone: () => void }) {
  const queries = useQueryClient();
  const [tenant, setTenant] = useState(rememberedTenant);
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const attempt = useMutation({
    mutationFn: signIn,
    onSuccess: (session) => {
      rememberTenant(tenant);
      // What the last person saw must not greet the next one.
      queries.clear();
      queries.setQueryData(sessionQuery.queryKey, session);
      onDone();
    },
    onError: () => setPassword(""),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    attempt.mutate({ tenant, username, password });
  };

  return (
    <form onSubmit={submit} className="grid gap-4">
      {attempt.error && <ErrorNote error={attempt.error} />}
      <Field label="Workspace" required value={tenant} onChange={(event) => setTenant(event.target.value)} autoComplete="organization" autoCapitalize="none" spellCheck={false} />
      <Field label="Username" required value={username} onChange={(event) => setUsername(event.target.value)} autoComplete="username" autoCapitalize="none" spellCheck={false} />
      <Field label="Password" type="password" required value={password} onChange={(event) => setPassword(event.target.value)} autoComplete="current-password" />
      <Button type="submit" look="fire" className="h-10" busy={attempt.isPending && "Signing in…"}>
        Sign in
      </Button>
    </form>
  );
}
