import { Popover } from "@base-ui/react/popover";
import { useState, type FormEvent } from "react";
import { Button } from "@/components/Button";
import { Field } from "@/components/Field";
import type { FilterPopoverProps } from "@/components/FilterPopover";
import { Icon } from "@/components/icons";
import { chipLook, chosenChipLook, popupLook, rowLook } from "@/components/looks";
import { cx } from "@/lib/cx";

/** The chip of FilterPopover with its popover, open at first. */
export function FilterPopoverOpen({ label, rest, value, suggestions, onChange }: FilterPopoverProps) {
  const [open, setOpen] = useState(true);
  const [draft, setDraft] = useState("");
  const shown = suggestions.filter((choice) => choice.label.toLowerCase().includes(draft.toLowerCase()));
  const choose = (next: string | undefined) => {
    onChange(next);
    setOpen(false);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    choose(draft.trim() || undefined);
  };
  return (
    <Popover.Root
      open={open}
      onOpenChange={(next) => {
        if (next) setDraft("");
        setOpen(next);
      }}
    >
      <Popover.Trigger className={cx(chipLook, value && chosenChipLook)} aria-label={`${label}: ${value ?? rest}`}>
        <span className="truncate">{value ?? rest}</span>
        <Icon name="down" className="size-3" />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner sideOffset={6} align="start" className="z-50">
          <Popover.Popup className={cx(popupLook, "w-72")} aria-label={label}>
            <form onSubmit={submit} className="p-2">
              <Field label={label} value={draft} onChange={(event) => setDraft(event.target.value)} autoComplete="off" hint="Press Enter to use what you typed." />
            </form>
            {shown.map((choice) => (
              <button key={choice.value} type="button" className={cx(rowLook, "hover:bg-hover")} onClick={() => choose(choice.value)}>
                <span className="grow truncate">{choice.label}</span>
                <span className="text-sm text-faint tabular-nums">{choice.hint}</span>
              </button>
            ))}
            {value && (
              <Button look="quiet" className="w-full" onClick={() => choose(undefined)}>
                Clear
              </Button>
            )}
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
}
