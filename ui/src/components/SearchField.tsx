import { useCallback, useRef } from "react";
import { Icon } from "@/components/icons";
import { useHotkey } from "@/lib/hotkeys";

/** Narrows what is on the page while typing; "/" leads into it. */
export function SearchField({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
  const input = useRef<HTMLInputElement>(null);
  useHotkey(
    "/",
    useCallback(() => input.current?.focus(), []),
  );
  return (
    <div className="flex h-8 w-72 min-w-0 items-center gap-2 rounded border border-edge bg-raised px-2.5 focus-within:border-glow max-sm:h-10 max-sm:w-full">
      <Icon name="search" className="size-3.5 text-faint" />
      <input ref={input} type="search" aria-label={label} placeholder={label} value={value} onChange={(event) => onChange(event.target.value)} className="min-w-0 grow bg-transparent outline-none [&::-webkit-search-cancel-button]:hidden" />
      <kbd aria-hidden="true" className="rounded border border-line px-1.5 font-sans text-xs text-faint max-sm:hidden">
        /
      </kbd>
    </div>
  );
}
