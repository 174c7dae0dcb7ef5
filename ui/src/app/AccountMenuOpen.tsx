import { Menu } from "@base-ui/react/menu";
import { useNavigate } from "@tanstack/react-router";
import { Icon } from "@/components/icons";
import { popupLook, rowLook } from "@/components/looks";
import { useMedia } from "@/lib/media";
import { usePrincipal } from "@/lib/principal";
import { setTheme, useTheme, type Theme } from "@/lib/theme";
import { avatarLook } from "./AccountMenu";
import { useSignOut } from "./useSignOut";

const themes: { value: Theme; label: string }[] = [
  { value: "system", label: "As the system" },
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
];

/** The menu of one's own account, open at first. */
export function AccountMenuOpen() {
  const { username, tenantName, roles } = usePrincipal();
  const theme = useTheme();
  const beside = useMedia("(min-width: 768px)");
  const navigate = useNavigate();
  const signOut = useSignOut();
  return (
    <Menu.Root defaultOpen>
      <Menu.Trigger aria-label={`Account: ${username}`} data-initials={username.slice(0, 2)} className={avatarLook} />
      <Menu.Portal>
        <Menu.Positioner side={beside ? "right" : "top"} align="end" sideOffset={10} className="z-50">
          <Menu.Popup className={`${popupLook} w-60`}>
            <div className="border-b border-line px-2 pt-1 pb-2">
              <p className="font-medium">{username}</p>
              <p className="text-sm text-muted">{[tenantName, roles.join(", ")].filter(Boolean).join(" · ")}</p>
            </div>
            <Menu.Group className="border-b border-line py-1">
              <Menu.GroupLabel className="px-2 py-1 text-sm text-faint">Theme</Menu.GroupLabel>
              <Menu.RadioGroup value={theme} onValueChange={setTheme}>
                {themes.map(({ value, label }) => (
                  <Menu.RadioItem key={value} value={value} className={rowLook}>
                    <span className="w-4">
                      <Menu.RadioItemIndicator>
                        <Icon name="check" className="size-3.5 text-ember" />
                      </Menu.RadioItemIndicator>
                    </span>
                    {label}
                  </Menu.RadioItem>
                ))}
              </Menu.RadioGroup>
            </Menu.Group>
            <Menu.Item className={`${rowLook} mt-1`} onClick={() => void navigate({ to: "/settings/devices" })}>
              Signed-in devices
            </Menu.Item>
            <Menu.Item className={rowLook} onClick={signOut}>
              Sign out
            </Menu.Item>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
