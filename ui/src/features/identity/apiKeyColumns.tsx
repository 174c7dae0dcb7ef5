import type { Column } from "@/components/DataList";
import { StateWord, type Tone } from "@/components/StateWord";
import { cx } from "@/lib/cx";
import { formatDate, formatRelative } from "@/lib/format";
import type { ApiKey } from "./api";

function keyState(key: ApiKey): { word: string; tone: Tone } {
  if (key.revoked_at) return { word: "revoked", tone: "bad" };
  if (key.expires_at && new Date(key.expires_at) < new Date()) return { word: "expired", tone: "warn" };
  return { word: "active", tone: "good" };
}

export const isActive = (key: ApiKey) => keyState(key).word === "active";

function Name({ apiKey }: { apiKey: ApiKey }) {
  const { word, tone } = keyState(apiKey);
  return (
    <span className="flex items-baseline gap-2.5">
      <span className={cx("truncate", tone === "good" ? "font-medium" : "text-muted line-through")}>{apiKey.name}</span>
      <StateWord tone={tone} className="text-sm">
        {word}
      </StateWord>
    </span>
  );
}

export const apiKeyColumns: Column<ApiKey>[] = [
  { head: "Name", track: "minmax(0,1.1fr)", cell: (key) => <Name apiKey={key} /> },
  { head: "Begins with", track: "7rem", cell: (key) => <code className="font-mono text-sm">{key.prefix}…</code> },
  { head: "May", track: "minmax(0,1fr)", cell: (key) => <span className="font-mono text-sm break-words">{key.scopes.join("  ")}</span> },
  { head: "Works on", track: "5.5rem", cell: (key) => (key.user_id ? "one person" : "anyone") },
  { head: "Created", track: "6rem", cell: (key) => formatDate(key.created_at) },
  { head: "Used", track: "6.5rem", cell: (key) => (key.last_used_at ? formatRelative(key.last_used_at) : "never") },
  { head: "Expires", track: "6rem", cell: (key) => (key.expires_at ? formatDate(key.expires_at) : "never") },
];
