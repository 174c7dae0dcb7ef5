import type { MemoryItem } from "./api/memories";
import type { Edit } from "./api/review";

/** Something that waits for a decision: a proposal, two memories that contradict each other, or one put aside. */
export type ReviewItem = { id: string; targetId: string; edit: Edit; aside?: undefined } | { id: string; targetId: string; edit?: undefined; aside: MemoryItem };

const ofEdit = (edit: Edit): ReviewItem => ({ id: edit.edit_id, targetId: edit.target_id, edit });
const ofMemory = (aside: MemoryItem): ReviewItem => ({ id: aside.memory_id, targetId: aside.memory_id, aside });

/** One queue: contradictions first, since recall may be wrong while they last, then proposals, then what was put aside. */
export function reviewItems(edits: Edit[], aside: MemoryItem[]): ReviewItem[] {
  const conflicts = edits.filter(({ op }) => op === "conflict");
  const proposals = edits.filter(({ op }) => op !== "conflict");
  return [...conflicts.map(ofEdit), ...proposals.map(ofEdit), ...aside.map(ofMemory)];
}

/** The other memory of a contradiction. */
export function rivalOf({ op, patch }: Edit): string | undefined {
  const rival = (patch as Record<string, unknown>).with;
  return op === "conflict" && typeof rival === "string" ? rival : undefined;
}

interface ReviewWords {
  /** What waits. */
  title: string;
  yes: string;
  no: string;
  /** What each answer brings about. */
  yesMeans: string;
  noMeans: [said: string, note: string];
}

const byOp: Record<string, ReviewWords> = {
  amend: { title: "Proposed change", yes: "Approve", no: "Reject", yesMeans: "Changed as proposed", noMeans: ["Rejected", "The memory stays as it is."] },
  attenuate: { title: "Proposed: less important", yes: "Approve", no: "Reject", yesMeans: "Made less important", noMeans: ["Rejected", "The memory stays as it is."] },
  retract: { title: "Proposed: take back", yes: "Approve", no: "Reject", yesMeans: "Taken back", noMeans: ["Rejected", "The memory stays in use."] },
  quarantine: { title: "Proposed: put aside", yes: "Approve", no: "Reject", yesMeans: "Put aside", noMeans: ["Rejected", "The memory stays in use."] },
  block: { title: "Proposed: block", yes: "Approve", no: "Reject", yesMeans: "Blocked", noMeans: ["Rejected", "The memory stays in use."] },
  restore: { title: "Proposed: bring back", yes: "Approve", no: "Reject", yesMeans: "In use again", noMeans: ["Rejected", "The memory stays out of use."] },
  conflict: { title: "Contradiction", yes: "Take the newer", no: "Keep the older", yesMeans: "The newer took its place", noMeans: ["The older stays", "Both are kept."] },
};
const putAside: ReviewWords = { title: "Put aside", yes: "Use it", no: "Take it back", yesMeans: "In use now", noMeans: ["Taken back", "It can be brought back."] };

export const reviewWords = ({ edit }: ReviewItem): ReviewWords => (edit ? (byOp[edit.op] ?? { ...(byOp.amend as ReviewWords), title: `Proposed: ${edit.op}` }) : putAside);
