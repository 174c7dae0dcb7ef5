import type { ReactNode } from "react";
import { ErrorNote } from "@/components/ErrorNote";
import { Waiting } from "@/components/Waiting";

interface FetchedProps {
  query: { isPending: boolean; isError: boolean; error: unknown; refetch: () => unknown };
  /** What is on its way: "people". */
  what: string;
  rows?: number;
  /** Drawn instead of the children when the answer holds nothing. */
  empty?: ReactNode;
  children: ReactNode;
}

/** A list's place while it is fetched, when it failed, when it is empty, and when it is there. */
export function Fetched({ query, what, rows, empty, children }: FetchedProps) {
  return (
    <>
      {query.isError && (
        <div className="p-5">
          <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
        </div>
      )}
      {query.isPending ? <Waiting label={`Loading ${what}`} rows={rows} /> : (!query.isError && empty) || children}
    </>
  );
}
