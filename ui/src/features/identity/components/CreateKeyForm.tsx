import { useState, type FormEvent } from "react";
import { ProblemError } from "@/api/problem";
import { Button } from "@/components/Button";
import { ErrorNote } from "@/components/ErrorNote";
import { Field, inputLook } from "@/components/Field";
import type { ActsFor, ApiKeyRequest } from "../api";
import { ActsForPicker } from "./ActsForPicker";
import { ScopePicker } from "./ScopePicker";

const lives = [
  { days: 30, label: "30 days" },
  { days: 90, label: "90 days" },
  { days: 365, label: "1 year" },
  { days: 0, label: "Never" },
];
const dayMs = 86_400_000;

interface CreateKeyFormProps {
  busy: boolean;
  error: unknown;
  onSubmit: (request: ApiKeyRequest) => void;
  onCancel: () => void;
}

export function CreateKeyForm({ busy, error, onSubmit, onCancel }: CreateKeyFormProps) {
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<string[]>(["memory:write", "memory:read"]);
  const [actsFor, setActsFor] = useState<ActsFor>("self");
  const [days, setDays] = useState(90);
  const fields = error instanceof ProblemError ? error.fields : {};
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSubmit({ name, scopes: chosen, acts_for: actsFor, expires_at: days ? new Date(Date.now() + days * dayMs).toISOString() : undefined });
  };
  return (
    <form onSubmit={submit} className="grid gap-4">
      {error != null && <ErrorNote error={error} />}
      <Field label="Name" required maxLength={100} value={name} onChange={(event) => setName(event.target.value)} placeholder="support-agent" autoComplete="off" error={fields.name} hint="Which program will use it." />
      <ScopePicker chosen={chosen} onChange={setChosen} error={fields.scopes} />
      <ActsForPicker value={actsFor} onChange={setActsFor} />
      <div className="grid gap-1.5">
        <label htmlFor="key-life" className="font-medium">
          Expires after
        </label>
        <select id="key-life" className={inputLook} value={days} onChange={(event) => setDays(Number(event.target.value))}>
          {lives.map((life) => (
            <option key={life.days} value={life.days}>
              {life.label}
            </option>
          ))}
        </select>
      </div>
      <div className="flex justify-end gap-2">
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" look="fire" busy={busy && "Creating…"} disabled={chosen.length === 0}>
          Create key
        </Button>
      </div>
    </form>
  );
}
