import { Link, useRouterState } from "@tanstack/react-router";
import { Icon, type IconName } from "@/components/icons";
import { Mark } from "@/components/Mark";
import { cx } from "@/lib/cx";
import { AccountMenu } from "./AccountMenu";

const cell = "grid size-9 place-items-center rounded border border-transparent text-muted hover:bg-hover hover:text-ink max-md:my-1 max-md:size-10";

/** First word of a path; one's own settings are pages of Admin. */
export function sectionOf(path: string): string | undefined {
  const first = path.split("/")[1];
  return first === "settings" ? "admin" : first;
}

function Section({ to, icon, label }: { to: string; icon: IconName; label: string }) {
  // A section stays lit on all of its pages.
  const isHere = useRouterState({ select: ({ location }) => sectionOf(location.pathname) === sectionOf(to) });
  return (
    <Link to={to} aria-label={label} aria-current={isHere ? "true" : undefined} title={label} className={cx(cell, isHere && "border-line! bg-raised text-ember!")}>
      <Icon name={icon} className="size-5" />
    </Link>
  );
}

export function Rail({ onPalette }: { onPalette: () => void }) {
  return (
    <nav aria-label="Sections" className="flex shrink-0 items-center border-line bg-rail max-md:justify-around max-md:border-t max-md:pb-[env(safe-area-inset-bottom)] md:w-14 md:flex-col md:gap-1 md:border-r md:py-3">
      <Mark className="mb-4 h-6 mt-1 max-md:hidden" />
      <Section to="/memory" icon="memory" label="Memory" />
      <button type="button" className={cell} onClick={onPalette} aria-label="Commands" title="Commands (⌘K or Ctrl K)">
        <Icon name="command" className="size-5" />
      </button>
      <span className="grow max-md:hidden" />
      <Section to="/admin" icon="sliders" label="Admin" />
      <AccountMenu />
    </nav>
  );
}
