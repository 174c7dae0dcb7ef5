import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ErrorNote } from "@/components/ErrorNote";
import { linkLook } from "@/components/looks";
import { memoryQuery, type MemoryItem, type Version } from "../api/memories";
import { changedFields, originOf, trustOf } from "../memoryWords";
import { rivalOf, type ReviewItem } from "../reviewItems";
import { Diffed } from "./Diffed";
import { Sides } from "./Sides";

/** What a proposal would change, against the memory as it is. */
function Proposal({ patch, memory }: { patch: Record<string, unknown>; memory: MemoryItem }) {
  const { text, ...rest } = patch;
  const fields = changedFields({ fields: memory } as unknown as Version, { fields: rest } as unknown as Version);
  return (
    <>
      {typeof text === "string" ? <Diffed before={memory.text} now={text} /> : <p className="break-words whitespace-pre-wrap">{memory.text}</p>}
      {fields.length > 0 && (
        <ul className="text-sm text-muted tabular-nums">
          {fields.map((field) => (
            <li key={field}>{field}</li>
          ))}
        </ul>
      )}
    </>
  );
}

/** What there is to look at before deciding. */
export function ReviewBody({ item: { edit, aside, targetId } }: { item: ReviewItem }) {
  const found = useQuery({ ...memoryQuery(targetId), initialData: aside });
  const memory = found.data;
  if (found.isError) return <ErrorNote error={found.error} onRetry={() => void found.refetch()} />;
  if (!memory) return <p className="min-h-12 text-muted">…</p>;
  const rival = edit && rivalOf(edit);
  if (rival) return <Sides older={memory} newerId={rival} />;
  return (
    <>
      {edit ? <Proposal patch={edit.patch as Record<string, unknown>} memory={memory} /> : <p className="break-words whitespace-pre-wrap">{memory.text}</p>}
      <p className="text-sm text-muted">
        {[memory.type, originOf(memory.derived_by), trustOf(memory.trust)].join(" · ")} ·{" "}
        <Link to="/memory/memories" search={{ memory: memory.memory_id }} className={linkLook}>
          sources and history
        </Link>
      </p>
    </>
  );
}

/** Whether a proposal was made for an older version: then it can only be rejected. */
export function useIsStale({ edit, targetId }: ReviewItem): boolean {
  const found = useQuery({ ...memoryQuery(targetId), enabled: edit?.status === "pending" });
  return edit?.status === "pending" && found.data !== undefined && found.data.version !== edit.target_version;
}
