import { Menu } from "@base-ui/react/menu";
import { Icon } from "@/components/icons";
import { popupLook, rowLook } from "@/components/looks";
import { exportHref, type AuditFilter } from "../api/audit";

const formats = [
  { format: "jsonl", label: "JSON lines", hint: "for programs" },
  { format: "csv", label: "CSV", hint: "for spreadsheets" },
] as const;

/** Downloads the rows that fit the filters. */
export function ExportMenu({ filter }: { filter: AuditFilter }) {
  return (
    <Menu.Root>
      <Menu.Trigger className="inline-flex h-8 items-center gap-1.5 rounded border border-line bg-raised px-3 hover:bg-hover max-sm:h-10">
        Export <Icon name="down" className="size-3" />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner sideOffset={6} align="end" className="z-50">
          <Menu.Popup className={popupLook}>
            {formats.map(({ format, label, hint }) => (
              <Menu.Item key={format} className={rowLook} render={<a href={exportHref(format, filter)} download>{label}</a>}>
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
