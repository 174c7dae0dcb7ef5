import { chipLook } from "@/components/looks";
import { cx } from "@/lib/cx";

export function DayJump({ day, onChange }: { day: string | undefined; onChange: (day: string | undefined) => void }) {
  return (
    <label className={cx(chipLook, "max-w-none", day && "border-glow text-ember")}>
      {day ? "up to" : "jump to"}
      <input type="date" value={day ?? ""} onChange={(event) => onChange(event.target.value || undefined)} aria-label="Jump to date" className="bg-transparent tabular-nums outline-none" />
    </label>
  );
}
