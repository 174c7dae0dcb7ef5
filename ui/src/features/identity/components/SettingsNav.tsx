import { NavLink, NavTitle } from "@/components/NavLink";

export function SettingsNav() {
  return (
    <>
      <NavTitle>Settings</NavTitle>
      <NavLink to="/settings/api-keys">API keys</NavLink>
      <NavLink to="/settings/devices">Signed-in devices</NavLink>
    </>
  );
}
