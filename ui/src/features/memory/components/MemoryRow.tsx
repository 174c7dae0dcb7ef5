import { Icon } from "@/components/icons";
import { StateWord } from "@/components/StateWord";
import { cx } from "@/lib/cx";
import { walkRows } from "@/lib/walkRows";
import type { MemoryItem } from "../api/memories";
import { stateOf, validityOf } from "../memoryWords";
import { StrengthBar } from "./StrengthBar";

const opener =
  "line-clamp-3 w-full min-w-0 break-words text-left after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-glow";
const actLook = "relative z-10 h-6 rounded px-1.5 text-sm text-faint hover:bg-hover hover:text-ember focus-visible:text-ember";

interface MemoryRowProps {
  memory: MemoryItem;
  opened: boolean;
  onOpen: () => void;
  onPin: () => void;
  onStop: () => void;
}

export function MemoryRow({ memory, opened, onOpen, onPin, onStop }: MemoryRowProps) {
  const { text, type, subject, tags, channel, pinned, strength, merged_count } = memory;
  const { tone, word } = stateOf(memory);
  const said = [validityOf(memory), subject && `about ${subject}`, channel !== "private" && channel, merged_count > 1 && `said ${merged_count} times`].filter(Boolean).join(" · ");
  return (
    <div className={cx("relative grid gap-1.5 border-b border-line px-6 py-3 max-md:px-4", opened ? "bg-wash" : "hover:bg-hover/60")}>
      <button type="button" data-row aria-expanded={opened} onClick={onOpen} onKeyDown={walkRows} className={opener}>
        {text}
      </button>
      <div className="flex min-h-6 items-center justify-between gap-4 text-sm text-muted">
        <p className="flex min-w-0 flex-wrap items-center gap-x-3 gap-y-0.5 tabular-nums">
          {pinned && (
            <span className="flex items-center gap-1 text-ink">
              <Icon name="pin" className="size-3.5" /> pinned
            </span>
          )}
          {word !== "in use" && <StateWord tone={tone}>{word}</StateWord>}
          <span className="text-ink">{type}</span>
          <span className="truncate">{said}</span>
          {tags.slice(0, 4).map((tag) => (
            <span key={tag} className="max-w-40 truncate rounded-full border border-line px-2 text-xs">
              {tag}
            </span>
          ))}
        </p>
        <div className="flex shrink-0 items-center gap-1">
          {word === "in use" && (
            <span className="flex max-md:hidden">
              <button type="button" className={actLook} onClick={onPin} aria-label={`${pinned ? "Unpin" : "Pin"}: ${text.slice(0, 60)}`}>
                {pinned ? "unpin" : "pin"}
              </button>
              <button type="button" className={actLook} onClick={onStop} aria-label={`Forget: ${text.slice(0, 60)}`}>
                forget
              </button>
            </span>
          )}
          <StrengthBar strength={strength} className="w-12 sm:w-16" />
        </div>
      </div>
    </div>
  );
}
