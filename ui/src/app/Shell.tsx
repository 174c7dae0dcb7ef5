import { Outlet, useRouterState } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { SettingsNav } from "@/features/identity/components/SettingsNav";
import { MemoryNav } from "@/features/memory/components/MemoryNav";
import { Rail } from "./Rail";

const CommandPalette = lazy(() => import("./CommandPalette").then((module) => ({ default: module.CommandPalette })));

/** Rail, the section's panel, the page. On a phone the rail lies below and the panel becomes tabs. */
export function Shell() {
  const section = useRouterState({ select: (state) => state.location.pathname.split("/")[1] });
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
        <nav aria-label={section === "settings" ? "Settings" : "Memory"} className="shrink-0 border-line bg-rail max-md:flex max-md:border-b max-md:px-1 md:flex md:w-62 md:flex-col md:border-r md:p-2">
          {section === "settings" ? <SettingsNav /> : <MemoryNav />}
        </nav>
        <main id="page" tabIndex={-1} className="min-h-0 min-w-0 grow overflow-y-auto outline-none">
          <Outlet />
        </main>
      </div>
      <Suspense>{paletteOpen && <CommandPalette onClose={() => setPaletteOpen(false)} />}</Suspense>
    </div>
  );
}
