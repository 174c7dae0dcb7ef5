import { useCallback, useRef, useState, type FormEvent } from "react";
import { Icon } from "@/components/icons";
import { useHotkey } from "@/lib/hotkeys";

interface SearchBoxProps {
  query: string;
  onSearch: (query: string) => void;
  note: string;
}

export function SearchBox({ query, onSearch, note }: SearchBoxProps) {
  const input = useRef<HTMLInputElement>(null);
  const [draft, setDraft] = useState(query);
  const [shown, setShown] = useState(query);
  if (shown !== query) {
    // The address changed from outside: the palette, the back button.
    setShown(query);
    setDraft(query);
  }
  useHotkey("/", useCallback(() => input.current?.focus(), []));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSearch(draft.trim());
  };
  return (
    <form role="search" onSubmit={submit} className="flex h-11 items-center gap-2.5 rounded border border-line bg-raised px-3.5 focus-within:border-glow focus-within:ring-1 focus-within:ring-glow">
      <Icon name="search" className="size-4 text-faint" />
      <input
        ref={input}
        type="search"
        value={draft}
        maxLength={4000}
        onChange={(event) => setDraft(event.target.value)}
        aria-label="Search memory"
        placeholder="Ask memory something"
        className="h-full min-w-0 grow bg-transparent text-lg outline-none [&::-webkit-search-cancel-button]:hidden"
      />
      <span aria-live="polite" className="shrink-0 text-muted tabular-nums max-sm:hidden">
        {note}
      </span>
      <button type="submit" className="grid size-8 shrink-0 place-items-center rounded text-ember hover:bg-hover max-sm:size-10" aria-label="Search">
        <span aria-hidden="true" className="text-lg">
          ↵
        </span>
      </button>
    </form>
  );
}
