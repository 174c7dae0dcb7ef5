import { lazy, type ReactNode } from "react";
import { Icon } from "@/components/icons";
import { chipLook, chosenChipLook } from "@/components/looks";
import { OnDemand } from "@/components/OnDemand";
import { cx } from "@/lib/cx";

export interface Choice<T extends string = string> {
  value: T;
  label: string;
  hint?: string;
  disabled?: boolean;
}

export interface FilterMenuProps<T extends string> {
  label: string;
  value: T;
  choices: Choice<T>[];
  /** The value that means "not narrowed". */
  rest: T;
  onChange: (value: T) => void;
}

const load = () => import("@/components/FilterMenuOpen");
const Open = lazy(() => load().then((module) => ({ default: module.FilterMenuOpen }))) as unknown as <T extends string>(props: FilterMenuProps<T>) => ReactNode;

/** A chip that narrows a list by one of a few values. */
export function FilterMenu<T extends string>(props: FilterMenuProps<T>) {
  const { label, value, choices, rest } = props;
  const chosen = choices.find((choice) => choice.value === value)?.label ?? value;
  return (
    <OnDemand load={load} popup="menu" label={`${label}: ${chosen}`} className={cx(chipLook, value !== rest && chosenChipLook)} opened={<Open {...props} />}>
      {chosen}
      <Icon name="down" className="size-3" />
    </OnDemand>
  );
}
