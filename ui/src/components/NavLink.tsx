import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { cx } from "@/lib/cx";
import { formatCount } from "@/lib/format";

export function NavTitle({ children }: { children: ReactNode }) {
  return <p className="px-3 pt-3 pb-3 font-semibold max-md:hidden">{children}</p>;
}

interface NavLinkProps {
  to: string;
  children: ReactNode;
  count?: number;
  /** The count is of things that wait for the reader. */
  urgent?: boolean;
}

/** An entry of a section's side panel; a tab above the page on a phone. */
export function NavLink({ to, children, count, urgent }: NavLinkProps) {
  return (
    <Link
      to={to}
      activeOptions={{ exact: true, includeSearch: false }}
      className="flex h-8 shrink-0 items-center justify-between gap-3 rounded px-3 hover:bg-hover max-md:h-11 max-md:rounded-none max-md:border-b-2 max-md:border-transparent"
      activeProps={{ className: "bg-hover font-medium max-md:border-glow! max-md:bg-transparent" }}
    >
      {children}
      {count !== undefined && <span className={cx("text-sm font-normal tabular-nums", urgent ? "text-ember" : "text-faint")}>{formatCount(count)}</span>}
    </Link>
  );
}
