import { useLocation } from "@tanstack/react-router";
import { useEffect, type RefObject } from "react";

/**
 * Brings the entry of the open page into view: on a phone the entries are a row of tabs, wider than the screen.
 * `entries` changes when what they say does.
 */
export function useCurrentInView(list: RefObject<HTMLElement | null>, entries?: number) {
  const path = useLocation({ select: ({ pathname }) => pathname });
  useEffect(() => {
    list.current?.querySelector("[aria-current=page]")?.scrollIntoView({ inline: "center", block: "nearest" });
  }, [list, path, entries]);
}
