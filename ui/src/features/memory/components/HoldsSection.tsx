import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/components/Button";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { Fetched } from "@/components/Fetched";
import { formatDateTime } from "@/lib/format";
import { notify } from "@/lib/toasts";
import { holdsQuery, releaseHold, type Hold } from "../api/rights";
import { HoldDialog } from "./HoldDialog";
import { Line, Section } from "./Section";

function ReleaseDialog({ hold, onClose }: { hold: Hold; onClose: () => void }) {
  const queries = useQueryClient();
  const release = useMutation({
    mutationFn: () => releaseHold(hold.hold_id),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: holdsQuery.queryKey });
      notify("The hold is released");
      onClose();
    },
  });
  return (
    <ConfirmDialog
      open
      title="Release this hold?"
      consequence="From now on the data may be erased, and what has had its time is removed with the next run. The audit log keeps that there was a hold."
      action="Release hold"
      keep="Keep the hold"
      busy={release.isPending && "Releasing…"}
      error={release.error}
      onConfirm={() => release.mutate()}
      onClose={onClose}
    />
  );
}

/** What may not be erased for now, and why; for administrators. */
export function HoldsSection() {
  const holds = useQuery(holdsQuery);
  const [placing, setPlacing] = useState(false);
  const [releasing, setReleasing] = useState<Hold>();
  return (
    <Section title="Legal holds" note="What is held is neither erased nor removed when its time comes." action={<Button onClick={() => setPlacing(true)}>Place a hold…</Button>}>
      <Fetched query={holds} what="holds" rows={1}>
        <ul aria-label="Legal holds" className="pt-3">
          {holds.data?.items.map((hold) => (
            <Line key={hold.hold_id} title={hold.user_id ?? "The whole workspace"} note={`“${hold.reason}” · since ${formatDateTime(hold.placed_at)}`}>
              <Button look="quiet" onClick={() => setReleasing(hold)} aria-label={`Release the hold on ${hold.user_id ?? "the whole workspace"}`}>
                Release
              </Button>
            </Line>
          ))}
        </ul>
      </Fetched>
      {placing && <HoldDialog onClose={() => setPlacing(false)} />}
      {releasing && <ReleaseDialog hold={releasing} onClose={() => setReleasing(undefined)} />}
    </Section>
  );
}
