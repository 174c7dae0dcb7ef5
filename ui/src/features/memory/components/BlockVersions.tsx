import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { ErrorNote } from "@/components/ErrorNote";
import { formatDateTime } from "@/lib/format";
import { versionsQuery, type Block, type BlockVersion } from "../api/blocks";
import { statsQuery } from "../api/recall";
import { actorInWords } from "../memoryWords";
import { Diffed } from "./Diffed";
import { Older } from "./Section";

function VersionRow({ version, before, me }: { version: BlockVersion; before: BlockVersion | undefined; me: string | undefined }) {
  return (
    <li className="relative grid gap-1 border-l border-line pb-4 pl-4 last:pb-0">
      <span aria-hidden="true" className="absolute top-1.5 -left-1 size-2 rounded-full bg-edge ring-3 ring-raised" />
      <p className="text-sm text-muted tabular-nums">
        Version {version.version} by {actorInWords(version.actor, me)}, <time dateTime={version.recorded_at}>{formatDateTime(version.recorded_at)}</time>
      </p>
      {before ? <Diffed before={before.text} now={version.text} /> : <p className="break-words whitespace-pre-wrap">{version.text}</p>}
    </li>
  );
}

/** What each version of a block changed, the last first. */
export function BlockVersions({ block }: { block: Block }) {
  const versions = useInfiniteQuery(versionsQuery(block));
  const me = useQuery(statsQuery).data?.user_id;
  const rows = versions.data?.pages.flatMap((page) => page.items) ?? [];
  // The oldest row so far has nothing to be compared with while older ones are not there yet.
  const shown = versions.hasNextPage ? rows.slice(0, -1) : rows;
  return (
    <section>
      <h3 className="pb-2 font-semibold">Versions</h3>
      {versions.isError && <ErrorNote error={versions.error} onRetry={() => void versions.refetch()} />}
      <ol aria-label="Versions, last first" className="pl-1">
        {shown.map((version, index) => (
          <VersionRow key={version.version} version={version} before={rows[index + 1]} me={me} />
        ))}
      </ol>
      <Older more={versions.hasNextPage && (() => void versions.fetchNextPage())} />
    </section>
  );
}
