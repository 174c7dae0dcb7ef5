import { useNavigate } from "@tanstack/react-router";
import { usePlaces } from "@/features/admin/places";
import { places as memoryPlaces } from "@/features/memory/places";
import { setTheme } from "@/lib/theme";
import { useSignOut } from "./useSignOut";

export interface Command {
  id: string;
  label: string;
  kind: "page" | "theme" | "account" | "memory";
  run: () => void;
}

/** The commands that fit what was typed; a search of memory is always the last. */
export function useCommands(typed: string): Command[] {
  const navigate = useNavigate();
  const signOut = useSignOut();
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const all: Command[] = [
    ...[...memoryPlaces, ...usePlaces()].map(({ to, label }): Command => ({ id: to, label, kind: "page", run: () => void navigate({ to }) })),
    { id: "light", label: "Light theme", kind: "theme", run: () => setTheme("light") },
    { id: "dark", label: "Dark theme", kind: "theme", run: () => setTheme("dark") },
    { id: "system", label: "Theme as the system", kind: "theme", run: () => setTheme("system") },
    { id: "sign-out", label: "Sign out", kind: "account", run: signOut },
  ];
  const fitting = all.filter((command) => words.every((word) => command.label.toLowerCase().includes(word)));
  const question = typed.trim();
  if (!question) return fitting;
  return [...fitting, { id: "ask", label: `Search memory for “${question}”`, kind: "memory", run: () => void navigate({ to: "/memory", search: { q: question } }) }];
}
