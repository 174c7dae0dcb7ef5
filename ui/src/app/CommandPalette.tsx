import { Autocomplete } from "@base-ui/react/autocomplete";
import { Dialog } from "@base-ui/react/dialog";
import { useState } from "react";
import { Icon } from "@/components/icons";
import { popupLook, rowLook } from "@/components/looks";
import { useCommands, type Command } from "./useCommands";

/** Every page and switch by name, and a search of memory for whatever was typed. */
export function CommandPalette({ onClose }: { onClose: () => void }) {
  const [typed, setTyped] = useState("");
  const commands = useCommands(typed);
  const run = (command: Command) => {
    onClose();
    command.run();
  };
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="appear fixed inset-0 z-40 bg-black/30" />
        <Dialog.Popup aria-label="Commands" className={`${popupLook} fixed top-[14vh] left-1/2 z-50 w-[34rem] -translate-x-1/2 p-0!`}>
          <Autocomplete.Root items={commands} filter={null} value={typed} onValueChange={setTyped} itemToStringValue={(command) => command.label} inline open autoHighlight="always" keepHighlight>
            <div className="flex items-center gap-2.5 border-b border-line px-4">
              <Icon name="search" className="size-4 text-faint" />
              <Autocomplete.Input aria-label="Command or search" placeholder="Go to a page, or search memory" className="h-12 grow bg-transparent text-lg outline-none" />
              <kbd className="rounded border border-line px-1.5 font-sans text-xs text-faint">esc</kbd>
            </div>
            <Autocomplete.List className="p-1.5">
              {(command: Command) => (
                <Autocomplete.Item key={command.id} value={command} className={`${rowLook} min-h-9`} onClick={() => run(command)}>
                  <span className="grow truncate">{command.label}</span>
                  <span className="text-sm text-faint">{command.kind}</span>
                </Autocomplete.Item>
              )}
            </Autocomplete.List>
          </Autocomplete.Root>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
