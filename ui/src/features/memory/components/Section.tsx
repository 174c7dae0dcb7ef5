import type { ReactNode } from "react";
import { Button } from "@/components/Button";

interface SectionProps {
  title: string;
  note: ReactNode;
  action: ReactNode;
  children: ReactNode;
}

/** A part of a page that scrolls as a whole. */
export function Section({ title, note, action, children }: SectionProps) {
  return (
    <section aria-label={title} className="border-b border-line px-6 py-5 max-md:px-4">
      <header className="flex flex-wrap items-start justify-between gap-3">
        <div className="min-w-0">
          <h2 className="text-lg font-semibold">{title}</h2>
          <p className="max-w-[70ch] text-muted">{note}</p>
        </div>
        {action}
      </header>
      {children}
    </section>
  );
}

/** A line of a section's list: what it is, how far it is, what may be done. */
export function Line({ title, note, children }: { title: ReactNode; note: ReactNode; children: ReactNode }) {
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-6 gap-y-1 border-t border-line py-2.5">
      <div className="min-w-0">
        <p className="break-words">{title}</p>
        <p className="text-sm break-words text-muted tabular-nums">{note}</p>
      </div>
      <div className="flex flex-wrap items-center gap-3">{children}</div>
    </li>
  );
}

export const Older = ({ more }: { more: (() => void) | false }) =>
  more && (
    <Button look="quiet" onClick={more}>
      Show older
    </Button>
  );

export const downloadLook = "inline-flex h-8 items-center rounded border border-line bg-raised px-3 text-ember hover:bg-hover max-sm:h-10";
