import { Link } from "@tanstack/react-router";
import { linkLook } from "@/components/looks";
import { cx } from "@/lib/cx";
import { formatDateTime } from "@/lib/format";
import { scoreParts, type Hit, type MemoryEvent, type MemoryItem } from "../api/recall";
import { dayOf } from "../filters";
import { bandOfPart, bands, partInWords } from "../score";
import { Around } from "./Around";

const fillOf = Object.fromEntries(bands.map((band) => [band.id, band.fill]));

/** The parts of a score, which add up to it. */
export function Why({ hit }: { hit: Hit }) {
  return (
    <table className="w-full">
      <caption className="pb-1 text-left font-semibold">Why this one</caption>
      <tbody>
        {scoreParts(hit).map((part, index) => (
          <tr key={index} className="border-b border-line">
            <th scope="row" className="py-1.5 text-left font-normal">
              <span className="flex items-baseline gap-2">
                <span aria-hidden="true" className={cx("size-2 shrink-0 rounded-full", fillOf[bandOfPart(part)])} />
                {partInWords(part, hit)}
              </span>
            </th>
            <td className="pl-3 text-right tabular-nums">{part.value.toFixed(3)}</td>
          </tr>
        ))}
        <tr className="font-semibold">
          <th scope="row" className="py-1.5 pl-4 text-left">
            score
          </th>
          <td className="text-right tabular-nums">{hit.score.toFixed(3)}</td>
        </tr>
      </tbody>
    </table>
  );
}

function KeptMemory({ memory }: { memory: MemoryItem }) {
  return (
    <p className="pb-1 text-sm text-muted tabular-nums">
      <Link to="/memory/memories" search={{ memory: memory.memory_id }} className={linkLook}>
        {memory.type}
      </Link>{" "}
      since {formatDateTime(memory.valid_from)}
      {memory.valid_to ? ` until ${formatDateTime(memory.valid_to)}` : ""}, strength {memory.strength.toFixed(2)}, version {memory.version}
    </p>
  );
}

function KeptEvent({ event }: { event: MemoryEvent }) {
  return (
    <>
      <p className="text-sm text-muted tabular-nums">
        {event.kind.replace("_", " ")} {event.seq} of {event.session_id}, {event.channel}, {formatDateTime(event.ts)}
      </p>
      <Link
        to="/memory/timeline"
        search={{ session: event.session_id, day: dayOf(event.ts), event: event.event_id }}
        className="mt-3 inline-flex h-8 items-center rounded border border-line bg-raised px-3 text-ember hover:bg-hover max-sm:h-10"
      >
        Open in timeline
      </Link>
    </>
  );
}

/** Everything about one hit: what made its score, what was said around it, where it came from. */
export function HitDetail({ hit }: { hit: Hit }) {
  return (
    <div className="grid gap-6">
      <Why hit={hit} />
      <Around hit={hit} />
      <section>
        <h2 className="pb-1 font-semibold">Kept as</h2>
        {hit.memory && <KeptMemory memory={hit.memory} />}
        {hit.event && <KeptEvent event={hit.event} />}
      </section>
    </div>
  );
}
