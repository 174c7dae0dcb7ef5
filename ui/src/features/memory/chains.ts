import type { Decision } from "./api/work";

/** A decision that holds, or held last, before those whose place it took. */
export interface Chain {
  head: Decision;
  /** The one before first. */
  before: Decision[];
}

/** Puts decisions after those that took their place; the chain whose head is newest comes first. */
export function chains(decisions: Decision[]): Chain[] {
  const known = new Map(decisions.map((decision) => [decision.decision_id, decision]));
  const heads = [...known.values()].filter(({ superseded_by }) => !superseded_by || !known.has(superseded_by));
  const chain = (head: Decision): Chain => {
    const before: Decision[] = [];
    const seen = new Set([head.decision_id]);
    for (let next = known.get(head.supersedes ?? ""); next && !seen.has(next.decision_id); next = known.get(next.supersedes ?? "")) {
      seen.add(next.decision_id);
      before.push(next);
    }
    return { head, before };
  };
  return heads.map(chain).sort((a, b) => b.head.ts.localeCompare(a.head.ts) || b.head.decision_id.localeCompare(a.head.decision_id));
}

const wordsOf = ({ decision, subject, rationale, constraints, alternatives, consequences }: Decision) => [decision, subject ?? "", ...rationale, ...constraints, ...alternatives, ...consequences].join("\n").toLowerCase();

/** The chains in which some decision holds every word typed. */
export function findChains(all: Chain[], typed: string): Chain[] {
  const wanted = typed.toLowerCase().split(/\s+/).filter(Boolean);
  return all.filter(({ head, before }) => [head, ...before].some((decision) => wanted.every((word) => wordsOf(decision).includes(word))));
}
