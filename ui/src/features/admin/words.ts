import type { Choice } from "@/components/FilterMenu";
import type { Tone } from "@/components/StateWord";

export const roles: Choice[] = [
  { value: "owner", label: "Owner", hint: "everything, also owners" },
  { value: "admin", label: "Admin", hint: "people, keys and settings" },
  { value: "member", label: "Member", hint: "reads and records" },
  { value: "viewer", label: "Viewer", hint: "reads" },
];

/** "identity.set_role" → "Set role". */
export function actionWords(action: string): string {
  const words = action.slice(action.indexOf(".") + 1).replaceAll(/[._]/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const outcomes: Record<string, Tone> = { success: "good", failure: "warn", denied: "bad" };
export const outcomeTone = (outcome: string): Tone => outcomes[outcome] ?? "rest";

const jobStates: Record<string, Tone> = { due: "rest", running: "busy", done: "good", failed: "warn", dead: "bad", cancelled: "rest" };
export const jobTone = (state: string): Tone => jobStates[state] ?? "rest";

const backupStates: Record<string, Tone> = { restored: "good", read: "good", unverified: "rest", damaged: "bad" };
export const backupTone = (state: string): Tone => backupStates[state] ?? "rest";
