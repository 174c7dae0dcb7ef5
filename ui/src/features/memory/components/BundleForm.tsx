import type { FormEvent } from "react";
import { Button } from "@/components/Button";
import { Field } from "@/components/Field";
import { Select } from "@/components/Select";
import type { Channel } from "../api/recall";
import type { MemoryPage } from "../useMemoryPage";
import { channels } from "../words";

/** For which step of which agent a bundle is put together. */
export function BundleForm({ page: { search, sessions, change }, busy }: { page: MemoryPage; busy: boolean }) {
  const known = sessions.data?.pages.flatMap((one) => one.items) ?? [];
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? "").trim() || undefined;
    change({ q: text("intent"), session: text("session"), agent: text("agent"), channel: text("channel") as Channel, tokens: Number(text("tokens")) || undefined });
  };
  return (
    <form key={search.session} onSubmit={submit} className="grid grid-cols-2 items-end gap-x-4 gap-y-3 border-b border-line px-6 py-4 max-md:px-4 lg:grid-cols-[minmax(0,2fr)_repeat(4,minmax(0,1fr))_auto]">
      <Field label="What the agent is about to do" name="intent" required maxLength={4000} defaultValue={search.q} placeholder="continue" className="max-lg:col-span-2" />
      <Field label="Session" name="session" required maxLength={256} defaultValue={search.session ?? known[0]?.session_id} list="bundle-sessions" />
      <datalist id="bundle-sessions">
        {known.map(({ session_id }) => (
          <option key={session_id} value={session_id} />
        ))}
      </datalist>
      <Field label="Agent" name="agent" required maxLength={256} defaultValue={search.agent ?? "helper"} />
      <Select label="Answers in" name="channel" defaultValue={search.channel ?? "private"} choices={channels} />
      <Field label="Tokens" name="tokens" type="number" required min={1000} max={200000} step={500} defaultValue={search.tokens ?? 65000} />
      <Button type="submit" look="fire" className="h-9!" busy={busy && "Building…"}>
        Build
      </Button>
    </form>
  );
}
