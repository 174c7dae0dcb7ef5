import { CodeBlock } from "@/components/CodeBlock";
import { Facts } from "@/components/Facts";
import { formatBytes, formatCount, plural } from "@/lib/format";
import type { Bundle } from "../api/bundle";
import { pathOf, reasonOf, sectionName } from "../bundleWords";
import { degradedInWords } from "../words";
import { RefLink } from "./RefLink";

const part = "grid content-start gap-2 border-b border-line px-6 py-4 max-md:px-4";

function Omissions({ bundle }: { bundle: Bundle }) {
  if (bundle.omissions.length === 0) return <p className="text-muted">Nothing was left out.</p>;
  return (
    <ul className="grid gap-2">
      {bundle.omissions.map((omission) => (
        <li key={`${omission.section} ${omission.reason}`}>
          <details>
            <summary className="min-h-6 cursor-pointer">
              <span className="font-medium tabular-nums">{formatCount(omission.count)}</span> from {sectionName(omission.section)}: {reasonOf(omission)}
            </summary>
            <p className="flex flex-wrap gap-x-3 pl-4">
              {omission.candidates.map((id) => (
                <RefLink key={id} id={id} />
              ))}
            </p>
          </details>
        </li>
      ))}
    </ul>
  );
}

function Conflicts({ bundle: { conflicts } }: { bundle: Bundle }) {
  if (conflicts.length === 0) return null;
  return (
    <section className={part}>
      <h2 className="font-semibold">Left out because a turn says otherwise</h2>
      <ul className="grid gap-2">
        {conflicts.map(({ memory_id, event_id, memory_says, event_says }) => (
          <li key={memory_id}>
            <RefLink id={memory_id} /> says {memory_says.join(", ")}; <RefLink id={event_id} /> says {event_says.join(", ")}.
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What was left out and why, how the rest came about, and the text as an agent gets it. */
export function BundleNotes({ bundle }: { bundle: Bundle }) {
  const { provenance, rendered, acb_id, edits_applied } = bundle;
  const { query_terms, candidate_pool_size, filters, scoring, path, reads, bytes_read, dedupe_count, degraded, digest, estimator } = provenance;
  const searched = scoring.alpha + scoring.beta > 0;
  return (
    <>
      <section className={part}>
        <h2 className="font-semibold">Left out</h2>
        <Omissions bundle={bundle} />
      </section>
      <Conflicts bundle={bundle} />
      <section className={part}>
        <h2 className="font-semibold">How it came about</h2>
        <Facts
          facts={[
            ["Put together", pathOf(path)],
            ["Searched for", query_terms.join(", ")],
            ["Looked at", `${plural(candidate_pool_size, "candidate")}, ${plural(dedupe_count, "of them a repetition", "of them repetitions")}`],
            ["Scores", searched && `words ${scoring.alpha.toFixed(2)}, meaning ${scoring.beta.toFixed(2)}, time and importance up to ${scoring.gamma.toFixed(2)}`],
            ["Read from", `${filters.channels_allowed.join(", ")}; sensitivity ${filters.sensitivity_allowed.join(", ")}`],
            ["Reads", `${formatCount(reads)}, ${formatBytes(bytes_read)}`],
            ["Edits in it", edits_applied.length > 0 && formatCount(edits_applied.length)],
            ["Reduced", degraded.map(degradedInWords).join(" ")],
            ["Tokens by", estimator],
            ["Id", <code key="id" className="font-mono text-sm break-all">{acb_id}</code>],
            ["Digest", <code key="digest" className="font-mono text-xs break-all">{digest}</code>],
          ]}
        />
      </section>
      {rendered && (
        <section className={part}>
          <CodeBlock label="As the agent reads it" code={rendered} wraps />
        </section>
      )}
    </>
  );
}
