import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { ProblemError } from "@/api/problem";
import { Button } from "@/components/Button";
import { ErrorNote } from "@/components/ErrorNote";
import { Field } from "@/components/Field";
import { join, sessionQuery } from "../api";
import { judgePassword } from "../password";
import { rememberTenant } from "../tenant";
import { PasswordStrength } from "./PasswordStrength";

/** Makes the account that an invitation allows, and signs it in. */
export function JoinForm({ invitation, onDone }: { invitation: string; onDone: () => void }) {
  const queries = useQueryClient();
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const strength = judgePassword(password, [username]);
  const attempt = useMutation({
    mutationFn: () => join({ invitation, username, password }),
    onSuccess: (session) => {
      rememberTenant(session.user.tenant_id);
      queries.clear();
      queries.setQueryData(sessionQuery.queryKey, session);
      onDone();
    },
  });
  const fields = attempt.error instanceof ProblemError ? attempt.error.fields : {};
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (strength.level > 0) attempt.mutate();
  };
  return (
    <form onSubmit={submit} className="grid gap-4">
      {attempt.error && <ErrorNote error={attempt.error} />}
      <Field label="Your username" required value={username} onChange={(event) => setUsername(event.target.value)} autoComplete="username" autoCapitalize="none" spellCheck={false} error={fields.username} />
      <Field
        label="Password"
        type="password"
        required
        value={password}
        onChange={(event) => setPassword(event.target.value)}
        autoComplete="new-password"
        error={fields.password}
        hint={password ? <PasswordStrength strength={strength} /> : "At least 12 characters. A phrase is easier to keep than symbols."}
      />
      <Button type="submit" look="fire" className="h-10" busy={attempt.isPending && "Joining…"} disabled={strength.level === 0}>
        Join
      </Button>
    </form>
  );
}
