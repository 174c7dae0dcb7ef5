import { StateWord } from "@/components/StateWord";
import { formatDateTime, formatRelative } from "@/lib/format";
import type { Backups } from "../api/backups";
import { Strip } from "./Strip";

/** A nightly backup that was missed once is not fresh any more. */
const isFresh = (iso: string) => Date.now() - new Date(iso).getTime() < 2 * 86_400_000;

/** Whether there is something to fall back on, and when the next one comes. */
export function BackupFacts({ backups: { items, directory, schedule, next_at } }: { backups: Backups }) {
  const last = items.filter((one) => one.verified_at).sort((a, b) => b.created_at.localeCompare(a.created_at))[0];
  return (
    <Strip
      facts={[
        ["Last verified", last ? <StateWord key="last" tone={isFresh(last.created_at) ? "good" : "warn"}>{formatRelative(last.created_at)}</StateWord> : <StateWord key="last" tone="warn">none yet</StateWord>],
        ["Next", next_at ? `${formatDateTime(next_at)}, ${formatRelative(next_at)}` : "only by hand"],
        ["Schedule", schedule ? <code key="cron" className="font-mono text-sm">{schedule}</code> : "off: set BACKUP_SCHEDULE"],
        ["Kept in", <code key="dir" className="font-mono text-sm break-all">{directory}</code>],
      ]}
    />
  );
}
