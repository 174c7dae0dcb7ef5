import { useId, type ComponentProps } from "react";
import { inputLook } from "@/components/Field";
import { cx } from "@/lib/cx";

interface SelectProps extends ComponentProps<"select"> {
  label: string;
  choices: readonly { value: string; label: string }[];
}

/** A labelled choice; the browser's own list, which every phone draws well. */
export function Select({ label, choices, className, ...select }: SelectProps) {
  const id = useId();
  return (
    <div className={cx("grid min-w-0 grid-cols-[minmax(0,1fr)] gap-1.5", className)}>
      <label htmlFor={id} className="font-medium">
        {label}
      </label>
      <select id={id} className={inputLook} {...select}>
        {choices.map(({ value, label: said }) => (
          <option key={value} value={value}>
            {said}
          </option>
        ))}
      </select>
    </div>
  );
}
