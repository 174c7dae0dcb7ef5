import { lazy, Suspense, useState } from "react";
import { Empty } from "@/components/Empty";
import { ErrorNote } from "@/components/ErrorNote";
import { Waiting } from "@/components/Waiting";
import { useTitle } from "@/lib/useTitle";
import { AnswerNotes } from "../components/AnswerNotes";
import { DetailPane } from "../components/DetailPane";
import { FirstSteps } from "../components/FirstSteps";
import { Hits } from "../components/Hits";
import { Invitation } from "../components/Invitation";
import { Missing } from "../components/Missing";
import { SearchHead } from "../components/SearchHead";
import { useMemoryPage } from "../useMemoryPage";
import { useSearchAnswer } from "../useSearchAnswer";
import { modeInWords } from "../words";

const WhyNot = lazy(() => import("../components/WhyNot").then((module) => ({ default: module.WhyNot })));

export function SearchPage() {
  useTitle("Search memory");
  const page = useMemoryPage();
  const { search, stats } = page;
  const { query, found, answer, more } = useSearchAnswer(page);
  const [pickedId, setPickedId] = useState<string>();
  const hits = answer?.items ?? [];
  const selected = hits.find((hit) => hit.id === pickedId) ?? hits[0];
  const failed = stats.isError ? stats : found.isError ? found : null;

  if (stats.data?.events === 0) return <FirstSteps />;
  return (
    <div className="flex h-full flex-col">
      <h1 className="sr-only">Search memory</h1>
      <SearchHead page={page} answer={answer} />
      <div className="flex min-h-0 grow">
        <div className="flex min-w-0 grow flex-col" aria-busy={found.isFetching}>
          {failed && (
            <div className="p-5">
              <ErrorNote error={failed.error} onRetry={() => void failed.refetch()} />
            </div>
          )}
          {!query && <Invitation stats={stats.data} />}
          {query && found.isPending && !failed && <Waiting label="Searching" />}
          {answer && <AnswerNotes answer={answer} />}
          {query && search.event && (
            <Suspense>
              <WhyNot key={search.event} page={page} eventId={search.event} />
            </Suspense>
          )}
          {answer && hits.length === 0 && (
            <Empty title="Nothing matches">
              <p className="text-muted">Compared: {modeInWords(answer.mode)}. Try fewer or other words, any session, a wider channel or a longer time.</p>
              <Missing question={query} />
            </Empty>
          )}
          {hits.length > 0 && <Hits hits={hits} selectedId={selected?.id} onSelect={(hit) => setPickedId(hit.id)} onMore={more} missing={<Missing question={query} />} />}
        </div>
        <DetailPane hit={selected} picked={pickedId !== undefined} onClose={() => setPickedId(undefined)} />
      </div>
    </div>
  );
}
