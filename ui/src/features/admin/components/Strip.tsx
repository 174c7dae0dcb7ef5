import type { Fact } from "@/components/Facts";

/** A few facts side by side above a list. */
export function Strip({ facts }: { facts: Fact[] }) {
  return (
    <dl className="grid shrink-0 grid-cols-2 gap-x-8 gap-y-3 border-b border-line px-6 py-4 max-md:px-4 lg:grid-cols-4">
      {facts.map(([label, value]) => (
        <div key={label} className="min-w-0">
          <dt className="text-sm text-faint">{label}</dt>
          <dd className="break-words tabular-nums">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
