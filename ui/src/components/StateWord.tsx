import { cx } from "@/lib/cx";

export type Tone = "good" | "warn" | "bad" | "busy" | "rest";

// Each tone has a shape of its own, so that colour is never the only sign.
const shapes: Record<Tone, { colour: string; path: string }> = {
  good: { colour: "text-good", path: "M4 0a4 4 0 1 0 0 8a4 4 0 1 0 0-8z" },
  warn: { colour: "text-warn", path: "M4 0 8 7.5H0z" },
  bad: { colour: "text-bad", path: "M0.5 0.5h7v7h-7z" },
  busy: { colour: "text-muted", path: "M4 0a4 4 0 0 1 0 8z M4 0.8a3.2 3.2 0 0 0 0 6.4v0.8a4 4 0 0 1 0-8z" },
  rest: { colour: "text-faint", path: "M4 0a4 4 0 1 0 0 8a4 4 0 1 0 0-8z M4 1.2a2.8 2.8 0 1 1 0 5.6a2.8 2.8 0 1 1 0-5.6z" },
};

/** A state said in a word, with its shape and colour. */
export function StateWord({ tone, children, className }: { tone: Tone; children: string; className?: string }) {
  const { colour, path } = shapes[tone];
  return (
    <span className={cx("inline-flex items-center gap-1.5 align-top whitespace-nowrap", colour, className)}>
      <svg viewBox="0 0 8 8" className="size-2 shrink-0" fill="currentColor" fillRule="evenodd" aria-hidden="true">
        <path d={path} />
      </svg>
      {children}
    </span>
  );
}
