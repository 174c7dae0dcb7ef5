import { CopyButton } from "@/components/CopyButton";
import { cx } from "@/lib/cx";

export function CodeBlock({ code, label, wraps }: { code: string; label: string; wraps?: boolean }) {
  return (
    <figure className="overflow-hidden rounded border border-line bg-raised">
      <figcaption className="flex items-center justify-between border-b border-line py-1.5 pr-1.5 pl-3 text-sm text-muted">
        {label}
        <CopyButton text={code} />
      </figcaption>
      {/* A keyboard can scroll it. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre tabIndex={0} className={cx("overflow-x-auto p-3 font-mono text-sm leading-5", wraps && "break-words whitespace-pre-wrap")}>
        {code}
      </pre>
    </figure>
  );
}
