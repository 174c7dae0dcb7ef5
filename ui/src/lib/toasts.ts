import { useSyncExternalStore } from "react";

export interface Notice {
  title: string;
  description?: string;
  /** One thing to do about it. */
  action?: { label: string; run: () => void };
}

let waiting: Notice[] = [];
const listeners = new Set<() => void>();
const tell = (next: Notice[]) => {
  waiting = next;
  for (const listener of listeners) listener();
};

/** Tells in passing that something happened. */
export const notify = (title: string, description?: string, action?: Notice["action"]) => tell([...waiting, { title, description, action }]);

/** Hands over what has not been shown yet. */
export function takeNotices(): Notice[] {
  const taken = waiting;
  if (taken.length > 0) tell([]);
  return taken;
}

export function useWaitingNotices(): Notice[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => waiting,
  );
}
