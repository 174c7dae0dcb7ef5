import { ProblemError } from "@/api/problem";
import { Icon } from "@/components/icons";
import { Button } from "@/components/Button";

/** What went wrong, what to do, and the id that finds it in the server's log. */
export function ErrorNote({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const problem = error instanceof ProblemError ? error : null;
  return (
    <div role="alert" className="flex items-start gap-2 rounded border border-bad/40 bg-raised px-3 py-2">
      <Icon name="warn" className="mt-0.5 size-4 text-bad" />
      <div className="min-w-0 grow">
        <p>{problem ? problem.message : "Something went wrong in this page. Reload it and try again."}</p>
        {problem?.retryAfterSeconds != null && <p className="text-muted">Try again in {problem.retryAfterSeconds} s.</p>}
        {problem?.requestId && (
          <p className="text-sm text-muted">
            Request <code className="font-mono break-all">{problem.requestId}</code>, to look up in the server’s log
          </p>
        )}
      </div>
      {onRetry && (
        <Button look="quiet" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}
