import { Popover } from "@base-ui/react/popover";
import { useState, type FormEvent } from "react";
import { Button } from "@/components/Button";
import { Field } from "@/components/Field";
import { Icon } from "@/components/icons";
import { chipLook, chosenChipLook, popupLook } from "@/components/looks";
import { periodSaid, type Period, type PeriodFilterProps } from "@/components/PeriodFilter";
import { cx } from "@/lib/cx";

/** The chip of PeriodFilter with its popover, open at first. */
export function PeriodFilterOpen({ value, onChange }: PeriodFilterProps) {
  const [open, setOpen] = useState(true);
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
      <Popover.Trigger className={cx(chipLook, chosen && chosenChipLook)} aria-label={`Days: ${periodSaid(value)}`}>
        {periodSaid(value)}
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
