import type { ReactNode } from "react";

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="mx-auto grid max-w-2xl gap-3 px-5 py-10">
      <h2 className="text-xl font-semibold">{title}</h2>
      {children}
    </div>
  );
}
