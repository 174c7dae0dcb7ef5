import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/components/Button";
import { Fetched } from "@/components/Fetched";
import { StateWord } from "@/components/StateWord";
import { formatCount, formatDateTime, plural } from "@/lib/format";
import { certificateHref, erasuresQuery, type Erasure } from "../api/rights";
import { erasedInWords, erasedRows } from "../erasing";
import { EraseDialog } from "./EraseDialog";
import { downloadLook, Line, Older, Section } from "./Section";

function ErasureLine({ erasure }: { erasure: Erasure }) {
  const { erasure_id, state, requested_at, finished_at, objects } = erasure;
  const { before, removed } = erasedRows(erasure);
  const said = erasedInWords(erasure);
  return (
    <Line
      title={said.charAt(0).toUpperCase() + said.slice(1)}
      note={[finished_at ? `erased ${formatDateTime(finished_at)}` : `asked for ${formatDateTime(requested_at)}`, before > 0 && `${formatCount(removed)} of ${plural(before, "row")}`, objects > 0 && plural(objects, "file")].filter(Boolean).join(" · ")}
    >
      {state === "done" ? <StateWord tone="good">erased</StateWord> : <StateWord tone="busy">{state === "waiting" ? "waiting" : "being erased"}</StateWord>}
      {state === "done" && (
        <a href={certificateHref(erasure_id)} download className={downloadLook}>
          Certificate
        </a>
      )}
    </Line>
  );
}

/** What was erased, with the certificates; open at once when a link named a conversation. */
export function EraseSection({ sessionId }: { sessionId: string | undefined }) {
  const erasures = useInfiniteQuery(erasuresQuery);
  const [asking, setAsking] = useState(sessionId !== undefined);
  const rows = erasures.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Section
      title="Erase"
      note={
        <>
          Gone from recall at once, from storage within minutes, from backups as they expire. <code className="font-mono text-sm">hearth verify-certificate</code> checks a certificate.
        </>
      }
      action={<Button onClick={() => setAsking(true)}>Erase…</Button>}
    >
      <Fetched query={erasures} what="erasures" rows={1}>
        <ul aria-label="Erasures" className="pt-3">
          {rows.map((erasure) => (
            <ErasureLine key={erasure.erasure_id} erasure={erasure} />
          ))}
        </ul>
        <Older more={erasures.hasNextPage && (() => void erasures.fetchNextPage())} />
      </Fetched>
      {asking && <EraseDialog sessionId={sessionId} onClose={() => setAsking(false)} />}
    </Section>
  );
}
