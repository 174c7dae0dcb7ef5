import { Link } from "@tanstack/react-router";
import { linkLook } from "@/components/looks";
import { formatDate } from "@/lib/format";
import type { Decision } from "../api/work";
import { dayOf } from "../filters";

const parts = [
  ["Why", "rationale"],
  ["Must respect", "constraints"],
  ["Turned down", "alternatives"],
  ["What follows", "consequences"],
] as const;

/** When, where and why something was decided. */
export function DecisionBody({ decision }: { decision: Decision }) {
  const { ts, scope, subject, channel, session_id, event_id } = decision;
  return (
    <>
      <p className="text-sm text-muted tabular-nums">
        {[formatDate(ts), scope !== "project" && scope, subject && `about ${subject}`, channel !== "private" && channel].filter(Boolean).join(" · ")} ·{" "}
        <Link to="/memory/timeline" search={{ session: session_id, day: dayOf(ts), event: event_id }} className={linkLook}>
          open in timeline
        </Link>
      </p>
      <dl className="grid max-w-4xl gap-x-6 gap-y-2 pt-1 sm:grid-cols-2">
        {parts
          .filter(([, name]) => decision[name].length > 0)
          .map(([label, name]) => (
            <div key={name} className="min-w-0">
              <dt className="text-sm text-faint">{label}</dt>
              <dd>
                <ul>
                  {decision[name].map((line, index) => (
                    <li key={index} className="break-words">
                      {line}
                    </li>
                  ))}
                </ul>
              </dd>
            </div>
          ))}
      </dl>
    </>
  );
}
