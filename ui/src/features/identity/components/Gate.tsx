import type { ReactNode } from "react";
import { Mark } from "@/components/Mark";
import { useTitle } from "@/lib/useTitle";

/** The page before one is inside: set-up and sign-in. */
export function Gate({ title, lead, children }: { title: string; lead: string; children: ReactNode }) {
  useTitle(title);
  return (
    <main className="grid min-h-full place-items-center px-5 py-10">
      <div className="grid w-full max-w-sm gap-6">
        <div className="grid gap-3">
          <Mark className="h-9 justify-self-start" />
          <div>
            <h1 className="text-2xl font-semibold tracking-tight">{title}</h1>
            <p className="mt-1 text-muted">{lead}</p>
          </div>
        </div>
        {children}
      </div>
    </main>
  );
}
