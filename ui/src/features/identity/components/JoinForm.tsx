import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { ProblemError } from "@/api/problem";
import { Button } from "@/components/Button";
import { ErrorNote } from "@/components/ErrorNote";
import { join, sessionQuery } from "../api";
import { judgePassword } from "../password";
import { rememberTenant } from "../tenant";
import { NewAccountFields } from "./NewAccountFields";

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
      <NewAccountFields username={username} onUsername={setUsername} password={password} onPassword={setPassword} strength={strength} errors={fields} />
      <Button type="submit" look="fire" className="h-10" busy={attempt.isPending && "Joining…"} disabled={strength.level === 0}>
        Join
      </Button>
    </form>
  );
}
