import { Dialog as Base } from "@base-ui/react/dialog";
import type { ReactNode } from "react";
import { Icon } from "@/components/icons";
import { useMedia } from "@/lib/media";

interface SidePaneProps {
  title: ReactNode;
  note?: ReactNode;
  onClose: () => void;
  /** Buttons at the foot, always in sight. */
  foot?: ReactNode;
  children: ReactNode;
}

/** The details of one row: over the list's right edge, which stays in use; a sheet on a phone. */
export function SidePane({ title, note, onClose, foot, children }: SidePaneProps) {
  const wide = useMedia("(min-width: 768px)");
  return (
    <Base.Root open modal={!wide} disablePointerDismissal={wide} onOpenChange={(open) => !open && onClose()}>
      <Base.Portal>
        {!wide && <Base.Backdrop className="appear fixed inset-0 z-40 bg-black/30" />}
        <Base.Popup className="appear fixed z-40 flex flex-col bg-raised shadow-lift outline-none max-md:inset-x-0 max-md:bottom-0 max-md:max-h-[85dvh] max-md:rounded-t md:inset-y-0 md:right-0 md:w-108 md:border-l md:border-line">
          <header className="flex items-start gap-3 border-b border-line py-3.5 pr-3 pl-5">
            <div className="min-w-0 grow">
              <Base.Title className="truncate text-lg font-semibold">{title}</Base.Title>
              {note && <Base.Description render={<div />}>{note}</Base.Description>}
            </div>
            <Base.Close aria-label="Close" className="grid size-8 place-items-center rounded text-muted hover:bg-hover max-sm:size-10">
              <Icon name="close" />
            </Base.Close>
          </header>
          {/* A keyboard can scroll it. */}
          {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
          <div tabIndex={0} role="region" aria-label="Details" className="grid min-h-0 grow content-start gap-5 overflow-y-auto px-5 py-4 focus-visible:-outline-offset-2">
            {children}
          </div>
          {foot && <footer className="flex flex-wrap justify-end gap-2 border-t border-line px-5 py-3">{foot}</footer>}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
