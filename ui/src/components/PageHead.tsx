import type { ReactNode } from "react";

export function PageHead({ title, note, children }: { title: string; note: string; children?: ReactNode }) {
  return (
    <header className="flex flex-wrap items-center justify-between gap-3 border-b border-line px-6 py-4 max-md:px-4">
      <div>
        <h1 className="text-xl font-semibold">{title}</h1>
        <p className="text-muted">{note}</p>
      </div>
      {children}
    </header>
  );
}
