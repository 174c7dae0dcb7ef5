import { useRef } from "react";
import { NavLink, NavTitle } from "@/components/NavLink";
import { useCurrentInView } from "@/lib/useCurrentInView";
import { groups, usePlaces } from "../places";

/** Your own keys and devices, your workspace, and the server, as far as you may look after them. */
export function AdminNav() {
  const places = usePlaces();
  const list = useRef<HTMLDivElement>(null);
  useCurrentInView(list, places.length);
  return (
    <div ref={list} className="max-md:flex">
      <NavTitle>Admin</NavTitle>
      {groups.map((group) => {
        const inside = places.filter((place) => place.group === group);
        return (
          inside.length > 0 && (
            <div key={group} role="group" aria-label={group} className="max-md:contents md:pb-3">
              <p aria-hidden="true" className="px-3 pb-1 text-sm text-faint max-md:hidden">
                {group}
              </p>
              {inside.map(({ to, label }) => (
                <NavLink key={to} to={to}>
                  {label}
                </NavLink>
              ))}
            </div>
          )
        );
      })}
    </div>
  );
}
