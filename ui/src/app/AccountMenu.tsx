import { lazy } from "react";
import { OnDemand } from "@/components/OnDemand";
import { usePrincipal } from "@/lib/principal";

// Initials are drawn, not said: the button is named by the whole username.
export const avatarLook =
  "mt-1 grid size-8 place-items-center rounded-full bg-context text-sm font-semibold text-[#1f1d1a] uppercase before:content-[attr(data-initials)] max-md:mt-0 max-md:size-9";

const load = () => import("./AccountMenuOpen");
const Open = lazy(() => load().then((module) => ({ default: module.AccountMenuOpen })));

export function AccountMenu() {
  const { username } = usePrincipal();
  return <OnDemand load={load} popup="menu" label={`Account: ${username}`} initials={username.slice(0, 2)} className={avatarLook} opened={<Open />} />;
}
