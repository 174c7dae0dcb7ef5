import { Facts } from "@/components/Facts";
import { SidePane } from "@/components/SidePane";
import type { Setting } from "../api/server";

const mono = (text: string) => <code className="font-mono text-sm break-all">{text}</code>;

/** One setting: what it means and how to change it. */
export function SettingPane({ setting, onClose }: { setting: Setting; onClose: () => void }) {
  return (
    <SidePane title={setting.name} onClose={onClose}>
      <p>{setting.meaning}</p>
      <Facts
        facts={[
          ["Value", setting.value == null ? "not set" : mono(setting.value)],
          ["Default", setting.default ? mono(setting.default) : "none"],
          ["Comes from", setting.source],
          ["Secret", setting.is_secret && "yes: its value is never shown"],
        ]}
      />
      <p className="text-sm text-muted">
        Set it in the environment or in the server’s file, then {setting.needs_restart ? "restart the server." : "send the server SIGHUP: it is read again while it runs."} Check first with <code className="font-mono">hearth config check</code>.
      </p>
    </SidePane>
  );
}
