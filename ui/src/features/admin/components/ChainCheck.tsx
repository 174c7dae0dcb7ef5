import type { ReactNode } from "react";
import { Button } from "@/components/Button";
import { ErrorNote } from "@/components/ErrorNote";
import { Icon } from "@/components/icons";
import { StateWord } from "@/components/StateWord";
import { plural } from "@/lib/format";
import type { Verdict } from "../api/audit";

function Said({ verdict: { intact, rows, unchained, broken } }: { verdict: Verdict }): ReactNode {
  const older = unchained > 0 && `${plural(unchained, "older row")} from before there was a chain cannot be checked.`;
  if (intact) {
    return (
      <>
        <StateWord tone="good">{`The chain is whole: ${plural(rows, "row")} checked.`}</StateWord> {older && <span className="text-muted">{older}</span>}
      </>
    );
  }
  return (
    <>
      <StateWord tone="bad" className="font-medium">
        The chain is broken
      </StateWord>{" "}
      {broken && (
        <>
          at <code className="font-mono text-sm break-all">{broken.audit_id ?? `place ${broken.seq}`}</code>: {broken.problem}.
        </>
      )}
      <p className="text-muted">Somebody changed the record in the database itself. Keep the disk as it is, and compare with a backup.</p>
    </>
  );
}

/** What a check of the record's hashes found. */
export function ChainCheck({ answer, error, onClose }: { answer: Verdict | undefined; error: unknown; onClose: () => void }) {
  if (!answer && error == null) return null;
  return (
    <div role="status" className="flex items-start gap-3 border-b border-line bg-raised py-2 pr-4 pl-6 max-md:pl-4">
      <div className="min-w-0 grow py-1">{answer ? <Said verdict={answer} /> : <ErrorNote error={error} />}</div>
      <Button look="quiet" aria-label="Close the result" className="px-2" onClick={onClose}>
        <Icon name="close" />
      </Button>
    </div>
  );
}
