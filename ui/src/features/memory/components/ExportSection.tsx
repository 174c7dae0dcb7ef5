import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/components/Button";
import { Fetched } from "@/components/Fetched";
import { StateWord } from "@/components/StateWord";
import { formatBytes, formatDateTime, formatRelative } from "@/lib/format";
import { statsQuery } from "../api/recall";
import { exportHref, exportsQuery, type Export } from "../api/rights";
import { ExportDialog } from "./ExportDialog";
import { downloadLook, Line, Older, Section } from "./Section";

function ExportLine({ made: { export_id, user_id, objects, state, requested_at, expires_at, size_bytes, sha256 } }: { made: Export }) {
  const me = useQuery(statsQuery).data?.user_id;
  const whose = user_id == null ? "The whole workspace" : user_id === me ? "Held about you" : user_id;
  const isDone = state === "done";
  return (
    <Line
      title={`${whose}${objects ? ", with long texts and files" : ""}`}
      note={[`asked for ${formatDateTime(requested_at)}`, formatBytes(size_bytes) + (isDone ? "" : " so far"), isDone && `gone ${formatRelative(expires_at)}`].filter(Boolean).join(" · ")}
    >
      <StateWord tone={isDone ? "good" : "busy"}>{isDone ? "ready" : "being made"}</StateWord>
      {isDone && (
        <a href={exportHref(export_id)} download className={downloadLook} title={sha256 ? `SHA-256 ${sha256}` : undefined}>
          Download
        </a>
      )}
    </Line>
  );
}

/** Copies of what is held about somebody, made while one waits and kept for seven days. */
export function ExportSection() {
  const exports = useInfiniteQuery(exportsQuery);
  const [asking, setAsking] = useState(false);
  const rows = exports.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Section
      title="Export"
      note="Everything held about somebody, as lines of JSON. It is kept for seven days; a download that breaks off can be continued."
      action={<Button onClick={() => setAsking(true)}>Export…</Button>}
    >
      <Fetched query={exports} what="exports" rows={1}>
        <ul aria-label="Exports" className="pt-3">
          {rows.map((made) => (
            <ExportLine key={made.export_id} made={made} />
          ))}
        </ul>
        <Older more={exports.hasNextPage && (() => void exports.fetchNextPage())} />
      </Fetched>
      {asking && <ExportDialog onClose={() => setAsking(false)} />}
    </Section>
  );
}
