import { useQuery } from "@tanstack/react-query";
import { DataList, type Column } from "@/components/DataList";
import { Fetched } from "@/components/Fetched";
import { PageHead } from "@/components/PageHead";
import { formatCount, plural } from "@/lib/format";
import { useTitle } from "@/lib/useTitle";
import { retentionQuery, type RetentionRule } from "../api/server";

const keyOf = (rule: RetentionRule) => rule.name;

const columns: Column<RetentionRule>[] = [
  { head: "Kept", track: "minmax(0,1fr)", cell: ({ name }) => <span className="font-medium">{name.replace(".", ", ").replaceAll("_", " ")}</span> },
  { head: "For", track: "12rem", cell: ({ days }) => (days === 0 ? "until its own date" : plural(days, "day")) },
  { head: "Goes with the next run", track: "12rem", atEnd: true, cell: ({ expired }) => formatCount(expired) },
];

export function RetentionPage() {
  useTitle("Retention");
  const rules = useQuery(retentionQuery);
  return (
    <div className="flex h-full flex-col">
      <PageHead title="Retention" note="How long rows are kept after their end. What a legal hold keeps stays until the hold is released." />
      <Fetched query={rules} what="rules">
        <DataList label="Rules of retention" columns={columns} items={rules.data?.items ?? []} keyOf={keyOf} />
      </Fetched>
    </div>
  );
}
