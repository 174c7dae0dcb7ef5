import { Button } from "@/components/Button";
import { cx } from "@/lib/cx";
import { formatDate, formatRelative } from "@/lib/format";
import type { ApiKey } from "../api";

const columns = "grid items-center gap-x-4 px-6 max-lg:px-4 lg:grid-cols-[minmax(9rem,1fr)_8rem_minmax(13rem,1.2fr)_6.5rem_6.5rem_6.5rem_5rem]";

function keyState(key: ApiKey): { word: string; look: string } {
  if (key.revoked_at) return { word: "revoked", look: "text-bad" };
  if (key.expires_at && new Date(key.expires_at) < new Date()) return { word: "expired", look: "text-warn" };
  return { word: "active", look: "text-good" };
}

/** Column names on a wide screen; each cell repeats its own for a screen reader. */
export function ApiKeyHead() {
  return (
    <div aria-hidden="true" className={cx(columns, "sticky top-0 z-10 h-9 border-b border-line bg-canvas text-sm text-faint max-lg:hidden")}>
      {["Name", "Begins with", "May", "Created", "Last used", "Expires"].map((name) => (
        <span key={name}>{name}</span>
      ))}
    </div>
  );
}

function Cell({ label, children }: { label: string; children: string }) {
  return (
    <div className="text-muted tabular-nums max-lg:text-sm">
      <span className="lg:sr-only">{label} </span>
      {children}
    </div>
  );
}

export function ApiKeyRow({ apiKey, onRevoke }: { apiKey: ApiKey; onRevoke: () => void }) {
  const state = keyState(apiKey);
  return (
    <div className={cx(columns, "min-h-13 gap-y-0.5 border-b border-line py-2 max-lg:grid-cols-[1fr_auto]")}>
      <div className="min-w-0 truncate">
        <span className={state.word === "active" ? "font-medium" : "text-muted line-through"}>{apiKey.name}</span>
        <span className={cx("ml-2 text-sm font-normal", state.look)}>
          <span aria-hidden="true">● </span>
          {state.word}
        </span>
      </div>
      <code className="font-mono text-sm text-muted max-lg:col-start-1">{apiKey.prefix}…</code>
      <div className="flex flex-wrap gap-x-2.5 font-mono text-sm text-muted max-lg:col-start-1">
        {apiKey.scopes.map((scope) => (
          <span key={scope}>{scope}</span>
        ))}
      </div>
      <div className="contents max-lg:col-start-1 max-lg:flex max-lg:flex-wrap max-lg:gap-x-3">
        <Cell label="Created">{formatDate(apiKey.created_at)}</Cell>
        <Cell label="Last used">{apiKey.last_used_at ? formatRelative(apiKey.last_used_at) : "never"}</Cell>
        <Cell label="Expires">{apiKey.expires_at ? formatDate(apiKey.expires_at) : "never"}</Cell>
      </div>
      <div className="text-right max-lg:col-start-2 max-lg:row-start-1">
        {state.word === "active" && (
          <Button look="quiet" onClick={onRevoke} aria-label={`Revoke ${apiKey.name}`}>
            Revoke
          </Button>
        )}
      </div>
    </div>
  );
}
