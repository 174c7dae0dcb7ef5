import { lazy } from "react";
import { Icon } from "@/components/icons";
import { chipLook, chosenChipLook } from "@/components/looks";
import { OnDemand } from "@/components/OnDemand";
import { cx } from "@/lib/cx";
import { formatDate } from "@/lib/format";

/** Days as YYYY-MM-DD, both included. */
export interface Period {
  since?: string;
  until?: string;
}

export interface PeriodFilterProps {
  value: Period;
  onChange: (period: Period) => void;
}

export function periodSaid({ since, until }: Period): string {
  if (since && until) return since === until ? formatDate(since) : `${formatDate(since)} to ${formatDate(until)}`;
  if (since) return `since ${formatDate(since)}`;
  return until ? `up to ${formatDate(until)}` : "any time";
}

const load = () => import("@/components/PeriodFilterOpen");
const Open = lazy(() => load().then((module) => ({ default: module.PeriodFilterOpen })));

/** A chip that narrows a list to some days, both ends included. */
export function PeriodFilter(props: PeriodFilterProps) {
  const { since, until } = props.value;
  return (
    <OnDemand load={load} popup="dialog" label={`Days: ${periodSaid(props.value)}`} className={cx(chipLook, (since || until) && chosenChipLook)} opened={<Open {...props} />}>
      {periodSaid(props.value)}
      <Icon name="down" className="size-3" />
    </OnDemand>
  );
}
