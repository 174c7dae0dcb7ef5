import { Popover } from "@base-ui/react/popover";
import { useState } from "react";
import { Button } from "@/components/Button";
import { Field } from "@/components/Field";
import { Icon } from "@/components/icons";
import { chipLook, chosenChipLook, popupLook } from "@/components/looks";
import { cx } from "@/lib/cx";
import { formatDate } from "@/lib/format";

/** A chip that moves the timeline to the end of a day. */
export function DayJump({ day, onChange }: { day: string | undefined; onChange: (day: string | undefined) => void }) {
  const [open, setOpen] = useState(false);
  const choose = (next: string | undefined) => {
    setOpen(false);
    onChange(next);
  };
  const said = day ? `up to ${formatDate(day)}` : "jump to date";
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger className={cx(chipLook, day && chosenChipLook)}>
        {said}
        <Icon name="down" className="size-3" />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner sideOffset={6} align="start" className="z-50">
          <Popover.Popup className={cx(popupLook, "w-64")} aria-label="Jump to date">
            <form
              className="grid gap-3 p-2"
              onSubmit={(event) => {
                event.preventDefault();
                choose(String(new FormData(event.currentTarget).get("day")) || undefined);
              }}
            >
              <Field label="Last day to show" type="date" name="day" defaultValue={day} required />
              <div className="flex justify-end gap-2">
                {day && (
                  <Button look="quiet" onClick={() => choose(undefined)}>
                    Clear
                  </Button>
                )}
                <Button type="submit">Jump</Button>
              </div>
            </form>
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
}
