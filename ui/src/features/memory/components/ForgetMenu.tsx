import { Menu } from "@base-ui/react/menu";
import { Icon } from "@/components/icons";
import { popupLook, rowLook } from "@/components/looks";
import type { ActName } from "../useMemoryActions";

interface ForgetMenuProps {
  onAct: (name: ActName) => void;
  onErase: () => void;
}

/** The three ways to forget, from the one that is easily undone to the one that is not. */
export function ForgetMenu({ onAct, onErase }: ForgetMenuProps) {
  const choices = [
    { label: "Stop using it", hint: "can be brought back", run: () => onAct("stop") },
    { label: "Block it", hint: "never derived again", run: () => onAct("block") },
    { label: "Erase it…", hint: "gone for good", run: onErase },
  ];
  return (
    <Menu.Root>
      <Menu.Trigger className="inline-flex h-8 items-center gap-1.5 rounded border border-line bg-raised px-3 hover:bg-hover max-sm:h-10">
        Forget <Icon name="down" className="size-3" />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner sideOffset={6} align="start" side="top" className="z-50">
          <Menu.Popup className={popupLook}>
            {choices.map(({ label, hint, run }) => (
              <Menu.Item key={label} className={rowLook} onClick={run}>
                <span className="grow">{label}</span>
                <span className="pl-4 text-sm text-faint">{hint}</span>
              </Menu.Item>
            ))}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
