import { StateWord } from "@/components/StateWord";
import { cx } from "@/lib/cx";
import { usePrincipal } from "@/lib/principal";
import type { Person } from "../api/people";

export function PersonName({ person }: { person: Person }) {
  const isYou = usePrincipal().username === person.username;
  return (
    <span className="flex items-baseline gap-2.5">
      <span className={cx("truncate", person.disabled_at ? "text-muted line-through" : "font-medium")}>{person.username}</span>
      {isYou && <span className="text-sm text-faint">you</span>}
      {person.disabled_at && (
        <StateWord tone="bad" className="text-sm">
          disabled
        </StateWord>
      )}
    </span>
  );
}
