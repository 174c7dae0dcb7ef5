import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/components/Button";
import { DataList, type Column } from "@/components/DataList";
import { Empty } from "@/components/Empty";
import { Fetched } from "@/components/Fetched";
import { PageHead } from "@/components/PageHead";
import { StateWord } from "@/components/StateWord";
import { formatSecond } from "@/lib/format";
import { usePageFeed } from "@/lib/usePageFeed";
import { useTitle } from "@/lib/useTitle";
import { auditQuery, verifyChain, type AuditRow } from "../api/audit";
import { AuditFilters } from "../components/AuditFilters";
import { AuditPane } from "../components/AuditPane";
import { ChainCheck } from "../components/ChainCheck";
import { ExportMenu } from "../components/ExportMenu";
import { auditFilter } from "../filters";
import { useAdminSearch } from "../useAdminSearch";
import { useNames } from "../useNames";
import { actionWords, outcomeTone } from "../words";

const keyOf = (row: AuditRow) => row.audit_id;

const nothing = (
  <Empty title="No row fits">
    <p className="text-muted">Clear a filter or widen the days. Every sign-in, refusal and change of a right writes one row here; nobody can edit or remove it.</p>
  </Empty>
);

/** "user:usr_1" with the name that people know. */
const resourceWords = (resource: string, nameOf: (id: string) => string) => {
  const cut = resource.indexOf(":");
  return cut < 0 ? resource.replaceAll("_", " ") : `${resource.slice(0, cut).replaceAll("_", " ")} ${nameOf(resource.slice(cut + 1))}`;
};

export function AuditPage() {
  useTitle("Audit");
  const { search, change } = useAdminSearch();
  const filter = auditFilter(search);
  const audit = useInfiniteQuery(auditQuery(filter));
  const { items, more } = usePageFeed(audit);
  const [opened, setOpened] = useState<AuditRow>();
  const check = useMutation({ mutationFn: verifyChain });
  const nameOf = useNames();
  const columns: Column<AuditRow>[] = [
    { head: "Action", track: "minmax(0,1fr)", cell: (row) => <span className="block truncate font-medium">{actionWords(row.action)}</span> },
    { head: "Outcome", isPlain: true, track: "6.5rem", cell: (row) => <StateWord tone={outcomeTone(row.outcome)}>{row.outcome}</StateWord> },
    { head: "By", track: "minmax(0,0.8fr)", cell: (row) => <span className="block truncate">{nameOf(row.principal_id) || row.principal_kind}</span> },
    { head: "To", track: "minmax(0,1fr)", cell: (row) => <span className="block truncate">{resourceWords(row.resource, nameOf)}</span> },
    { head: "From", track: "8rem", cell: (row) => row.address && <span className="block truncate">{row.address}</span> },
    { head: "When", isPlain: true, track: "11rem", cell: (row) => formatSecond(row.at) },
  ];
  return (
    <div className="flex h-full flex-col">
      <PageHead title="Audit" note="Who did what, when and from where. Rows are only ever added.">
        <div className="flex gap-2">
          <Button onClick={() => check.mutate()} busy={check.isPending && "Verifying…"}>
            Verify chain
          </Button>
          <ExportMenu filter={filter} />
        </div>
      </PageHead>
      <ChainCheck answer={check.data} error={check.error} onClose={check.reset} />
      <AuditFilters search={search} rows={items} nameOf={nameOf} onChange={change} />
      <Fetched query={audit} what="the record" empty={items.length === 0 && nothing}>
        <DataList
          key={JSON.stringify(filter)}
          label="Audit rows, newest first"
          columns={columns}
          items={items}
          keyOf={keyOf}
          onNearEnd={more}
          opened={opened?.audit_id}
          onOpen={setOpened}
          after={<p className="px-6 py-4 text-sm text-faint max-md:px-4">{audit.hasNextPage ? "Loading older rows…" : "No older rows."}</p>}
        />
      </Fetched>
      {opened && <AuditPane row={opened} nameOf={nameOf} onClose={() => setOpened(undefined)} />}
    </div>
  );
}
