import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { DataList, type Column } from "@/components/DataList";
import { Empty } from "@/components/Empty";
import { Fetched } from "@/components/Fetched";
import { FilterMenu } from "@/components/FilterMenu";
import { Icon } from "@/components/icons";
import { PageHead } from "@/components/PageHead";
import { SearchField } from "@/components/SearchField";
import { formatCount } from "@/lib/format";
import { useTitle } from "@/lib/useTitle";
import { configurationQuery, type Setting, type Warning } from "../api/server";
import { SettingPane } from "../components/SettingPane";
import { useAdminSearch } from "../useAdminSearch";

const keyOf = (setting: Setting) => setting.name;
const isSet = ({ source }: Setting) => source !== "default";

const columns: Column<Setting>[] = [
  { head: "Setting", track: "minmax(0,1.1fr)", cell: ({ name }) => <code className="block truncate font-mono text-sm text-ink">{name}</code> },
  { head: "Value", track: "minmax(0,1fr)", cell: (setting) => <span className={isSet(setting) ? "block truncate text-ink" : "block truncate"}>{setting.value ?? "not set"}</span> },
  { head: "From", track: "8rem", cell: ({ source }) => <span className="block truncate">{source}</span> },
  { head: "Meaning", isPlain: true, track: "minmax(0,1.7fr)", cell: ({ meaning }) => <span className="block truncate">{meaning}</span> },
];

const kinds = [
  { value: "", label: "all settings", keeps: () => true },
  { value: "set", label: "set by you", keeps: isSet },
  { value: "secret", label: "secrets", keeps: ({ is_secret }: Setting) => is_secret },
];

function Warnings({ warnings }: { warnings: Warning[] }) {
  if (warnings.length === 0) return null;
  return (
    <ul aria-label="Warnings" className="shrink-0 border-b border-line bg-raised px-6 py-2 max-md:px-4">
      {warnings.map(({ variable, text }) => (
        <li key={`${variable} ${text}`} className="flex gap-2 py-0.5">
          <Icon name="warn" className="mt-0.5 size-4 text-warn" />
          <span className="min-w-0 break-words">
            <code className="font-mono text-sm">{variable}</code> {text}
          </span>
        </li>
      ))}
    </ul>
  );
}

export function ConfigurationPage() {
  useTitle("Configuration");
  const { search, change } = useAdminSearch();
  const [opened, setOpened] = useState<string>();
  const configuration = useQuery(configurationQuery);
  const all = configuration.data?.settings ?? [];
  const kind = kinds.find(({ value }) => value === search.kind) ?? kinds[0];
  const words = (search.q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const items = all.filter((setting) => kind?.keeps(setting) && words.every((word) => `${setting.name} ${setting.meaning}`.toLowerCase().includes(word)));
  const setting = all.find(({ name }) => name === opened);
  const nothing = <Empty title="No setting fits">Try a shorter word, or show all settings.</Empty>;
  return (
    <div className="flex h-full flex-col">
      <PageHead title="Configuration" note="As the server reads it now. Secrets are named, never shown.">
        <SearchField label="Search settings" value={search.q ?? ""} onChange={(q) => change({ q: q || undefined })} />
      </PageHead>
      <Warnings warnings={configuration.data?.warnings ?? []} />
      <div className="flex shrink-0 items-center gap-3 border-b border-line px-6 py-2.5 max-md:px-4">
        <FilterMenu label="Show" value={kind?.value ?? ""} rest="" choices={kinds} onChange={(next) => change({ kind: next || undefined })} />
        <span role="status" className="text-sm text-faint tabular-nums">
          {configuration.isSuccess && `${formatCount(items.length)} of ${formatCount(all.length)}`}
        </span>
      </div>
      <Fetched query={configuration} what="settings" empty={items.length === 0 && nothing}>
        <DataList label="Settings" columns={columns} items={items} keyOf={keyOf} opened={opened} onOpen={({ name }) => setOpened(name)} />
      </Fetched>
      {setting && <SettingPane setting={setting} onClose={() => setOpened(undefined)} />}
    </div>
  );
}
