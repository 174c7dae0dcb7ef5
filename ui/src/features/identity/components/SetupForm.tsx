import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { ProblemError } from "@/api/problem";
import { Button } from "@/components/Button";
import { ErrorNote } from "@/components/ErrorNote";
import { Field } from "@/components/Field";
import { completeSetup, sessionQuery, setupQuery } from "../api";
import { judgePassword } from "../password";
import { asTenantName, rememberTenant } from "../tenant";
import { NewAccountFields } from "./NewAccountFields";

interface SetupFormProps {
  token: string | undefined;
  tokenRequired: boolean;
  onDone: () => void;
}

export function SetupForm({ token, tokenRequired, onDone }: SetupFormProps) {
  const queries = useQueryClient();
  const [tenantName, setTenantName] = useState("");
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [typedToken, setTypedToken] = useState("");
  const strength = judgePassword(password, [username, tenantName]);
  const setup = useMutation({
    mutationFn: completeSetup,
    onSuccess: (session) => {
      rememberTenant(session.user.tenant_id);
      queries.setQueryData(setupQuery.queryKey, { needed: false, token_required: tokenRequired });
      queries.setQueryData(sessionQuery.queryKey, session);
      onDone();
    },
  });
  const fields = setup.error instanceof ProblemError ? setup.error.fields : {};
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (strength.level === 0) return;
    setup.mutate({ setup_token: token ?? (typedToken || undefined), tenant_name: tenantName, username, password });
  };

  return (
    <form onSubmit={submit} className="grid gap-4">
      {setup.error && <ErrorNote error={setup.error} />}
      {tokenRequired && !token && (
        <Field
          label="Set-up token"
          required
          value={typedToken}
          onChange={(event) => setTypedToken(event.target.value)}
          autoComplete="off"
          error={fields.setup_token}
          hint="The server printed a set-up link when it started. Open that link, or paste the part after “token=”."
        />
      )}
      <Field
        label="Workspace name"
        required
        value={tenantName}
        onChange={(event) => setTenantName(asTenantName(event.target.value))}
        maxLength={64}
        autoComplete="organization"
        autoCapitalize="none"
        spellCheck={false}
        placeholder="harbour-lab"
        error={fields.tenant_name}
        hint="You type it when you sign in: small letters, digits and hyphens."
      />
      <NewAccountFields username={username} onUsername={setUsername} password={password} onPassword={setPassword} strength={strength} errors={fields} />
      <Button type="submit" look="fire" className="h-10" busy={setup.isPending && "Setting up…"} disabled={strength.level === 0}>
        Create workspace
      </Button>
    </form>
  );
}
