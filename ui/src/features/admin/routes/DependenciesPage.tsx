import { useQuery } from "@tanstack/react-query";
import { DataList, type Column } from "@/components/DataList";
import { Fetched } from "@/components/Fetched";
import { PageHead } from "@/components/PageHead";
import { StateWord } from "@/components/StateWord";
import { formatDateTime, formatMs, formatRelative, plural } from "@/lib/format";
import { useTitle } from "@/lib/useTitle";
import { dependenciesQuery, type Dependency } from "../api/server";

const keyOf = (dependency: Dependency) => dependency.name;

function State({ dependency: { configured, up } }: { dependency: Dependency }) {
  if (!configured) return <StateWord tone="rest">not used</StateWord>;
  if (up == null) return <StateWord tone="busy">asking</StateWord>;
  return up ? <StateWord tone="good">up</StateWord> : <StateWord tone="bad">down</StateWord>;
}

const columns: Column<Dependency>[] = [
  { head: "Dependency", track: "minmax(0,0.8fr)", cell: ({ name }) => <span className="font-medium">{name.replaceAll("_", " ")}</span> },
  { head: "State", isPlain: true, track: "6.5rem", cell: (dependency) => <State dependency={dependency} /> },
  { head: "Since", track: "7.5rem", cell: ({ since }) => since && <span title={formatDateTime(since)}>{formatRelative(since)}</span> },
  { head: "Answers in", track: "5.5rem", atEnd: true, cell: ({ latency_ms }) => (latency_ms == null ? null : formatMs(latency_ms)) },
  { head: "Last error", track: "minmax(0,1.2fr)", cell: ({ last_error }) => last_error && <span className="break-words">{last_error}</span> },
  { head: "About", track: "minmax(0,1.2fr)", cell: ({ detail }) => detail && <span className="break-words">{detail}</span> },
];

/** The whole in one word; what is not used counts for nothing. */
function Verdict({ items }: { items: Dependency[] }) {
  const used = items.filter(({ configured }) => configured);
  const down = used.filter(({ up }) => up === false);
  if (down.length > 0) return <StateWord tone="bad" className="font-medium">{`${down.length} of ${used.length} down`}</StateWord>;
  return <StateWord tone="good" className="font-medium">{`${plural(used.length, "dependency", "dependencies")} up`}</StateWord>;
}

export function DependenciesPage() {
  useTitle("Health");
  const dependencies = useQuery(dependenciesQuery);
  const items = dependencies.data?.items ?? [];
  return (
    <div className="flex h-full flex-col">
      <PageHead title="Health" note="What this server leans on, asked every few seconds.">
        <div role="status">{dependencies.isSuccess && <Verdict items={items} />}</div>
      </PageHead>
      <Fetched query={dependencies} what="dependencies">
        <DataList label="Dependencies" columns={columns} items={items} keyOf={keyOf} />
      </Fetched>
    </div>
  );
}
