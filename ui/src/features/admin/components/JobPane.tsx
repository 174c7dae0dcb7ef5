import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/components/Button";
import { CodeBlock } from "@/components/CodeBlock";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { Facts } from "@/components/Facts";
import { SidePane } from "@/components/SidePane";
import { StateWord } from "@/components/StateWord";
import { formatRelative, formatSecond, plural } from "@/lib/format";
import { notify } from "@/lib/toasts";
import { jobsKey, moveJob, type Job } from "../api/jobs";
import { jobTone } from "../words";

const acts = { retry: "It runs again as soon as a worker is free.", cancel: "It will not run again." };

/** One job: what it was given, how far it came, and what may be done about it. */
export function JobPane({ job, onClose }: { job: Job; onClose: () => void }) {
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const move = useMutation({
    mutationFn: (act: keyof typeof acts) => moveJob(job.job_id, act),
    onSuccess: async (_, act) => {
      await queries.invalidateQueries({ queryKey: jobsKey });
      setAsking(false);
      notify(act === "retry" ? "The job is due again" : "The job is cancelled", acts[act]);
    },
    onError: (error, act) => act === "retry" && notify("The job stays as it is", error.message),
  });
  const waits = job.state === "due" || job.state === "failed";
  const foot = (
    <>
      {(waits || job.state === "running") && <Button onClick={() => setAsking(true)}>Cancel job</Button>}
      {(waits || job.state === "dead") && (
        <Button look="fire" onClick={() => move.mutate("retry")} busy={move.isPending && move.variables === "retry" && "Asking…"}>
          Retry now
        </Button>
      )}
    </>
  );
  return (
    <SidePane title={job.kind} note={<StateWord tone={jobTone(job.state)}>{job.state}</StateWord>} onClose={onClose} foot={job.state !== "done" && foot}>
      {job.last_error && <CodeBlock label={job.state === "done" ? "Error of an earlier try" : "Last error"} code={job.last_error} wraps />}
      <Facts
        facts={[
          ["Tries", plural(job.tries, "try", "tries")],
          [waits ? "Runs next" : "Was due", formatSecond(job.run_at)],
          ["Made", formatSecond(job.created_at)],
          ["Ended", job.finished_at && formatSecond(job.finished_at)],
          ["Held until", job.lease_until && `${formatSecond(job.lease_until)} (${formatRelative(job.lease_until)})`],
          ["Workspace", job.tenant_id],
          ["About", job.job_key && <code key="key" className="font-mono text-sm break-all">{job.job_key}</code>],
          ["Id", <code key="id" className="font-mono text-sm break-all">{job.job_id}</code>],
        ]}
      />
      <CodeBlock label="Payload, secrets hidden" code={JSON.stringify(job.payload, null, 2)} />
      <ConfirmDialog
        open={asking}
        title="Cancel this job?"
        consequence="Its work is left undone. A running one stops within seconds."
        action="Cancel job"
        busy={move.isPending && "Cancelling…"}
        error={move.variables === "cancel" ? move.error : null}
        onConfirm={() => move.mutate("cancel")}
        onClose={() => setAsking(false)}
      />
    </SidePane>
  );
}
