import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Button } from "@/components/Button";
import { StateWord } from "@/components/StateWord";
import { cx } from "@/lib/cx";
import { formatCount, formatSpan } from "@/lib/format";
import { notify } from "@/lib/toasts";
import { jobKindsQuery, switchKind, type KindSummary } from "../api/jobs";

const heads = ["Kind", "State", "Due", "Running", "Failed", "Dead", "Oldest waits", ""];

function Count({ count, look }: { count: number; look?: string }) {
  return <td className={cx("px-3 text-right tabular-nums", count === 0 ? "text-faint" : look)}>{formatCount(count)}</td>;
}

function Pause({ kind: { kind, paused } }: { kind: KindSummary }) {
  const queries = useQueryClient();
  const { queryKey } = jobKindsQuery;
  const show = (now: boolean) => queries.setQueryData(queryKey, (data) => data && { kinds: data.kinds.map((one) => (one.kind === kind ? { ...one, paused: now } : one)) });
  const turn = useMutation({
    mutationFn: (act: "pause" | "resume") => switchKind(kind, act),
    onMutate: (act) => show(act === "pause"),
    onError: (error) => {
      show(paused);
      notify(`“${kind}” is ${paused ? "still paused" : "not paused"}`, error.message);
    },
    onSettled: () => queries.invalidateQueries({ queryKey }),
  });
  return (
    <Button look="quiet" disabled={turn.isPending} onClick={() => turn.mutate(paused ? "resume" : "pause")} aria-label={`${paused ? "Resume" : "Pause"} ${kind}`}>
      {paused ? "Resume" : "Pause"}
    </Button>
  );
}

interface KindTableProps {
  kinds: KindSummary[];
  onPick: (kind: string, state?: string) => void;
}

/** What waits, by kind; a kind leads to its jobs. */
export function KindTable({ kinds, onPick }: KindTableProps) {
  if (kinds.length === 0) return null;
  return (
    // A keyboard can scroll it.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="relative max-h-1/2 shrink-0 overflow-auto px-3 max-md:px-1" tabIndex={0} role="region" aria-label="Kinds of jobs">
      <table className="w-full">
        <thead>
          <tr className="h-9 border-b border-line text-sm text-faint">
            {heads.map((head, index) => (
              <th key={head} scope="col" className={cx("px-3 font-normal whitespace-nowrap", index < 2 ? "text-left" : "text-right")}>
                {head || <span className="sr-only">Change</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {kinds.map((kind) => (
            <tr key={kind.kind} className="h-10 border-b border-line">
              <th scope="row" className="px-3 text-left font-medium">
                <button type="button" className="min-h-6 hover:text-ember" onClick={() => onPick(kind.kind)}>
                  {kind.kind}
                </button>
              </th>
              <td className="px-3">{kind.paused ? <StateWord tone="warn">paused</StateWord> : <StateWord tone={kind.running > 0 ? "busy" : "good"}>{kind.running > 0 ? "working" : "ready"}</StateWord>}</td>
              <Count count={kind.due} />
              <Count count={kind.running} />
              <Count count={kind.failed} look="text-warn" />
              <Count count={kind.dead} look="text-bad font-medium" />
              <td className="px-3 text-right text-muted tabular-nums">{kind.oldest_due_seconds ? formatSpan(kind.oldest_due_seconds) : "nothing"}</td>
              <td className="pr-1 text-right">
                <Pause kind={kind} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
