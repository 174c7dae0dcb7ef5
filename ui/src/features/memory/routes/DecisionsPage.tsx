import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { Button } from "@/components/Button";
import { Empty } from "@/components/Empty";
import { Fetched } from "@/components/Fetched";
import { Icon } from "@/components/icons";
import { PageHead } from "@/components/PageHead";
import { SearchField } from "@/components/SearchField";
import { VirtualList } from "@/components/VirtualList";
import { plural } from "@/lib/format";
import { useTitle } from "@/lib/useTitle";
import { decisionsQuery, mostRows, type Decision } from "../api/work";
import { chains, findChains, type Chain } from "../chains";
import { ChainCard } from "../components/ChainCard";
import { DecideDialog } from "../components/DecideDialog";
import { useMemoryPage } from "../useMemoryPage";

const keyOf = ({ head }: Chain) => head.decision_id;
const noMore = () => {};

export function DecisionsPage() {
  useTitle("Decisions");
  const { search, change } = useMemoryPage();
  const [deciding, setDeciding] = useState<{ before?: Decision }>();
  const decisions = useQuery(decisionsQuery);
  const all = useMemo(() => chains(decisions.data ?? []), [decisions.data]);
  const shown = findChains(all, search.q ?? "");
  const record = () => setDeciding({});
  const empty =
    all.length > 0 ? (
      <Empty title="No decision holds these words">
        <Button className="justify-self-start" onClick={() => change({ q: undefined })}>
          Show all
        </Button>
      </Empty>
    ) : (
      <Empty title="Nothing is decided yet">
        <p className="text-muted">Agents record what was decided and why; a later decision about the same takes its place, and the chain stays to be read.</p>
        <Button look="fire" className="justify-self-start" onClick={record}>
          Record a decision
        </Button>
      </Empty>
    );
  return (
    <div className="flex h-full flex-col">
      <PageHead title="Decisions" note="What holds, why, and what held before.">
        <div className="flex gap-2 max-sm:w-full">
          <SearchField label="Find a decision" value={search.q ?? ""} onChange={(q) => change({ q: q || undefined })} />
          <Button look="fire" onClick={record}>
            <Icon name="plus" /> Decide
          </Button>
        </div>
      </PageHead>
      <Fetched query={decisions} what="decisions" empty={shown.length === 0 && empty}>
        <VirtualList
          label="Decisions, newest first"
          items={shown}
          estimate={110}
          keyOf={keyOf}
          onNearEnd={noMore}
          render={(chain) => <ChainCard chain={chain} onSupersede={(before) => setDeciding({ before })} />}
          after={(decisions.data?.length ?? 0) >= mostRows && <p className="px-6 py-4 text-sm text-faint">Only the latest {plural(mostRows, "decision")} of each kind are shown.</p>}
        />
      </Fetched>
      {deciding && <DecideDialog before={deciding.before} onClose={() => setDeciding(undefined)} />}
    </div>
  );
}
