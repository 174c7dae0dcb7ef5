import { useState } from "react";
import { Button } from "@/components/Button";
import { StateWord } from "@/components/StateWord";
import { plural } from "@/lib/format";
import type { Decision } from "../api/work";
import type { Chain } from "../chains";
import { DecisionBody } from "./DecisionBody";

interface ChainCardProps {
  chain: Chain;
  onSupersede: (decision: Decision) => void;
}

function Earlier({ decisions }: { decisions: Decision[] }) {
  return (
    <ol aria-label="Earlier decisions, the last first" className="grid gap-3 border-l-2 border-line pl-4">
      {decisions.map((decision) => (
        <li key={decision.decision_id} className="relative grid gap-0.5">
          <span aria-hidden="true" className="absolute top-1.5 -left-5.25 size-2 rounded-full bg-edge ring-4 ring-canvas" />
          <p className="break-words text-muted line-through decoration-edge">{decision.decision}</p>
          <DecisionBody decision={decision} />
        </li>
      ))}
    </ol>
  );
}

/** What holds today, and on demand what held before it. */
export function ChainCard({ chain: { head, before }, onSupersede }: ChainCardProps) {
  const [opened, setOpened] = useState(false);
  return (
    <article className="grid gap-1.5 border-b border-line px-6 py-4 max-md:px-4">
      <header className="flex items-start justify-between gap-4">
        <h2 className="min-w-0 font-medium break-words">{head.decision}</h2>
        {head.status === "active" ? (
          <Button look="quiet" className="h-6! px-2 text-sm" onClick={() => onSupersede(head)} aria-label={`Supersede: ${head.decision.slice(0, 60)}`}>
            Supersede
          </Button>
        ) : (
          <StateWord tone="rest">superseded</StateWord>
        )}
      </header>
      <DecisionBody decision={head} />
      {before.length > 0 && (
        <div className="grid gap-3 pt-1">
          <button type="button" aria-expanded={opened} onClick={() => setOpened(!opened)} className="min-h-6 justify-self-start text-sm text-ember hover:underline">
            {opened ? "Hide" : "Show"} {plural(before.length, "earlier decision")}
          </button>
          {opened && <Earlier decisions={before} />}
        </div>
      )}
    </article>
  );
}
