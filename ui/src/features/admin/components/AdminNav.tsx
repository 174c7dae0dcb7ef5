import { useLocation } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { NavLink, NavTitle } from "@/components/NavLink";
import { groups, usePlaces } from "../places";

/** Your own keys and devices, your workspace, and the server, as far as you may look after them. */
export function AdminNav() {
  const places = usePlaces();
  const path = useLocation({ select: ({ pathname }) => pathname });
  const list = useRef<HTMLDivElement>(null);
  // On a phone the entries are a row of tabs, wider than the screen.
  useEffect(() => {
    list.current?.querySelector("[aria-current=page]")?.scrollIntoView({ inline: "center", block: "nearest" });
  }, [path, places.length]);
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
