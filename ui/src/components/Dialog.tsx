import { Dialog as Base } from "@base-ui/react/dialog";
import type { ReactNode } from "react";
import { Icon } from "@/components/icons";

interface DialogProps {
  open: boolean;
  onClose: () => void;
  title: string;
  description?: ReactNode;
  children: ReactNode;
  /** False while the dialog holds something that must not vanish by a stray key or click. */
  dismissible?: boolean;
}

/** Centred on a wide screen, a sheet from below on a phone. */
export function Dialog({ open, onClose, title, description, children, dismissible = true }: DialogProps) {
  return (
    <Base.Root open={open} onOpenChange={(next) => !next && dismissible && onClose()} disablePointerDismissal={!dismissible}>
      <Base.Portal>
        <Base.Backdrop className="appear fixed inset-0 z-40 bg-black/30" />
        <Base.Popup className="appear fixed z-50 grid max-h-[90dvh] gap-4 overflow-y-auto bg-canvas p-5 shadow-lift outline-none max-sm:inset-x-0 max-sm:bottom-0 max-sm:rounded-t sm:top-[12vh] sm:left-1/2 sm:w-[30rem] sm:-translate-x-1/2 sm:rounded sm:border sm:border-line">
          <div className="flex items-start justify-between gap-4">
            <div>
              <Base.Title className="text-xl font-semibold">{title}</Base.Title>
              {description && <Base.Description className="mt-1 text-muted">{description}</Base.Description>}
            </div>
            {dismissible && (
              <Base.Close aria-label="Close" className="-mt-1 -mr-1 grid size-8 place-items-center rounded text-muted hover:bg-hover max-sm:size-10">
                <Icon name="close" />
              </Base.Close>
            )}
          </div>
          {children}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
