import { Popover } from "@base-ui/react/popover";
import { useState, type FormEvent } from "react";
import { Button } from "@/components/Button";
import { Field } from "@/components/Field";
import { Icon } from "@/components/icons";
import { chipLook, chosenChipLook, popupLook } from "@/components/looks";
import { cx } from "@/lib/cx";
import { formatDate } from "@/lib/format";

export interface Period {
  since?: string;
  until?: string;
}

function said({ since, until }: Period): string {
  if (since && until) return since === until ? formatDate(since) : `${formatDate(since)} to ${formatDate(until)}`;
  if (since) return `since ${formatDate(since)}`;
  return until ? `up to ${formatDate(until)}` : "any time";
}

/** A chip that narrows a list to some days, both ends included. */
export function PeriodFilter({ value, onChange }: { value: Period; onChange: (period: Period) => void }) {
  const [open, setOpen] = useState(false);
  const choose = (period: Period) => {
    setOpen(false);
    onChange(period);
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    choose({ since: String(form.get("since")) || undefined, until: String(form.get("until")) || undefined });
  };
  const chosen = value.since || value.until;
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger className={cx(chipLook, chosen && chosenChipLook)} aria-label={`Days: ${said(value)}`}>
        {said(value)}
        <Icon name="down" className="size-3" />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner sideOffset={6} align="start" className="z-50">
          <Popover.Popup className={cx(popupLook, "w-64")} aria-label="Days">
            <form className="grid gap-3 p-2" onSubmit={submit}>
              <Field label="From" type="date" name="since" defaultValue={value.since} />
              <Field label="To" type="date" name="until" defaultValue={value.until} />
              <div className="flex justify-end gap-2">
                {chosen && (
                  <Button look="quiet" onClick={() => choose({ since: undefined, until: undefined })}>
                    Clear
                  </Button>
                )}
                <Button type="submit">Show</Button>
              </div>
            </form>
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
}
