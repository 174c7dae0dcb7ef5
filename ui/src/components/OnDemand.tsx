import { Suspense, useState, type ReactNode } from "react";

interface OnDemandProps {
  /** Fetches the code of the popup; called early, as soon as somebody comes near. */
  load: () => Promise<unknown>;
  popup: "menu" | "dialog";
  label: string;
  className: string;
  initials?: string;
  /** The real control, open. */
  opened: ReactNode;
  children?: ReactNode;
}

/** A plain button until it is pressed; popups are most of what a page would have to load first. */
export function OnDemand({ load, popup, label, className, initials, opened, children }: OnDemandProps) {
  const [wanted, setWanted] = useState(false);
  const resting = (
    <button type="button" aria-haspopup={popup} aria-expanded="false" aria-label={label} data-initials={initials} className={className} onPointerEnter={load} onFocus={load} onClick={() => setWanted(true)}>
      {children}
    </button>
  );
  return wanted ? <Suspense fallback={resting}>{opened}</Suspense> : resting;
}
