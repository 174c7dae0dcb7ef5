import { useQuery } from "@tanstack/react-query";
import { ErrorNote } from "@/components/ErrorNote";
import { formatDateTime } from "@/lib/format";
import { historyQuery, type Version } from "../api/memories";
import { statsQuery } from "../api/recall";
import { actorInWords, changedFields, opOf } from "../memoryWords";
import { Diffed } from "./Diffed";

function VersionRow({ version, before, me }: { version: Version; before: Version | undefined; me: string | undefined }) {
  const { op, actor, reason, recorded_at, text, previous_text } = version;
  const fields = changedFields(before, version);
  return (
    <li className="relative grid gap-1 border-l border-line pb-4 pl-4 last:pb-0">
      <span aria-hidden="true" className="absolute top-1.5 -left-1 size-2 rounded-full bg-edge ring-3 ring-raised" />
      <p>
        <span className="font-medium">{opOf(op)}</span> <span className="text-muted">by {actorInWords(actor, me)}</span>
      </p>
      <p className="text-sm text-faint tabular-nums">
        Version {version.version}, <time dateTime={recorded_at}>{formatDateTime(recorded_at)}</time>
      </p>
      {reason && <p className="text-muted">“{reason}”</p>}
      {previous_text == null ? <p className="break-words whitespace-pre-wrap">{text}</p> : previous_text !== text && <Diffed before={previous_text} now={text} />}
      {fields.length > 0 && (
        <ul className="text-sm text-muted tabular-nums">
          {fields.map((field) => (
            <li key={field} className="break-words">
              {field}
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

/** Every version of a memory, the latest first, as what it changed. */
export function History({ memoryId }: { memoryId: string }) {
  const history = useQuery(historyQuery(memoryId));
  const me = useQuery(statsQuery).data?.user_id;
  const versions = history.data ?? [];
  return (
    <section>
      <h3 className="pb-2 font-semibold">History</h3>
      {history.isError && <ErrorNote error={history.error} onRetry={() => void history.refetch()} />}
      <ol aria-label="Versions, latest first" className="pl-1">
        {versions.map((version, index) => <VersionRow key={version.version} version={version} before={versions[index - 1]} me={me} />).reverse()}
      </ol>
    </section>
  );
}
