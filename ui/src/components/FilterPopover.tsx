import { lazy } from "react";
import type { Choice } from "@/components/FilterMenu";
import { Icon } from "@/components/icons";
import { chipLook, chosenChipLook } from "@/components/looks";
import { OnDemand } from "@/components/OnDemand";
import { cx } from "@/lib/cx";

export interface FilterPopoverProps {
  label: string;
  rest: string;
  value: string | undefined;
  suggestions: Choice[];
  onChange: (value: string | undefined) => void;
}

const load = () => import("@/components/FilterPopoverOpen");
const Open = lazy(() => load().then((module) => ({ default: module.FilterPopoverOpen })));

/** A chip that narrows a list by an id which the person types or picks. */
export function FilterPopover(props: FilterPopoverProps) {
  const { label, rest, value } = props;
  return (
    <OnDemand load={load} popup="dialog" label={`${label}: ${value ?? rest}`} className={cx(chipLook, value && chosenChipLook)} opened={<Open {...props} />}>
      <span className="truncate">{value ?? rest}</span>
      <Icon name="down" className="size-3" />
    </OnDemand>
  );
}
