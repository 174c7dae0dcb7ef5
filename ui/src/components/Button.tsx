import type { ComponentProps } from "react";
import { cx } from "@/lib/cx";

type Look = "fire" | "plain" | "quiet" | "danger";

const looks: Record<Look, string> = {
  fire: "bg-fire text-on-fire font-medium hover:brightness-95",
  plain: "bg-raised border border-line hover:bg-hover",
  quiet: "text-muted hover:bg-hover hover:text-ink",
  danger: "bg-bad text-raised font-medium hover:brightness-95",
};

interface ButtonProps extends ComponentProps<"button"> {
  look?: Look;
  /** Says what is going on while the work lasts, and keeps a second press away. */
  busy?: string | false;
}

export function Button({ look = "plain", busy, className, children, disabled, type = "button", ...rest }: ButtonProps) {
  return (
    <button
      type={type}
      disabled={disabled || Boolean(busy)}
      className={cx("inline-flex h-8 items-center justify-center gap-1.5 rounded px-3 text-base whitespace-nowrap transition-colors duration-100 disabled:opacity-60 max-sm:h-10", looks[look], className)}
      {...rest}
    >
      {busy || children}
    </button>
  );
}
