import { useQuery } from "@tanstack/react-query";
import { Empty } from "@/components/Empty";
import { ErrorNote } from "@/components/ErrorNote";
import { PageHead } from "@/components/PageHead";
import { StateWord } from "@/components/StateWord";
import { Waiting } from "@/components/Waiting";
import { formatCount } from "@/lib/format";
import { useTitle } from "@/lib/useTitle";
import { bundleQuery } from "../api/bundle";
import { BundleForm } from "../components/BundleForm";
import { BundleNotes } from "../components/BundleNotes";
import { BundleSections } from "../components/BundleSections";
import { useMemoryPage } from "../useMemoryPage";

/** What an agent would be given for its next step, against the budgets, with what was left out. */
export function BundlePage() {
  useTitle("Context");
  const page = useMemoryPage();
  const { q: intent = "", session: session_id = "", agent: agent_id = "", channel = "private", tokens: max_tokens } = page.search;
  const isAsked = Boolean(intent && session_id && agent_id);
  const built = useQuery({ ...bundleQuery({ intent, session_id, agent_id, channel, max_tokens }), enabled: isAsked });
  const bundle = isAsked ? built.data : undefined;
  return (
    <>
      <PageHead title="Context" note="What an agent is given for its next step, and what is left out.">
        {bundle && (
          <p className="flex items-center gap-3 tabular-nums">
            {bundle.partial && <StateWord tone="warn">partial</StateWord>}
            <span className="text-muted">
              <span className="font-semibold text-ink">{formatCount(bundle.token_used_est)}</span> of {formatCount(bundle.budget_tokens)} tokens
            </span>
          </p>
        )}
      </PageHead>
      <BundleForm page={page} busy={isAsked && built.isFetching} />
      {isAsked && built.isError && (
        <div className="p-5">
          <ErrorNote error={built.error} onRetry={() => void built.refetch()} />
        </div>
      )}
      {isAsked && built.isPending && <Waiting label="Building the context" />}
      {!isAsked && (
        <Empty title="See what an agent sees">
          <p className="text-muted">Name a session and what the agent is about to do. You get the very context it would be given: each section against its budget, what did not fit, and where every line comes from.</p>
        </Empty>
      )}
      {bundle && <BundleSections bundle={bundle} />}
      {bundle && <BundleNotes bundle={bundle} />}
    </>
  );
}
