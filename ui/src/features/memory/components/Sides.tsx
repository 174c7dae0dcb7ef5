import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Facts } from "@/components/Facts";
import { StateWord } from "@/components/StateWord";
import { linkLook } from "@/components/looks";
import { cx } from "@/lib/cx";
import { memoryQuery, type MemoryItem } from "../api/memories";
import { originOf, stateOf, trustOf, validityOf } from "../memoryWords";

function Side({ title, memory }: { title: string; memory: MemoryItem | undefined }) {
  if (!memory) return <section aria-label={title} className="min-h-24 rounded border border-line p-3 text-muted">…</section>;
  const { tone, word } = stateOf(memory);
  return (
    <section aria-label={title} className="grid content-start gap-2 rounded border border-line bg-raised p-3">
      <h3 className="flex justify-between gap-3 text-sm text-muted">
        {title} <StateWord tone={tone}>{word}</StateWord>
      </h3>
      <p className="break-words whitespace-pre-wrap">{memory.text}</p>
      <div className="text-sm">
        <Facts
          facts={[
            ["So", validityOf(memory)],
            ["Trust", trustOf(memory.trust)],
            ["Comes from", originOf(memory.derived_by)],
            ["Pinned", memory.pinned && "yes"],
          ]}
        />
      </div>
      <Link to="/memory/memories" search={{ memory: memory.memory_id }} className={cx(linkLook, "justify-self-start text-sm")}>
        Sources and history
      </Link>
    </section>
  );
}

/** Two memories that contradict each other, side by side. */
export function Sides({ older, newerId }: { older: MemoryItem | undefined; newerId: string }) {
  const newer = useQuery(memoryQuery(newerId));
  return (
    <div className="grid gap-3 md:grid-cols-2">
      <Side title="Older" memory={older} />
      {newer.isError ? <p className="rounded border border-line p-3 text-muted">The newer one is no longer there.</p> : <Side title="Newer" memory={newer.data} />}
    </div>
  );
}
