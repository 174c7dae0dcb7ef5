import { cx } from "@/lib/cx";
import type { Strength } from "../password";

const fills = ["bg-edge", "bg-bad", "bg-warn", "bg-good"];

export function PasswordStrength({ strength }: { strength: Strength }) {
  return (
    <span className="grid gap-1.5" aria-live="polite">
      <span className="grid grid-cols-3 gap-1" aria-hidden="true">
        {[1, 2, 3].map((step) => (
          <span key={step} className={cx("h-1 rounded-full", step <= strength.level ? fills[strength.level] : "bg-track")} />
        ))}
      </span>
      <span>{strength.says}</span>
    </span>
  );
}
