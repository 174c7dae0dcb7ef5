import type { Tone } from "@/components/StateWord";
import { formatDate } from "@/lib/format";
import type { MemoryItem, Version } from "./api/memories";

export interface StateSaid {
  tone: Tone;
  word: string;
}

/** Whether a memory is in use, in a word; one whose place another took is not, whatever its state. */
export function stateOf({ state, valid_to, superseded_by }: MemoryItem, now = Date.now()): StateSaid {
  if (state === "quarantined") return { tone: "warn", word: "put aside" };
  if (state === "retracted") return { tone: "rest", word: "taken back" };
  if (state === "blocked") return { tone: "bad", word: "blocked" };
  if (superseded_by) return { tone: "rest", word: "superseded" };
  if (valid_to && Date.parse(valid_to) <= now) return { tone: "rest", word: "no longer so" };
  return { tone: "good", word: "in use" };
}

/** "since 3 Mar 2026", "3 Mar 2026 to 5 Apr 2026". */
export const validityOf = ({ valid_from, valid_to }: MemoryItem) => (valid_to ? `${formatDate(valid_from)} to ${formatDate(valid_to)}` : `since ${formatDate(valid_from)}`);

/** Who or what wrote a memory: a person, an agent, a rule, a model. */
export function originOf(derivedBy: string): string {
  if (derivedBy === "user") return "said by a person";
  if (derivedBy === "agent") return "written by an agent";
  const [kind, name = ""] = derivedBy.split(/:(.*)/);
  const [rule, version] = name.split("@");
  if (kind === "rule") return `rule “${rule?.replaceAll(/[_-]/g, " ")}”${version ? `, version ${version}` : ""}`;
  if (kind === "model") return `model ${name}`;
  return derivedBy;
}

/** Whose hand made a change; `me` is the reader. */
export function actorInWords(actor: string, me: string | undefined): string {
  if (me !== undefined && actor === me) return "you";
  if (actor.startsWith("key_")) return "an API key";
  if (actor.startsWith("usr_")) return "another person";
  return originOf(actor);
}

const trusts: Record<string, string> = {
  user: "a person’s own word",
  agent: "an agent’s word",
  tool: "a tool’s output",
  external: "from outside",
  import: "imported",
};
export const trustOf = (trust: string) => trusts[trust] ?? trust;

const ops: Record<string, string> = {
  ADD: "Remembered",
  UPDATE: "Changed",
  SUPERSEDE: "Superseded",
  RETRACT: "Taken back",
  QUARANTINE: "Put aside",
  ATTENUATE: "Made less important",
  BLOCK: "Blocked",
  RESTORE: "Brought back",
  EXPIRE: "Expired",
};
export const opOf = (op: string) => ops[op] ?? op.toLowerCase();

const names: Record<string, string> = { valid_from: "valid from", valid_to: "valid until", expires_at: "to be forgotten", superseded_by: "superseded by" };
const isDate = (value: unknown): value is string => typeof value === "string" && /^\d{4}-\d{2}-\d{2}T/.test(value);

function said(value: unknown): string {
  if (value === null || value === undefined || value === "") return "none";
  if (Array.isArray(value)) return value.length > 0 ? value.join(", ") : "none";
  if (isDate(value)) return formatDate(value);
  if (typeof value === "number") return String(Number(value.toFixed(3)));
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Which fields a version changed, as "pinned: no → yes". The words themselves are told apart elsewhere. */
export function changedFields(before: Version | undefined, { fields }: Version): string[] {
  if (!before) return [];
  const old = before.fields as Record<string, unknown>;
  return Object.entries(fields as Record<string, unknown>)
    .filter(([name, value]) => JSON.stringify(value ?? null) !== JSON.stringify(old[name] ?? null))
    .map(([name, value]) => `${names[name] ?? name}: ${said(old[name])} → ${said(value)}`);
}
