import type { Bundle, BundleSection, Omission } from "./api/bundle";

const sections: Record<string, string> = {
  identity: "Identity",
  rules: "Rules",
  handoff_packet: "Handoffs",
  task_state: "Tasks",
  relevant_decisions: "Decisions",
  recent_window: "Last turns",
  retrieved_evidence: "Evidence",
  reserve: "Left for the answer",
};
export const sectionName = (name: string) => sections[name] ?? name.replaceAll("_", " ");

const reasons: Record<string, string> = {
  budget: "did not fit",
  near_duplicate: "says what something else says",
  superseded: "something else took its place",
  expired: "its time has come",
  low_score: "answers too little of the question",
  oversize: "only an excerpt of it fits",
  partial_index: "what it is found by is being made again",
};
export const reasonOf = ({ reason }: Omission) => reasons[reason] ?? reason.replaceAll("_", " ");

const paths: Record<string, string> = { fast: "without a search", retrieval: "with a search", cold: "while the index was being made" };
export const pathOf = (path: string) => paths[path] ?? path;

/** Shares (0–1) of the whole budget that a section may use and does use. */
export function sharesOf({ budget, token_est }: BundleSection, { budget_tokens }: Bundle): { room: number; used: number } {
  const share = (tokens: number) => Math.min(1, tokens / Math.max(1, budget_tokens));
  return { room: share(budget), used: share(token_est) };
}
