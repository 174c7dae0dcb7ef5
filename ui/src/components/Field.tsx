import { useId, type ComponentProps, type ReactNode } from "react";
import { cx } from "@/lib/cx";

interface FieldProps extends ComponentProps<"input"> {
  label: string;
  hint?: ReactNode;
  /** Said after the label: "is taken". */
  error?: string;
}

export const inputLook =
  "h-9 w-full rounded border border-edge bg-raised px-3 text-base max-sm:h-11 max-sm:text-lg focus-visible:border-glow focus-visible:outline-offset-0";

export function Field({ label, hint, error, className, ...input }: FieldProps) {
  const id = useId();
  const describedBy = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div className={cx("grid min-w-0 grid-cols-[minmax(0,1fr)] gap-1.5", className)}>
      <label htmlFor={id} className="font-medium">
        {label}
      </label>
      <input id={id} className={inputLook} aria-invalid={Boolean(error)} aria-describedby={describedBy || undefined} {...input} />
      {hint && (
        <div id={`${id}-hint`} className="text-sm text-muted">
          {hint}
        </div>
      )}
      {error && (
        <p id={`${id}-error`} className="text-sm text-bad">
          {label} {error}.
        </p>
      )}
    </div>
  );
}
