import { useId, type ComponentProps, type ReactNode } from "react";
import { inputLook } from "@/components/Field";
import { cx } from "@/lib/cx";

interface TextAreaProps extends ComponentProps<"textarea"> {
  label: string;
  hint?: ReactNode;
  /** Said after the label: "is empty". */
  error?: string;
}

/** A labelled field of several lines, which grows with what is written. */
export function TextArea({ label, hint, error, className, ...input }: TextAreaProps) {
  const id = useId();
  const describedBy = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div className={cx("grid min-w-0 grid-cols-[minmax(0,1fr)] gap-1.5", className)}>
      <label htmlFor={id} className="font-medium">
        {label}
      </label>
      <textarea id={id} rows={3} className={cx(inputLook, "h-auto! max-h-60 resize-y py-1.5 field-sizing-content")} aria-invalid={Boolean(error)} aria-describedby={describedBy || undefined} {...input} />
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
