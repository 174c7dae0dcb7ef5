import { Outlet, useRouterState } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { MemoryNav } from "@/features/memory/components/MemoryNav";
import { Rail, sectionOf } from "./Rail";

const AdminNav = lazy(() => import("@/features/admin/components/AdminNav").then((module) => ({ default: module.AdminNav })));
const CommandPalette = lazy(() => import("./CommandPalette").then((module) => ({ default: module.CommandPalette })));

/** Rail, the section's panel, the page. On a phone the rail lies below and the panel becomes tabs. */
export function Shell() {
  const isAdmin = useRouterState({ select: (state) => sectionOf(state.location.pathname) === "admin" });
  const [paletteOpen, setPaletteOpen] = useState(false);
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.metaKey || event.ctrlKey)) return;
      event.preventDefault();
      setPaletteOpen((open) => !open);
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, []);

  return (
    <div className="flex h-full max-md:flex-col-reverse">
      <a href="#page" className="fixed top-2 left-2 z-50 rounded bg-raised px-3 py-2 shadow-lift not-focus:sr-only">
        Skip to the page
      </a>
      <Rail onPalette={() => setPaletteOpen(true)} />
      <div className="flex min-h-0 min-w-0 grow max-md:flex-col">
        <nav aria-label={isAdmin ? "Admin" : "Memory"} className="shrink-0 border-line bg-rail max-md:flex max-md:h-11.25 max-md:overflow-x-auto max-md:border-b max-md:px-1 md:flex md:w-62 md:flex-col md:border-r md:p-2">
          <Suspense>{isAdmin ? <AdminNav /> : <MemoryNav />}</Suspense>
        </nav>
        <main id="page" tabIndex={-1} className="min-h-0 min-w-0 grow overflow-y-auto outline-none">
          <Outlet />
        </main>
      </div>
      <Suspense>{paletteOpen && <CommandPalette onClose={() => setPaletteOpen(false)} />}</Suspense>
    </div>
  );
}
