import { Menu } from "@base-ui/react/menu";
import type { FilterMenuProps } from "@/components/FilterMenu";
import { Icon } from "@/components/icons";
import { cx } from "@/lib/cx";
import { chipLook, chosenChipLook, popupLook, rowLook } from "@/components/looks";

/** The chip of FilterMenu with its menu, open at first. */
export function FilterMenuOpen<T extends string>({ label, value, choices, rest, onChange }: FilterMenuProps<T>) {
  const chosen = choices.find((choice) => choice.value === value);
  return (
    <Menu.Root defaultOpen>
      <Menu.Trigger className={cx(chipLook, value !== rest && chosenChipLook)} aria-label={`${label}: ${chosen?.label ?? value}`}>
        {chosen?.label ?? value}
        <Icon name="down" className="size-3" />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner sideOffset={6} align="start" className="z-50">
          <Menu.Popup className={popupLook}>
            <Menu.RadioGroup value={value} onValueChange={onChange} aria-label={label}>
              {choices.map((choice) => (
                <Menu.RadioItem key={choice.value} value={choice.value} disabled={choice.disabled} className={rowLook} closeOnClick>
                  <span className="w-4">
                    <Menu.RadioItemIndicator>
                      <Icon name="check" className="size-3.5 text-ember" />
                    </Menu.RadioItemIndicator>
                  </span>
                  <span className="grow truncate">{choice.label}</span>
                  {choice.hint && <span className="pl-4 text-sm text-faint tabular-nums">{choice.hint}</span>}
                </Menu.RadioItem>
              ))}
            </Menu.RadioGroup>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
